"""What the build plan proposes, written into the project's files piece by piece."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Literal, TypeVar

from msgspec import Struct

from pilotage.audit.flow.history import latest
from pilotage.audit.flow.promises import drafted
from pilotage.audit.records import AuditReport, Proposal
from pilotage.audit.rules.editing import with_entry, without_entry, without_items
from pilotage.data.flow.adopting import folder_beside
from pilotage.platform.errors import Conflict, EvidenceMissing, NotFound
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import adopted_file, parse_definition
from pilotage.usecase.records import Definition

_T = TypeVar("_T")
Piece = Literal["columns", "contract", "removals", "answers"]


class Edit(Struct, frozen=True):
    """A file of the project before and after; ``before`` is empty for a new one."""

    path: Path
    before: str
    after: str

    @property
    def difference(self) -> str:
        """The change as a unified diff."""
        lines = difflib.unified_diff(
            self.before.splitlines(keepends=True),
            self.after.splitlines(keepends=True),
            str(self.path) if self.before else os.devnull,
            str(self.path),
        )
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def edits(work: Workspace, definition: Definition, piece: Piece, only: Collection[str] = ()) -> list[Edit]:
    """The files that a piece of the newest build plan would change; ``only`` names the parts of it that are wanted.

    Nothing is written; see :func:`apply`.

    Raises:
        EvidenceMissing: the use case, as it is now, was never audited.
        Conflict: the file on disk is not what was adopted.
        NotFound: the plan has nothing of this piece, or not by one of these names.
        InvalidFile: the file would not be a use case any more; ``problems`` says why.
    """
    report = _report_of(work, definition)
    if piece == "contract":
        return _contracts(work, definition, report, only)
    path = adopted_file(work, definition)
    after = _EDITORS[piece](definition.text, report, only)
    parse_definition(after, f"{path} with these changes")
    return [Edit(path, definition.text, after)]


def apply(changes: list[Edit]) -> None:
    """Write the files, each at once or not at all.

    Raises:
        Conflict: a file changed since it was read.
    """
    for edit in changes:
        if _text(edit.path) != edit.before:
            raise Conflict(f"{edit.path} changed meanwhile; nothing more was written.", "Run the command again.")
        edit.path.parent.mkdir(parents=True, exist_ok=True)
        _replace(edit.path, edit.after)


def _report_of(work: Workspace, definition: Definition) -> AuditReport:
    report = latest(work, definition.name)
    if report is None or report.definition != definition.fingerprint:
        raise EvidenceMissing(
            f"{definition.name}, as its file is now, was never audited.", f"Run pilotage audit {definition.name} first."
        )
    return report


def _with_columns(text: str, report: AuditReport, only: Collection[str]) -> str:
    proposals = report.plan.proposals
    for proposal in _chosen({each.name: each for each in proposals}, only, "proposes no input"):
        text = _with_proposal(text, proposal)
    return text


def _with_proposal(text: str, proposal: Proposal) -> str:
    for name, kind in proposal.request.items():
        text = with_entry(text, ("decision", "request"), name, f"{name}: {kind}")
    return with_entry(text, ("inputs",), proposal.name, proposal.lines)


def _without_leaks(text: str, report: AuditReport, only: Collection[str]) -> str:
    for removal in _chosen({each.input: each for each in report.plan.removals}, only, "finds no input that leaks"):
        if removal.columns:
            text = without_items(text, ("inputs", removal.input, "take"), removal.columns)
        else:
            text = without_entry(text, ("inputs", removal.input))
    return text


def _with_answers(text: str, report: AuditReport, only: Collection[str]) -> str:
    questions = {path.removeprefix("answers."): path for path in report.plan.open_answers}
    prompts = {answer.path: answer.prompt for answer in report.answers}
    for path in _chosen(questions, only, "has no open question"):
        name = path.removeprefix("answers.")
        text = with_entry(text, ("answers",), name, f'{name}: ""  # {prompts[path]}')
    return text


_EDITORS: dict[str, Callable[[str, AuditReport, Collection[str]], str]] = {
    "columns": _with_columns,
    "removals": _without_leaks,
    "answers": _with_answers,
}


def _contracts(work: Workspace, definition: Definition, report: AuditReport, only: Collection[str]) -> list[Edit]:
    folder = folder_beside(adopted_file(work, definition))
    paths = {source: folder / f"{source}.yaml" for source in report.plan.uncontracted}
    missing = {source: path for source, path in paths.items() if not path.exists()}
    return [
        Edit(path, "", drafted(work, definition, path.stem, report.plan.declarations))
        for path in _chosen(missing, only, "misses no contract")
    ]


def _chosen(parts: dict[str, _T], only: Collection[str], nothing: str) -> list[_T]:
    """The parts that are wanted: all, unless some are named."""
    unknown = [name for name in only if name not in parts]
    if unknown and parts:
        raise NotFound(f"The newest audit {nothing} '{unknown[0]}'.", f"There are: {', '.join(parts)}.")
    if not parts:
        raise NotFound(f"The newest audit {nothing}.", "There is nothing to apply.")
    return [part for name, part in parts.items() if not only or name in only]


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig") if path.is_file() else ""


def _replace(path: Path, text: str) -> None:
    """Write beside the file, then put it in its place, so that nobody ever reads half of it."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    marked = path.exists() and path.read_bytes().startswith(b"\xef\xbb\xbf")
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8-sig" if marked else "utf-8", newline="") as file:
            file.write(text)
        Path(beside).chmod(mode)
        Path(beside).replace(path)
    finally:
        Path(beside).unlink(missing_ok=True)
