"""The information schema of MySQL and MariaDB.

Keys come from STATISTICS and KEY_COLUMN_USAGE: MariaDB shows TABLE_CONSTRAINTS only to those who may write.
"""

from __future__ import annotations

import sqlalchemy as sa

from pilotage.data.records import ColumnType
from pilotage.data.sources.databases.catalogue_records import Column, Listed
from pilotage.data.sources.databases.mysql import kind

_OURS = "TABLE_SCHEMA NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')"
_TABLES = f"""
SELECT TABLE_SCHEMA AS a, TABLE_NAME AS b, TABLE_TYPE AS c, TABLE_ROWS AS d, TABLE_COMMENT AS e
FROM information_schema.TABLES WHERE {_OURS} AND TABLE_TYPE <> 'SEQUENCE' ORDER BY TABLE_SCHEMA, TABLE_NAME
"""
_COLUMNS = f"""
SELECT TABLE_SCHEMA AS a, TABLE_NAME AS b, COLUMN_NAME AS c, COLUMN_TYPE AS d, lower(DATA_TYPE) AS e,
       NUMERIC_PRECISION AS f, NUMERIC_SCALE AS g, IS_NULLABLE = 'YES' AS h, COLUMN_COMMENT AS i
FROM information_schema.COLUMNS WHERE {_OURS} ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION
"""
_KEYS = f"""
SELECT TABLE_SCHEMA AS a, TABLE_NAME AS b, INDEX_NAME AS c, COLUMN_NAME AS d
FROM information_schema.STATISTICS WHERE {_OURS} AND NON_UNIQUE = 0
ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX
"""
_FOREIGN_KEYS = f"""
SELECT TABLE_SCHEMA AS a, TABLE_NAME AS b, CONSTRAINT_NAME AS c, COLUMN_NAME AS d, REFERENCED_TABLE_SCHEMA AS e,
       REFERENCED_TABLE_NAME AS f, REFERENCED_COLUMN_NAME AS g
FROM information_schema.KEY_COLUMN_USAGE WHERE {_OURS} AND REFERENCED_TABLE_NAME IS NOT NULL
ORDER BY TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION
"""


def listed(connection: sa.Connection) -> Listed:
    """What the user may read. Rows are the engine's estimate."""
    tables = connection.exec_driver_sql(_TABLES).all()
    columns = connection.exec_driver_sql(_COLUMNS).all()
    keys = connection.exec_driver_sql(_KEYS).all()
    foreign_keys = connection.exec_driver_sql(_FOREIGN_KEYS).all()
    functional = {(schema, table, key) for schema, table, key, name in keys if name is None}
    return Listed(
        tables=[
            ((schema, name), "VIEW" in form, None if "VIEW" in form else rows, "" if "VIEW" in form else comment or "")
            for schema, name, form, rows, comment in tables
        ],
        columns=[
            ((schema, table), Column(name, declared, _type(declared, native, digits, scale), bool(nullable), comment))
            for schema, table, name, declared, native, digits, scale, nullable, comment in columns
        ],
        keys=[
            ((schema, table), key == "PRIMARY", key, name)
            for schema, table, key, name in keys
            if (schema, table, key) not in functional
        ],
        foreign_keys=[
            ((schema, table), key, name, (to_schema, to_table), to)
            for schema, table, key, name, to_schema, to_table, to in foreign_keys
        ],
    )


def _type(declared: str, native: str, digits: int | None, scale: int | None) -> ColumnType:
    return kind(native, declared.lower(), int(digits or 0), int(scale or 0))[0]
