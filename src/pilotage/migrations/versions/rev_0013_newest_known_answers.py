"""An index of outcomes in the order of their decisions: the newest that are known are found without the older ones."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"

BEFORE = ["use_case", "newest"]
AFTER = [*BEFORE, "decision"]


def upgrade() -> None:
    op.drop_index("ix_outcomes_use_case_newest", "outcomes")
    op.create_index("ix_outcomes_use_case_newest_decision", "outcomes", AFTER)


def downgrade() -> None:
    op.drop_index("ix_outcomes_use_case_newest_decision", "outcomes")
    op.create_index("ix_outcomes_use_case_newest", "outcomes", BEFORE)
