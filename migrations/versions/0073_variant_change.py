"""Which variants changed with each word of the register, so that a process reads only those anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "variant_change",
        sa.Column("revision", sa.String(length=32), nullable=False),
        sa.Column("before", sa.String(length=32), nullable=False),
        sa.Column("variants", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_variant_change")),
    )


def downgrade() -> None:
    op.drop_table("variant_change")
