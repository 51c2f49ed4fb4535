"""What Alembic runs around migrations.

SQLite is migrated on the connection that `migrate.upgrade` opened, never on one of Alembic's own. For PostgreSQL the same
migrations are only written out, as text that `migrate.script` returns: a migration must not ask the database anything.
"""

from alembic import context

from allgate.storage.tables import metadata

if context.is_offline_mode():
    context.configure(
        dialect_name="postgresql",
        dialect_opts={"paramstyle": "named"},  # the other styles double every per cent sign
        target_metadata=metadata,
        transactional_ddl=False,  # the transaction is that of whoever runs the text
    )
    context.run_migrations()
else:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        render_as_batch=True,  # SQLite changes a table by copying it
    )
    with context.begin_transaction():
        context.run_migrations()
