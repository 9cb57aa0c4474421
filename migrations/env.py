"""Runs revisions on the connection that ``app.composition.schema`` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from erpcore.kernel.model import Base

# Batch mode rebuilds SQLite tables that ALTER TABLE cannot change; it drops their triggers, so a revision that rebuilds
# an append-only table calls migrations.ddl.refuse_changes again (the architecture tests compare triggers).
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
