"""What leaves of an order line beyond what was ordered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_OVER, _SIGN = "ck_order_line_not_over", "ck_order_line_not_negative"
_COUNTS = "allocated >= 0 AND picked >= 0 AND shipped >= 0 AND cancelled >= 0"


def upgrade() -> None:
    op.add_column("order_line", sa.Column("extra", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    with op.batch_alter_table("order_line") as batch:
        batch.drop_constraint(op.f(_OVER), type_="check")
        batch.drop_constraint(op.f(_SIGN), type_="check")
        batch.create_check_constraint(op.f(_OVER), "shipped + cancelled <= quantity + extra")
        batch.create_check_constraint(op.f(_SIGN), f"{_COUNTS} AND extra >= 0")


def downgrade() -> None:
    with op.batch_alter_table("order_line") as batch:
        batch.drop_constraint(op.f(_OVER), type_="check")
        batch.drop_constraint(op.f(_SIGN), type_="check")
        batch.create_check_constraint(op.f(_OVER), "shipped + cancelled <= quantity")
        batch.create_check_constraint(op.f(_SIGN), _COUNTS)
        batch.drop_column("extra")
