"""JSON as a relation: one object per line, or an array of objects. Values are kept as JSON has them.

Strings stay texts (ISO dates become instants), objects in objects become columns ``outer.inner``, lists stay JSON text.
A column that is a number in one row and a string in another is text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from pilotage.data.sources.files.encodings import in_utf8
from pilotage.data.sources.files.kinds import COLUMNS_MAX, column_names
from pilotage.data.sources.files.unreadable import Unreadable
from pilotage.data.sources.inferring import Candidate, Column
from pilotage.data.sources.tables import Table
from pilotage.platform.quoting import literal, quoted

if TYPE_CHECKING:
    import duckdb

_OBJECT_BYTES_MAX = 16 * 1024 * 1024


def json_table(
    connection: duckdb.DuckDBPyConnection, files: Mapping[Path, str], folder: Path, encoding: str = ""
) -> Table:
    """The objects of all files. ``files`` gives each place the name that people know it by.

    Raises:
        Unreadable: there is no object, something is no object, or there are too many columns.
        duckdb.Error: a file is no JSON.
    """
    texts = {in_utf8(place, name, folder, encoding, by_lines=False): name for place, name in files.items()}
    for text, name in texts.items():
        if not text.stat().st_size:
            raise Unreadable(f"{name} is empty.", "Export it again, or remove it.")
    listed = ", ".join(literal(_escaped(str(text))) for text in texts)
    objects = f"read_json_objects([{listed}], format = 'auto', maximum_object_size = {_OBJECT_BYTES_MAX})"
    names = {str(text): name for text, name in texts.items()}
    where = ", ".join(list(files.values())[:3])
    leaves = list(_leaves(connection, objects, where))
    columns = column_names([leaf.name for leaf in leaves], where)
    pointers = ", ".join(literal(leaf.pointer) for leaf in leaves)
    wanted = ", ".join(f"found[{place}] AS {quoted(name)}" for place, name in enumerate(columns, 1))
    relation = f"(SELECT {wanted} FROM (SELECT json_extract_string(json, [{pointers}]) AS found FROM {objects}))"
    described = tuple(Column(name, may_be=_may_be(leaf.types)) for name, leaf in zip(columns, leaves, strict=True))
    return Table(relation, described, names)


class _Leaf(Struct, frozen=True):
    """A value in objects: its pointer (RFC 6901), its name with dots, and the types it has."""

    pointer: str
    name: str
    types: frozenset[str]


def _leaves(
    connection: duckdb.DuckDBPyConnection, objects: str, where: str, pointer: str = "", prefix: str = ""
) -> Iterator[_Leaf]:
    """The values in the objects at a pointer, in the order of their keys. Two scans for each object in objects."""
    keys = _keys(connection, objects, pointer)
    if not pointer:
        _refuse_others(connection, objects, where, keys)
    pointers = [f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}" for key in keys]
    types = _types(connection, objects, pointers)
    for place, (key, inner) in enumerate(zip(keys, pointers, strict=True)):
        found, name = frozenset(types[place]), f"{prefix}.{key}" if prefix else key
        inside = list(_leaves(connection, objects, where, inner, name)) if found == {"OBJECT"} else []
        yield from inside or [_Leaf(inner, name, found)]


def _keys(connection: duckdb.DuckDBPyConnection, objects: str, pointer: str) -> list[str]:
    at = f"json, {literal(pointer)}" if pointer else "json"
    rows = connection.execute(
        f"SELECT key FROM (SELECT unnest(keys) AS key, unnest(range(len(keys))) AS place "
        f"FROM (SELECT json_keys({at}) AS keys FROM {objects})) "
        f"GROUP BY key ORDER BY min(place), key LIMIT {COLUMNS_MAX + 1}"
    ).fetchall()
    return [row[0] for row in rows]


def _types(connection: duckdb.DuckDBPyConnection, objects: str, pointers: Sequence[str]) -> list[set[str]]:
    """The types of the values at each pointer, as the engine says them; those that are missing or null have none."""
    found: list[set[str]] = [set() for _ in pointers]
    if pointers:
        listed = ", ".join(literal(pointer) for pointer in pointers)
        for place, kind in connection.execute(
            f"SELECT DISTINCT unnest(range({len(pointers)})) AS place, unnest(json_type(json, [{listed}])) AS kind "
            f"FROM {objects}"
        ).fetchall():
            if kind not in (None, "NULL"):
                found[place].add(kind)
    return found


def _refuse_others(connection: duckdb.DuckDBPyConnection, objects: str, where: str, keys: Sequence[str]) -> None:
    kinds = {row[0] for row in connection.execute(f"SELECT DISTINCT json_type(json) FROM {objects}").fetchall()}
    if kinds != {"OBJECT"} or not keys:
        wrong = "has no rows" if not kinds else "holds something else than objects with values"
        raise Unreadable(f"{where} {wrong}.", "Write one JSON object per line, or an array of objects.")


def _may_be(types: frozenset[str]) -> tuple[Candidate, ...]:
    """What the values of a column may be, by the types that JSON gives them; a mixture is text."""
    if types and types <= {"BIGINT", "UBIGINT", "HUGEINT", "DOUBLE"}:
        return ("BIGINT", "NUMBER")
    if types == {"BOOLEAN"}:
        return ("BOOLEAN",)
    return ("TIMESTAMP",) if types == {"VARCHAR"} else ()


def _escaped(path: str) -> str:
    """A path in which nothing is a pattern."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in path)
