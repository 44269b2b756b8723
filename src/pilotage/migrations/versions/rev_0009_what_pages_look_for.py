"""Indexes for the pages of large installations: decisions in their order, the counts of a queue."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_index("ix_decisions_use_case_id", "decisions", ["use_case", "id"])
    op.create_index("ix_review_cases_counted", "review_cases", COUNTED)


def downgrade() -> None:
    op.drop_index("ix_review_cases_counted", "review_cases")
    op.drop_index("ix_decisions_use_case_id", "decisions")


COUNTED = ["use_case", "state", "why", "due_at", "opened_at", "leased_until"]
