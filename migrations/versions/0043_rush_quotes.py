"""Rush in quotes: which of their lines are, and what it costs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

_MARKS = ("is_rush", "is_rush_charge")


def upgrade() -> None:
    for name in _MARKS:
        op.add_column("quote_line", sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    for name in reversed(_MARKS):
        op.drop_column("quote_line", name)
