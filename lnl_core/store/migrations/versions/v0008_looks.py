"""Hidden looks: answers that measure people, and never count as decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the table of hidden looks."""
    key = sa.ForeignKey("datasets.id", ondelete="CASCADE")
    op.create_table(
        "looks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("dataset_id", sa.Integer, key, nullable=False),
        sa.Column("row", sa.Integer, nullable=False),
        sa.Column("reviewer", sa.String(120), sa.ForeignKey("reviewers.name"), nullable=False),
        sa.Column("route", sa.String(20), nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("label", sa.Integer),
        sa.Column("labels", sa.Text, nullable=False, server_default="[]"),
        sa.Column("cid", sa.String(80), nullable=False),
        sa.Column("decided_at", sa.String(40), nullable=False),
        sa.Column("seconds", sa.Float),
        sa.Column("given_label", sa.Integer),
        sa.Column("suggested_label", sa.Integer),
        sa.Column("p_wrong", sa.Float),
        sa.Column("position", sa.Integer),
        sa.Column("mode", sa.String(20), nullable=False),
        sa.Column("revealed", sa.Boolean, nullable=False, server_default="0"),
        sa.UniqueConstraint("dataset_id", "reviewer", "cid", name="looks_cid"),
        sqlite_autoincrement=True,
    )
    op.create_index("looks_recent", "looks", ["dataset_id", "reviewer", "id"])
