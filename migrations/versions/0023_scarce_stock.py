"""Scarce stock: who waits for what since when, runs that allocate it, and what ranks, protects, sources and replaces."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

#: A line that was short when it was allocated waits since its order came: nothing older is known.
_WAITING = """
    INSERT INTO reservation (id, entity_id, order_line_id, site_id, item_id, quantity, consumed, freed, reserved_at, unmet,
                             since, promised_on)
    SELECT l.id, o.entity_id, l.id, l.site_id, l.item_id, 0, 0, 0, o.captured_at,
           l.quantity - l.shipped - l.cancelled - l.allocated - l.picked, o.captured_at, l.promised_on
    FROM order_line l JOIN sales_order o ON o.id = l.order_id
    WHERE l.promise_reason = 'backordered' AND o.state NOT IN ('closed', 'cancelled')
      AND l.quantity > l.shipped + l.cancelled + l.allocated + l.picked
"""


def upgrade() -> None:
    op.create_table(
        "allocation_run",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("trigger", sa.String(length=12), nullable=False),
        sa.Column("simulated_at", UtcDateTime(), nullable=False),
        sa.Column("simulated_by", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("moved_by", sa.BigInteger(), nullable=True),
        sa.Column("moved_reason", sa.Text(), nullable=True),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('simulated', 'committed', 'rejected')", name=op.f("ck_allocation_run_state_known")
        ),
        sa.CheckConstraint("trigger IN ('person', 'stock')", name=op.f("ck_allocation_run_trigger_known")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_allocation_run_entity_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_allocation_run_item_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_allocation_run_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation_run")),
    )
    op.create_index(
        "ix_allocation_run_open",
        "allocation_run",
        ["site_id"],
        unique=False,
        sqlite_where=sa.text("state = 'simulated'"),
        postgresql_where=sa.text("state = 'simulated'"),
    )
    op.create_index("ix_allocation_run_site", "allocation_run", ["site_id", "simulated_at"], unique=False)
    op.create_table(
        "item_substitute",
        sa.Column("item_id", Key, autoincrement=False, nullable=False),
        sa.Column("substitute_id", Key, autoincrement=False, nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("item_id <> substitute_id", name=op.f("ck_item_substitute_two_items")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_item_substitute_item_id")),
        sa.ForeignKeyConstraint(["substitute_id"], ["item.id"], name=op.f("fk_item_substitute_substitute_id")),
        sa.PrimaryKeyConstraint("item_id", "substitute_id", name=op.f("pk_item_substitute")),
    )
    op.create_table(
        "sourcing_lane",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("country", sa.String(length=64), nullable=False),
        sa.Column("transit_days", sa.SmallInteger(), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("transit_days >= 0 AND cost_minor >= 0", name=op.f("ck_sourcing_lane_not_negative")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_sourcing_lane_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sourcing_lane")),
        sa.UniqueConstraint("site_id", "country", name=op.f("uq_sourcing_lane_site_id_country")),
    )
    op.create_table(
        "stock_protection",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("contract", sa.String(length=120), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_stock_protection_protects_something")),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until > valid_from", name=op.f("ck_stock_protection_validity")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_stock_protection_customer_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_stock_protection_entity_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_stock_protection_item_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_stock_protection_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_protection")),
    )
    op.create_index("ix_stock_protection_place", "stock_protection", ["site_id", "item_id"], unique=False)
    op.create_table(
        "allocation_run_place",
        sa.Column("run_id", Key, nullable=False),
        sa.Column("item_id", Key, autoincrement=False, nullable=False),
        sa.Column("rule", sa.String(length=24), nullable=False),
        sa.Column("free", sa.BigInteger(), nullable=False),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("given", sa.BigInteger(), nullable=False),
        sa.Column("protected", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_allocation_run_place_item_id")),
        sa.ForeignKeyConstraint(["run_id"], ["allocation_run.id"], name=op.f("fk_allocation_run_place_run_id")),
        sa.PrimaryKeyConstraint("run_id", "item_id", name=op.f("pk_allocation_run_place")),
    )
    op.create_table(
        "allocation_run_line",
        sa.Column("run_id", Key, nullable=False),
        sa.Column("order_line_id", Key, autoincrement=False, nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("moved_to", sa.Integer(), nullable=True),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("got", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.String(length=24), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("tier", sa.SmallInteger(), nullable=False),
        sa.Column("by_first_come", sa.BigInteger(), nullable=False),
        sa.Column("by_priority", sa.BigInteger(), nullable=False),
        sa.Column("by_contract", sa.BigInteger(), nullable=False),
        sa.Column("by_fair_share", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("got >= 0 AND got <= wanted", name=op.f("ck_allocation_run_line_got_at_most_wanted")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name=op.f("fk_allocation_run_line_order_line_id")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["allocation_run.id"], name=op.f("fk_allocation_run_line_run_id")),
        sa.PrimaryKeyConstraint("run_id", "order_line_id", name=op.f("pk_allocation_run_line")),
    )
    op.create_index("ix_allocation_run_line_item", "allocation_run_line", ["run_id", "item_id", "rank"], unique=False)
    op.create_table(
        "shortage_choice",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("order_id", Key, nullable=False),
        sa.Column("order_line_id", Key, nullable=False),
        sa.Column("option", sa.String(length=24), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("chosen_at", UtcDateTime(), nullable=False),
        sa.Column("chosen_by", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_shortage_choice_order_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_shortage_choice_order_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shortage_choice")),
    )
    op.create_index("ix_shortage_choice_line", "shortage_choice", ["order_line_id"], unique=False)
    refuse_changes("shortage_choice")
    with op.batch_alter_table("channel") as channel:
        channel.add_column(sa.Column("priority", sa.SmallInteger(), server_default=sa.text("5"), nullable=False))
        channel.create_check_constraint(op.f("ck_channel_priority_range"), "priority BETWEEN 1 AND 9")
    with op.batch_alter_table("customer_group") as group:
        group.add_column(sa.Column("tier", sa.SmallInteger(), server_default=sa.text("5"), nullable=False))
        group.create_check_constraint(op.f("ck_customer_group_tier_range"), "tier BETWEEN 1 AND 9")
    with op.batch_alter_table("service_commitment") as terms:
        terms.add_column(sa.Column("weekdays", sa.SmallInteger(), nullable=True))
        terms.add_column(sa.Column("fill_target_permille", sa.SmallInteger(), nullable=True))
        terms.create_check_constraint(op.f("ck_service_commitment_weekdays_range"), "weekdays BETWEEN 1 AND 127")
        terms.create_check_constraint(
            op.f("ck_service_commitment_fill_target_range"), "fill_target_permille BETWEEN 1 AND 1000"
        )
    op.add_column("order_line", sa.Column("source_reason", sa.String(length=48), nullable=True))
    op.add_column("order_line", sa.Column("backordered_at", UtcDateTime(), nullable=True))
    with op.batch_alter_table("reservation") as reservation:
        reservation.add_column(sa.Column("unmet", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
        reservation.add_column(sa.Column("since", UtcDateTime(), nullable=True))
        reservation.add_column(sa.Column("promised_on", sa.Date(), nullable=True))
        reservation.add_column(sa.Column("receipt_id", sa.BigInteger(), nullable=True))
        reservation.drop_constraint(op.f("ck_reservation_adds_up"), type_="check")
        reservation.create_check_constraint(
            op.f("ck_reservation_adds_up"),
            "quantity >= 0 AND consumed >= 0 AND freed >= 0 AND consumed + freed <= quantity",
        )
    with op.batch_alter_table("reservation") as reservation:
        reservation.create_check_constraint(
            op.f("ck_reservation_holds_or_waits"), "unmet >= 0 AND (quantity = 0 OR unmet = 0)"
        )
        reservation.create_check_constraint(
            op.f("ck_reservation_waits_since"), "quantity > 0 OR (since IS NOT NULL AND promised_on IS NOT NULL)"
        )
    op.create_index(
        "ix_reservation_unmet",
        "reservation",
        ["site_id", "item_id"],
        unique=False,
        sqlite_where=sa.text("unmet > 0"),
        postgresql_where=sa.text("unmet > 0"),
    )
    op.create_index(
        "uq_reservation_waiting",
        "reservation",
        ["order_line_id"],
        unique=True,
        sqlite_where=sa.text("quantity = 0"),
        postgresql_where=sa.text("quantity = 0"),
    )
    op.execute(
        "UPDATE order_line SET backordered_at = (SELECT captured_at FROM sales_order WHERE sales_order.id = order_line.order_id) "
        "WHERE promise_reason = 'backordered'"
    )
    op.execute(_WAITING)


def downgrade() -> None:
    op.drop_index(
        "uq_reservation_waiting",
        table_name="reservation",
        sqlite_where=sa.text("quantity = 0"),
        postgresql_where=sa.text("quantity = 0"),
    )
    op.drop_index(
        "ix_reservation_unmet",
        table_name="reservation",
        sqlite_where=sa.text("unmet > 0"),
        postgresql_where=sa.text("unmet > 0"),
    )
    op.execute("DELETE FROM reservation WHERE quantity = 0")
    with op.batch_alter_table("reservation") as reservation:
        reservation.drop_constraint(op.f("ck_reservation_waits_since"), type_="check")
        reservation.drop_constraint(op.f("ck_reservation_holds_or_waits"), type_="check")
        reservation.drop_constraint(op.f("ck_reservation_adds_up"), type_="check")
        reservation.create_check_constraint(
            op.f("ck_reservation_adds_up"),
            "quantity > 0 AND consumed >= 0 AND freed >= 0 AND consumed + freed <= quantity",
        )
        reservation.drop_column("receipt_id")
        reservation.drop_column("promised_on")
        reservation.drop_column("since")
        reservation.drop_column("unmet")
    op.drop_column("order_line", "backordered_at")
    op.drop_column("order_line", "source_reason")
    with op.batch_alter_table("service_commitment") as terms:
        terms.drop_constraint(op.f("ck_service_commitment_fill_target_range"), type_="check")
        terms.drop_constraint(op.f("ck_service_commitment_weekdays_range"), type_="check")
        terms.drop_column("fill_target_permille")
        terms.drop_column("weekdays")
    with op.batch_alter_table("customer_group") as group:
        group.drop_constraint(op.f("ck_customer_group_tier_range"), type_="check")
        group.drop_column("tier")
    with op.batch_alter_table("channel") as channel:
        channel.drop_constraint(op.f("ck_channel_priority_range"), type_="check")
        channel.drop_column("priority")
    op.drop_index("ix_shortage_choice_line", table_name="shortage_choice")
    op.drop_table("shortage_choice")
    op.drop_index("ix_allocation_run_line_item", table_name="allocation_run_line")
    op.drop_table("allocation_run_line")
    op.drop_table("allocation_run_place")
    op.drop_index("ix_stock_protection_place", table_name="stock_protection")
    op.drop_table("stock_protection")
    op.drop_table("sourcing_lane")
    op.drop_table("item_substitute")
    op.drop_index("ix_allocation_run_site", table_name="allocation_run")
    op.drop_index(
        "ix_allocation_run_open",
        table_name="allocation_run",
        sqlite_where=sa.text("state = 'simulated'"),
        postgresql_where=sa.text("state = 'simulated'"),
    )
    op.drop_table("allocation_run")
