"""Which columns of two sources may mean the same thing: what to measure, and what may be believed of it.

A name that both have in common is a reason to look, not a proof; a bare ``id`` is not even that, unless its values are
texts such as a UUID, which do not meet by accident.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pilotage.data.guessing.keys import key_of
from pilotage.data.guessing.records import Link, SeenColumn, SeenTable
from pilotage.data.guessing.words import is_bare, is_identifier, singular, words

LINKS_MAX = 300
SHARE_MIN = 0.02
_TEXT_MAX = 80
_UUID = 20


def possible_links(tables: Sequence[SeenTable]) -> tuple[Link, ...]:
    """What is worth measuring, the declared first; at most 300."""
    found = dict.fromkeys([*_declared(tables), *_named(tables)])
    declared = {(link.table, link.column, link.other, link.other_column) for link in found if link.declared}
    kept = [
        link
        for link in found
        if link.declared or (link.table, link.column, link.other, link.other_column) not in declared
    ]
    return tuple(kept[:LINKS_MAX])


def believed(links: Sequence[Link]) -> tuple[Link, ...]:
    """Those whose values really meet: the largest share first, what is declared before what is not."""
    met = [link for link in links if link.share >= (SHARE_MIN if not link.declared else 0) and link.share > 0]
    return tuple(sorted(met, key=lambda link: (not link.declared, -link.share, link.table, link.column, link.other)))


def _declared(tables: Sequence[SeenTable]) -> Iterator[Link]:
    there = {table.name for table in tables}
    for table in tables:
        for key in table.foreign_keys:
            if key.other in there:
                yield Link(table.name, key.column, key.other, key.other_column, declared=True)


def _named(tables: Sequence[SeenTable]) -> Iterator[Link]:
    for other in tables:
        key = key_of(other)
        own = key.value[0] if key is not None and len(key.value) == 1 else ""
        columns = {column.name: column for column in other.columns}
        for table in tables:
            if table is other:
                continue
            for column in table.columns:
                there = columns.get(column.name)
                in_key = key is not None and column.name in key.value
                if there is not None and _may_be_same(column, there, in_key):
                    yield Link(table.name, column.name, other.name, there.name)
                elif _points_to(column, other.name, columns.get(own)):
                    yield Link(table.name, column.name, other.name, own)


def _may_be_same(column: SeenColumn, there: SeenColumn, in_key: bool) -> bool:
    """Two columns of one name. A status or a city is in many tables and joins none of them."""
    if column.type != there.type or column.type not in ("text", "number") or min(column.distinct, there.distinct) < 2:
        return False
    if column.type == "text" and max(column.longest, there.longest) > _TEXT_MAX:
        return False
    if is_bare(column.name):
        return column.type == "text" and is_identifier(column.name) and min(column.longest, there.longest) >= _UUID
    return is_identifier(column.name) or (column.type == "text" and in_key)


def _points_to(column: SeenColumn, table: str, key: SeenColumn | None) -> bool:
    """``customer_id`` points to ``id`` of customers."""
    if key is None or key.type != column.type or not is_bare(key.name):
        return False
    parts = words(column.name)
    return words(key.name) == parts[-1:] and singular(parts[:-1]) == singular(words(table))
