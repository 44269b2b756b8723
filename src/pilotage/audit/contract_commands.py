"""The command that drafts contracts; it stands here because what may be personal is the audit's to say."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pilotage.data.contracts.records import Protection
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import Workspace, opened
from pilotage.usecase.records import Definition


def draft(
    use_case: str | None = None,
    *,
    source: str | None = None,
    write: bool = False,
    replace: bool = False,
    json: bool = False,
) -> None:
    """Draft contracts from the rows that were read: what held so far, with the figure behind each guess.

    Parameters
    ----------
    source
        Only for this source; for all when nothing is said.
    write
        Write contracts/<source>.yaml beside the use-case file, for those that have none.
    replace
        With --write: write over contract files that are there.
    """
    from pilotage.usecase import flow as defining

    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        texts = _drafted(work, definition, [source] if source else list(definition.use_case.sources))
        if write:
            _write(terminal, work, definition, texts, replace, only_missing=source is None)
        else:
            for text in texts.values():
                terminal.say(text)
    terminal.document(texts)


def protections(columns: Iterable[str]) -> dict[str, Protection]:
    """What to declare of columns whose names alone say that they may hold personal data."""
    from pilotage.audit.rules.sensitive import KINDS
    from pilotage.audit.rules.telling_names import hint_of

    names = list(columns)
    hints = {name: hint_of(name, names) for name in names}
    kinds = {name: KINDS[hint.kind] for name, hint in hints.items() if hint is not None and hint.sure}
    return {
        name: Protection(kind.sensitivity, kind.purposes, kind.mask, f"by its name, {kind.holds}")
        for name, kind in kinds.items()
    }


def _drafted(work: Workspace, definition: Definition, sources: Iterable[str]) -> dict[str, str]:
    from pilotage.data.flow.drafting import draft_text

    return {
        source: draft_text(work, definition, source, protections(_columns(work, definition, source)))
        for source in sources
    }


def _columns(work: Workspace, definition: Definition, source: str) -> list[str]:
    from pilotage.data import flow as data

    if source not in definition.use_case.sources:
        return []
    return [column.name for column in data.snapshot(work, definition.name, source).columns]


def _write(
    terminal: Terminal,
    work: Workspace,
    definition: Definition,
    texts: dict[str, str],
    replace: bool,
    only_missing: bool,
) -> None:
    from pilotage.data.flow import exchanging
    from pilotage.data.flow.adopting import folder_beside
    from pilotage.platform.errors import NotFound
    from pilotage.usecase import flow as defining

    file: Path | None = defining.file_of(work, definition.name)
    if file is None:
        raise NotFound(f"{definition.name} was not adopted from a file.", "Draft without --write, and keep the text.")
    folder = folder_beside(file)
    if only_missing and not replace:
        texts = {source: text for source, text in texts.items() if not (folder / f"{source}.yaml").exists()}
    written = exchanging.write_contracts(folder, texts, replace)
    for path in written:
        terminal.say(f"Wrote {path}.")
    if not written:
        terminal.say("Every source has a contract; --replace drafts them anew.")
    terminal.next(f"pilotage contract check {file}")
