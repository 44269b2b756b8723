"""Whether a job's source was read: then its questions lie on a host, and are asked from there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    with op.batch_alter_table("batch_jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("fetched", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute(sa.text("UPDATE batch_jobs SET fetched = (rows_done > 0)"))


def downgrade() -> None:
    with op.batch_alter_table("batch_jobs", schema=None) as batch_op:
        batch_op.drop_column("fetched")
