"""How a site values its stock: by which method, in which layers, and what costs come after the goods."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0097"
down_revision = "0096"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cost_layer",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("document_type", sa.String(length=24), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("quantity_left", sa.BigInteger(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("came_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "quantity > 0 AND quantity_left >= 0 AND quantity_left <= quantity", name=op.f("ck_cost_layer_adds_up")
        ),
        sa.CheckConstraint(
            "value_minor >= 0 AND (quantity_left > 0 OR value_minor = 0)",
            name=op.f("ck_cost_layer_worth_of_what_is_left"),
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_cost_layer_entity_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_cost_layer_item_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_cost_layer_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cost_layer")),
    )
    op.create_index("ix_cost_layer_document", "cost_layer", ["document_id"], unique=False)
    op.create_index("ix_cost_layer_item", "cost_layer", ["item_id", "site_id", "came_at"], unique=False)
    op.create_index(
        "ix_cost_layer_left",
        "cost_layer",
        ["site_id", "item_id", "came_at", "id"],
        unique=False,
        sqlite_where=sa.text("quantity_left > 0"),
        postgresql_where=sa.text("quantity_left > 0"),
    )
    op.create_table(
        "site_costing",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("method", sa.String(length=8), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("revalued_minor", sa.BigInteger(), nullable=False),
        sa.Column("chosen_by", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("method IN ('standard', 'average', 'fifo')", name=op.f("ck_site_costing_method_known")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_site_costing_entity_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_site_costing_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_costing")),
    )
    op.create_index("ix_site_costing_site", "site_costing", ["site_id", "id"], unique=False)
    op.create_table(
        "cost_layer_step",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("layer_id", Key, nullable=False),
        sa.Column("reason", sa.String(length=8), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("reason IN ('came', 'went', 'late', 'ended')", name=op.f("ck_cost_layer_step_reason_known")),
        sa.ForeignKeyConstraint(["layer_id"], ["cost_layer.id"], name=op.f("fk_cost_layer_step_layer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cost_layer_step")),
    )
    op.create_index("ix_cost_layer_step_document", "cost_layer_step", ["document_id"], unique=False)
    op.create_index("ix_cost_layer_step_layer", "cost_layer_step", ["layer_id", "id"], unique=False)
    op.create_table(
        "late_cost",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("receipt_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("basis", sa.String(length=8), nullable=False),
        sa.Column("paper", sa.String(length=120), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("stock_minor", sa.BigInteger(), nullable=False),
        sa.Column("entry_on", sa.Date(), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("added_by", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("basis IN ('value', 'quantity')", name=op.f("ck_late_cost_basis_known")),
        sa.CheckConstraint("kind IN ('freight', 'duty', 'price', 'other')", name=op.f("ck_late_cost_kind_known")),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_late_cost_some_cost")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_late_cost_entity_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["goods_receipt.id"], name=op.f("fk_late_cost_receipt_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_late_cost_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_late_cost")),
        sa.UniqueConstraint("receipt_id", "paper", name=op.f("uq_late_cost_receipt_id_paper")),
    )
    op.create_index("ix_late_cost_entity", "late_cost", ["entity_id", "id"], unique=False)
    op.create_table(
        "stock_revaluation",
        sa.Column("costing_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["costing_id"], ["site_costing.id"], name=op.f("fk_stock_revaluation_costing_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_stock_revaluation_item_id")),
        sa.PrimaryKeyConstraint("costing_id", "item_id", name=op.f("pk_stock_revaluation")),
    )
    op.create_table(
        "late_cost_line",
        sa.Column("late_cost_id", Key, nullable=False),
        sa.Column("line_no", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("quantity_here", sa.BigInteger(), nullable=False),
        sa.Column("stock_minor", sa.BigInteger(), nullable=False),
        sa.Column("sold_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_late_cost_line_item_id")),
        sa.ForeignKeyConstraint(["late_cost_id"], ["late_cost.id"], name=op.f("fk_late_cost_line_late_cost_id")),
        sa.PrimaryKeyConstraint("late_cost_id", "line_no", name=op.f("pk_late_cost_line")),
    )
    op.add_column("stock_balance", sa.Column("method", sa.String(length=8), server_default="standard", nullable=False))
    with op.batch_alter_table("stock_balance") as balance:
        balance.create_check_constraint(
            op.f("ck_stock_balance_method_known"), "method IN ('standard', 'average', 'fifo')"
        )
        balance.create_check_constraint(op.f("ck_stock_balance_cost_known"), "method = 'standard' OR unvalued = 0")
    refuse_changes("cost_layer_step")
    refuse_changes("late_cost")
    refuse_changes("late_cost_line")
    refuse_changes("site_costing")
    refuse_changes("stock_revaluation")


def downgrade() -> None:
    with op.batch_alter_table("stock_balance") as balance:
        balance.drop_constraint(op.f("ck_stock_balance_cost_known"), type_="check")
        balance.drop_constraint(op.f("ck_stock_balance_method_known"), type_="check")
        balance.drop_column("method")
    op.drop_table("late_cost_line")
    op.drop_table("stock_revaluation")
    op.drop_index("ix_late_cost_entity", table_name="late_cost")
    op.drop_table("late_cost")
    op.drop_index("ix_cost_layer_step_layer", table_name="cost_layer_step")
    op.drop_index("ix_cost_layer_step_document", table_name="cost_layer_step")
    op.drop_table("cost_layer_step")
    op.drop_index("ix_site_costing_site", table_name="site_costing")
    op.drop_table("site_costing")
    op.drop_index("ix_cost_layer_left", table_name="cost_layer")
    op.drop_index("ix_cost_layer_item", table_name="cost_layer")
    op.drop_index("ix_cost_layer_document", table_name="cost_layer")
    op.drop_table("cost_layer")
