"""First tables: data sets, reviewers, decisions, jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create what the first release needs; written out, because `schema.py` will move on."""
    op.create_table(
        "datasets",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False, unique=True),
        sa.Column("folder", sa.String(200), nullable=False, unique=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("source", sa.Text, nullable=False, server_default=""),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("class_count", sa.Integer, nullable=False),
        sa.Column("created_at", sa.String(40), nullable=False),
        sa.Column("used_at", sa.String(40), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "reviewers",
        sa.Column("name", sa.String(120), primary_key=True),
        sa.Column("created_at", sa.String(40), nullable=False),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "dataset_id",
            sa.Integer,
            sa.ForeignKey("datasets.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("row", sa.Integer, nullable=False),
        sa.Column("reviewer", sa.String(120), sa.ForeignKey("reviewers.name"), nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("label", sa.Integer),
        sa.Column("labels", sa.Text, nullable=False, server_default="[]"),
        sa.Column("cid", sa.String(80), nullable=False),
        sa.Column("decided_at", sa.String(40), nullable=False),
        sa.Column("seconds", sa.Float),
        sa.Column("given_label", sa.Integer),
        sa.Column("suggested_label", sa.Integer),
        sa.Column("p_wrong", sa.Float),
        sa.Column("run_ids", sa.Text, nullable=False, server_default="[]"),
        sa.Column("position", sa.Integer),
        sa.Column("mode", sa.String(20), nullable=False, server_default="single"),
        sa.Column("route", sa.String(20), nullable=False, server_default="queue"),
        sa.Column("revealed", sa.Boolean, nullable=False, server_default="0"),
        sa.UniqueConstraint("dataset_id", "reviewer", "cid", name="decisions_cid"),
        sqlite_autoincrement=True,
    )
    op.create_index("decisions_current", "decisions", ["dataset_id", "row", "reviewer", "id"])
    op.create_index("decisions_recent", "decisions", ["dataset_id", "reviewer", "id"])
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "dataset_id",
            sa.Integer,
            sa.ForeignKey("datasets.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("method", sa.String(60), nullable=False),
        sa.Column("preset", sa.String(20), nullable=False),
        sa.Column("config", sa.Text, nullable=False, server_default="{}"),
        sa.Column("representation", sa.String(80), nullable=False, server_default="pixels"),
        sa.Column("seed", sa.Integer, nullable=False, server_default="0"),
        sa.Column("device", sa.String(20), nullable=False, server_default="auto"),
        sa.Column("executor", sa.String(20), nullable=False, server_default="local"),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("stage", sa.String(120), nullable=False, server_default=""),
        sa.Column("fraction", sa.Float, nullable=False, server_default="0"),
        sa.Column("metrics", sa.Text, nullable=False, server_default="{}"),
        sa.Column("eta_seconds", sa.Float),
        sa.Column("created_at", sa.String(40), nullable=False),
        sa.Column("started_at", sa.String(40)),
        sa.Column("finished_at", sa.String(40)),
        sa.Column("heartbeat_at", sa.String(40)),
        sa.Column("host", sa.String(200)),
        sa.Column("pid", sa.Integer),
        sa.Column("pid_started", sa.Float),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
        sa.Column("error", sa.Text),
        sa.Column("flagged", sa.Integer),
        sa.Column("cost", sa.Text, nullable=False, server_default="{}"),
        sa.Column("trusted_rows", sa.Integer, nullable=False, server_default="0"),
        sqlite_autoincrement=True,
    )
    op.create_index("jobs_state", "jobs", ["state", "id"])
    op.create_index("jobs_dataset", "jobs", ["dataset_id", "id"])
