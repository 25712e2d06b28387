"""Alembic's entry: migrates over the connection that `store.db` hands it."""

from alembic import context

from lnl_core.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
)
context.run_migrations()
