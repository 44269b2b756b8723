"""Brings the control database to the schema that this release needs."""

from __future__ import annotations

import sqlalchemy as sa

from pilotage.platform.database import Database

MIGRATIONS = "pilotage:migrations"
HEAD = "0003"


def upgrade(database: Database) -> None:
    """Run the migrations that are missing. Costs one query when there are none."""
    if _revision(database) == HEAD:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(database: Database) -> str | None:
    with database.reading() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
