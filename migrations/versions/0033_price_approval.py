"""A list of prices that gives away too much waits for a second person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import UtcDateTime

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("price_list", sa.Column("state", sa.String(length=12), nullable=True))
    op.execute("UPDATE price_list SET state = CASE WHEN applied_at IS NULL THEN 'kept' ELSE 'applied' END")
    with op.batch_alter_table("price_list") as batch:
        batch.alter_column("state", existing_type=sa.String(length=12), nullable=False)
        batch.add_column(sa.Column("asked_by", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("asked_at", UtcDateTime(), nullable=True))
        batch.add_column(sa.Column("asked_digest", sa.String(length=64), nullable=True))
        batch.create_check_constraint(
            op.f("ck_price_list_state_known"), "state IN ('kept', 'asked', 'declined', 'applied')"
        )
        batch.create_check_constraint(op.f("ck_price_list_applied_once"), "(applied_at IS NULL) = (state <> 'applied')")
        batch.create_check_constraint(
            op.f("ck_price_list_four_eyes"), "asked_by IS NULL OR applied_by IS NULL OR asked_by <> applied_by"
        )


def downgrade() -> None:
    with op.batch_alter_table("price_list") as batch:
        batch.drop_constraint(op.f("ck_price_list_four_eyes"), type_="check")
        batch.drop_constraint(op.f("ck_price_list_applied_once"), type_="check")
        batch.drop_constraint(op.f("ck_price_list_state_known"), type_="check")
        batch.drop_column("asked_digest")
        batch.drop_column("asked_at")
        batch.drop_column("asked_by")
        batch.drop_column("state")
