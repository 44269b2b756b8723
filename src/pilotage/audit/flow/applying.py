"""What the build plan proposes, written into the project's files piece by piece."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct

from pilotage.audit.flow.history import latest
from pilotage.audit.flow.promises import drafted
from pilotage.audit.records import AuditReport, ProposedInput, Removal
from pilotage.audit.rules.editing import is_written, with_entry, without_entry, without_items
from pilotage.audit.rules.standing import AppliedEdit, speaks_of, substance_of
from pilotage.data.flow.adopting import folder_beside
from pilotage.platform.errors import Conflict, EvidenceMissing, NotFound
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import (
    evidence_history,
    file_of,
    is_adopted,
    keep_evidence,
    parse_definition,
    read_definition,
)
from pilotage.usecase.records import Definition, Input, listed

_T = TypeVar("_T")
Piece = Literal["columns", "contract", "removals", "answers"]
_EVIDENCE = "applied"


class Edit(Struct, frozen=True):
    """A file of the project before and after; ``before`` is empty for a new one.

    ``piece`` is the part of the build plan that changes the use-case file itself, empty for another file.
    """

    path: Path
    before: str
    after: str
    piece: str = ""

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

    What was applied before is left out; nothing at all where nothing is left. The file may have been changed by earlier
    applications, and its answers by people: the audit speaks of it still. Nothing is written; see :func:`apply`.

    Raises:
        EvidenceMissing: the use case was never audited, or its file was changed otherwise since.
        Conflict: the file on disk is neither what was adopted nor what was applied to it.
        NotFound: it has no file, or what is left of this piece has no part of one of these names.
        InvalidFile: the file would not be a use case any more; ``problems`` says why.
    """
    path, now, report = _standing(work, definition)
    if piece == "contract":
        return _contracts(work, now, path, report, only)
    after = _EDITORS[piece](now, report, only)
    if after == now.text:
        return []
    parse_definition(after, f"{path} with these changes")
    return [Edit(path, now.text, after, piece)]


def apply(work: Workspace, definition: Definition, changes: list[Edit]) -> None:
    """Write the files, each at once or not at all, and keep in evidence how the use-case file changed by it.

    Raises:
        Conflict: a file changed since it was read.
    """
    for edit in changes:
        if _text(edit.path) != edit.before:
            raise Conflict(f"{edit.path} changed meanwhile; nothing more was written.", "Run the command again.")
        edit.path.parent.mkdir(parents=True, exist_ok=True)
        _replace(edit.path, edit.after)
        if edit.piece:
            _remember(work, definition, edit)


def _remember(work: Workspace, definition: Definition, edit: Edit) -> None:
    """So that the audit still speaks of the file, which was changed by nothing but its own proposals."""
    before, after = (substance_of(parse_definition(text, str(edit.path))) for text in (edit.before, edit.after))
    keep_evidence(work, definition, _EVIDENCE, msgspec.to_builtins(AppliedEdit(before, after, edit.piece)))


def _standing(work: Workspace, definition: Definition) -> tuple[Path, Definition, AuditReport]:
    """The file, the use case as it says now, and the newest audit, which has to speak of that."""
    report = latest(work, definition.name)
    if report is None:
        raise EvidenceMissing(f"{definition.name} was never audited.", f"Run pilotage audit {definition.name} first.")
    path = _file_of(work, definition)
    now = read_definition(path)
    kept = evidence_history(work, definition.name, _EVIDENCE)
    own = [msgspec.convert(piece.body, AppliedEdit) for piece in kept]
    if now.name == definition.name and speaks_of(report.substance, substance_of(now), own):
        return path, now, report
    changed = f"{path} was changed since its newest audit, by more than --apply and answers"
    if is_adopted(work, now):
        raise EvidenceMissing(f"{changed}.", f"Run pilotage audit {definition.name} first.")
    repair = f"Run pilotage sync {path} and pilotage audit {definition.name} first."
    raise Conflict(f"{changed}, and differs from what was adopted as {definition.name}.", repair)


def _file_of(work: Workspace, definition: Definition) -> Path:
    path = file_of(work, definition.name)
    if path is None:
        raise NotFound(f"{definition.name} was not adopted from a file.", "Give its file to pilotage sync.")
    if not path.is_file():
        raise NotFound(
            f"There is no file {path.absolute()} any more.",
            f"Sync it anew from where it is now: pilotage sync PATH/{path.name}",
        )
    return path


def _with_columns(now: Definition, report: AuditReport, only: Collection[str]) -> str:
    text, there = now.text, now.use_case.inputs
    left = {each.name: each for each in report.plan.proposals if each.name not in there}
    for proposal in _chosen(left, only, "proposes no input"):
        text = _with_proposal(text, proposal)
    return text


def _with_proposal(text: str, proposal: ProposedInput) -> str:
    for name, kind in proposal.request.items():
        text = with_entry(text, ("decision", "request"), name, f"{name}: {kind}")
    return with_entry(text, ("inputs",), proposal.name, proposal.lines)


def _without_leaks(now: Definition, report: AuditReport, only: Collection[str]) -> str:
    text = now.text
    left = {each.input: each for each in report.plan.removals if _is_there(now, each)}
    for removal in _chosen(left, only, "finds no input that leaks"):
        if removal.columns:
            text = without_items(text, ("inputs", removal.input, "take"), removal.columns)
        else:
            text = without_entry(text, ("inputs", removal.input))
    return text


def _is_there(now: Definition, removal: Removal) -> bool:
    """Whether the file still has the input, with all the columns that are to be taken out of it."""
    entry = now.use_case.inputs.get(removal.input)
    taken = listed(entry.take) if isinstance(entry, Input) else []
    return entry is not None and set(removal.columns) <= set(taken)


def _with_answers(now: Definition, report: AuditReport, only: Collection[str]) -> str:
    text = now.text
    paths = {path.removeprefix("answers."): path for path in report.plan.open_answers}
    questions = {name: path for name, path in paths.items() if not is_written(text, ("answers", name))}
    prompts = {answer.path: answer.prompt for answer in report.answers}
    for path in _chosen(questions, only, "has no open question"):
        name = path.removeprefix("answers.")
        text = with_entry(text, ("answers",), name, f'{name}: ""  # {prompts[path]}')
    return text


_EDITORS: dict[str, Callable[[Definition, AuditReport, Collection[str]], str]] = {
    "columns": _with_columns,
    "removals": _without_leaks,
    "answers": _with_answers,
}


def _contracts(
    work: Workspace, definition: Definition, file: Path, report: AuditReport, only: Collection[str]
) -> list[Edit]:
    folder = folder_beside(file)
    paths = {source: folder / f"{source}.yaml" for source in report.plan.uncontracted}
    missing = {source: path for source, path in paths.items() if not path.exists()}
    return [
        Edit(path, "", drafted(work, definition, path.stem, report.plan.protected))
        for path in _chosen(missing, only, "misses no contract")
    ]


def _chosen(parts: dict[str, _T], only: Collection[str], nothing: str) -> list[_T]:
    """The parts that are wanted: all that are left, unless some are named."""
    unknown = [name for name in only if name not in parts]
    if unknown and parts:
        raise NotFound(f"The newest audit {nothing} '{unknown[0]}'.", f"There are: {', '.join(parts)}.")
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
