"""The tier is the customer's: that of a group ranked nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("customer_group") as group:
        group.drop_constraint(op.f("ck_customer_group_tier_range"), type_="check")
        group.drop_column("tier")


def downgrade() -> None:
    with op.batch_alter_table("customer_group") as group:
        group.add_column(sa.Column("tier", sa.SmallInteger(), server_default=sa.text("5"), nullable=False))
        group.create_check_constraint(op.f("ck_customer_group_tier_range"), "tier BETWEEN 1 AND 9")
