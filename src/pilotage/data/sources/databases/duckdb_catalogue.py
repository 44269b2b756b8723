"""What DuckDB keeps of its tables: the functions that list them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from pilotage.data.sources.databases.catalogue_records import Column, Listed, Where
from pilotage.data.sources.databases.duckdb import kind

_OURS = "database_name = current_database() AND NOT internal"
_TABLES = f"""
SELECT schema_name, table_name, false, estimated_size, comment FROM duckdb_tables() WHERE {_OURS}
UNION ALL SELECT schema_name, view_name, true, NULL, comment FROM duckdb_views() WHERE {_OURS} ORDER BY 1, 2
"""
_COLUMNS = f"""
SELECT schema_name, table_name, column_name, data_type, is_nullable, comment FROM duckdb_columns() WHERE {_OURS}
ORDER BY schema_name, table_name, column_index
"""
_CONSTRAINTS = """
SELECT schema_name, table_name, constraint_index, constraint_type, constraint_column_names, referenced_table,
       referenced_column_names
FROM duckdb_constraints() WHERE database_name = current_database() ORDER BY 1, 2, 3
"""

_UNIQUE = """
SELECT schema_name, table_name, index_name, CAST(expressions AS VARCHAR[]) FROM duckdb_indexes()
WHERE database_name = current_database() AND is_unique AND NOT is_primary ORDER BY 1, 2, 3
"""


def listed(connection: sa.Connection) -> Listed:
    """All tables and views; how many rows a table has is DuckDB's estimate. A foreign key points into its schema."""
    columns = connection.exec_driver_sql(_COLUMNS).all()
    constraints = connection.exec_driver_sql(_CONSTRAINTS).all()
    return Listed(
        tables=[
            ((schema, name), is_view, rows, comment or "")
            for schema, name, is_view, rows, comment in connection.exec_driver_sql(_TABLES).all()
        ],
        columns=[
            ((schema, table), Column(name, native, kind(native)[0], nullable, comment or ""))
            for schema, table, name, native, nullable, comment in columns
        ],
        keys=[*_keys(constraints), *_indexed(connection, {row[:3] for row in columns})],
        foreign_keys=list(_foreign_keys(constraints)),
    )


def _keys(constraints: Any) -> Iterator[tuple[Where, bool, str, str]]:
    for schema, table, number, what, columns, *_ in constraints:
        if what in ("PRIMARY KEY", "UNIQUE"):
            yield from (((schema, table), what == "PRIMARY KEY", str(number), column) for column in columns)


def _indexed(connection: sa.Connection, known: Any) -> Iterator[tuple[Where, bool, str, str]]:
    """Unique indexes of columns; one of an expression is no key."""
    for schema, table, index, expressions in connection.exec_driver_sql(_UNIQUE).all():
        names = [text[1:-1].replace('""', '"') if text.startswith('"') else text for text in expressions]
        if all((schema, table, name) in known for name in names):
            yield from (((schema, table), False, index, name) for name in names)


def _foreign_keys(constraints: Any) -> Iterator[tuple[Where, str, str, Where, str]]:
    for schema, table, number, what, columns, parent, referenced in constraints:
        if what == "FOREIGN KEY":
            for column, to in zip(columns, referenced, strict=True):
                yield (schema, table), str(number), column, (schema, parent), to
