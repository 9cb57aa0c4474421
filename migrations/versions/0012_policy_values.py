"""Approved values of policy points; how a line's price came about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "policy_register",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_register")),
    )
    op.create_table(
        "policy_value",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("point", sa.String(length=48), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.BigInteger(), nullable=True),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("channel_id", sa.BigInteger(), nullable=True),
        sa.Column("customer_group_id", sa.BigInteger(), nullable=True),
        sa.Column("item_group_id", sa.BigInteger(), nullable=True),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("valid_until", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("revoked_by", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("revoke_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('requested', 'approved', 'declined', 'withdrawn', 'revoked')",
            name=op.f("ck_policy_value_state_known"),
        ),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> requested_by", name=op.f("ck_policy_value_four_eyes")),
        sa.CheckConstraint(
            "entity_id IS NOT NULL OR site_id IS NOT NULL OR channel_id IS NOT NULL OR customer_group_id IS NOT NULL OR item_group_id IS NOT NULL",
            name=op.f("ck_policy_value_scope_named"),
        ),
        sa.CheckConstraint("valid_until > valid_from", name=op.f("ck_policy_value_validity")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_value")),
    )
    op.execute("INSERT INTO policy_register (id, revision) VALUES (1, 'first')")
    op.create_index("ix_policy_value_state", "policy_value", ["state", "point"], unique=False)
    op.add_column("order_line", sa.Column("ruleset", sa.String(length=64), nullable=True))
    op.add_column("order_line", sa.Column("price_rule_id", sa.BigInteger(), nullable=True))
    op.add_column("order_line", sa.Column("list_price", sa.BigInteger(), nullable=True))
    op.add_column("order_line", sa.Column("resolved_price", sa.BigInteger(), nullable=True))
    op.add_column("order_line", sa.Column("price_floor", sa.BigInteger(), nullable=True))
    op.add_column("order_line", sa.Column("unit_cost", sa.BigInteger(), nullable=True))
    op.add_column("order_line", sa.Column("price_losers", sa.Text(), nullable=True))
    op.add_column("order_line", sa.Column("price_reason", sa.Text(), nullable=True))
    op.add_column("ruleset", sa.Column("origins", sa.Text(), server_default="{}", nullable=False))


def downgrade() -> None:
    op.drop_column("ruleset", "origins")
    op.drop_column("order_line", "price_reason")
    op.drop_column("order_line", "price_losers")
    op.drop_column("order_line", "unit_cost")
    op.drop_column("order_line", "price_floor")
    op.drop_column("order_line", "resolved_price")
    op.drop_column("order_line", "list_price")
    op.drop_column("order_line", "price_rule_id")
    op.drop_column("order_line", "ruleset")
    op.drop_index("ix_policy_value_state", table_name="policy_value")
    op.drop_table("policy_value")
    op.drop_table("policy_register")
