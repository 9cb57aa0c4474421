"""Applications that are taken back, credits set against invoices, receipts that go back to the bank, and accounts for both."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None

_ROLES = (
    "'receivable', 'revenue', 'charges', 'tax', 'inventory', 'cost_of_sales', 'opening', 'adjustment', "
    "'received_not_invoiced', 'bank', 'on_account', 'bad_debt', 'transfer'"
)
_ADDED = "'bank_fees', 'currency_difference', 'bank_clearing'"
_REVERSES = "(amount_minor > 0 AND reverses_id IS NULL) OR (amount_minor < 0 AND reverses_id IS NOT NULL AND reason IS NOT NULL)"
_WITHIN = "amount_minor > 0 AND left_minor BETWEEN 0 AND amount_minor"
_WITHIN_NOW = (
    "amount_minor > 0 AND left_minor >= 0 AND returned_minor >= 0 AND left_minor + returned_minor <= amount_minor "
    "AND fee_minor BETWEEN 0 AND amount_minor"
)


def upgrade() -> None:
    with op.batch_alter_table("ledger_account") as account:
        account.drop_constraint(op.f("ck_ledger_account_role_known"), type_="check")
        account.create_check_constraint(op.f("ck_ledger_account_role_known"), f"role IN ({_ROLES}, {_ADDED})")
    with op.batch_alter_table("receipt") as receipt:
        receipt.add_column(sa.Column("returned_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
        receipt.add_column(sa.Column("fee_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
        receipt.add_column(sa.Column("owner_id", sa.BigInteger(), nullable=True))
        receipt.drop_constraint(op.f("ck_receipt_within"), type_="check")
        receipt.create_check_constraint(op.f("ck_receipt_within"), _WITHIN_NOW)
    with op.batch_alter_table("receipt_application") as application:
        application.add_column(sa.Column("reverses_id", Key, nullable=True))
        application.add_column(sa.Column("reason", sa.Text(), nullable=True))
        application.drop_constraint(op.f("ck_receipt_application_applies_something"), type_="check")
        application.create_check_constraint(op.f("ck_receipt_application_applies_or_reverses"), _REVERSES)
        application.create_foreign_key(
            op.f("fk_receipt_application_reverses_id"), "receipt_application", ["reverses_id"], ["id"]
        )
        application.create_unique_constraint(op.f("uq_receipt_application_reverses_id"), ["reverses_id"])
    op.create_index("ix_receipt_application_receipt", "receipt_application", ["receipt_id"], unique=False)
    _refuse_again()
    op.create_table(
        "credit_application",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("credit_id", Key, nullable=False),
        sa.Column("invoice_id", Key, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("applied_at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.BigInteger(), nullable=False),
        sa.Column("reverses_id", Key, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(_REVERSES, name=op.f("ck_credit_application_applies_or_reverses")),
        sa.ForeignKeyConstraint(
            ["credit_id"], ["receivable.document_id"], name=op.f("fk_credit_application_credit_id")
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_credit_application_invoice_id")),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["credit_application.id"], name=op.f("fk_credit_application_reverses_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_application")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_credit_application_reverses_id")),
    )
    op.create_index("ix_credit_application_credit", "credit_application", ["credit_id"], unique=False)
    op.create_index("ix_credit_application_invoice", "credit_application", ["invoice_id"], unique=False)
    op.create_index("ix_credit_application_applied", "credit_application", ["applied_at"], unique=False)
    op.create_table(
        "receipt_return",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("receipt_id", Key, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("returned_at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor > 0 AND fee_minor >= 0", name=op.f("ck_receipt_return_returns_something")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_receipt_return_receipt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt_return")),
    )
    op.create_index("ix_receipt_return_receipt", "receipt_return", ["receipt_id"], unique=False)
    op.create_index("ix_receipt_return_returned", "receipt_return", ["returned_at"], unique=False)
    refuse_changes("credit_application", "receipt_return")


def _refuse_again() -> None:
    """SQLite makes the table anew, without the triggers that keep it history."""
    if op.get_bind().dialect.name == "sqlite":
        refuse_changes("receipt_application")


def downgrade() -> None:
    # A reversal is unknown to the schema before, and so is money that went back: where there are some the checks refuse.
    op.drop_table("receipt_return")
    op.drop_table("credit_application")
    op.drop_index("ix_receipt_application_receipt", table_name="receipt_application")
    with op.batch_alter_table("receipt_application") as application:
        application.drop_constraint(op.f("uq_receipt_application_reverses_id"), type_="unique")
        application.drop_constraint(op.f("fk_receipt_application_reverses_id"), type_="foreignkey")
        application.drop_constraint(op.f("ck_receipt_application_applies_or_reverses"), type_="check")
        application.create_check_constraint(op.f("ck_receipt_application_applies_something"), "amount_minor > 0")
        application.drop_column("reason")
        application.drop_column("reverses_id")
    _refuse_again()
    with op.batch_alter_table("receipt") as receipt:
        receipt.drop_constraint(op.f("ck_receipt_within"), type_="check")
        receipt.create_check_constraint(op.f("ck_receipt_within"), _WITHIN)
        receipt.drop_column("owner_id")
        receipt.drop_column("fee_minor")
        receipt.drop_column("returned_minor")
    op.execute("DELETE FROM ledger_account WHERE role IN ('bank_fees', 'currency_difference', 'bank_clearing')")
    with op.batch_alter_table("ledger_account") as account:
        account.drop_constraint(op.f("ck_ledger_account_role_known"), type_="check")
        account.create_check_constraint(op.f("ck_ledger_account_role_known"), f"role IN ({_ROLES})")
