"""A payment of a dunning fee is taken back when its receipt goes back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dunning_fee_reversal",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("settlement_id", Key, nullable=False),
        sa.Column("fee_id", Key, nullable=False),
        sa.Column("receipt_id", Key, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reversed_at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_dunning_fee_reversal_reopens_something")),
        sa.ForeignKeyConstraint(["fee_id"], ["dunning_fee.id"], name=op.f("fk_dunning_fee_reversal_fee_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_dunning_fee_reversal_receipt_id")),
        sa.ForeignKeyConstraint(
            ["settlement_id"], ["dunning_fee_settlement.id"], name=op.f("fk_dunning_fee_reversal_settlement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_fee_reversal")),
        sa.UniqueConstraint("settlement_id", name=op.f("uq_dunning_fee_reversal_settlement_id")),
    )
    op.create_index("ix_dunning_fee_reversal_at", "dunning_fee_reversal", ["reversed_at"], unique=False)
    op.create_index("ix_dunning_fee_reversal_receipt", "dunning_fee_reversal", ["receipt_id"], unique=False)
    op.create_index("ix_dunning_fee_settlement_receipt", "dunning_fee_settlement", ["receipt_id"], unique=False)
    refuse_changes("dunning_fee_reversal")


def downgrade() -> None:
    op.drop_index("ix_dunning_fee_settlement_receipt", table_name="dunning_fee_settlement")
    op.drop_index("ix_dunning_fee_reversal_receipt", table_name="dunning_fee_reversal")
    op.drop_index("ix_dunning_fee_reversal_at", table_name="dunning_fee_reversal")
    op.drop_table("dunning_fee_reversal")
