"""What SQLite keeps of its tables: pragmas, table by table."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from pilotage.data.sources.databases.catalogue_records import Column, Listed, Where
from pilotage.data.sources.databases.sqlite import kind
from pilotage.platform.quoting import literal, quoted

_TABLES = """
SELECT name, type = 'view' FROM sqlite_schema
WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name
"""


def listed(connection: sa.Connection) -> Listed:
    """All tables and views. Rows are the highest rowid: an upper bound where rows were deleted."""
    found = Listed(tables=[], columns=[], keys=[], foreign_keys=[])
    for name, is_view in connection.exec_driver_sql(_TABLES).all():
        where = ("", name)
        found.tables.append((where, bool(is_view), None if is_view else _rows(connection, name), ""))
        primary = _columns(connection, where, found)
        if not is_view:
            found.keys.extend((where, True, "", column) for column in primary)
            found.keys.extend(_unique(connection, where))
            found.foreign_keys.extend(_foreign_keys(connection, where))
    return found


def _columns(connection: sa.Connection, where: Where, found: Listed) -> list[str]:
    """Adds the columns, and gives those of the primary key in its order."""
    primary = {}
    try:
        rows = connection.exec_driver_sql(f"PRAGMA table_xinfo({literal(where[1])})").all()
    except sa.exc.DBAPIError:
        return []  # a view over a table that is gone
    for _, name, declared, not_null, _, place, hidden in rows:
        if hidden != 1:
            found.columns.append((where, Column(name, declared, kind(declared.upper())[0], not (not_null or place))))
        if place:
            primary[place] = name
    return [primary[place] for place in sorted(primary)]


def _unique(connection: sa.Connection, where: Where) -> Iterator[tuple[Where, bool, str, str]]:
    for _, index, is_unique, origin, partial in connection.exec_driver_sql(
        f"PRAGMA index_list({literal(where[1])})"
    ).all():
        if not is_unique or partial or origin == "pk":
            continue
        columns = [row[2] for row in connection.exec_driver_sql(f"PRAGMA index_info({literal(index)})")]
        if None not in columns:
            yield from ((where, False, index, column) for column in columns)


def _foreign_keys(connection: sa.Connection, where: Where) -> Iterator[tuple[Where, str, str, Where, str]]:
    """Without a column of the parent, the key points to its primary key."""
    rows = connection.exec_driver_sql(f"PRAGMA foreign_key_list({literal(where[1])})").all()
    for number, place, parent, column, to, *_ in rows:
        if to is None:
            keys = connection.exec_driver_sql(f"PRAGMA table_xinfo({literal(parent)})").all()
            to = next((row[1] for row in keys if row[5] == place + 1), "")
        yield where, str(number), column, ("", parent), to


def _rows(connection: sa.Connection, name: str) -> int | None:
    try:
        return int(connection.exec_driver_sql(f"SELECT max(_rowid_) FROM {quoted(name)}").scalar_one() or 0)
    except sa.exc.DBAPIError:
        return None  # a table without rowid
