"""A run can build on another one."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the number of the run that a run builds on."""
    op.add_column("jobs", sa.Column("base", sa.Integer))
