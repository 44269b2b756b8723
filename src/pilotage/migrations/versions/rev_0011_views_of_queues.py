"""Views of queues: filters that reviewers keep under a name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import pilotage.platform.database

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "review_views",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("use_case", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("folded", sa.String(length=200), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("show", sa.String(length=16), nullable=False),
        sa.Column("why", sa.String(length=16), nullable=False),
        sa.Column("skill", sa.String(length=64), nullable=False),
        sa.Column("entity", sa.String(length=200), nullable=False),
        sa.Column("overdue", sa.Boolean(), nullable=False),
        sa.Column("at", pilotage.platform.database.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_views")),
        sa.UniqueConstraint("use_case", "person", "folded", name=op.f("uq_review_views_use_case_person_folded")),
        sa.UniqueConstraint("use_case", "person", "place", name=op.f("uq_review_views_use_case_person_place")),
    )
    op.create_index(op.f("ix_review_views_use_case_shared"), "review_views", ["use_case", "shared"])


def downgrade() -> None:
    op.drop_table("review_views")
