"""Shared columns inside a use case: its text carries the text of the columns' files, its record their inputs.

So the text that is adopted, its fingerprint and its substance cover what is shared: a change of a columns file is a
change of every use case that uses it. In the text, each file follows a line that names it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from pilotage.usecase.records import Input, Source, UseCase, listed
from pilotage.usecase.records.columns_file import SharedColumns
from pilotage.usecase.rules import document
from pilotage.usecase.rules.conversion import Conversion
from pilotage.usecase.rules.document import Scalar, UnreadableDocument, read_document
from pilotage.usecase.rules.expressions.kinds import unknown_name
from pilotage.usecase.rules.places import Mistake, Path, Positions, WithShared, located

_HEADING = re.compile(r"^# === (columns/[^\n/]+\.ya?ml) ===\n", re.MULTILINE)
_OWN = frozenset({"shared", "take", "by"})


class SharedFile(msgspec.Struct, frozen=True):
    """A columns file as it was read; ``mistakes`` are said with its own lines."""

    file: str
    columns: SharedColumns | None
    positions: Positions
    mistakes: tuple[str, ...]


class Merged(msgspec.Struct, frozen=True):
    """A use case with the inputs that it shares, where everything stands, and what does not go together."""

    use_case: UseCase
    positions: Positions
    mistakes: tuple[Mistake, ...]


def joined(text: str, files: Mapping[str, str]) -> str:
    """The text of a use case with that of the columns' files it uses, by their paths."""
    parts = [f"\n# === {file} ===\n{content}" for file, content in files.items()]
    return "".join([text if text.endswith("\n") else text + "\n", *parts]) if parts else text


def parted(text: str) -> tuple[str, dict[str, str]]:
    """The text of the use-case file itself, and those of the columns' files."""
    pieces = _HEADING.split(text)
    return pieces[0], dict(zip(pieces[1::2], pieces[2::2], strict=True))


def names_used(text: str) -> tuple[str, ...]:
    """The shared columns that a use case's text names; nothing where it cannot be read, which is said elsewhere."""
    try:
        node, _ = read_document(text)
    except UnreadableDocument:
        return ()
    inputs = node.entries.get("inputs") if isinstance(node, document.Mapping) else None
    entries = inputs.entries.values() if isinstance(inputs, document.Mapping) else []
    named = [entry.entries.get("shared") for entry in entries if isinstance(entry, document.Mapping)]
    return tuple(dict.fromkeys(node.text for node in named if isinstance(node, Scalar)))


def name_in(text: str) -> str:
    """The name of the columns that a file declares; empty where it cannot be read or declares none."""
    try:
        node, _ = read_document(text)
    except UnreadableDocument:
        return ""
    found = node.entries.get("columns") if isinstance(node, document.Mapping) else None
    return found.text if isinstance(found, Scalar) else ""


def read_shared(file: str, text: str) -> SharedFile:
    """The columns of a file."""
    try:
        node, mistakes = read_document(text)
    except UnreadableDocument as error:
        return SharedFile(file, None, {}, tuple(_said(file, [error.mistake], {})))
    conversion = Conversion()
    columns = conversion.converted(node, SharedColumns)
    said = _said(file, [*mistakes, *conversion.mistakes], conversion.positions)
    return SharedFile(file, columns if conversion.complete else None, conversion.positions, tuple(said))


def _said(file: str, mistakes: Sequence[Mistake], positions: Positions) -> list[str]:
    found = located(mistakes, positions)
    return [f"{file}:{p.line}:{p.column} {p.where}: {p.message} {p.repair}".rstrip() for p in found]


def merged(use_case: UseCase, texts: Mapping[str, str], positions: Positions) -> Merged:
    """The use case with its shared inputs in the places of those that name them, and their sources."""
    files = [read_shared(file, text) for file, text in texts.items()]
    by_name = {name_in(text): found for found, text in zip(files, texts.values(), strict=True)}
    merging = _Merging(use_case, positions)
    for key, entry in use_case.inputs.items():
        if not isinstance(entry, Input) or not entry.shared:
            merging.own(key, entry)
        elif entry.shared not in by_name:
            message = f"There is no file beside this one, columns/….yaml, that says `columns: {entry.shared}`."
            merging.wrong((key, "shared"), message, "Write it, or correct the name.")
        else:
            merging.share(key, entry, by_name[entry.shared])
    return merging.done()


class _Merging:
    """One use case on the way to its whole inputs."""

    def __init__(self, use_case: UseCase, positions: Positions) -> None:
        self._use_case = use_case
        self._inputs: dict[str, object] = {}
        self._sources: dict[str, Source] = dict(use_case.sources)
        self._from: dict[str, str] = {}
        self._positions = WithShared(positions)
        self._mistakes: list[Mistake] = []

    def wrong(self, place: tuple[str | int, ...], message: str, repair: str = "") -> None:
        self._mistakes.append(Mistake(("inputs", *place), message, repair))

    def own(self, key: str, entry: object) -> None:
        if key in self._inputs:
            self.wrong((key,), f"{key} is an input of {self._from[key]} already.", "Give one of them another name.")
        self._inputs[key] = entry

    def share(self, key: str, entry: Input, found: SharedFile) -> None:
        for message in found.mistakes:
            self.wrong((key, "shared"), message)
        for name in sorted(_written(entry) - _OWN):
            self.wrong((key, name), f"{name} does not go with shared, which has its own.", "Remove it.")
        if found.columns is None or found.mistakes:
            return
        takes = [take for take in listed(entry.take) if take] or list(found.columns.inputs)
        for take in takes:
            if take not in found.columns.inputs:
                message = f"{found.file}: {unknown_name(take, 'input', found.columns.inputs)}"
                self.wrong((key, "take"), message)
            elif take in self._inputs or (take in self._use_case.inputs and take != key):
                message = f"{found.file} has an input {take}, and so has this file."
                self.wrong((key, "take"), message, "Take others, or rename the input here.")
            else:
                self._add(key, take, _renamed(found.columns.inputs[take], entry), found)

    def _add(self, key: str, name: str, entry: Input, found: SharedFile) -> None:
        self._inputs[name] = entry
        self._from[name] = found.file
        self._place(key, ("inputs", name), found)
        source = entry.latest or entry.windows
        if not source or found.columns is None or source not in found.columns.sources:
            return
        theirs = found.columns.sources[source]
        ours = self._use_case.sources.get(source)
        if ours is not None and ours != theirs:
            message = f"{found.file} declares a source {source} otherwise than this file does under sources.{source}."
            self.wrong((key, "shared"), message, "Make them the same, or give one of them another name.")
        elif self._sources.setdefault(source, theirs) != theirs:
            message = f"{found.file} declares a source {source} otherwise than another columns file does."
            self.wrong((key, "shared"), message, "Make them the same, or give one of them another name.")
        if ours is None:
            self._place(key, ("sources", source), found)

    def _place(self, key: str, top: Path, found: SharedFile) -> None:
        here = self._positions.get(("inputs", key, "shared"), (1, 1))
        self._positions.shared[top] = (found.file, found.positions)
        for path in found.positions:
            if path[:2] == top:
                self._positions.setdefault(path, here)

    def done(self) -> Merged:
        inputs = {name: entry for name, entry in self._inputs.items() if not _is_reference(entry)}
        use_case = msgspec.structs.replace(self._use_case, inputs=inputs, sources=self._sources)
        return Merged(use_case, self._positions, tuple(self._mistakes))


def _is_reference(entry: object) -> bool:
    return isinstance(entry, Input) and bool(entry.shared)


def _written(entry: Input) -> set[str]:
    """The keys of an input that say something else than their default."""
    return set(msgspec.to_builtins(entry))


def _renamed(entry: Input, use: Input) -> Input:
    """The shared input by the request columns that this use case has: ``by: {departure_airport: origin}``."""
    if not isinstance(use.by, dict):
        return entry
    ours = {theirs: name for name, theirs in use.by.items()}
    by = entry.by if isinstance(entry.by, dict) else {name: name for name in listed(entry.by)}
    return msgspec.structs.replace(entry, by={ours.get(name, name): theirs for name, theirs in by.items()})
