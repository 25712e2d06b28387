"""Suggestions are accepted unseen, once a random check of them has passed."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the tables of acceptance plans and of what became of them."""
    op.create_table(
        "plans",
        sa.Column("id", sa.Integer, primary_key=True),
        _dataset(),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("reviewer", sa.String(120), sa.ForeignKey("reviewers.name"), nullable=False),
        sa.Column("made_at", sa.String(40), nullable=False),
        sa.Column("seed", sa.Integer, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("precision", sa.Float, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("allowed", sa.Integer, nullable=False),
        sa.Column("expected", sa.Float, nullable=False),
        sa.Column("rows", sa.Text, nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("checks", sa.Text, nullable=False),
        sa.UniqueConstraint("dataset_id", "number", name="plans_number"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "plan_events",
        sa.Column("id", sa.Integer, primary_key=True),
        _dataset(),
        sa.Column("plan", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("reviewer", sa.String(120), sa.ForeignKey("reviewers.name"), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("facts", sa.Text, nullable=False, server_default="{}"),
        sa.UniqueConstraint("dataset_id", "plan", "kind", name="plan_events_kind"),
        sqlite_autoincrement=True,
    )


def _dataset() -> sa.Column[int]:
    key = sa.ForeignKey("datasets.id", ondelete="CASCADE")
    return sa.Column("dataset_id", sa.Integer, key, nullable=False)
