"""PostgreSQL's own catalogue. Partitions are left out: their parent has their rows."""

from __future__ import annotations

import sqlalchemy as sa

from pilotage.data.sources.databases.catalogue_records import Column, Listed
from pilotage.data.sources.databases.postgresql import kind

_READABLE = """
  c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND has_schema_privilege(n.oid, 'USAGE')
  AND (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'))
"""
_TABLES = f"""
SELECT n.nspname, c.relname, c.relkind IN ('v', 'm'), c.reltuples::bigint, obj_description(c.oid, 'pg_class'),
       (SELECT sum(greatest(part.reltuples, 0))::bigint FROM pg_catalog.pg_inherits
        JOIN pg_catalog.pg_class part ON part.oid = inhrelid WHERE inhparent = c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {_READABLE} ORDER BY 1, 2
"""
_COLUMNS = f"""
WITH RECURSIVE resolved(relation, number, kind, modifier) AS (
  SELECT a.attrelid, a.attnum, a.atttypid, a.atttypmod
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE a.attnum > 0 AND NOT a.attisdropped AND {_READABLE}
    AND has_column_privilege(c.oid, a.attnum, 'SELECT')
  UNION ALL
  SELECT relation, number, typbasetype, CASE WHEN modifier = -1 THEN typtypmod ELSE modifier END
  FROM resolved JOIN pg_catalog.pg_type ON oid = kind WHERE typtype = 'd')
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), t.typname, modifier, NOT a.attnotnull,
       col_description(relation, number)
FROM resolved JOIN pg_catalog.pg_type t ON t.oid = kind AND t.typtype <> 'd'
JOIN pg_catalog.pg_attribute a ON a.attrelid = relation AND a.attnum = number
JOIN pg_catalog.pg_class c ON c.oid = relation JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
ORDER BY 1, 2, number
"""
_KEYS = f"""
SELECT n.nspname, c.relname, i.indisprimary, indexed.relname, a.attname
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_class indexed ON indexed.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS part(number, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = part.number
WHERE i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL AND part.place <= i.indnkeyatts AND {_READABLE}
ORDER BY 1, 2, 3 DESC, 4, part.place
"""
_FOREIGN_KEYS = f"""
SELECT n.nspname, c.relname, k.conname, a.attname, parents.nspname, parent.relname, b.attname
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class parent ON parent.oid = k.confrelid
JOIN pg_catalog.pg_namespace parents ON parents.oid = parent.relnamespace
CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS pair(own, theirs, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = pair.own
JOIN pg_catalog.pg_attribute b ON b.attrelid = parent.oid AND b.attnum = pair.theirs
WHERE k.contype = 'f' AND NOT parent.relispartition AND {_READABLE} ORDER BY 1, 2, 3, pair.place
"""


def listed(connection: sa.Connection) -> Listed:
    """What the user may read. Rows are those of the last ANALYZE; unknown before the first."""
    tables = connection.exec_driver_sql(_TABLES).all()
    columns = connection.exec_driver_sql(_COLUMNS).all()
    keys = connection.exec_driver_sql(_KEYS).all()
    foreign_keys = connection.exec_driver_sql(_FOREIGN_KEYS).all()
    return Listed(
        tables=[
            ((schema, name), is_view, _rows(is_view, own, parts), comment or "")
            for schema, name, is_view, own, comment, parts in tables
        ],
        columns=[
            ((schema, table), Column(name, declared, kind(native, modifier)[0], nullable, comment or ""))
            for schema, table, name, declared, native, modifier, nullable, comment in columns
        ],
        keys=[((schema, table), is_primary, key, name) for schema, table, is_primary, key, name in keys],
        foreign_keys=[
            ((schema, table), key, name, (to_schema, to_table), to)
            for schema, table, key, name, to_schema, to_table, to in foreign_keys
        ],
    )


def _rows(is_view: bool, own: int, parts: int | None) -> int | None:
    """0 is also what a table has that was never looked at."""
    count = max(own, parts or 0)
    return count if count > 0 and (not is_view or own > 0) else None
