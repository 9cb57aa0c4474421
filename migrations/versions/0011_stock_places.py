"""Where stock lies and of which lot, packs of items, papers of the warehouse, counts, closed periods."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ROLES = (
    "'receivable', 'revenue', 'charges', 'tax', 'inventory', 'cost_of_sales', 'opening', 'adjustment', "
    "'received_not_invoiced', 'bank', 'on_account', 'bad_debt'"
)
_REASONS = "'opening', 'receipt', 'issue', 'return', 'adjustment', 'reversal', 'count', 'transfer'"


def upgrade() -> None:
    op.create_table(
        "period_close",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("closed_until", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("closed_by", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_period_close_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_period_close")),
    )
    op.create_index("ix_period_close_entity", "period_close", ["entity_id", "id"], unique=False)
    op.create_table(
        "count_cadence",
        sa.Column("site_id", Key, nullable=False),
        sa.Column("abc", sa.String(length=1), nullable=False),
        sa.Column("days", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("days > 0", name=op.f("ck_count_cadence_some_days")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_count_cadence_site_id")),
        sa.PrimaryKeyConstraint("site_id", "abc", name=op.f("pk_count_cadence")),
    )
    op.create_table(
        "expected_receipt",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("cancelled", sa.BigInteger(), nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=True),
        sa.Column("line_id", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("supplier", sa.String(length=300), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("entered_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "source IN ('purchase_order', 'transfer', 'typed')", name=op.f("ck_expected_receipt_source_known")
        ),
        sa.CheckConstraint(
            "quantity > 0 AND received >= 0 AND cancelled >= 0 AND cancelled <= quantity",
            name=op.f("ck_expected_receipt_adds_up"),
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_expected_receipt_entity_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_expected_receipt_item_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_expected_receipt_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expected_receipt")),
    )
    op.create_index("ix_expected_receipt_document", "expected_receipt", ["document_id"], unique=False)
    op.create_index(
        "ix_expected_receipt_open",
        "expected_receipt",
        ["site_id", "item_id", "expected_on"],
        unique=False,
        sqlite_where=sa.text("received + cancelled < quantity"),
        postgresql_where=sa.text("received + cancelled < quantity"),
    )
    op.create_table(
        "goods_receipt",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("paper", sa.String(length=300), nullable=False),
        sa.Column("supplier", sa.String(length=300), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("received_by", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_goods_receipt_entity_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_goods_receipt_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goods_receipt")),
    )
    op.create_index("ix_goods_receipt_site", "goods_receipt", ["site_id", "received_at"], unique=False)
    op.create_table(
        "item_unit",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("numerator", sa.BigInteger(), nullable=False),
        sa.Column("denominator", sa.BigInteger(), nullable=False),
        sa.Column("barcode", sa.String(length=120), nullable=True),
        sa.CheckConstraint("numerator > 0 AND denominator > 0", name=op.f("ck_item_unit_positive")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_item_unit_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_unit")),
        sa.UniqueConstraint("item_id", "code", name=op.f("uq_item_unit_item_id_code")),
    )
    op.create_index("ix_item_unit_barcode", "item_unit", ["barcode"], unique=False)
    op.create_table(
        "lot",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("is_serial", sa.Boolean(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("first_seen_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_lot_entity_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_lot_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot")),
        sa.UniqueConstraint("item_id", "code", name=op.f("uq_lot_item_id_code")),
    )
    op.create_table(
        "stock_transfer",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("from_site_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("shipped_at", UtcDateTime(), nullable=False),
        sa.Column("arrives_on", sa.Date(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('shipped', 'settled')", name=op.f("ck_stock_transfer_state_known")),
        sa.CheckConstraint("from_site_id <> site_id", name=op.f("ck_stock_transfer_two_sites")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_stock_transfer_entity_id")),
        sa.ForeignKeyConstraint(["from_site_id"], ["site.id"], name=op.f("fk_stock_transfer_from_site_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_stock_transfer_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_transfer")),
    )
    op.create_index("ix_stock_transfer_site", "stock_transfer", ["site_id", "state"], unique=False)
    op.create_table(
        "zone",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_zone_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zone")),
        sa.UniqueConstraint("site_id", "code", name=op.f("uq_zone_site_id_code")),
    )
    op.create_table(
        "goods_receipt_line",
        sa.Column("receipt_id", Key, nullable=False),
        sa.Column("line_no", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("expected_receipt_id", Key, nullable=True),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("lot_id", Key, nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("damaged", sa.BigInteger(), nullable=False),
        sa.Column("discrepancy", sa.String(length=12), nullable=False),
        sa.Column("difference", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "discrepancy IN ('none', 'short', 'over', 'other_item', 'damaged')",
            name=op.f("ck_goods_receipt_line_discrepancy_known"),
        ),
        sa.ForeignKeyConstraint(
            ["expected_receipt_id"], ["expected_receipt.id"], name=op.f("fk_goods_receipt_line_expected_receipt_id")
        ),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_goods_receipt_line_item_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_goods_receipt_line_lot_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["goods_receipt.id"], name=op.f("fk_goods_receipt_line_receipt_id")),
        sa.PrimaryKeyConstraint("receipt_id", "line_no", name=op.f("pk_goods_receipt_line")),
    )
    op.create_index("ix_goods_receipt_line_expected", "goods_receipt_line", ["expected_receipt_id"], unique=False)
    op.create_table(
        "location",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("zone_id", Key, nullable=True),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("walk", sa.Integer(), nullable=False),
        sa.Column("is_blocked", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('storage', 'receiving', 'quarantine', 'dispatch')", name=op.f("ck_location_kind_known")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_location_site_id")),
        sa.ForeignKeyConstraint(["zone_id"], ["zone.id"], name=op.f("fk_location_zone_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_location")),
        sa.UniqueConstraint("site_id", "code", name=op.f("uq_location_site_id_code")),
    )
    op.create_table(
        "stock_transfer_line",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("transfer_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("lot_id", Key, nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("lost", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "quantity > 0 AND received >= 0 AND lost >= 0 AND received + lost <= quantity",
            name=op.f("ck_stock_transfer_line_adds_up"),
        ),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_stock_transfer_line_item_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_stock_transfer_line_lot_id")),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["stock_transfer.id"], name=op.f("fk_stock_transfer_line_transfer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_transfer_line")),
    )
    op.create_index("ix_stock_transfer_line_transfer", "stock_transfer_line", ["transfer_id"], unique=False)
    op.create_table(
        "bin_hold",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("location_id", Key, nullable=True),
        sa.Column("lot_id", Key, nullable=True),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("picked", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("freed", sa.BigInteger(), nullable=False),
        sa.Column("held_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("picked >= used AND picked <= quantity - freed", name=op.f("ck_bin_hold_picked_fits")),
        sa.CheckConstraint(
            "quantity > 0 AND used >= 0 AND freed >= 0 AND used + freed <= quantity", name=op.f("ck_bin_hold_adds_up")
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_bin_hold_entity_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_bin_hold_item_id")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_bin_hold_location_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_bin_hold_lot_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_bin_hold_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bin_hold")),
    )
    op.create_index("ix_bin_hold_line", "bin_hold", ["order_line_id"], unique=False)
    op.create_index(
        "ix_bin_hold_open",
        "bin_hold",
        ["site_id", "item_id"],
        unique=False,
        sqlite_where=sa.text("used + freed < quantity"),
        postgresql_where=sa.text("used + freed < quantity"),
    )
    op.create_table(
        "count_task",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("location_id", Key, nullable=True),
        sa.Column("lot_id", Key, nullable=True),
        sa.Column("slot", sa.String(length=56), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("why", sa.String(length=16), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("ruleset", sa.String(length=64), nullable=True),
        sa.Column("is_frozen", sa.Boolean(), nullable=False),
        sa.Column("opening_book", sa.BigInteger(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("started_by", sa.BigInteger(), nullable=True),
        sa.Column("book", sa.BigInteger(), nullable=True),
        sa.Column("counted", sa.BigInteger(), nullable=True),
        sa.Column("counted_at", UtcDateTime(), nullable=True),
        sa.Column("counted_by", sa.BigInteger(), nullable=True),
        sa.Column("recount_book", sa.BigInteger(), nullable=True),
        sa.Column("recounted", sa.BigInteger(), nullable=True),
        sa.Column("recounted_at", UtcDateTime(), nullable=True),
        sa.Column("recounted_by", sa.BigInteger(), nullable=True),
        sa.Column("difference", sa.BigInteger(), nullable=True),
        sa.Column("value_minor", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'counting', 'recount', 'recounting', 'proposed', 'done', 'cancelled')",
            name=op.f("ck_count_task_state_known"),
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_count_task_entity_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_count_task_item_id")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_count_task_location_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_count_task_lot_id")),
        sa.ForeignKeyConstraint(["ruleset"], ["ruleset.hash"], name=op.f("fk_count_task_ruleset")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_count_task_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_count_task")),
    )
    op.create_index("ix_count_task_state", "count_task", ["site_id", "state", "due_on"], unique=False)
    op.create_index(
        "uq_count_task_open",
        "count_task",
        ["site_id", "item_id", "slot"],
        unique=True,
        sqlite_where=sa.text("state NOT IN ('done', 'cancelled')"),
        postgresql_where=sa.text("state NOT IN ('done', 'cancelled')"),
    )
    op.create_table(
        "stock_bin",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("location_id", Key, nullable=True),
        sa.Column("lot_id", Key, nullable=True),
        sa.Column("is_serial", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("slot", sa.String(length=56), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "location_id IS NOT NULL OR lot_id IS NOT NULL OR status <> 'available'", name=op.f("ck_stock_bin_explicit")
        ),
        sa.CheckConstraint(
            "status IN ('available', 'received', 'quarantine', 'damaged', 'in_transit')",
            name=op.f("ck_stock_bin_status_known"),
        ),
        sa.CheckConstraint("NOT is_serial OR quantity IN (0, 1000)", name=op.f("ck_stock_bin_serial_once")),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_stock_bin_not_negative")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_stock_bin_entity_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_stock_bin_item_id")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_stock_bin_location_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_stock_bin_lot_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_stock_bin_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_bin")),
        sa.UniqueConstraint("site_id", "item_id", "slot", name=op.f("uq_stock_bin_site_id_item_id_slot")),
    )
    op.create_index("ix_stock_bin_location", "stock_bin", ["location_id"], unique=False)
    op.create_index("ix_stock_bin_lot", "stock_bin", ["lot_id"], unique=False)
    op.create_index(
        "uq_stock_bin_serial",
        "stock_bin",
        ["lot_id"],
        unique=True,
        sqlite_where=sa.text("is_serial AND quantity > 0"),
        postgresql_where=sa.text("is_serial AND quantity > 0"),
    )
    op.create_table(
        "stock_adjustment",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("location_id", Key, nullable=True),
        sa.Column("lot_id", Key, nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=True),
        sa.Column("reason_code", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decision_note", sa.Text(), nullable=True),
        sa.Column("move_id", Key, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('proposed', 'booked', 'rejected')", name=op.f("ck_stock_adjustment_state_known")),
        sa.CheckConstraint("quantity <> 0", name=op.f("ck_stock_adjustment_adjusts_something")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_stock_adjustment_entity_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_stock_adjustment_item_id")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_stock_adjustment_location_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_stock_adjustment_lot_id")),
        sa.ForeignKeyConstraint(["move_id"], ["stock_move.id"], name=op.f("fk_stock_adjustment_move_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_stock_adjustment_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_adjustment")),
    )
    op.create_index("ix_stock_adjustment_site", "stock_adjustment", ["site_id", "state"], unique=False)
    with op.batch_alter_table("item") as item:
        item.add_column(sa.Column("tracking", sa.String(length=8), server_default="none", nullable=False))
        item.add_column(sa.Column("order_multiple", sa.BigInteger(), nullable=True))
        item.create_check_constraint(op.f("ck_item_tracking_known"), "tracking IN ('none', 'lot', 'serial')")
        item.create_check_constraint(op.f("ck_item_multiple_positive"), "order_multiple > 0")
    with op.batch_alter_table("ledger_account") as account:
        account.drop_constraint(op.f("ck_ledger_account_role_known"), type_="check")
        account.create_check_constraint(op.f("ck_ledger_account_role_known"), f"role IN ({_ROLES}, 'transfer')")
    with op.batch_alter_table("stock_balance") as balance:
        balance.add_column(sa.Column("blocked", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
        balance.add_column(sa.Column("placed", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
        balance.add_column(sa.Column("frozen", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))
        balance.create_check_constraint(op.f("ck_stock_balance_frozen_counted"), "frozen >= 0")
        balance.drop_constraint(op.f("ck_stock_balance_not_oversold"), type_="check")
        balance.create_check_constraint(
            op.f("ck_stock_balance_not_oversold"), "reserved >= 0 AND blocked >= 0 AND reserved + blocked <= on_hand"
        )
        balance.create_check_constraint(
            op.f("ck_stock_balance_placed_adds_up"), "placed >= blocked AND placed <= on_hand"
        )
    with op.batch_alter_table("stock_move") as move:
        move.add_column(sa.Column("location_id", Key, nullable=True))
        move.add_column(sa.Column("lot_id", Key, nullable=True))
        move.add_column(sa.Column("status", sa.String(length=12), server_default="available", nullable=False))
        move.create_foreign_key(op.f("fk_stock_move_location_id"), "location", ["location_id"], ["id"])
        move.create_foreign_key(op.f("fk_stock_move_lot_id"), "lot", ["lot_id"], ["id"])
        move.drop_constraint(op.f("ck_stock_move_reason_known"), type_="check")
        move.create_check_constraint(
            op.f("ck_stock_move_reason_known"), f"reason IN ({_REASONS}, 'placement', 'status')"
        )
        move.create_check_constraint(
            op.f("ck_stock_move_status_known"),
            "status IN ('available', 'received', 'quarantine', 'damaged', 'in_transit')",
        )
    op.create_index(
        "ix_stock_move_lot", "stock_move", ["lot_id"], unique=False,
        sqlite_where=sa.text("lot_id IS NOT NULL"), postgresql_where=sa.text("lot_id IS NOT NULL"),
    )  # fmt: skip
    # Rebuilding a table on SQLite drops its triggers.
    if op.get_bind().dialect.name == "sqlite":
        refuse_changes("stock_move")
    refuse_changes("goods_receipt", "goods_receipt_line", "period_close")


def downgrade() -> None:
    op.drop_index("ix_stock_move_lot", table_name="stock_move")
    # Bins, blocked stock and their moves are unknown to the older revision; the sums of on hand stay what they are.
    with op.batch_alter_table("stock_move") as move:
        move.drop_constraint(op.f("ck_stock_move_status_known"), type_="check")
        move.drop_constraint(op.f("ck_stock_move_reason_known"), type_="check")
        move.create_check_constraint(op.f("ck_stock_move_reason_known"), f"reason IN ({_REASONS})")
        move.drop_constraint(op.f("fk_stock_move_lot_id"), type_="foreignkey")
        move.drop_constraint(op.f("fk_stock_move_location_id"), type_="foreignkey")
        move.drop_column("status")
        move.drop_column("lot_id")
        move.drop_column("location_id")
    with op.batch_alter_table("stock_balance") as balance:
        balance.drop_constraint(op.f("ck_stock_balance_placed_adds_up"), type_="check")
        balance.drop_constraint(op.f("ck_stock_balance_not_oversold"), type_="check")
        balance.create_check_constraint(op.f("ck_stock_balance_not_oversold"), "reserved >= 0 AND reserved <= on_hand")
        balance.drop_constraint(op.f("ck_stock_balance_frozen_counted"), type_="check")
        balance.drop_column("frozen")
        balance.drop_column("placed")
        balance.drop_column("blocked")
    with op.batch_alter_table("ledger_account") as account:
        account.drop_constraint(op.f("ck_ledger_account_role_known"), type_="check")
        account.create_check_constraint(op.f("ck_ledger_account_role_known"), f"role IN ({_ROLES})")
    with op.batch_alter_table("item") as item:
        item.drop_constraint(op.f("ck_item_multiple_positive"), type_="check")
        item.drop_constraint(op.f("ck_item_tracking_known"), type_="check")
        item.drop_column("order_multiple")
        item.drop_column("tracking")
    if op.get_bind().dialect.name == "sqlite":
        refuse_changes("stock_move")
    op.drop_index("ix_stock_adjustment_site", table_name="stock_adjustment")
    op.drop_table("stock_adjustment")
    op.drop_index(
        "uq_stock_bin_serial",
        table_name="stock_bin",
        sqlite_where=sa.text("is_serial AND quantity > 0"),
        postgresql_where=sa.text("is_serial AND quantity > 0"),
    )
    op.drop_index("ix_stock_bin_lot", table_name="stock_bin")
    op.drop_index("ix_stock_bin_location", table_name="stock_bin")
    op.drop_table("stock_bin")
    op.drop_index(
        "uq_count_task_open",
        table_name="count_task",
        sqlite_where=sa.text("state NOT IN ('done', 'cancelled')"),
        postgresql_where=sa.text("state NOT IN ('done', 'cancelled')"),
    )
    op.drop_index("ix_count_task_state", table_name="count_task")
    op.drop_table("count_task")
    op.drop_index(
        "ix_bin_hold_open",
        table_name="bin_hold",
        sqlite_where=sa.text("used + freed < quantity"),
        postgresql_where=sa.text("used + freed < quantity"),
    )
    op.drop_index("ix_bin_hold_line", table_name="bin_hold")
    op.drop_table("bin_hold")
    op.drop_index("ix_stock_transfer_line_transfer", table_name="stock_transfer_line")
    op.drop_table("stock_transfer_line")
    op.drop_table("location")
    op.drop_index("ix_goods_receipt_line_expected", table_name="goods_receipt_line")
    op.drop_table("goods_receipt_line")
    op.drop_table("zone")
    op.drop_index("ix_stock_transfer_site", table_name="stock_transfer")
    op.drop_table("stock_transfer")
    op.drop_table("lot")
    op.drop_index("ix_item_unit_barcode", table_name="item_unit")
    op.drop_table("item_unit")
    op.drop_index("ix_goods_receipt_site", table_name="goods_receipt")
    op.drop_table("goods_receipt")
    op.drop_index(
        "ix_expected_receipt_open",
        table_name="expected_receipt",
        sqlite_where=sa.text("received + cancelled < quantity"),
        postgresql_where=sa.text("received + cancelled < quantity"),
    )
    op.drop_index("ix_expected_receipt_document", table_name="expected_receipt")
    op.drop_table("expected_receipt")
    op.drop_table("count_cadence")
    op.drop_index("ix_period_close_entity", table_name="period_close")
    op.drop_table("period_close")
