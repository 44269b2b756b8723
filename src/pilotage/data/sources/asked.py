"""A source as it was asked for: its name, its declaration and who repairs it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from msgspec import Struct

from pilotage.platform.errors import SourceUnavailable, SourceUnreachable
from pilotage.usecase.records import Source, UseCase


class NoSuchTable(SourceUnavailable):
    """The database can be read and has no table of the name that the file gives."""


class Asked(Struct, frozen=True):
    """One source of a use case. ``owner`` is empty where no file names one yet."""

    name: str
    source: Source
    owner: str

    def failure(self, message: str, repair: str) -> SourceUnavailable:
        """What is wrong, how to repair it and whom to ask."""
        return SourceUnavailable(message, self._whom_to_ask(repair))

    def unreachable(self, message: str, repair: str) -> SourceUnreachable:
        """The same of what may pass by itself: no answer, or none in time. A sync tries again."""
        return SourceUnreachable(message, self._whom_to_ask(repair))

    def no_table(self, known: Iterable[str]) -> NoSuchTable:
        """That the database has no such table, with the nearest of those that it has."""
        hint = nearest(self.source.table, known)
        repair = self._whom_to_ask(f"{hint} Correct `table`, or let this user read it.")
        return NoSuchTable(f"Source {self.name}: there is no table {self.source.table}.", repair)

    def _whom_to_ask(self, repair: str) -> str:
        return f"{repair} Owner of {self.name}: {self.owner}." if self.owner else repair


def asked(use_case: UseCase, name: str) -> Asked:
    """The source of this name; its owner is its own, else the data owner, else the use case's."""
    source = use_case.sources[name]
    return Asked(name, source, source.owner or use_case.data_owner or use_case.owner)


def nearest(wanted: str, known: Iterable[str]) -> str:
    """A sentence with the closest names, for an error message."""
    names = list(known)
    close = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5) or sorted(names)[:8]
    return f"Did you mean {' or '.join(close)}?" if close else "There is none at all."
