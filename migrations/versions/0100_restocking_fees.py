"""What is kept of a credit for restocking: a line of its own, and an account of its own."""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

revision = "0100"
down_revision = "0099"
branch_labels = None
depends_on = None

_NAME = "ck_ledger_account_role_known"


def upgrade() -> None:
    _roles(("restocking",), ())
    op.add_column(
        "credit_memo_line", sa.Column("is_fee", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    )


def downgrade() -> None:
    op.drop_column("credit_memo_line", "is_fee")
    op.execute("DELETE FROM ledger_account WHERE role = 'restocking'")
    _roles((), ("restocking",))


def _roles(added: tuple[str, ...], taken: tuple[str, ...]) -> None:
    """Roles behind those that the schema has, whoever added them."""
    (known,) = (
        one["sqltext"]
        for one in sa.inspect(op.get_bind()).get_check_constraints("ledger_account")
        if one["name"] == _NAME
    )
    there = [role for role in re.findall(r"'(\w+)'", known) if role not in taken]
    roles = ", ".join(f"'{role}'" for role in (*there, *added))
    with op.batch_alter_table("ledger_account") as account:
        account.drop_constraint(op.f(_NAME), type_="check")
        account.create_check_constraint(op.f(_NAME), f"role IN ({roles})")
