"""Brings the control database to the schema that this release needs."""

from __future__ import annotations

import sqlalchemy as sa

from pilotage.platform.database import Database

MIGRATIONS = "pilotage:migrations"
_TURN = 0x70696C6F74
"""The lock of PostgreSQL under which a schema is migrated; the number says "pilot"."""
HEAD = "0012"


def upgrade(database: Database) -> None:
    """Run the migrations that are missing. Costs one query when there are none.

    Of several processes that start at the same moment one migrates; the others wait, and find nothing left to do.
    """
    if _revision(database) == HEAD:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    with database.migrating() as connection:
        if not database.is_sqlite:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(database: Database) -> str | None:
    with database.reading() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
