"""A consumer's cursor counts what was written for it, so that a batch may be worked out before its transaction."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("consumer_cursor", sa.Column("changes", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("consumer_cursor", "changes")
