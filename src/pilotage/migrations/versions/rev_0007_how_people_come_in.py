"""How people come in: what a session is and waits for, second factors, people of an OpenID provider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import pilotage.platform.database

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("DELETE FROM sessions")  # nobody knows from where they were opened: people log in once more
    with op.batch_alter_table("sessions") as table:
        table.add_column(sa.Column("id", sa.String(length=40), nullable=False))
        table.add_column(sa.Column("agent", sa.String(length=200), nullable=False))
        table.add_column(sa.Column("waits_for", sa.String(length=16), nullable=False))
    op.create_table(
        "second_factors",
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", pilotage.platform.database.Instant(), nullable=False),
        sa.Column("confirmed_at", pilotage.platform.database.Instant(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_second_factors_person_id_people")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_second_factors")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_recovery_codes_person_id_people")),
        sa.PrimaryKeyConstraint("person_id", "code_hash", name=op.f("pk_recovery_codes")),
    )
    op.create_table(
        "identities",
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_identities_person_id_people")),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_identities")),
    )
    op.create_index(op.f("ix_identities_person_id"), "identities", ["person_id"])


def downgrade() -> None:
    for name in ("identities", "recovery_codes", "second_factors"):
        op.drop_table(name)
    with op.batch_alter_table("sessions") as table:
        for name in ("id", "agent", "waits_for"):
            table.drop_column(name)
