"""The first use-case file: which table is decided about, from what, to predict what, each guess with its reason."""

from __future__ import annotations

import re

from msgspec import Struct

from pilotage.data.guessing.clocks import clocks_of
from pilotage.data.guessing.keys import key_of
from pilotage.data.guessing.labels import column_text
from pilotage.data.guessing.records import Guess, LabelGuess, SeenColumn, SeenTable
from pilotage.data.guessing.words import in_ascii, words
from pilotage.platform.errors import NotFound
from pilotage.usecase.records import ROW, ColumnKind

KINDS: dict[str, ColumnKind] = {"text": "category", "number": "number", "datetime": "datetime", "flag": "flag"}
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}", re.ASCII)
REQUEST_MAX = 60
LOOKED_UP_MAX = 4
CATEGORY_SHARE_MAX = 0.5
CATEGORY_VALUES_FREE = 100


class SourceGuess(Struct, frozen=True):
    """A table as a source: its key, and its clocks or that it is static."""

    table: SeenTable
    key: Guess
    clocks: tuple[Guess, Guess] | None


class Field(Struct, frozen=True):
    """A column that the app would send: its name in the request, and the source's where that is another."""

    name: str
    column: SeenColumn
    required: bool
    is_input: bool


class Lookup(Struct, frozen=True):
    """Inputs from another source, found by a request column."""

    source: str
    by: str
    take: tuple[str, ...]
    kind: ColumnKind
    counted: bool


class Project(Struct, frozen=True):
    """Everything that was guessed. ``moment`` is a request field, or empty: the row's event_time."""

    name: str
    sources: tuple[SourceGuess, ...]
    unkeyed: tuple[str, ...]
    label: LabelGuess
    others: tuple[LabelGuess, ...]
    decision: SourceGuess
    entity: Guess
    moment: str
    fields: tuple[Field, ...]
    lookups: tuple[Lookup, ...]


def proposed(name: str, tables: tuple[SeenTable, ...], labels: tuple[LabelGuess, ...]) -> Project:
    """A project over these tables.

    Raises:
        NotFound: no table has a key, or no table has any row.
    """
    sources, unkeyed = _sources(tables)
    keyed = {source.table.name for source in sources}
    labels = tuple(label for label in labels if label.table in keyed) or _stand_in(sources)
    label = labels[0]
    outcome = next(source for source in sources if source.table.name == label.table)
    entity = _entity(outcome)
    decision = _decision(sources, outcome, entity.value[0])
    moment = _moment(decision)
    fields = _fields(decision, entity.value[0], label, moment)
    return Project(
        name=name,
        sources=sources,
        unkeyed=unkeyed,
        label=label,
        others=labels[1:6],
        decision=decision,
        entity=entity,
        moment=moment,
        fields=fields,
        lookups=_lookups(sources, decision, fields, entity.value[0]),
    )


def _sources(tables: tuple[SeenTable, ...]) -> tuple[tuple[SourceGuess, ...], tuple[str, ...]]:
    found, unkeyed = [], []
    for table in tables:
        key = key_of(table)
        if key is None or not table.sampled:
            unkeyed.append(table.name)
        else:
            found.append(SourceGuess(table, key, clocks_of(table)))
    if not found:
        raise NotFound(
            "No table has both rows and a key, so that no case could be told from another.",
            f"Looked at: {', '.join(unkeyed) or 'nothing'}. Add a primary key, or give other tables.",
        )
    return tuple(found), tuple(unkeyed)


def _stand_in(sources: tuple[SourceGuess, ...]) -> tuple[LabelGuess, ...]:
    """Something to begin with where nothing looks like an outcome: the first number above its middle."""
    largest = max(sources, key=lambda source: (len(source.table.columns), source.table.sampled))
    key = set(largest.key.value)
    for column in largest.table.columns:
        if column.type == "number" and column.name not in key and column.distinct > 1:
            condition = f"{column_text(column.name)} > {column.middle or 0:g}"
            why = f"nothing looks like an outcome: {column.name} above its middle only stands in for one"
            return (LabelGuess(largest.table.name, condition, (column.name,), 0.5, 0.0, why),)
    first = largest.table.columns[-1].name
    why = f"nothing looks like an outcome: whether {first} is filled only stands in for one"
    return (LabelGuess(largest.table.name, f"{column_text(first)} IS NOT NULL", (first,), 0.5, 0.0, why),)


def _entity(outcome: SourceGuess) -> Guess:
    key = outcome.key.value
    if len(key) == 1:
        return Guess(key, "the key of the source with the outcome")
    return Guess((key[0],), f"the first column of the key {', '.join(key)}: a case needs one column of its own")


def _decision(sources: tuple[SourceGuess, ...], outcome: SourceGuess, entity: str) -> SourceGuess:
    """The table with the same key whose rows happen first: what is known of a case before its outcome."""
    same = [s for s in sources if s.key.value == (entity,) and s.clocks is not None and entity != ROW]
    dated = [(s.table.column(s.clocks[0].value[0]).first, s) for s in same if s.clocks is not None]
    early = sorted(((at, s) for at, s in dated if at is not None), key=lambda pair: pair[0])
    return early[0][1] if early and outcome in same else outcome


def _moment(decision: SourceGuess) -> str:
    """A row that is written after it happened can only be decided about once it is there."""
    if decision.clocks is None or decision.clocks[0].value == decision.clocks[1].value:
        return ""
    known = decision.clocks[1].value[0]
    happened = decision.table.column(decision.clocks[0].value[0])
    written = decision.table.column(known)
    after = bool(happened.last and written.last and written.last > happened.last)
    return known if after else ""


def _fields(decision: SourceGuess, entity: str, label: LabelGuess, moment: str) -> tuple[Field, ...]:
    left_out = {entity, *(label.columns if label.table == decision.table.name else ())}
    if decision.clocks is not None:
        left_out |= {guess.value[0] for guess in decision.clocks if guess.value[0] != moment}
    fields: list[Field] = []
    taken = {entity.lower()}
    for column in decision.table.columns:
        if column.name in left_out or not column.filled:
            continue
        name = request_name(column.name, taken)
        taken.add(name.lower())
        required = column.filled == decision.table.sampled
        is_input = column.name != moment and _is_input(column, decision.table)
        fields.append(Field(name, column, required, is_input))
    if not fields:  # nothing else is there: a request needs a column, and the audit says what this one gives away
        only = decision.table.column(label.columns[0])
        return (Field(request_name(only.name, taken), only, only.filled == decision.table.sampled, True),)
    fields.sort(key=lambda field: not field.is_input)
    kept = fields[:REQUEST_MAX]
    return tuple(kept + [field for field in fields[REQUEST_MAX:] if field.column.name == moment])


def request_name(column: str, taken: set[str]) -> str:
    """A column's name as a request has it: letters, digits and underscores."""
    plain = column if _IDENTIFIER.fullmatch(column) else "_".join(words(in_ascii(column)))
    plain = (plain if plain[:1].isalpha() else f"column_{plain}".rstrip("_"))[:60]
    name, number = plain, 2
    while name.lower() in taken or name in ("entity", "moment", "rule", "label"):
        name, number = f"{plain}_{number}", number + 1
    return name


def _is_input(column: SeenColumn, table: SeenTable) -> bool:
    """Not what is the same in every row, nor text that is another in nearly every row."""
    if column.distinct < 2:
        return False
    many = column.distinct > max(CATEGORY_VALUES_FREE, CATEGORY_SHARE_MAX * column.filled)
    identifier = bool({"id", "uuid", "guid"} & set(words(column.name)[-1:]))
    return not (many and (column.type == "text" or identifier))


def _lookups(
    sources: tuple[SourceGuess, ...], decision: SourceGuess, fields: tuple[Field, ...], entity: str
) -> tuple[Lookup, ...]:
    """Other sources that share a column with the request: their newest row, and how many rows lately."""
    found = []
    request = {field.name: field for field in fields}
    for source in sources:
        if source is decision:
            continue
        shared = [c.name for c in source.table.columns if c.name in request and _joins(request[c.name], c)]
        shared = [name for name in shared if name != entity]
        if not shared:
            continue
        finest = max(shared, key=lambda name: source.table.column(name).distinct)
        by = next((name for name in shared if (name,) == source.key.value), finest)
        numbers = tuple(c.name for c in source.table.columns if c.type == "number" and _worth_taking(c, source, by))
        if numbers or source.clocks is not None:
            found.append(Lookup(source.table.name, by, numbers[:LOOKED_UP_MAX], "number", source.clocks is not None))
    return tuple(found)


def _joins(field: Field, column: SeenColumn) -> bool:
    """The same text, or a number that is named like an identifier: a delay or a price is no key."""
    identifier = column.type == "number" and bool({"id", "key", "number", "no", "nr"} & set(words(column.name)))
    return field.column.type == column.type and column.distinct > 1 and (column.type == "text" or identifier)


def _worth_taking(column: SeenColumn, source: SourceGuess, by: str) -> bool:
    return column.name != by and column.name not in source.key.value and column.distinct > 1
