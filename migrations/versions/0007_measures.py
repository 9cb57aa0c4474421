"""Journeys, their lines and waits, slices, buckets, sketches, controls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "control_result",
        sa.Column("realm", sa.String(length=12), nullable=False),
        sa.Column("entity", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("site", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("control", sa.String(length=64), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("difference", sa.BigInteger(), nullable=False),
        sa.Column("tolerance", sa.BigInteger(), nullable=False),
        sa.Column("read_to", sa.BigInteger(), nullable=False),
        sa.Column("compared_at", UtcDateTime(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("realm", "entity", "site", "control", name=op.f("pk_control_result")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "journey",
        sa.Column("root_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("realm", sa.String(length=12), nullable=False),
        sa.Column("entity", sa.BigInteger(), nullable=False),
        sa.Column("site", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.BigInteger(), nullable=True),
        sa.Column("customer_group", sa.BigInteger(), nullable=True),
        sa.Column("grant_id", sa.BigInteger(), nullable=True),
        sa.Column("ruleset", sa.String(length=64), nullable=True),
        sa.Column("variants", sa.String(length=200), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("actor", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("start_at", UtcDateTime(), nullable=True),
        sa.Column("start_on", sa.Date(), nullable=True),
        sa.Column("released_at", UtcDateTime(), nullable=True),
        sa.Column("allocated_at", UtcDateTime(), nullable=True),
        sa.Column("picked_at", UtcDateTime(), nullable=True),
        sa.Column("shipped_at", UtcDateTime(), nullable=True),
        sa.Column("delivered_at", UtcDateTime(), nullable=True),
        sa.Column("invoiced_at", UtcDateTime(), nullable=True),
        sa.Column("invoiced_on", sa.Date(), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.Column("credited_at", UtcDateTime(), nullable=True),
        sa.Column("paid_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("hold_ended_at", UtcDateTime(), nullable=True),
        sa.Column("holds", sa.Text(), nullable=True),
        sa.Column("postings", sa.Text(), nullable=True),
        sa.Column("must_post", sa.Integer(), nullable=False),
        sa.Column("shipments", sa.Integer(), nullable=False),
        sa.Column("shipment_id", sa.BigInteger(), nullable=True),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.String(length=200), nullable=False),
        sa.Column("flags", sa.Integer(), nullable=False),
        sa.Column("misses", sa.BigInteger(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("root_id", "id", name=op.f("pk_journey")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_journey_open",
        "journey",
        ["kind", "site"],
        unique=False,
        sqlite_where=sa.text("is_open"),
        postgresql_where=sa.text("is_open"),
    )
    op.create_index("ix_journey_site", "journey", ["site", "kind", "opened_on"], unique=False)
    op.create_table(
        "journey_line",
        sa.Column("journey_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("line", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("item", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("abc", sa.String(length=8), nullable=True),
        sa.Column("basis", sa.String(length=8), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("priced_quantity", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("requested", sa.Date(), nullable=True),
        sa.Column("requested_ship", sa.Date(), nullable=True),
        sa.Column("committed", sa.Date(), nullable=True),
        sa.Column("early", sa.SmallInteger(), nullable=False),
        sa.Column("late", sa.SmallInteger(), nullable=False),
        sa.Column("first_promised", sa.Date(), nullable=True),
        sa.Column("promise_basis", sa.String(length=8), nullable=True),
        sa.Column("promise_is_void", sa.Boolean(), nullable=False),
        sa.Column("current_promised", sa.Date(), nullable=True),
        sa.Column("dropped", sa.BigInteger(), nullable=False),
        sa.Column("allocated", sa.BigInteger(), nullable=False),
        sa.Column("backordered", sa.BigInteger(), nullable=False),
        sa.Column("picked", sa.BigInteger(), nullable=False),
        sa.Column("short", sa.BigInteger(), nullable=False),
        sa.Column("shipped", sa.BigInteger(), nullable=False),
        sa.Column("delivered", sa.BigInteger(), nullable=False),
        sa.Column("shipments", sa.Text(), nullable=True),
        sa.Column("deliveries", sa.Text(), nullable=True),
        sa.Column("misses", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("journey_id", "line", name=op.f("pk_journey_line")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "journey_wait",
        sa.Column("root_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("point", sa.String(length=24), nullable=False),
        sa.Column("slice_id", sa.BigInteger(), nullable=False),
        sa.Column("dimension", sa.String(length=64), nullable=False),
        sa.Column("customer_group", sa.BigInteger(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("deadline_at", UtcDateTime(), nullable=True),
        sa.Column("cohort_at", UtcDateTime(), nullable=True),
        sa.Column("cohort_on", sa.Date(), nullable=True),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("root_id", "id", "point", name=op.f("pk_journey_wait")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_journey_wait_point", "journey_wait", ["point", "slice_id"], unique=False)
    op.create_table(
        "measure",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measure")),
    )
    op.create_table(
        "measure_actor",
        sa.Column("measure_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slice_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("period", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("actor", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("measure_id", "slice_id", "period", "actor", name=op.f("pk_measure_actor")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "measure_bucket",
        sa.Column("measure_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slice_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("period", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("dimension", sa.String(length=64), nullable=False),
        sa.Column("customer_group", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("documents", sa.BigInteger(), nullable=False),
        sa.Column("x", sa.BigInteger(), nullable=False),
        sa.Column("y", sa.BigInteger(), nullable=False),
        sa.Column("xx", sa.BigInteger(), nullable=False),
        sa.Column("xy", sa.BigInteger(), nullable=False),
        sa.Column("yy", sa.BigInteger(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "measure_id", "slice_id", "period", "dimension", "customer_group", name=op.f("pk_measure_bucket")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "measure_sketch",
        sa.Column("measure_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slice_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("period", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("dimension", sa.String(length=64), nullable=False),
        sa.Column("customer_group", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bin", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "measure_id", "slice_id", "period", "dimension", "customer_group", "bin", name=op.f("pk_measure_sketch")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "measure_slice",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("realm", sa.String(length=12), nullable=False),
        sa.Column("entity", sa.BigInteger(), nullable=False),
        sa.Column("site", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.BigInteger(), nullable=True),
        sa.Column("process", sa.String(length=24), nullable=False),
        sa.Column("variants", sa.String(length=200), nullable=False),
        sa.Column("grant_id", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measure_slice")),
    )


def downgrade() -> None:
    op.drop_table("measure_slice")
    op.drop_table("measure_sketch")
    op.drop_table("measure_bucket")
    op.drop_table("measure_actor")
    op.drop_table("measure")
    op.drop_index("ix_journey_wait_point", table_name="journey_wait")
    op.drop_table("journey_wait")
    op.drop_table("journey_line")
    op.drop_index("ix_journey_site", table_name="journey")
    op.drop_index("ix_journey_open", table_name="journey")
    op.drop_table("journey")
    op.drop_table("control_result")
