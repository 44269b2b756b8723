"""Looking at sources before they are read: do they have what the file says of them?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from pilotage.data import sources
from pilotage.data.flow.candidate_files import missing_files
from pilotage.data.flow.placing import unfit_places
from pilotage.data.flow.retrying import ONCE, Patience, each
from pilotage.data.records import FoundColumn
from pilotage.data.sources.asked import asked
from pilotage.platform.errors import InvalidFile, Problem, SourceUnavailable
from pilotage.usecase.flow import unfinished
from pilotage.usecase.records import Definition
from pilotage.usecase.rules.against_sources import check_against_sources, mistakes_against_sources
from pilotage.usecase.rules.places import Mistake, lies_on, located
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
    """That a file fits its sources and what lies beside it; the failures of those of which it cannot be said.

    Raises:
        InvalidFile: it does not; ``problems`` names every table, column and file that is not there or of another type.
    """
    tables = [name for name, failure in looked.failures.items() if isinstance(failure, sources.NoSuchTable)]
    wrong = [
        Mistake(("sources", name, "table"), looked.failures[name].message, looked.failures[name].repair)
        for name in tables
    ]
    wrong += missing_files(definition.use_case, Path(file).parent)
    demand_fit(definition, looked, file, located(wrong, read(definition.text).positions))
    return [failure for name, failure in looked.failures.items() if name not in tables]


def with_sources(path: Path, refused: InvalidFile) -> InvalidFile:
    """What is wrong with a file that was refused, and what its sources and files add that does not depend on it."""
    reading = unfinished(path)
    if reading.use_case is None:
        return refused
    use_case, known = reading.use_case, [mistake.path for mistake in reading.mistakes]
    sound = [name for name in use_case.sources if not lies_on(("sources", name), known)]
    found, failures = each(sound, lambda name: sources.introspect(asked(use_case, name)), ONCE)
    missing = {name: failure for name, failure in failures.items() if isinstance(failure, sources.NoSuchTable)}
    more = [
        *(Mistake(("sources", name, "table"), one.message, one.repair) for name, one in missing.items()),
        *mistakes_against_sources(use_case, _types(found)),
        *missing_files(use_case, path.parent),
    ]
    beside = located([mistake for mistake in more if not lies_on(mistake.path, known)], reading.positions)
    problems = sorted([*refused.problems, *beside], key=lambda problem: (problem.line, problem.column))
    count = "a mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
    return InvalidFile(f"{path} has {count}.", refused.repair, problems)


def _types(found: Mapping[str, Iterable[FoundColumn]]) -> dict[str, dict[str, str]]:
    return {name: {c.name: "" if c.empty else c.type for c in columns} for name, columns in found.items()}


def demand_fit(definition: Definition, looked: Looked, file: str, already: Iterable[Problem] = ()) -> None:
    """That the sources which could be looked at have the columns that the file names, of the types it needs.

    Raises:
        InvalidFile: they have not; ``problems`` names all mistakes, those found ``already`` too.
    """
    unfit = check_against_sources(definition, _types(looked.columns))
    problems = [*already, *unfit, *unfit_places(definition, looked.columns)]
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
