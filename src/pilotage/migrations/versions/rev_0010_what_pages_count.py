"""What pages count of large installations: kept readings of the ledger, and an index for each count of a queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import pilotage.platform.database

revision = "0010"
down_revision = "0009"

COUNTED = (["why", "due_at"], ["due_at"], ["opened_at"])
BEFORE = ["use_case", "state", "why", "due_at", "opened_at", "leased_until"]


def upgrade() -> None:
    op.create_table(
        "kept_readings",
        sa.Column("use_case", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("of_version", sa.Boolean(), nullable=False),
        sa.Column("definition", sa.String(length=64), nullable=False),
        sa.Column("counted_at", pilotage.platform.database.Instant(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("use_case", "name", "version", "of_version", name=op.f("pk_kept_readings")),
    )
    op.drop_index("ix_review_cases_counted", "review_cases")
    for columns in COUNTED:
        op.create_index(_name(columns), "review_cases", ["use_case", "state", *columns])


def downgrade() -> None:
    for columns in COUNTED:
        op.drop_index(_name(columns), "review_cases")
    op.create_index("ix_review_cases_counted", "review_cases", BEFORE)
    op.drop_table("kept_readings")


def _name(columns: list[str]) -> str:
    return "_".join(["ix_review_cases_use_case_state", *columns])
