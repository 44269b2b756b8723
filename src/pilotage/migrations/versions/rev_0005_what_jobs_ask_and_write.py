"""Which job asked, as a column of the ledger; what a job reads, writes and how it failed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import pilotage.platform.database

revision = "0005"
down_revision = "0004"

_INSTANT = pilotage.platform.database.Instant


def upgrade() -> None:
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("job", sa.String(length=40), nullable=False, server_default=""))
    with op.batch_alter_table("batch_jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("source", sa.String(length=64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("known_since", _INSTANT(), nullable=True))
        batch_op.add_column(sa.Column("known_until", _INSTANT(), nullable=True))
        batch_op.add_column(sa.Column("target", sa.String(length=64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("rows_failed", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("rows_written", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("batch_jobs", schema=None) as batch_op:
        for name in ("rows_written", "rows_failed", "target", "known_until", "known_since", "source"):
            batch_op.drop_column(name)
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.drop_column("job")
