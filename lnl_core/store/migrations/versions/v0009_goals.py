"""The goal of a review is one of several kinds, and who set it when is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the table of goals."""
    key = sa.ForeignKey("datasets.id", ondelete="CASCADE")
    op.create_table(
        "goals",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("dataset_id", sa.Integer, key, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("value", sa.Float),
        sa.Column("reviewer", sa.String(120), sa.ForeignKey("reviewers.name")),
        sa.Column("set_at", sa.String(40), nullable=False),
        sa.Column("last_decision", sa.Integer, nullable=False),
        sa.Column("facts", sa.Text, nullable=False, server_default="{}"),
        sa.UniqueConstraint("dataset_id", "number", name="goals_number"),
        sqlite_autoincrement=True,
    )
