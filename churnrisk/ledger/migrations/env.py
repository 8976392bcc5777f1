"""What alembic runs: the migrations that are missing, in the transaction that the ledger has begun."""

from alembic import context

from churnrisk.ledger.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
