"""Brings the control database to the schema that this release needs."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from pilotage.platform.database import Database
from pilotage.platform.errors import SettingsError

MIGRATIONS = "pilotage:migrations"
_TURN = 0x70696C6F74
"""The lock of PostgreSQL under which a schema is migrated; the number says "pilot"."""
_MAY_NOT = "42501"
"""PostgreSQL's insufficient_privilege."""
HEAD = "0014"


def upgrade(database: Database) -> None:
    """Run the migrations that are missing. Costs one query when there are none.

    Of several processes that start at the same moment one migrates; the others wait, and find nothing left to do.

    Raises:
        SettingsError: the role of the address may not make tables there.
    """
    if _revision(database) == HEAD:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    try:
        with database.migrating() as connection:
            if not database.is_sqlite:
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != _MAY_NOT:
            raise
        raise SettingsError(
            f"{database.url.username} may not make or change tables in the database {database.url.database}.",
            f"Let it own the database: createdb --owner {database.url.username} {database.url.database}.",
        ) from None


def _revision(database: Database) -> str | None:
    with database.reading() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
