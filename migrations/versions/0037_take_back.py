"""Wishes to take allocated stock back that a second person agrees to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_OPEN = sa.text("state = 'proposed'")


def upgrade() -> None:
    op.create_table(
        "take_back_wish",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("from_line_id", Key, nullable=False),
        sa.Column("to_line_id", Key, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('proposed', 'done', 'rejected')", name=op.f("ck_take_back_wish_state_known")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_take_back_wish_takes_something")),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name=op.f("ck_take_back_wish_two_people")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_take_back_wish_entity_id")),
        sa.ForeignKeyConstraint(["from_line_id"], ["order_line.id"], name=op.f("fk_take_back_wish_from_line_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_take_back_wish_item_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_take_back_wish_site_id")),
        sa.ForeignKeyConstraint(["to_line_id"], ["order_line.id"], name=op.f("fk_take_back_wish_to_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_take_back_wish")),
    )
    op.create_index(
        "ix_take_back_wish_open",
        "take_back_wish",
        ["site_id"],
        unique=False,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def downgrade() -> None:
    op.drop_index("ix_take_back_wish_open", table_name="take_back_wish", sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.drop_table("take_back_wish")
