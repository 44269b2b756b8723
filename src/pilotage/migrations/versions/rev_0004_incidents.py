"""Incidents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import pilotage.platform.database

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("use_case", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("place", sa.String(length=16), nullable=False),
        sa.Column("opened_at", pilotage.platform.database.Instant(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("times_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", pilotage.platform.database.Instant(), nullable=False),
        sa.Column("acknowledged_at", pilotage.platform.database.Instant(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("closed_at", pilotage.platform.database.Instant(), nullable=True),
        sa.Column("closed_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_incidents_use_case_opened_at"), ["use_case", "opened_at"], unique=False)
        batch_op.create_index(
            "ix_incidents_open",
            ["kind", "use_case", "version", "place"],
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "incident_steps",
        sa.Column("incident", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", pilotage.platform.database.Instant(), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name=op.f("fk_incident_steps_incident_incidents")),
        sa.PrimaryKeyConstraint("incident", "number", name=op.f("pk_incident_steps")),
    )


def downgrade() -> None:
    op.drop_table("incident_steps")
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_incidents_open",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_incidents_use_case_opened_at"))

    op.drop_table("incidents")
