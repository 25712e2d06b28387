"""Several people at once: what is at whom, what part is whose, who may do what."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add leases and parts, and to reviewers their role and the login that they belong to."""
    op.create_table(
        "leases",
        _dataset(),
        sa.Column("row", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("reviewer", sa.String(120), sa.ForeignKey("reviewers.name"), nullable=False),
        sa.Column("tab", sa.String(64), nullable=False),
        sa.Column("taken_at", sa.Float, nullable=False),
    )
    op.create_index("leases_tab", "leases", ["tab"])
    op.create_table(
        "parts",
        _dataset(),
        sa.Column("reviewer", sa.String(120), sa.ForeignKey("reviewers.name"), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.add_column("reviewers", sa.Column("role", sa.String(20)))
    op.add_column("reviewers", sa.Column("login", sa.String(400)))
    op.create_index("reviewers_login", "reviewers", ["login"], unique=True)


def _dataset() -> sa.Column[int]:
    key = sa.ForeignKey("datasets.id", ondelete="CASCADE")
    return sa.Column("dataset_id", sa.Integer, key, primary_key=True, autoincrement=False)
