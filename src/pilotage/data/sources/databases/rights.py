"""Whether a database's user could write. Such a user is refused unless the source says ``accept_writer: true``.

A mistake or a theft then costs nothing but what can be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import sqlalchemy as sa

from pilotage.data.sources.asked import Asked
from pilotage.data.sources.databases.places import parsed
from pilotage.platform.errors import SourceUnavailable
from pilotage.platform.quoting import literal, quoted

_SUPERUSER = "SELECT current_user, rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"
_WRITABLE = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'f') AND {schemas}
  AND (has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
       OR has_any_column_privilege(c.oid, 'INSERT, UPDATE'))
ORDER BY 1, 2 LIMIT 1
"""
_VISIBLE = "n.nspname = ANY (current_schemas(false))"
_SCHEMAS = """
SELECT DISTINCT n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY 1
"""
_WRITING = frozenset(
    (
        "ALL",
        "ALL PRIVILEGES",
        "INSERT",
        "UPDATE",
        "DELETE",
        "DELETE HISTORY",
        "CREATE",
        "DROP",
        "ALTER",
        "SUPER",
        "FILE",
    )
)
_NAME = r"""`(?:[^`]|``)+`|"(?:[^"]|"")+\""""
_GRANT = re.compile(rf"GRANT (?P<rights>.+?) ON (?:TABLE )?(?P<where>\*|{_NAME})\.(?P<table>\*|{_NAME}) TO ", re.I)
"""MariaDB quotes names as the session does: with ANSI_QUOTES by double quotes."""


def demand_reader_of_postgresql(asked: Asked, connection: sa.Connection, url: sa.URL) -> None:
    """That the user is no superuser and may write no table of the source's schema.

    Raises:
        SourceUnavailable: the message says what the user could write, and how a user who cannot is made.
    """
    user, is_superuser = connection.exec_driver_sql(_SUPERUSER).one()
    named = parsed(asked.source.table)
    schema = named[0] if named else ""
    if is_superuser:
        raise _refusal(asked, user, "is a superuser", _role([schema] if schema else _schemas(connection), url))
    schemas = f"n.nspname = {literal(schema)}" if schema else _VISIBLE
    writable = connection.exec_driver_sql(_WRITABLE.format(schemas=schemas)).first()
    if writable is not None:
        what = f"may write {writable[0]}.{writable[1]}"
        raise _refusal(asked, user, what, _role([schema] if schema else _schemas(connection), url))


def demand_reader_of_mysql(asked: Asked, connection: sa.Connection, database: str) -> None:
    """That no grant lets the user write the source's database.

    Raises:
        SourceUnavailable: the message says which right is too much, and how a user without it is made.
    """
    user = str(connection.exec_driver_sql("SELECT CURRENT_USER()").scalar_one())
    grants = [str(row[0]) for row in connection.exec_driver_sql(_show_grants(connection))]
    too_much = writing_right(grants, database)
    if too_much:
        lines = (
            "CREATE USER pilotage_reader@'%' IDENTIFIED BY '…'; "
            f"GRANT SELECT, SHOW VIEW ON `{database.replace('`', '``')}`.* TO pilotage_reader@'%';"
        )
        raise _refusal(asked, user, f"has the right {too_much}", lines)


def _show_grants(connection: sa.Connection) -> str:
    """MariaDB shows the rights of the present role by itself; MySQL has to be asked, and quotes roles itself."""
    version = connection.dialect.server_version_info or (0,)
    if getattr(connection.dialect, "is_mariadb", False) or int(version[0]) < 8:
        return "SHOW GRANTS"
    roles = str(connection.exec_driver_sql("SELECT CURRENT_ROLE()").scalar_one() or "NONE")
    return "SHOW GRANTS" if roles == "NONE" else f"SHOW GRANTS FOR CURRENT_USER() USING {roles}"


def writing_right(grants: Iterable[str], database: str) -> str:
    """The first right among MySQL's grants that lets its holder write a database; empty where none does."""
    for grant in grants:
        match = _GRANT.match(grant)
        if match is None or not _concerns(match["where"], database):
            continue
        for right in re.split(r",\s*(?![^(]*\))", match["rights"]):
            if re.sub(r"\s*\(.*", "", right).strip().upper() in _WRITING:
                return f"{right} ON {match['where']}.{match['table']}"
    return ""


def _concerns(where: str, database: str) -> bool:
    """Names in grants are patterns: ``shop\\_%`` stands for all databases that begin with shop_."""
    if where == "*":
        return True
    parts = re.findall(r"\\.|.", where[1:-1].replace(where[0] * 2, where[0]), re.DOTALL)
    wild = {"%": ".*", "_": "."}
    pattern = "".join(wild.get(part) or re.escape(part.removeprefix("\\") or part) for part in parts)
    return re.fullmatch(pattern, database, re.DOTALL) is not None


def _schemas(connection: sa.Connection) -> list[str]:
    """Those in which there are tables or views."""
    return [str(row[0]) for row in connection.exec_driver_sql(_SCHEMAS)] or ["public"]


def _role(schemas: Iterable[str], url: sa.URL) -> str:
    grants = " ".join(
        f"GRANT USAGE ON SCHEMA {schema} TO pilotage_reader; "
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO pilotage_reader; "
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO pilotage_reader;"
        for schema in map(quoted, schemas)
    )
    return (
        "CREATE ROLE pilotage_reader LOGIN PASSWORD '…'; "
        f"GRANT CONNECT ON DATABASE {quoted(url.database or 'postgres')} TO pilotage_reader; {grants}"
    )


def _refusal(asked: Asked, user: str, what: str, lines: str) -> SourceUnavailable:
    return asked.failure(
        f"Source {asked.name}: the database user {user} {what}, and reading needs a user that cannot write.",
        f"Make one and give its address: {lines} Or say `accept_writer: true` in the source.",
    )
