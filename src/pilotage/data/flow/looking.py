"""Looking at sources before they are read: do they have what the file says of them?"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from pilotage.data import sources
from pilotage.data.flow.placing import unfit_places
from pilotage.data.flow.retrying import ONCE, Patience, each
from pilotage.data.records import FoundColumn
from pilotage.data.sources.asked import asked
from pilotage.platform.errors import InvalidFile, Problem, SourceUnavailable
from pilotage.usecase.records import Definition
from pilotage.usecase.rules.consistency import check_against_sources
from pilotage.usecase.rules.places import Mistake, located
from pilotage.usecase.rules.reading import read


class Looked(Struct, frozen=True):
    """What was seen: the columns of each source, or why it could not be looked at."""

    columns: dict[str, tuple[FoundColumn, ...]]
    failures: dict[str, SourceUnavailable]


def look(definition: Definition, names: Iterable[str] | None = None, patience: Patience = ONCE) -> Looked:
    """Look at every source, or at those of these names. One that cannot be looked at does not keep the others from it.

    What did not answer is tried again as patience has it.
    """
    wanted = list(definition.use_case.sources if names is None else names)
    found, failures = each(wanted, lambda name: sources.introspect(asked(definition.use_case, name)), patience)
    return Looked({name: found[name] for name in wanted if name in found}, failures)


def check(definition: Definition, looked: Looked, file: str) -> list[SourceUnavailable]:
    """That a file fits its sources; the failures of those of which it cannot be said.

    Raises:
        InvalidFile: it does not; ``problems`` names every table and column that is not there or of another type.
    """
    tables = [name for name, failure in looked.failures.items() if isinstance(failure, sources.NoSuchTable)]
    wrong = [
        Mistake(("sources", name, "table"), looked.failures[name].message, looked.failures[name].repair)
        for name in tables
    ]
    demand_fit(definition, looked, file, located(wrong, read(definition.text).positions))
    return [failure for name, failure in looked.failures.items() if name not in tables]


def demand_fit(definition: Definition, looked: Looked, file: str, already: Iterable[Problem] = ()) -> None:
    """That the sources which could be looked at have the columns that the file names, of the types it needs.

    Raises:
        InvalidFile: they have not; ``problems`` names all mistakes, those found ``already`` too.
    """
    types = {
        name: {column.name: "" if column.empty else column.type for column in found}
        for name, found in looked.columns.items()
    }
    problems = [*already, *check_against_sources(definition, types), *unfit_places(definition, looked.columns)]
    if problems:
        count = "a mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        message = f"{file} does not fit its sources: it has {count}."
        problems.sort(key=lambda problem: (problem.line, problem.column))
        raise InvalidFile(message, "Correct what is named, or have the sources corrected.", problems)


def together(failures: Iterable[SourceUnavailable]) -> SourceUnavailable:
    """One failure that says what is wrong with every source concerned."""
    every = list(failures)
    if len(every) == 1:
        return every[0]
    message = " ".join(failure.message for failure in every)
    return SourceUnavailable(message, " ".join(dict.fromkeys(failure.repair for failure in every)))
