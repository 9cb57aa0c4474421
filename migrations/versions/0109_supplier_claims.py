"""What a supplier owes for goods sent back falls by its credit notes and by accepted differences; credit notes have an account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import change_words, refuse_changes

revision = "0109"
down_revision = "0108"
branch_labels = None
depends_on = None


def upgrade() -> None:
    change_words("ledger_account", "role", added=("supplier_credits",))
    op.create_table(
        "supplier_claim_entry",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("supplier_return_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("paper", sa.String(length=120), nullable=True),
        sa.Column("paper_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reverses_id", Key, nullable=True),
        sa.Column("settled_by", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('credit', 'difference')", name=op.f("ck_supplier_claim_entry_kind_known")),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_supplier_claim_entry_some_amount")),
        sa.CheckConstraint("paper IS NOT NULL OR reason IS NOT NULL", name=op.f("ck_supplier_claim_entry_says_why")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_supplier_claim_entry_entity_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_supplier_claim_entry_site_id")),
        sa.ForeignKeyConstraint(
            ["supplier_return_id"], ["supplier_return.id"], name=op.f("fk_supplier_claim_entry_supplier_return_id")
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["supplier_claim_entry.id"], name=op.f("fk_supplier_claim_entry_reverses_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_claim_entry")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_supplier_claim_entry_reverses_id")),
    )
    op.create_index("ix_supplier_claim_entry_return", "supplier_claim_entry", ["supplier_return_id"], unique=False)
    refuse_changes("supplier_claim_entry")


def downgrade() -> None:
    op.drop_table("supplier_claim_entry")
    op.execute("DELETE FROM ledger_account WHERE role = 'supplier_credits'")
    change_words("ledger_account", "role", taken=("supplier_credits",))
