"""The first use-case file: which table is decided about, from what, to predict what, each guess with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from pilotage.data.guessing.clocks import clocks_of, deletion_of, is_version_clock
from pilotage.data.guessing.fields import Field, fields_of
from pilotage.data.guessing.groups import groups_of, is_protected
from pilotage.data.guessing.keys import key_of, row_number
from pilotage.data.guessing.links import believed
from pilotage.data.guessing.lookups import Lookup, lookups_of, not_taken
from pilotage.data.guessing.naming import column_text
from pilotage.data.guessing.records import Guess, LabelGuess, Link, SeenTable, SourceGuess
from pilotage.data.guessing.words import is_identifier, words
from pilotage.platform.errors import NotFound
from pilotage.usecase.records import ROW

__all__ = ["Field", "Lookup", "Project", "SourceGuess", "outcomes_of", "proposed"]

SHARED_MIN = 0.05
_CALENDAR = {"year", "month", "week", "day", "hour", "minute"}


class Project(Struct, frozen=True):
    """Everything that was guessed. ``moment`` is a column of the decision's source, or empty: the row's event_time.

    ``left_out`` are columns of the decision's row that are no inputs, ``not_taken`` other sources and their columns,
    each with the reason.
    """

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
    links: tuple[Link, ...] = ()
    left_out: Mapping[str, str] = {}
    not_taken: Mapping[str, str] = {}
    groups: tuple[str, ...] = ()


def outcomes_of(tables: Sequence[SeenTable], labels: tuple[LabelGuess, ...]) -> tuple[LabelGuess, ...]:
    """The labels of tables that can be sources, the likeliest first; a stand-in where there is none.

    Where one that is true or false comes first, categories and numbers are not offered beside it.

    Raises:
        NotFound: no table has a key, or no table has any row.
    """
    sources, _ = _sources(tables)
    keyed = {source.table.name for source in sources}
    found = tuple(label for label in labels if label.table in keyed)
    if not found:
        return _stand_in(sources)
    if found[0].kind == "flag" and found[0].named:
        found = tuple(label for label in found if label.kind == "flag")
    named = tuple(label for label in found if label.named)
    return (*named, *(label for label in found if label.is_flag and not label.named)) if named else found


def proposed(
    name: str,
    tables: tuple[SeenTable, ...],
    labels: tuple[LabelGuess, ...],
    links: tuple[Link, ...] = (),
    telling: Mapping[str, str] | None = None,
) -> Project:
    """A project over these tables.

    ``links`` are measured; ``telling`` are columns of the outcome's table that tell the outcome, with the reason.

    Raises:
        NotFound: no table has a key, or no table has any row.
    """
    outcomes = outcomes_of(tables, labels)
    label = outcomes[0]
    sources, unkeyed = _sources(tables, label.table)
    links = believed(links)
    outcome = next(source for source in sources if source.table.name == label.table)
    decision, entity = _decision(sources, outcome, links)
    moment = _moment(decision)
    left_out = dict.fromkeys(label.columns, "the outcome is made of it") | dict(telling or {})
    fields, not_sent = fields_of(decision, entity.value[0], label, outcomes[1:], moment, left_out)
    lookups = lookups_of(sources, decision, outcome, fields, entity.value[0], label, links, name)
    return Project(
        name=name,
        sources=sources,
        unkeyed=unkeyed,
        label=label,
        others=outcomes[1:6],
        decision=decision,
        entity=entity,
        moment=moment,
        fields=fields,
        lookups=lookups,
        links=links,
        left_out=not_sent,
        not_taken=not_taken(sources, decision, outcome, lookups, label, name),
        groups=groups_of(decision.table),
    )


def _sources(tables: Sequence[SeenTable], decided: str = "") -> tuple[tuple[SourceGuess, ...], tuple[str, ...]]:
    """``decided`` is the table whose rows are cases: files of it need one column that tells a case from another."""
    found, unkeyed = [], []
    for table in tables:
        key = key_of(table)
        if key is None or not table.sampled:
            unkeyed.append(table.name)
            continue
        if table.name == decided and len(key.value) > 1 and "files" in table.place:
            key = row_number(f"a case needs one column of its own, and only {' with '.join(key.value)} is never twice")
        clocks = clocks_of(table)
        overwritten = clocks is None or is_version_clock(table, clocks[1].value[0])
        deletion = deletion_of(table)
        found.append(SourceGuess(table, key, clocks, deletion[1] if deletion and overwritten else ""))
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
    table = largest.table.name
    for column in sorted(largest.table.columns, key=lambda column: _is_poor_stand_in(column.name)):
        if column.type == "number" and column.name not in key and column.middle is not None and column.distinct > 1:
            why = f"nothing looks like an outcome: {column.name} above its middle only stands in for one"
            condition = f"{column_text(column.name)} > {column.middle:g}"
            return (LabelGuess(table, condition, (column.name,), 0.5, 0.0, why, named=False),)
    gaps = [c.name for c in largest.table.columns if 0 < c.filled < largest.table.sampled and c.name not in key]
    first = (gaps or [c.name for c in largest.table.columns if c.name not in key] or list(largest.key.value))[0]
    why = f"nothing looks like an outcome: whether {first} is filled only stands in for one"
    return (LabelGuess(table, f"{column_text(first)} IS NOT NULL", (first,), 0.5, 0.0, why, named=False),)


def _is_poor_stand_in(name: str) -> bool:
    return is_protected(name) or is_identifier(name) or bool(set(words(name)) & _CALENDAR)


def _decision(
    sources: tuple[SourceGuess, ...], outcome: SourceGuess, links: tuple[Link, ...]
) -> tuple[SourceGuess, Guess]:
    """The table whose rows happen first among those with the same key: what is known of a case before its outcome.

    Equal names are not enough: its keys must be found there, and each only once among the outcomes.
    """
    earliest, entity = outcome, _entity(outcome)
    for link in links:
        source = next(s for s in sources if s.table.name == link.other)
        if link.table != outcome.table.name or link.column != link.other_column or link.share < SHARED_MIN:
            continue
        once = outcome.table.column(link.column).distinct == outcome.table.sampled
        if once and source.key.value == (link.column,) and link.column != ROW and _begins_before(source, earliest):
            earliest, entity = source, Guess((link.column,), link.says)
    return earliest, entity


def _entity(outcome: SourceGuess) -> Guess:
    key = outcome.key.value
    if len(key) == 1:
        return Guess(key, "the key of the source with the outcome")
    finest = max(key, key=lambda name: outcome.table.column(name).distinct)
    return Guess((finest,), f"of the key {', '.join(key)} the column with most values: a case needs one of its own")


def _begins_before(source: SourceGuess, other: SourceGuess) -> bool:
    if source.clocks is None or other.clocks is None:
        return False
    one = source.table.column(source.clocks[0].value[0]).first
    two = other.table.column(other.clocks[0].value[0]).first
    return one is not None and two is not None and one < two


def _moment(decision: SourceGuess) -> str:
    """A row that is written after it happened can only be decided about once it is there."""
    if decision.clocks is None or decision.clocks[0].value == decision.clocks[1].value:
        return ""
    known = decision.clocks[1].value[0]
    happened = decision.table.column(decision.clocks[0].value[0])
    written = decision.table.column(known)
    after = bool(happened.last and written.last and written.last > happened.last)
    return known if after else ""
