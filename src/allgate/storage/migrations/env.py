"""What Alembic runs around migrations: on the connection that `migrate.upgrade` opened, never on one of its own."""

from alembic import context

from allgate.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
