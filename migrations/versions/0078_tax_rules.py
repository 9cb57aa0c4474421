"""Tax rules by origin and kind, tax numbers, exemptions, and the rule that each billed line is stamped with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("tax_rate") as batch:
        batch.add_column(sa.Column("ship_from", sa.String(length=64), server_default=sa.text("'*'"), nullable=False))
        batch.add_column(sa.Column("code", sa.String(length=24), server_default=sa.text("''"), nullable=False))
        batch.add_column(sa.Column("category", sa.String(length=2), server_default=sa.text("'S'"), nullable=False))
        batch.add_column(sa.Column("sentence", sa.Text(), nullable=True))
        batch.add_column(sa.Column("registration", sa.String(length=64), nullable=True))
        batch.add_column(sa.Column("needs_number", sa.Boolean(), server_default=sa.text("false"), nullable=False))
        batch.create_check_constraint(
            op.f("ck_tax_rate_category_known"), "category IN ('S', 'Z', 'E', 'AE', 'K', 'G', 'O')"
        )
        batch.create_check_constraint(op.f("ck_tax_rate_untaxed"), "category = 'S' OR rate = 0")
        batch.create_check_constraint(op.f("ck_tax_rate_days"), "valid_until IS NULL OR valid_until > valid_from")
    op.create_table(
        "tax_registration",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=True),
        sa.Column("country", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name=op.f("ck_tax_registration_days")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_tax_registration_customer_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_tax_registration_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_registration")),
    )
    op.create_index("ix_tax_registration_of", "tax_registration", ["entity_id", "customer_id"], unique=False)
    op.create_table(
        "tax_exemption",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("country", sa.String(length=64), nullable=False),
        sa.Column("item_tax_class", sa.String(length=24), nullable=False),
        sa.Column("certificate", sa.String(length=64), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.CheckConstraint("valid_until > valid_from", name=op.f("ck_tax_exemption_days")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_tax_exemption_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_exemption")),
    )
    op.create_index("ix_tax_exemption_customer", "tax_exemption", ["customer_id"], unique=False)
    for table in ("invoice_line", "credit_memo_line"):
        op.add_column(table, sa.Column("tax_rule_id", sa.BigInteger(), nullable=True))
        op.add_column(table, sa.Column("tax_exemption_id", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    for table in ("credit_memo_line", "invoice_line"):
        op.drop_column(table, "tax_exemption_id")
        op.drop_column(table, "tax_rule_id")
    op.drop_table("tax_exemption")
    op.drop_table("tax_registration")
    with op.batch_alter_table("tax_rate") as batch:
        for name in ("days", "untaxed", "category_known"):
            batch.drop_constraint(op.f(f"ck_tax_rate_{name}"), type_="check")
        for name in ("needs_number", "registration", "sentence", "category", "code", "ship_from"):
            batch.drop_column(name)
