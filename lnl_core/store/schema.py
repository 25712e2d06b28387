"""The tables. Facts that people made live here; arrays are files beside the database."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

datasets = Table(
    "datasets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("folder", String(200), nullable=False, unique=True),
    Column("kind", String(40), nullable=False),
    Column("source", Text, nullable=False, server_default=""),
    Column("n", Integer, nullable=False),
    Column("class_count", Integer, nullable=False),
    Column("created_at", String(40), nullable=False),
    Column("used_at", String(40), nullable=False),
    sqlite_autoincrement=True,
)

reviewers = Table(
    "reviewers",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("created_at", String(40), nullable=False),
    Column("role", String(20)),
    Column("login", String(400)),
    Index("reviewers_login", "login", unique=True),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("dataset_id", Integer, ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False),
    Column("row", Integer, nullable=False),
    Column("reviewer", String(120), ForeignKey("reviewers.name"), nullable=False),
    Column("action", String(20), nullable=False),
    Column("label", Integer),
    Column("labels", Text, nullable=False, server_default="[]"),
    Column("cid", String(80), nullable=False),
    Column("decided_at", String(40), nullable=False),
    Column("seconds", Float),
    Column("given_label", Integer),
    Column("suggested_label", Integer),
    Column("p_wrong", Float),
    Column("run_ids", Text, nullable=False, server_default="[]"),
    Column("position", Integer),
    Column("mode", String(20), nullable=False, server_default="single"),
    Column("route", String(20), nullable=False, server_default="queue"),
    Column("revealed", Boolean, nullable=False, server_default="0"),
    UniqueConstraint("dataset_id", "reviewer", "cid", name="decisions_cid"),
    Index("decisions_current", "dataset_id", "row", "reviewer", "id"),
    Index("decisions_recent", "dataset_id", "reviewer", "id"),
    sqlite_autoincrement=True,
)

audit_draws = Table(
    "audit_draws",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("dataset_id", Integer, ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("row", Integer, nullable=False),
    Column("reviewer", String(120), ForeignKey("reviewers.name"), nullable=False),
    Column("seed", Integer, nullable=False),
    Column("eligible", Integer, nullable=False),
    Column("last_decision", Integer, nullable=False),
    Column("drawn_at", String(40), nullable=False),
    UniqueConstraint("dataset_id", "number", name="audit_draws_number"),
    UniqueConstraint("dataset_id", "row", name="audit_draws_row"),
    sqlite_autoincrement=True,
)

leases = Table(
    "leases",
    metadata,
    Column(
        "dataset_id",
        Integer,
        ForeignKey("datasets.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("row", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(10), nullable=False),
    Column("reviewer", String(120), ForeignKey("reviewers.name"), nullable=False),
    Column("tab", String(64), nullable=False),
    Column("taken_at", Float, nullable=False),
    Index("leases_tab", "tab"),
)

parts = Table(
    "parts",
    metadata,
    Column(
        "dataset_id",
        Integer,
        ForeignKey("datasets.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("reviewer", String(120), ForeignKey("reviewers.name"), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("value", Text, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("dataset_id", Integer, ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False),
    Column("method", String(60), nullable=False),
    Column("preset", String(20), nullable=False),
    Column("config", Text, nullable=False, server_default="{}"),
    Column("representation", String(80), nullable=False, server_default="pixels"),
    Column("seed", Integer, nullable=False, server_default="0"),
    Column("device", String(20), nullable=False, server_default="auto"),
    Column("executor", String(20), nullable=False, server_default="local"),
    Column("state", String(20), nullable=False),
    Column("stage", String(120), nullable=False, server_default=""),
    Column("fraction", Float, nullable=False, server_default="0"),
    Column("metrics", Text, nullable=False, server_default="{}"),
    Column("eta_seconds", Float),
    Column("created_at", String(40), nullable=False),
    Column("started_at", String(40)),
    Column("finished_at", String(40)),
    Column("heartbeat_at", String(40)),
    Column("host", String(200)),
    Column("pid", Integer),
    Column("pid_started", Float),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("error", Text),
    Column("flagged", Integer),
    Column("cost", Text, nullable=False, server_default="{}"),
    Column("trusted_rows", Integer, nullable=False, server_default="0"),
    Column("base", Integer),
    Column("engine_job", String(120)),
    Column("engine_options", Text, nullable=False, server_default="{}"),
    Column("splits", Text, nullable=False, server_default="{}"),
    Index("jobs_state", "state", "id"),
    Index("jobs_dataset", "dataset_id", "id"),
    sqlite_autoincrement=True,
)
