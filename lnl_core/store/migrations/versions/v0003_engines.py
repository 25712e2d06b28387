"""A run can be handed to Slurm or Ray."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the engine's own name of a run, and what was asked of the engine."""
    op.add_column("jobs", sa.Column("engine_job", sa.String(120)))
    op.add_column("jobs", sa.Column("engine_options", sa.Text, nullable=False, server_default="{}"))
