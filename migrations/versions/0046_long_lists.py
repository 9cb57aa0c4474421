"""Indices by which long lists have their rows in order, and partial indices that SQLite knows again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

_NEW: dict[str, tuple[str, tuple[str, ...]]] = {
    "ix_sales_order_captured": ("sales_order", ("captured_at", "id")),
    "ix_sales_order_state": ("sales_order", ("state",)),
    "ix_shipment_picked": ("shipment", ("picked_at", "id")),
    "ix_shipment_state": ("shipment", ("state",)),
    "ix_journal_entry_on": ("journal_entry", ("entry_on", "id")),
    "ix_journal_entry_rule": ("journal_entry", ("rule", "entry_on", "id")),
    "ix_invoice_posted": ("invoice", ("state", "posted_at", "id")),
    "ix_receipt_received": ("receipt", ("received_at", "id")),
    "ix_letter_made": ("letter", ("made_at", "id")),
    "ix_letter_state": ("letter", ("state",)),
}
#: Index, table, columns, and what it holds: as it was said, and as SQLite turns the same comparison in a query.
_TURNED = (
    ("ix_reservation_open", "reservation", ("site_id", "item_id"), "consumed + freed < quantity", "quantity > consumed + freed"),
    ("ix_bin_hold_open", "bin_hold", ("site_id", "item_id"), "used + freed < quantity", "quantity > used + freed"),
    (
        "ix_expected_receipt_open", "expected_receipt", ("site_id", "item_id", "expected_on"),
        "received + cancelled < quantity", "quantity > received + cancelled",
    ),
)  # fmt: skip


def upgrade() -> None:
    for name, (table, columns) in _NEW.items():
        op.create_index(name, table, list(columns))
    _partial("ix_receipt_left", "receipt", ("entity_id",), "left_minor > 0", "left_minor > 0")
    _partial("ix_carriage_missed", "carriage", ("shipment_id",), "missed_cut_off IS 1", "missed_cut_off IS true")
    _turn(new=True)


def downgrade() -> None:
    _turn(new=False)
    op.drop_index("ix_carriage_missed", "carriage")
    op.drop_index("ix_receipt_left", "receipt")
    for name, (table, _) in reversed(_NEW.items()):
        op.drop_index(name, table)


def _partial(name: str, table: str, columns: tuple[str, ...], sqlite: str, postgresql: str) -> None:
    op.create_index(name, table, list(columns), sqlite_where=sa.text(sqlite), postgresql_where=sa.text(postgresql))


def _turn(*, new: bool) -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for name, table, columns, said, turned in _TURNED:
        op.drop_index(name, table)
        _partial(name, table, columns, turned if new else said, said)
