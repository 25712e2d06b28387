"""Images are drawn at random, so that what remains can be estimated."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table of random draws."""
    op.create_table(
        "audit_draws",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "dataset_id",
            sa.Integer,
            sa.ForeignKey("datasets.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("row", sa.Integer, nullable=False),
        sa.Column("reviewer", sa.String(120), sa.ForeignKey("reviewers.name"), nullable=False),
        sa.Column("seed", sa.Integer, nullable=False),
        sa.Column("eligible", sa.Integer, nullable=False),
        sa.Column("last_decision", sa.Integer, nullable=False),
        sa.Column("drawn_at", sa.String(40), nullable=False),
        sa.UniqueConstraint("dataset_id", "number", name="audit_draws_number"),
        sa.UniqueConstraint("dataset_id", "row", name="audit_draws_row"),
        sqlite_autoincrement=True,
    )
