"""How people review: opinions, comments, skills, and the order of cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

import pilotage.platform.database

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "review_cursor",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_review_cursor")),
    )
    op.create_table(
        "reviewer_skills",
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("use_case", sa.String(length=64), nullable=False),
        sa.Column("skill", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("person", "use_case", "skill", name=op.f("pk_reviewer_skills")),
    )
    op.create_table(
        "review_comments",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("case", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("at", pilotage.platform.database.Instant(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["case"], ["review_cases.id"], name=op.f("fk_review_comments_case_review_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_comments")),
    )
    op.create_index(op.f("ix_review_comments_case"), "review_comments", ["case"])
    op.create_table(
        "review_opinions",
        sa.Column("case", sa.String(length=40), nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("use_case", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("answer", pilotage.platform.database.Json(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("at", pilotage.platform.database.Instant(), nullable=False),
        sa.Column("undone_at", pilotage.platform.database.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["case"], ["review_cases.id"], name=op.f("fk_review_opinions_case_review_cases")),
        sa.PrimaryKeyConstraint("case", "round", name=op.f("pk_review_opinions")),
    )
    op.create_index(op.f("ix_review_opinions_use_case_at"), "review_opinions", ["use_case", "at"])
    op.drop_index("uq_review_events_one_verdict", table_name="review_events")
    _cases()
    _bring_over()


def _cases() -> None:
    """The columns of a case that older ones did not have, with what was true of them."""
    with op.batch_alter_table("review_cases") as table:
        table.add_column(sa.Column("falls_back_at", pilotage.platform.database.Instant(), nullable=True))
        table.add_column(sa.Column("rank", sa.Float(), nullable=False, server_default="0"))
        table.add_column(sa.Column("round", sa.Integer(), nullable=False, server_default="1"))
        table.add_column(sa.Column("wanted", sa.Integer(), nullable=False, server_default="1"))
        table.add_column(sa.Column("blind", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("skill", sa.String(length=64), nullable=False, server_default=""))
        table.add_column(sa.Column("escalated_at", pilotage.platform.database.Instant(), nullable=True))
        table.add_column(sa.Column("leased_at", pilotage.platform.database.Instant(), nullable=True))
        table.drop_index("ix_review_cases_use_case_state_due_at")
        table.create_index("ix_review_cases_use_case_state_rank_id", ["use_case", "state", "rank", "id"])
        table.create_index("ix_review_cases_state_due_at", ["state", "due_at"])


def _bring_over() -> None:
    """Cases wait in the order in which they are due; each verdict is the one opinion on its case.

    Nobody knew that cases fall back: those that wait get the whole time from now.
    """
    connection = op.get_bind()
    cases = sa.table(
        "review_cases",
        *map(sa.column, ("id", "rank", "round", "verdict_by")),
        *(sa.column(name, pilotage.platform.database.Instant()) for name in ("due_at", "falls_back_at")),
    )
    now = datetime.now(UTC)
    for row in connection.execute(sa.select(cases.c.id, cases.c.due_at, cases.c.verdict_by)).all():
        values = {"rank": row.due_at.timestamp(), "falls_back_at": max(row.due_at, now) + timedelta(days=7)}
        values["round"] = 2 if row.verdict_by else 1
        connection.execute(sa.update(cases).where(cases.c.id == row.id).values(**values))
    op.execute(
        'INSERT INTO review_opinions ("case", round, use_case, person, verdict, answer, reason, blind, seconds, at) '
        "SELECT id, 1, use_case, verdict_by, state, verdict_answer, verdict_reason, "
        f"{'0' if connection.dialect.name == 'sqlite' else 'false'}, 0, verdict_at "
        "FROM review_cases WHERE verdict_by <> ''"
    )
    with op.batch_alter_table("review_cases") as table:
        table.alter_column("falls_back_at", existing_type=pilotage.platform.database.Instant(), nullable=False)
        for name in ("rank", "round", "wanted", "blind", "skill"):
            table.alter_column(name, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("review_cases") as table:
        table.drop_index("ix_review_cases_state_due_at")
        table.drop_index("ix_review_cases_use_case_state_rank_id")
        table.create_index("ix_review_cases_use_case_state_due_at", ["use_case", "state", "due_at"])
        for name in ("falls_back_at", "rank", "round", "wanted", "blind", "skill", "escalated_at", "leased_at"):
            table.drop_column(name)
    op.create_index(
        "uq_review_events_one_verdict",
        "review_events",
        ["case"],
        unique=True,
        sqlite_where=sa.text("kind = 'verdict'"),
        postgresql_where=sa.text("kind = 'verdict'"),
    )
    for name in ("review_opinions", "review_comments", "reviewer_skills", "review_cursor"):
        op.drop_table(name)
