"""Who asked, as a column of the ledger; whether an outcome had been read before its question was answered."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_AT_ONCE = 1_000


def upgrade() -> None:
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("asked_by", sa.String(length=80), nullable=False, server_default=""))
    with op.batch_alter_table("outcomes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("known_before", sa.Boolean(), nullable=False, server_default=sa.false()))
    _tell_who_asked(op.get_bind())


def downgrade() -> None:
    with op.batch_alter_table("outcomes", schema=None) as batch_op:
        batch_op.drop_column("known_before")
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.drop_column("asked_by")


def _tell_who_asked(connection: sa.Connection) -> None:
    """Read it from the bytes that were recorded, some rows at a time."""
    ledger = sa.table("decisions", sa.column("id"), sa.column("content"), sa.column("asked_by"))
    told = sa.update(ledger).where(ledger.c.id == sa.bindparam("of")).values(asked_by=sa.bindparam("name"))
    last = ""
    while True:
        query = sa.select(ledger.c.id, ledger.c.content).where(ledger.c.id > last).order_by(ledger.c.id)
        rows = connection.execute(query.limit(_AT_ONCE)).all()
        if not rows:
            return
        connection.execute(told, [{"of": row.id, "name": json.loads(row.content)["asked_by"]} for row in rows])
        last = rows[-1].id
