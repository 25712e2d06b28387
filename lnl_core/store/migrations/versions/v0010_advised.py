"""Whom the advice on an image was shown, so that answers after it say so for good."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the table of advice that was shown."""
    key = sa.ForeignKey("datasets.id", ondelete="CASCADE")
    op.create_table(
        "advised",
        sa.Column("dataset_id", sa.Integer, key, primary_key=True, autoincrement=False),
        sa.Column("reviewer", sa.String(120), sa.ForeignKey("reviewers.name"), primary_key=True),
        sa.Column("row", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
