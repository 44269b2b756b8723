"""What people said on the card can be taken back: when that was.

Before, whatever is in the table counts. On the way down what was taken back therefore leaves it for a table of its own,
which a program of that time does not look at, and on the way up it comes home.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import pilotage.platform.database

revision = "0008"
down_revision = "0007"

_ASIDE = "feedback_taken_back"
_COLUMNS = "id, decision, use_case, entity, kind, reason, person, at, undone_at"


def upgrade() -> None:
    op.add_column("feedback", sa.Column("undone_at", pilotage.platform.database.Instant(), nullable=True))
    if sa.inspect(op.get_bind()).has_table(_ASIDE):
        op.execute(
            f"INSERT INTO feedback ({_COLUMNS}) SELECT {_COLUMNS} FROM {_ASIDE} "
            "WHERE id NOT IN (SELECT id FROM feedback)"
        )
        op.drop_table(_ASIDE)


def downgrade() -> None:
    op.execute(f"CREATE TABLE {_ASIDE} AS SELECT {_COLUMNS} FROM feedback WHERE undone_at IS NOT NULL")
    op.execute("DELETE FROM feedback WHERE undone_at IS NOT NULL")
    op.drop_column("feedback", "undone_at")
