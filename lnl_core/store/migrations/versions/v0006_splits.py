"""A run can train on some splits and judge others."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the splits that a run trains on and judges; none: all of the set."""
    op.add_column("jobs", sa.Column("splits", sa.Text, nullable=False, server_default="{}"))
