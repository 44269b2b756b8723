"""Every text of a use-case file that was adopted: what is live keeps the one that it was released with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import pilotage.platform.database

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "use_case_texts",
        sa.Column("use_case", sa.String(length=63), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("adopted_at", pilotage.platform.database.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("use_case", "fingerprint", name=op.f("pk_use_case_texts")),
    )
    op.execute(
        "INSERT INTO use_case_texts (use_case, fingerprint, place, text, adopted_at) "
        "SELECT name, fingerprint, 1, text, adopted_at FROM use_cases"
    )


def downgrade() -> None:
    op.drop_table("use_case_texts")
