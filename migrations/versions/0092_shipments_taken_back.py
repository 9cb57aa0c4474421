"""A picked shipment may be taken back before it leaves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0092"
down_revision = "0091"
branch_labels = None
depends_on = None

_STATE = "ck_shipment_state_known"


def _allow(states: str) -> None:
    with op.batch_alter_table("shipment") as table:
        table.drop_constraint(op.f(_STATE), type_="check")
        table.create_check_constraint(op.f(_STATE), f"state IN ({states})")


def upgrade() -> None:
    _allow("'picked', 'confirmed', 'delivered', 'taken_back'")


def downgrade() -> None:
    # The release before knows no such state: their lines count nowhere, so they go with what hangs on them.
    shipment = sa.table("shipment", sa.column("id"), sa.column("state"))
    gone = sa.select(shipment.c.id).where(shipment.c.state == "taken_back").scalar_subquery()
    lines = sa.table("warehouse_task_line", sa.column("shipment_id"))
    op.execute(sa.update(lines).where(lines.c.shipment_id.in_(gone)).values(shipment_id=None))
    carton = sa.table("carton", sa.column("id"), sa.column("shipment_id"))
    packed = sa.table("carton_line", sa.column("carton_id"))
    boxes = sa.select(carton.c.id).where(carton.c.shipment_id.in_(gone)).scalar_subquery()
    op.execute(sa.delete(packed).where(packed.c.carton_id.in_(boxes)))
    for name in ("carton", "carriage", "shipment_line"):
        table = sa.table(name, sa.column("shipment_id"))
        op.execute(sa.delete(table).where(table.c.shipment_id.in_(gone)))
    op.execute(sa.delete(shipment).where(shipment.c.state == "taken_back"))
    _allow("'picked', 'confirmed', 'delivered'")
