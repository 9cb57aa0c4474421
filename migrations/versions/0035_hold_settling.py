"""Open holds that no rule of its own routes take the right to settle them."""

from __future__ import annotations

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "UPDATE order_hold SET permission = 'orders:hold:settle' WHERE permission = 'orders:hold:release' AND released_at IS NULL"
    )


def downgrade() -> None:
    op.execute("UPDATE order_hold SET permission = 'orders:hold:release' WHERE permission = 'orders:hold:settle'")
