"""Core: books, stock, orders, shipments, returns, invoices, cash."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import freeze_when, refuse_changes, unfreeze

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger_account",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.CheckConstraint(
            "kind IN ('asset', 'liability', 'equity', 'income', 'expense')", name=op.f("ck_ledger_account_kind_known")
        ),
        sa.CheckConstraint(
            "role IN ('receivable', 'revenue', 'charges', 'tax', 'inventory', 'cost_of_sales', 'opening', 'adjustment', 'received_not_invoiced', 'bank', 'on_account', 'bad_debt')",
            name=op.f("ck_ledger_account_role_known"),
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_ledger_account_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_account")),
        sa.UniqueConstraint("entity_id", "code", name=op.f("uq_ledger_account_entity_id_code")),
        sa.UniqueConstraint("entity_id", "role", name=op.f("uq_ledger_account_entity_id_role")),
    )
    op.create_table(
        "credit_exposure",
        sa.Column("customer_id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("exposure_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_credit_exposure_customer_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_credit_exposure_entity_id")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_credit_exposure")),
    )
    op.create_table(
        "debt_journal",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ship_country", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("posted_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_debt_journal_customer_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_debt_journal_entity_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_debt_journal_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_debt_journal")),
        sa.UniqueConstraint("entity_id", "number", name=op.f("uq_debt_journal_entity_id_number")),
    )
    op.create_table(
        "journal_entry",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=True),
        sa.Column("channel_id", Key, nullable=True),
        sa.Column("rule", sa.String(length=32), nullable=False),
        sa.Column("entry_on", sa.Date(), nullable=False),
        sa.Column("posted_at", UtcDateTime(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("document_type", sa.String(length=24), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("reverses_id", Key, nullable=True),
        sa.Column("rounding", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_journal_entry_channel_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_journal_entry_entity_id")),
        sa.ForeignKeyConstraint(["reverses_id"], ["journal_entry.id"], name=op.f("fk_journal_entry_reverses_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_journal_entry_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_entry")),
        sa.UniqueConstraint(
            "document_type", "document_id", "rule", name=op.f("uq_journal_entry_document_type_document_id_rule")
        ),
    )
    op.create_index("ix_journal_entry_day", "journal_entry", ["entity_id", "entry_on"], unique=False)
    op.create_table(
        "receipt",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("left_minor", sa.BigInteger(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "amount_minor > 0 AND left_minor BETWEEN 0 AND amount_minor", name=op.f("ck_receipt_within")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_receipt_customer_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_receipt_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
    )
    op.create_index("ix_receipt_customer", "receipt", ["customer_id"], unique=False)
    op.create_table(
        "receivable",
        sa.Column("document_id", Key, autoincrement=False, nullable=False),
        sa.Column("document_type", sa.String(length=12), nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("open_minor", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "document_type IN ('invoice', 'credit_memo', 'debt_journal')",
            name=op.f("ck_receivable_document_type_known"),
        ),
        sa.CheckConstraint(
            "(amount_minor >= 0 AND open_minor BETWEEN 0 AND amount_minor) OR (amount_minor < 0 AND open_minor BETWEEN amount_minor AND 0)",
            name=op.f("ck_receivable_within"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_receivable_customer_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_receivable_entity_id")),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_receivable")),
    )
    op.create_index(
        "ix_receivable_open",
        "receivable",
        ["customer_id", "due_on"],
        unique=False,
        sqlite_where=sa.text("open_minor <> 0"),
        postgresql_where=sa.text("open_minor <> 0"),
    )
    op.create_table(
        "reservation",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("consumed", sa.BigInteger(), nullable=False),
        sa.Column("freed", sa.BigInteger(), nullable=False),
        sa.Column("reserved_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "quantity > 0 AND consumed >= 0 AND freed >= 0 AND consumed + freed <= quantity",
            name=op.f("ck_reservation_adds_up"),
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_reservation_entity_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_reservation_item_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_reservation_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservation")),
    )
    op.create_index("ix_reservation_line", "reservation", ["order_line_id"], unique=False)
    op.create_index(
        "ix_reservation_open",
        "reservation",
        ["site_id", "item_id"],
        unique=False,
        sqlite_where=sa.text("consumed + freed < quantity"),
        postgresql_where=sa.text("consumed + freed < quantity"),
    )
    op.create_table(
        "sales_order",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("channel_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("customer_reference", sa.String(length=120), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("delivery_status", sa.String(length=12), nullable=False),
        sa.Column("billing_status", sa.String(length=12), nullable=False),
        sa.Column("payment_status", sa.String(length=12), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("ship_country", sa.String(length=64), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("captured_at", UtcDateTime(), nullable=False),
        sa.Column("ruleset", sa.String(length=64), nullable=False),
        sa.Column("variants", sa.String(length=200), nullable=False),
        sa.Column("grant_id", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "billing_status IN ('none', 'partial', 'done', 'exception')",
            name=op.f("ck_sales_order_billing_status_known"),
        ),
        sa.CheckConstraint(
            "delivery_status IN ('none', 'partial', 'done', 'exception')",
            name=op.f("ck_sales_order_delivery_status_known"),
        ),
        sa.CheckConstraint(
            "payment_status IN ('none', 'partial', 'done', 'exception')",
            name=op.f("ck_sales_order_payment_status_known"),
        ),
        sa.CheckConstraint(
            "state IN ('captured', 'held', 'released', 'closed', 'cancelled')", name=op.f("ck_sales_order_state_known")
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_sales_order_channel_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_sales_order_customer_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_sales_order_entity_id")),
        sa.ForeignKeyConstraint(["ruleset"], ["ruleset.hash"], name=op.f("fk_sales_order_ruleset")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_sales_order_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_order")),
        sa.UniqueConstraint("entity_id", "number", name=op.f("uq_sales_order_entity_id_number")),
    )
    op.create_index("ix_sales_order_customer", "sales_order", ["customer_id", "captured_at"], unique=False)
    op.create_index(
        "ix_sales_order_open",
        "sales_order",
        ["site_id", "state"],
        unique=False,
        sqlite_where=sa.text("state NOT IN ('closed', 'cancelled')"),
        postgresql_where=sa.text("state NOT IN ('closed', 'cancelled')"),
    )
    op.create_index("ix_sales_order_site", "sales_order", ["site_id", "captured_at"], unique=False)
    op.create_table(
        "stock_balance",
        sa.Column("site_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("on_hand", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("unvalued", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("on_hand >= 0", name=op.f("ck_stock_balance_not_negative")),
        sa.CheckConstraint("reserved >= 0 AND reserved <= on_hand", name=op.f("ck_stock_balance_not_oversold")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_stock_balance_entity_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_stock_balance_item_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_stock_balance_site_id")),
        sa.PrimaryKeyConstraint("site_id", "item_id", name=op.f("pk_stock_balance")),
    )
    op.create_table(
        "stock_move",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_cost", sa.BigInteger(), nullable=True),
        sa.Column("value_minor", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=12), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("document_type", sa.String(length=24), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "reason IN ('opening', 'receipt', 'issue', 'return', 'adjustment', 'reversal', 'count', 'transfer')",
            name=op.f("ck_stock_move_reason_known"),
        ),
        sa.CheckConstraint("quantity <> 0", name=op.f("ck_stock_move_moves_something")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_stock_move_entity_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_stock_move_item_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_stock_move_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_move")),
    )
    op.create_index("ix_stock_move_document", "stock_move", ["document_id"], unique=False)
    op.create_index("ix_stock_move_item", "stock_move", ["item_id", "site_id", "moved_at"], unique=False)
    op.create_table(
        "journal_line",
        sa.Column("entry_id", Key, nullable=False),
        sa.Column("line_no", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("party_id", Key, nullable=True),
        sa.Column("debit_minor", sa.BigInteger(), nullable=False),
        sa.Column("credit_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "debit_minor >= 0 AND credit_minor >= 0 AND (debit_minor = 0 OR credit_minor = 0)",
            name=op.f("ck_journal_line_one_side"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["ledger_account.id"], name=op.f("fk_journal_line_account_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["journal_entry.id"], name=op.f("fk_journal_line_entry_id")),
        sa.ForeignKeyConstraint(["party_id"], ["customer.id"], name=op.f("fk_journal_line_party_id")),
        sa.PrimaryKeyConstraint("entry_id", "line_no", name=op.f("pk_journal_line")),
    )
    op.create_index("ix_journal_line_account", "journal_line", ["account_id"], unique=False)
    op.create_table(
        "order_hold",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("order_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("released_at", UtcDateTime(), nullable=True),
        sa.Column("released_by", sa.BigInteger(), nullable=True),
        sa.Column("release_reason", sa.Text(), nullable=True),
        sa.Column("is_cured", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('credit', 'price', 'data', 'address', 'duplicate', 'manual')",
            name=op.f("ck_order_hold_kind_known"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_order_hold_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_hold")),
    )
    op.create_index(
        "uq_order_hold_open",
        "order_hold",
        ["order_id", "kind"],
        unique=True,
        sqlite_where=sa.text("released_at IS NULL"),
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.create_table(
        "order_line",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("order_id", Key, nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("price_source", sa.String(length=24), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate", sa.BigInteger(), nullable=True),
        sa.Column("requested_on", sa.Date(), nullable=False),
        sa.Column("requested_ship_on", sa.Date(), nullable=False),
        sa.Column("committed_on", sa.Date(), nullable=False),
        sa.Column("first_promised_on", sa.Date(), nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=False),
        sa.Column("promised_due_at", UtcDateTime(), nullable=False),
        sa.Column("promise_reason", sa.String(length=48), nullable=False),
        sa.Column("basis", sa.String(length=8), nullable=False),
        sa.Column("allocated", sa.BigInteger(), nullable=False),
        sa.Column("picked", sa.BigInteger(), nullable=False),
        sa.Column("shipped", sa.BigInteger(), nullable=False),
        sa.Column("delivered", sa.BigInteger(), nullable=False),
        sa.Column("invoiced", sa.BigInteger(), nullable=False),
        sa.Column("cancelled", sa.BigInteger(), nullable=False),
        sa.Column("returned", sa.BigInteger(), nullable=False),
        sa.Column("early_days", sa.SmallInteger(), nullable=False),
        sa.Column("late_days", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("basis IN ('ship', 'delivery')", name=op.f("ck_order_line_basis_known")),
        sa.CheckConstraint(
            "kind IN ('stock', 'drop_ship', 'service', 'charge', 'free')", name=op.f("ck_order_line_kind_known")
        ),
        sa.CheckConstraint(
            "allocated >= 0 AND picked >= 0 AND shipped >= 0 AND cancelled >= 0",
            name=op.f("ck_order_line_not_negative"),
        ),
        sa.CheckConstraint("invoiced <= shipped", name=op.f("ck_order_line_invoiced_as_shipped")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_line_orders_something")),
        sa.CheckConstraint("returned <= shipped", name=op.f("ck_order_line_returned_as_shipped")),
        sa.CheckConstraint("shipped + cancelled <= quantity", name=op.f("ck_order_line_not_over")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_order_line_item_id")),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_order_line_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_line")),
        sa.UniqueConstraint("order_id", "line_no", name=op.f("uq_order_line_order_id_line_no")),
    )
    op.create_index("ix_order_line_item", "order_line", ["item_id", "order_id"], unique=False)
    op.create_table(
        "return_order",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("channel_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("order_id", Key, nullable=True),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=48), nullable=False),
        sa.Column("fault", sa.String(length=12), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("ship_country", sa.String(length=64), nullable=False),
        sa.Column("ruleset", sa.String(length=64), nullable=False),
        sa.Column("variants", sa.String(length=200), nullable=False),
        sa.Column("grant_id", sa.BigInteger(), nullable=True),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('requested', 'authorised', 'declined', 'received', 'credited')",
            name=op.f("ck_return_order_state_known"),
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_return_order_channel_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_return_order_customer_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_return_order_entity_id")),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_return_order_order_id")),
        sa.ForeignKeyConstraint(["ruleset"], ["ruleset.hash"], name=op.f("fk_return_order_ruleset")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_return_order_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_order")),
        sa.UniqueConstraint("entity_id", "number", name=op.f("uq_return_order_entity_id_number")),
    )
    op.create_index("ix_return_order_customer", "return_order", ["customer_id"], unique=False)
    op.create_index("ix_return_order_order", "return_order", ["order_id"], unique=False)
    op.create_table(
        "shipment",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("order_id", Key, nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("picked_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("delivered_at", UtcDateTime(), nullable=True),
        sa.Column("invoice_due_at", UtcDateTime(), nullable=True),
        sa.Column("invoice_id", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('picked', 'confirmed', 'delivered')", name=op.f("ck_shipment_state_known")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_shipment_entity_id")),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_shipment_order_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_shipment_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment")),
        sa.UniqueConstraint("entity_id", "number", name=op.f("uq_shipment_entity_id_number")),
    )
    op.create_index("ix_shipment_order", "shipment", ["order_id"], unique=False)
    op.create_index(
        "ix_shipment_to_bill",
        "shipment",
        ["entity_id", "invoice_due_at"],
        unique=False,
        sqlite_where=sa.text("invoice_id IS NULL AND invoice_due_at IS NOT NULL"),
        postgresql_where=sa.text("invoice_id IS NULL AND invoice_due_at IS NOT NULL"),
    )
    op.create_table(
        "invoice",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("order_id", Key, nullable=False),
        sa.Column("shipment_id", Key, nullable=False),
        sa.Column("number", sa.String(length=120), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("block_reason", sa.Text(), nullable=True),
        sa.Column("drafted_at", UtcDateTime(), nullable=False),
        sa.Column("posted_at", UtcDateTime(), nullable=True),
        sa.Column("invoice_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("exact", sa.BigInteger(), nullable=False),
        sa.Column("is_price_right", sa.Boolean(), nullable=False),
        sa.Column("is_quantity_right", sa.Boolean(), nullable=False),
        sa.Column("is_tax_determined", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'posted' OR (posted_at IS NOT NULL AND invoice_on IS NOT NULL)",
            name=op.f("ck_invoice_posted_dated"),
        ),
        sa.CheckConstraint("state IN ('draft', 'blocked', 'posted')", name=op.f("ck_invoice_state_known")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_invoice_customer_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_invoice_entity_id")),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_invoice_order_id")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name=op.f("fk_invoice_shipment_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_invoice_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sa.UniqueConstraint("entity_id", "number", name=op.f("uq_invoice_entity_id_number")),
        sa.UniqueConstraint("shipment_id", name=op.f("uq_invoice_shipment_id")),
    )
    op.create_index("ix_invoice_customer", "invoice", ["customer_id"], unique=False)
    op.create_index("ix_invoice_order", "invoice", ["order_id"], unique=False)
    op.create_index(
        "ix_invoice_unposted",
        "invoice",
        ["entity_id", "state"],
        unique=False,
        sqlite_where=sa.text("state <> 'posted'"),
        postgresql_where=sa.text("state <> 'posted'"),
    )
    op.create_table(
        "return_line",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("return_id", Key, nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("order_line_id", Key, nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate", sa.BigInteger(), nullable=True),
        sa.Column("disposition", sa.String(length=12), nullable=False),
        sa.Column("unlinked", sa.String(length=48), nullable=True),
        sa.CheckConstraint(
            "disposition IN ('restock', 'scrap', 'none')", name=op.f("ck_return_line_disposition_known")
        ),
        sa.CheckConstraint(
            "order_line_id IS NOT NULL OR unlinked IS NOT NULL", name=op.f("ck_return_line_linked_or_says_why")
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_return_line_returns_something")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_return_line_item_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_return_line_order_line_id")),
        sa.ForeignKeyConstraint(["return_id"], ["return_order.id"], name=op.f("fk_return_line_return_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_line")),
        sa.UniqueConstraint("return_id", "line_no", name=op.f("uq_return_line_return_id_line_no")),
    )
    op.create_index("ix_return_line_order_line", "return_line", ["order_line_id"], unique=False)
    op.create_table(
        "shipment_line",
        sa.Column("shipment_id", Key, nullable=False),
        sa.Column("order_line_id", Key, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("damaged", sa.BigInteger(), nullable=False),
        sa.Column("freight", sa.BigInteger(), nullable=True),
        sa.Column("freight_note", sa.Text(), nullable=True),
        sa.Column("weight_kg", sa.BigInteger(), nullable=True),
        sa.Column("weight_note", sa.Text(), nullable=True),
        sa.Column("insurance", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "quantity > 0 AND damaged >= 0 AND damaged <= quantity", name=op.f("ck_shipment_line_quantities")
        ),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_shipment_line_order_line_id")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name=op.f("fk_shipment_line_shipment_id")),
        sa.PrimaryKeyConstraint("shipment_id", "order_line_id", name=op.f("pk_shipment_line")),
    )
    op.create_index("ix_shipment_line_order_line", "shipment_line", ["order_line_id"], unique=False)
    op.create_table(
        "credit_memo",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("invoice_id", Key, nullable=True),
        sa.Column("return_id", Key, nullable=True),
        sa.Column("number", sa.String(length=120), nullable=True),
        sa.Column("reason", sa.String(length=48), nullable=False),
        sa.Column("fault", sa.String(length=12), nullable=False),
        sa.Column("unlinked", sa.String(length=48), nullable=True),
        sa.Column("posted_at", UtcDateTime(), nullable=False),
        sa.Column("credit_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("exact", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("fault IN ('ours', 'customer', 'undecided')", name=op.f("ck_credit_memo_fault_known")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_credit_memo_customer_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_credit_memo_entity_id")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_credit_memo_invoice_id")),
        sa.ForeignKeyConstraint(["return_id"], ["return_order.id"], name=op.f("fk_credit_memo_return_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_credit_memo_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_memo")),
        sa.UniqueConstraint("entity_id", "number", name=op.f("uq_credit_memo_entity_id_number")),
        sa.UniqueConstraint("return_id", name=op.f("uq_credit_memo_return_id")),
    )
    op.create_index("ix_credit_memo_customer", "credit_memo", ["customer_id"], unique=False)
    op.create_index("ix_credit_memo_invoice", "credit_memo", ["invoice_id"], unique=False)
    op.create_table(
        "invoice_line",
        sa.Column("invoice_id", Key, nullable=False),
        sa.Column("order_line_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_invoice_line_bills_something")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_invoice_line_invoice_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_invoice_line_item_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_invoice_line_order_line_id")),
        sa.PrimaryKeyConstraint("invoice_id", "order_line_id", name=op.f("pk_invoice_line")),
    )
    op.create_index("ix_invoice_line_order_line", "invoice_line", ["order_line_id"], unique=False)
    op.create_table(
        "receipt_application",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("receipt_id", Key, nullable=False),
        sa.Column("invoice_id", Key, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("applied_at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_receipt_application_applies_something")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_receipt_application_invoice_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_receipt_application_receipt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt_application")),
    )
    op.create_index("ix_receipt_application_invoice", "receipt_application", ["invoice_id"], unique=False)
    op.create_table(
        "credit_memo_line",
        sa.Column("credit_memo_id", Key, nullable=False),
        sa.Column("line_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("order_line_id", Key, nullable=True),
        sa.Column("is_charge", sa.Boolean(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["credit_memo_id"], ["credit_memo.id"], name=op.f("fk_credit_memo_line_credit_memo_id")
        ),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_credit_memo_line_item_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_credit_memo_line_order_line_id")),
        sa.PrimaryKeyConstraint("credit_memo_id", "line_no", name=op.f("pk_credit_memo_line")),
    )
    refuse_changes(
        "journal_entry", "journal_line", "stock_move", "credit_memo_line", "receipt_application", "debt_journal"
    )
    freeze_when("invoice", "OLD.number IS NOT NULL")
    freeze_when("invoice_line", "(SELECT number FROM invoice WHERE id = OLD.invoice_id) IS NOT NULL")
    freeze_when("credit_memo", "OLD.number IS NOT NULL")


def downgrade() -> None:
    op.drop_table("credit_memo_line")
    op.drop_index("ix_receipt_application_invoice", table_name="receipt_application")
    op.drop_table("receipt_application")
    op.drop_index("ix_invoice_line_order_line", table_name="invoice_line")
    op.drop_table("invoice_line")
    op.drop_index("ix_credit_memo_invoice", table_name="credit_memo")
    op.drop_index("ix_credit_memo_customer", table_name="credit_memo")
    op.drop_table("credit_memo")
    op.drop_index("ix_shipment_line_order_line", table_name="shipment_line")
    op.drop_table("shipment_line")
    op.drop_index("ix_return_line_order_line", table_name="return_line")
    op.drop_table("return_line")
    op.drop_index(
        "ix_invoice_unposted",
        table_name="invoice",
        sqlite_where=sa.text("state <> 'posted'"),
        postgresql_where=sa.text("state <> 'posted'"),
    )
    op.drop_index("ix_invoice_order", table_name="invoice")
    op.drop_index("ix_invoice_customer", table_name="invoice")
    op.drop_table("invoice")
    op.drop_index(
        "ix_shipment_to_bill",
        table_name="shipment",
        sqlite_where=sa.text("invoice_id IS NULL AND invoice_due_at IS NOT NULL"),
        postgresql_where=sa.text("invoice_id IS NULL AND invoice_due_at IS NOT NULL"),
    )
    op.drop_index("ix_shipment_order", table_name="shipment")
    op.drop_table("shipment")
    op.drop_index("ix_return_order_order", table_name="return_order")
    op.drop_index("ix_return_order_customer", table_name="return_order")
    op.drop_table("return_order")
    op.drop_index("ix_order_line_item", table_name="order_line")
    op.drop_table("order_line")
    op.drop_index(
        "uq_order_hold_open",
        table_name="order_hold",
        sqlite_where=sa.text("released_at IS NULL"),
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.drop_table("order_hold")
    op.drop_index("ix_journal_line_account", table_name="journal_line")
    op.drop_table("journal_line")
    op.drop_index("ix_stock_move_item", table_name="stock_move")
    op.drop_index("ix_stock_move_document", table_name="stock_move")
    op.drop_table("stock_move")
    op.drop_table("stock_balance")
    op.drop_index("ix_sales_order_site", table_name="sales_order")
    op.drop_index(
        "ix_sales_order_open",
        table_name="sales_order",
        sqlite_where=sa.text("state NOT IN ('closed', 'cancelled')"),
        postgresql_where=sa.text("state NOT IN ('closed', 'cancelled')"),
    )
    op.drop_index("ix_sales_order_customer", table_name="sales_order")
    op.drop_table("sales_order")
    op.drop_index(
        "ix_reservation_open",
        table_name="reservation",
        sqlite_where=sa.text("consumed + freed < quantity"),
        postgresql_where=sa.text("consumed + freed < quantity"),
    )
    op.drop_index("ix_reservation_line", table_name="reservation")
    op.drop_table("reservation")
    op.drop_index(
        "ix_receivable_open",
        table_name="receivable",
        sqlite_where=sa.text("open_minor <> 0"),
        postgresql_where=sa.text("open_minor <> 0"),
    )
    op.drop_table("receivable")
    op.drop_index("ix_receipt_customer", table_name="receipt")
    op.drop_table("receipt")
    op.drop_index("ix_journal_entry_day", table_name="journal_entry")
    op.drop_table("journal_entry")
    op.drop_table("debt_journal")
    op.drop_table("credit_exposure")
    op.drop_table("ledger_account")
    unfreeze("invoice", "invoice_line", "credit_memo")
