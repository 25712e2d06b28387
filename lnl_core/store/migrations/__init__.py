"""One file per schema version; `store.db` runs them through Alembic."""
