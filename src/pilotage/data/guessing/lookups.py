"""Inputs from other sources: found by a column of the request whose values really are there."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from pilotage.data.guessing.clocks import is_bookkeeping, is_version_clock
from pilotage.data.guessing.fields import Field
from pilotage.data.guessing.groups import is_protected, names_a_person
from pilotage.data.guessing.labels import STEM, speaks_of_outcome, telling_words
from pilotage.data.guessing.records import LabelGuess, Link, SeenColumn, SourceGuess
from pilotage.data.guessing.words import is_identifier, singular, words
from pilotage.usecase.records import ROW, ColumnKind

LOOKED_UP_MAX = 4
LEVELS_MAX = 50


class Lookup(Struct, frozen=True):
    """Inputs from another source, found by a request column; ``why`` says how many of its values are there.

    ``key`` is the source's column that equals the request's ``by``.
    """

    source: str
    by: str
    key: str
    take: tuple[str, ...]
    kind: ColumnKind
    counted: bool
    why: str = ""


def lookups_of(
    sources: tuple[SourceGuess, ...],
    decision: SourceGuess,
    outcome: SourceGuess,
    fields: tuple[Field, ...],
    entity: str,
    label: LabelGuess,
    links: Sequence[Link],
    name: str = "",
) -> tuple[Lookup, ...]:
    """Other sources whose rows are found by a request column or the entity: their newest row, and how many lately.

    ``name`` is the use case's, which may speak of the outcome too.
    """
    found = []
    request = {field.column.name: field.name for field in fields} | ({entity: entity} if entity != ROW else {})
    for source in sources:
        if source in (decision, outcome) or _speaks_of(source.table.name, label, name):
            continue
        by = _by(source, decision, request, links)
        if by is None:
            continue
        sent, key, link = by
        if _is_one_row(source, key) and _is_the_case(decision, link):  # what became of it, more often than not
            continue
        worth = [column for column in source.table.columns if _worth_taking(column, source, key, label)]
        numbers = tuple(column.name for column in worth if column.type == "number")
        texts = tuple(column.name for column in worth if column.type == "text")
        counted = source.clocks is not None and not _is_one_row(source, key) and not _of_one_case(decision, link)
        found.append(Lookup(source.table.name, sent, key, numbers[:LOOKED_UP_MAX], "number", counted, link.says))
        found.append(Lookup(source.table.name, sent, key, texts[:LOOKED_UP_MAX], "category", False, link.says))
    return tuple(lookup for lookup in found if lookup.take or lookup.counted)


def not_taken(
    sources: tuple[SourceGuess, ...],
    decision: SourceGuess,
    outcome: SourceGuess,
    lookups: Sequence[Lookup],
    label: LabelGuess,
    name: str,
) -> dict[str, str]:
    """Other sources, and columns of those looked up, of which no input is made although one could be, with why."""
    found = {}
    looked_up = {lookup.source for lookup in lookups}
    for source in sources:
        if source in (decision, outcome):
            continue
        if _speaks_of(source.table.name, label, name):
            found[source.table.name] = "it is named like the outcome, which it may tell"
        elif source.table.name in looked_up:
            people = (column.name for column in source.table.columns if names_a_person(column))
            found |= {f"{source.table.name}.{one}": "it names a person: nothing is learnt from it" for one in people}
    return found


def _by(
    source: SourceGuess, decision: SourceGuess, request: dict[str, str], links: Sequence[Link]
) -> tuple[str, str, Link] | None:
    """The request column that finds rows of a source and the source's own: its key if that is one, else the finest."""
    met: dict[str, tuple[str, Link]] = {}
    for link in sorted(links, key=lambda link: link.table != decision.table.name):
        if (link.table, link.other) == (decision.table.name, source.table.name):
            sent, there = link.column, link.other_column
        elif (link.table, link.other) == (source.table.name, decision.table.name):
            sent, there = link.other_column, link.column
        else:
            continue
        if sent in request:
            met.setdefault(there, (request[sent], link))
    if not met:
        return None
    finest = max(met, key=lambda name: source.table.column(name).distinct)
    key = next((name for name in met if (name,) == source.key.value), finest)
    return met[key][0], key, met[key][1]


def _of_one_case(decision: SourceGuess, link: Link) -> bool:
    """Rows of the case itself: where a case is decided when its row was last changed, their count says only its age."""
    overwritten = decision.clocks is not None and is_version_clock(decision.table, decision.clocks[1].value[0])
    return overwritten and link.other == decision.table.name and (link.other_column,) == decision.key.value


def _is_the_case(decision: SourceGuess, link: Link) -> bool:
    """Whether rows are found by the case's own key."""
    column = link.column if link.table == decision.table.name else link.other_column
    return (column,) == decision.key.value


def _is_one_row(source: SourceGuess, key: str) -> bool:
    return source.key.value == (key,)


def _worth_taking(column: SeenColumn, source: SourceGuess, key: str, label: LabelGuess) -> bool:
    """What varies, a text in few values, is no identifier and no column that the outcome is made of."""
    few = column.type == "number" or (column.type == "text" and column.distinct <= LEVELS_MAX)
    if not few or column.distinct < 2 or column.name in (key, *source.key.value, *label.columns):
        return False
    of_people = is_protected(column.name) or names_a_person(column)
    return not (is_identifier(column.name) or is_bookkeeping(column) or of_people)


def _speaks_of(source: str, label: LabelGuess, name: str) -> bool:
    """Whether a source is named like the outcome, as returns are where status = 'returned': it is the outcome.

    Of the use case's name, such as return_risk, only what is a word of outcomes counts.
    """
    stems = {part[:STEM] for part in words(label.condition) if len(part) >= STEM and telling_words(part)}
    stems |= speaks_of_outcome(name)
    return any(part[:STEM] in stems for part in singular(words(source)))
