"""Companies say which account their invoices name, one after the other."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0103"
down_revision = "0102"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invoice_account",
        sa.Column("entity_id", Key, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("bic", sa.String(length=11), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("set_by", sa.BigInteger(), nullable=False),
        sa.Column("set_as", sa.String(length=64), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["bank_account.id"], name=op.f("fk_invoice_account_account_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_invoice_account_entity_id")),
        sa.PrimaryKeyConstraint("entity_id", "number", name=op.f("pk_invoice_account")),
    )
    refuse_changes("invoice_account")


def downgrade() -> None:
    op.drop_table("invoice_account")
