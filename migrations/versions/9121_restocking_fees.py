"""What is kept of a credit for restocking: a line of its own, and an account of its own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "9121"
down_revision = "0095"
branch_labels = None
depends_on = None

_ROLES = (
    "'receivable', 'revenue', 'charges', 'tax', 'inventory', 'cost_of_sales', 'opening', 'adjustment', 'received_not_invoiced', "
    "'bank', 'on_account', 'bad_debt', 'transfer', 'bank_fees', 'currency_difference', 'bank_clearing', 'rebates', 'rebates_accrued'"
)


def _roles(words: str) -> None:
    with op.batch_alter_table("ledger_account") as account:
        account.drop_constraint(op.f("ck_ledger_account_role_known"), type_="check")
        account.create_check_constraint(op.f("ck_ledger_account_role_known"), f"role IN ({words})")


def upgrade() -> None:
    _roles(f"{_ROLES}, 'restocking'")
    op.add_column("credit_memo_line", sa.Column("is_fee", sa.Boolean(), nullable=False, server_default=sa.text("false")))


def downgrade() -> None:
    op.drop_column("credit_memo_line", "is_fee")
    op.execute("DELETE FROM ledger_account WHERE role = 'restocking'")
    _roles(_ROLES)
