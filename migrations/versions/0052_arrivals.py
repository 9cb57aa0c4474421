"""Goods that wait to be put away know which arrival they came with.

What waits when this runs is taken to be the newest that came, since what came first is put away first. What people decided about
such goods goes from their bin to their arrivals. Arrivals from before are in no event: the exceptions show them, the control
point does not.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

_WAITING = sa.text("put_away < quantity")
_RECEIVED = sa.text("status = 'received' AND quantity > 0")
_CAME = sa.text(
    "SELECT m.id, m.document_type, m.document_id, COALESCE(r.number, t.number, m.document_type) AS number, m.entity_id, m.site_id, "
    "m.item_id, m.quantity, m.value_minor, m.moved_at FROM stock_move m "
    "LEFT JOIN goods_receipt r ON m.document_type = 'goods_receipt' AND r.id = m.document_id "
    "LEFT JOIN stock_transfer t ON m.document_type = 'transfer' AND t.id = m.document_id "
    "WHERE m.site_id = :site AND m.item_id = :item AND COALESCE(m.location_id, 0) = :location AND COALESCE(m.lot_id, 0) = :lot "
    "AND m.status = 'received' AND m.quantity > 0 ORDER BY m.moved_at DESC, m.id DESC"
)
_KEEP = sa.text(
    "INSERT INTO stock_arrival (id, arrival_id, document_type, document_id, number, entity_id, site_id, item_id, slot, quantity, "
    "put_away, value_minor, arrived_at) VALUES (:id, :arrival, :document_type, :document_id, :number, :entity_id, :site_id, "
    ":item_id, :slot, :quantity, :put_away, :value_minor, :moved_at)"
)
_CARE = sa.text(
    "INSERT INTO exception_case (subject, document_id, owner_id, owner_role, snoozed_until, note, changed_at) "
    "SELECT subject, :arrival, owner_id, owner_role, snoozed_until, note, changed_at FROM exception_case "
    "WHERE subject = 'put_away' AND document_id = :bin"
)


def upgrade() -> None:
    op.create_table(
        "stock_arrival",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("arrival_id", sa.BigInteger(), nullable=False),
        sa.Column("document_type", sa.String(length=24), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("slot", sa.String(length=56), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("put_away", sa.BigInteger(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=True),
        sa.Column("arrived_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("put_away >= 0 AND put_away <= quantity", name=op.f("ck_stock_arrival_adds_up")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_stock_arrival_entity_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_stock_arrival_item_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_stock_arrival_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_arrival")),
    )
    op.create_index("ix_stock_arrival_arrival", "stock_arrival", ["arrival_id"], unique=False)
    op.create_index(
        "ix_stock_arrival_waiting", "stock_arrival", ["site_id", "item_id", "slot", "arrived_at"], unique=False,
        sqlite_where=_WAITING, postgresql_where=_WAITING,
    )  # fmt: skip
    _keep_what_waits()
    op.drop_index("ix_stock_bin_received", table_name="stock_bin")


def downgrade() -> None:
    op.create_index(
        "ix_stock_bin_received",
        "stock_bin",
        ["site_id"],
        unique=False,
        sqlite_where=_RECEIVED,
        postgresql_where=_RECEIVED,
    )
    # What people decided about arrivals; the acts stay in the entries.
    op.execute("DELETE FROM exception_case WHERE subject = 'put_away'")
    op.drop_table("stock_arrival")


def _keep_what_waits() -> None:
    connection = op.get_bind()
    bins = connection.execute(
        sa.text(
            "SELECT id, site_id, item_id, location_id, lot_id, slot, quantity FROM stock_bin WHERE status = 'received'"
        )
    ).all()
    for one in bins:
        for row in _came(connection, one):
            connection.execute(_KEEP, row)
            connection.execute(_CARE, {"arrival": row["id"], "bin": one.id})
        connection.execute(
            sa.text("DELETE FROM exception_case WHERE subject = 'put_away' AND document_id = :bin"), {"bin": one.id}
        )


def _came(connection: sa.Connection, one: Any) -> list[dict[str, Any]]:
    """The newest that came into the bin, until it is as much as lies there."""
    rows: list[dict[str, Any]] = []
    left = one.quantity
    where = {"site": one.site_id, "item": one.item_id, "location": one.location_id or 0, "lot": one.lot_id or 0}
    for move in connection.execute(_CAME, where).mappings() if left else ():
        waits = min(left, move["quantity"])
        left -= waits
        is_receipt = move["document_type"] == "goods_receipt"
        rows.append(
            {
                **move, "arrival": move["document_id"] if is_receipt else move["id"], "slot": one.slot,
                "put_away": move["quantity"] - waits,
            }
        )  # fmt: skip
        if not left:
            break
    return rows
