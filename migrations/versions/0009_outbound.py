"""Going out: carriers and carriage, tasks and pick waves, cartons."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "carrier",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("tracking_address", sa.String(length=300), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_carrier_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier")),
        sa.UniqueConstraint("entity_id", "code", name=op.f("uq_carrier_entity_id_code")),
    )
    op.create_table(
        "carton_type",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("length_mm", sa.Integer(), nullable=False),
        sa.Column("width_mm", sa.Integer(), nullable=False),
        sa.Column("height_mm", sa.Integer(), nullable=False),
        sa.Column("tare_kg", sa.BigInteger(), nullable=False),
        sa.Column("most_kg", sa.BigInteger(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("length_mm > 0 AND width_mm > 0 AND height_mm > 0", name=op.f("ck_carton_type_has_a_size")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_carton_type_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carton_type")),
        sa.UniqueConstraint("entity_id", "code", name=op.f("uq_carton_type_entity_id_code")),
    )
    op.create_table(
        "carrier_service",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("carrier_id", Key, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("transit_days", sa.SmallInteger(), nullable=False),
        sa.Column("label_format", sa.String(length=12), nullable=False),
        sa.Column("is_premium", sa.Boolean(), nullable=False),
        sa.Column("base_charge", sa.BigInteger(), nullable=False),
        sa.Column("per_kg", sa.BigInteger(), nullable=False),
        sa.Column("most_kg", sa.BigInteger(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "label_format IN ('a6', '100x150', 'a4')", name=op.f("ck_carrier_service_label_format_known")
        ),
        sa.CheckConstraint(
            "base_charge >= 0 AND per_kg >= 0 AND transit_days >= 0", name=op.f("ck_carrier_service_not_negative")
        ),
        sa.ForeignKeyConstraint(["carrier_id"], ["carrier.id"], name=op.f("fk_carrier_service_carrier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_service")),
        sa.UniqueConstraint("carrier_id", "code", name=op.f("uq_carrier_service_carrier_id_code")),
    )
    op.create_table(
        "carrier_cut_off",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("service_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("cut_off", sa.Time(), nullable=False),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_carrier_cut_off_weekday_known")),
        sa.ForeignKeyConstraint(["service_id"], ["carrier_service.id"], name=op.f("fk_carrier_cut_off_service_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_carrier_cut_off_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_cut_off")),
        sa.UniqueConstraint(
            "service_id", "site_id", "weekday", name=op.f("uq_carrier_cut_off_service_id_site_id_weekday")
        ),
    )
    op.create_index("ix_carrier_cut_off_site", "carrier_cut_off", ["site_id"], unique=False)
    op.create_table(
        "carrier_rule",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=True),
        sa.Column("channel_id", Key, nullable=True),
        sa.Column("customer_group_id", Key, nullable=True),
        sa.Column("country", sa.String(length=64), nullable=True),
        sa.Column("most_kg", sa.BigInteger(), nullable=True),
        sa.Column("service_id", Key, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name=op.f("ck_carrier_rule_validity")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_carrier_rule_channel_id")),
        sa.ForeignKeyConstraint(
            ["customer_group_id"], ["customer_group.id"], name=op.f("fk_carrier_rule_customer_group_id")
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_carrier_rule_entity_id")),
        sa.ForeignKeyConstraint(["service_id"], ["carrier_service.id"], name=op.f("fk_carrier_rule_service_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_carrier_rule_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_rule")),
    )
    op.create_index("ix_carrier_rule_entity", "carrier_rule", ["entity_id"], unique=False)
    op.create_table(
        "pick_wave",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("method", sa.String(length=8), nullable=False),
        sa.Column("service_id", Key, nullable=True),
        sa.Column("zone", sa.String(length=24), nullable=True),
        sa.Column("cut_off_at", UtcDateTime(), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("planned_at", UtcDateTime(), nullable=False),
        sa.Column("released_at", UtcDateTime(), nullable=True),
        sa.Column("completed_at", UtcDateTime(), nullable=True),
        sa.Column("interrupt_reason", sa.String(length=200), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("method IN ('order', 'batch', 'zone')", name=op.f("ck_pick_wave_method_known")),
        sa.CheckConstraint(
            "state IN ('planned', 'released', 'interrupted', 'completed', 'cancelled')",
            name=op.f("ck_pick_wave_state_known"),
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_pick_wave_entity_id")),
        sa.ForeignKeyConstraint(["service_id"], ["carrier_service.id"], name=op.f("fk_pick_wave_service_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_pick_wave_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pick_wave")),
        sa.UniqueConstraint("entity_id", "number", name=op.f("uq_pick_wave_entity_id_number")),
    )
    op.create_index("ix_pick_wave_site", "pick_wave", ["site_id", "state"], unique=False)
    op.create_table(
        "carriage",
        sa.Column("shipment_id", Key, autoincrement=False, nullable=False),
        sa.Column("service_id", Key, nullable=True),
        sa.Column("rule_id", Key, nullable=True),
        sa.Column("tracking_number", sa.String(length=80), nullable=True),
        sa.Column("weight_kg", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("freight_estimate_minor", sa.BigInteger(), nullable=True),
        sa.Column("freight_actual_minor", sa.BigInteger(), nullable=True),
        sa.Column("premium_reason", sa.String(length=200), nullable=True),
        sa.Column("collected_on", sa.Date(), nullable=True),
        sa.Column("missed_cut_off", sa.Boolean(), nullable=False),
        sa.Column("packed_at", UtcDateTime(), nullable=True),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "freight_estimate_minor >= 0 AND freight_actual_minor >= 0", name=op.f("ck_carriage_not_negative")
        ),
        sa.ForeignKeyConstraint(["rule_id"], ["carrier_rule.id"], name=op.f("fk_carriage_rule_id")),
        sa.ForeignKeyConstraint(["service_id"], ["carrier_service.id"], name=op.f("fk_carriage_service_id")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name=op.f("fk_carriage_shipment_id")),
        sa.PrimaryKeyConstraint("shipment_id", name=op.f("pk_carriage")),
    )
    op.create_index("ix_carriage_service", "carriage", ["service_id", "collected_on"], unique=False)
    op.create_index("ix_carriage_tracking", "carriage", ["tracking_number"], unique=False)
    op.create_table(
        "carton",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("shipment_id", Key, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("carton_type_id", Key, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("weight_kg", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state <> 'closed' OR weight_kg > 0", name=op.f("ck_carton_closed_is_weighed")),
        sa.CheckConstraint("state IN ('open', 'closed', 'void')", name=op.f("ck_carton_state_known")),
        sa.ForeignKeyConstraint(["carton_type_id"], ["carton_type.id"], name=op.f("fk_carton_carton_type_id")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name=op.f("fk_carton_shipment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carton")),
        sa.UniqueConstraint("number", name=op.f("uq_carton_number")),
        sa.UniqueConstraint("shipment_id", "position", name=op.f("uq_carton_shipment_id_position")),
    )
    op.create_index(
        "uq_carton_open",
        "carton",
        ["shipment_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "delivery_proof",
        sa.Column("shipment_id", Key, autoincrement=False, nullable=False),
        sa.Column("received_by", sa.String(length=300), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name=op.f("fk_delivery_proof_shipment_id")),
        sa.PrimaryKeyConstraint("shipment_id", name=op.f("pk_delivery_proof")),
    )
    op.create_table(
        "shipment_trouble",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("shipment_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("opened_by", sa.BigInteger(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.Column("resolved_by", sa.BigInteger(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('delayed', 'refused', 'lost')", name=op.f("ck_shipment_trouble_kind_known")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name=op.f("fk_shipment_trouble_shipment_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_shipment_trouble_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment_trouble")),
    )
    op.create_index(
        "ix_shipment_trouble_open",
        "shipment_trouble",
        ["site_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index("ix_shipment_trouble_shipment", "shipment_trouble", ["shipment_id"], unique=False)
    op.create_table(
        "warehouse_task",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("wave_id", Key, nullable=True),
        sa.Column("zone", sa.String(length=24), nullable=True),
        sa.Column("document_type", sa.String(length=32), nullable=True),
        sa.Column("document_id", sa.BigInteger(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("device", sa.String(length=80), nullable=True),
        sa.Column("claimed_until", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('claimed', 'started')) = (claimed_until IS NOT NULL)",
            name=op.f("ck_warehouse_task_claim_has_an_end"),
        ),
        sa.CheckConstraint(
            "kind IN ('pick', 'pack', 'put_away', 'count', 'move')", name=op.f("ck_warehouse_task_kind_known")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'open', 'claimed', 'started', 'done', 'cancelled')",
            name=op.f("ck_warehouse_task_state_known"),
        ),
        sa.CheckConstraint("priority BETWEEN 1 AND 9", name=op.f("ck_warehouse_task_priority_range")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_warehouse_task_entity_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_warehouse_task_site_id")),
        sa.ForeignKeyConstraint(["wave_id"], ["pick_wave.id"], name=op.f("fk_warehouse_task_wave_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warehouse_task")),
    )
    op.create_index("ix_warehouse_task_document", "warehouse_task", ["document_type", "document_id"], unique=False)
    op.create_index(
        "ix_warehouse_task_open",
        "warehouse_task",
        ["site_id", "kind", "priority", "due_at"],
        unique=False,
        sqlite_where=sa.text("state NOT IN ('done', 'cancelled')"),
        postgresql_where=sa.text("state NOT IN ('done', 'cancelled')"),
    )
    op.create_index(
        "ix_warehouse_task_owner",
        "warehouse_task",
        ["owner_id"],
        unique=False,
        sqlite_where=sa.text("state NOT IN ('done', 'cancelled')"),
        postgresql_where=sa.text("state NOT IN ('done', 'cancelled')"),
    )
    op.create_index("ix_warehouse_task_wave", "warehouse_task", ["wave_id"], unique=False)
    op.create_table(
        "carton_line",
        sa.Column("carton_id", Key, autoincrement=False, nullable=False),
        sa.Column("order_line_id", Key, autoincrement=False, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_carton_line_holds_something")),
        sa.ForeignKeyConstraint(["carton_id"], ["carton.id"], name=op.f("fk_carton_line_carton_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_carton_line_order_line_id")),
        sa.PrimaryKeyConstraint("carton_id", "order_line_id", name=op.f("pk_carton_line")),
    )
    op.create_index("ix_carton_line_order_line", "carton_line", ["order_line_id"], unique=False)
    op.create_table(
        "warehouse_task_line",
        sa.Column("task_id", Key, autoincrement=False, nullable=False),
        sa.Column("line_no", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("order_id", Key, nullable=False),
        sa.Column("order_line_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("location_id", sa.BigInteger(), nullable=True),
        sa.Column("lot_id", sa.BigInteger(), nullable=True),
        sa.Column("tote", sa.SmallInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("picked", sa.BigInteger(), nullable=False),
        sa.Column("damaged", sa.BigInteger(), nullable=False),
        sa.Column("short", sa.BigInteger(), nullable=False),
        sa.Column("short_reason", sa.String(length=120), nullable=True),
        sa.Column("shipment_id", Key, nullable=True),
        sa.CheckConstraint("picked + short + damaged <= quantity", name=op.f("ck_warehouse_task_line_not_over")),
        sa.CheckConstraint(
            "quantity >= 0 AND picked >= 0 AND short >= 0 AND damaged >= 0",
            name=op.f("ck_warehouse_task_line_not_negative"),
        ),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_warehouse_task_line_item_id")),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_warehouse_task_line_order_id")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name=op.f("fk_warehouse_task_line_order_line_id")
        ),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name=op.f("fk_warehouse_task_line_shipment_id")),
        sa.ForeignKeyConstraint(["task_id"], ["warehouse_task.id"], name=op.f("fk_warehouse_task_line_task_id")),
        sa.PrimaryKeyConstraint("task_id", "line_no", name=op.f("pk_warehouse_task_line")),
    )
    op.create_index("ix_warehouse_task_line_order_line", "warehouse_task_line", ["order_line_id"], unique=False)
    op.create_index("ix_warehouse_task_line_shipment", "warehouse_task_line", ["shipment_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_warehouse_task_line_shipment", table_name="warehouse_task_line")
    op.drop_index("ix_warehouse_task_line_order_line", table_name="warehouse_task_line")
    op.drop_table("warehouse_task_line")
    op.drop_index("ix_carton_line_order_line", table_name="carton_line")
    op.drop_table("carton_line")
    op.drop_index("ix_warehouse_task_wave", table_name="warehouse_task")
    op.drop_index(
        "ix_warehouse_task_owner",
        table_name="warehouse_task",
        sqlite_where=sa.text("state NOT IN ('done', 'cancelled')"),
        postgresql_where=sa.text("state NOT IN ('done', 'cancelled')"),
    )
    op.drop_index(
        "ix_warehouse_task_open",
        table_name="warehouse_task",
        sqlite_where=sa.text("state NOT IN ('done', 'cancelled')"),
        postgresql_where=sa.text("state NOT IN ('done', 'cancelled')"),
    )
    op.drop_index("ix_warehouse_task_document", table_name="warehouse_task")
    op.drop_table("warehouse_task")
    op.drop_index("ix_shipment_trouble_shipment", table_name="shipment_trouble")
    op.drop_index(
        "ix_shipment_trouble_open",
        table_name="shipment_trouble",
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.drop_table("shipment_trouble")
    op.drop_table("delivery_proof")
    op.drop_index(
        "uq_carton_open",
        table_name="carton",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.drop_table("carton")
    op.drop_index("ix_carriage_tracking", table_name="carriage")
    op.drop_index("ix_carriage_service", table_name="carriage")
    op.drop_table("carriage")
    op.drop_index("ix_pick_wave_site", table_name="pick_wave")
    op.drop_table("pick_wave")
    op.drop_index("ix_carrier_rule_entity", table_name="carrier_rule")
    op.drop_table("carrier_rule")
    op.drop_index("ix_carrier_cut_off_site", table_name="carrier_cut_off")
    op.drop_table("carrier_cut_off")
    op.drop_table("carrier_service")
    op.drop_table("carton_type")
    op.drop_table("carrier")
