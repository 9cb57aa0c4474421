"""Expired goods are nobody's to promise: each evening that passes blocks what may not leave any more, as far as it is free."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import structlog
from sqlalchemy import select

from app.composition.cells import RegisteredCells
from app.composition.order_names import order_names
from app.composition.policies import RegisterRules
from app.composition.uow import Database, reading, unit_of_work
from erpcore.inventory.balances import lock_balances
from erpcore.inventory.models import Lot, StockBin, StockStatus
from erpcore.inventory.shifting import ChangeStatus, change_status
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock, local_day
from erpcore.kernel.errors import DomainError
from erpcore.kernel.model import QUANTITY_PLACES
from erpcore.masterdata.models import Entity, Site

log = structlog.get_logger(__name__)
EXPIRY = Actor.system("expiry")


def block_expired_lots(database: Database, *, clock: Clock) -> int:
    """Move what is available of lots past their last day to quarantine; returns how many bins were blocked.

    What is reserved stays with its orders: picking never takes an expired lot, and its line comes up short there. A bin that
    is refused (its place is counted, somebody picks from it) is looked at again the next time.
    """
    now = clock.now()
    query: Any = (
        select(
            Entity.realm, StockBin.site_id, StockBin.item_id, StockBin.location_id, StockBin.lot_id, StockBin.quantity,
            Lot.code, Lot.expires_on, Site.time_zone,
        )
        .join(Lot, Lot.id == StockBin.lot_id)
        .join(Site, Site.id == StockBin.site_id)
        .join(Entity, Entity.id == StockBin.entity_id)
        .where(
            StockBin.status == StockStatus.AVAILABLE, StockBin.quantity > 0,
            Lot.expires_on < now.date() + timedelta(days=1),
        )
        .order_by(StockBin.site_id, StockBin.item_id, StockBin.id)
    )  # fmt: skip
    with reading(database) as session:
        found = [row for row in session.execute(query) if row.expires_on < local_day(now, row.time_zone)]
    rules, cells, blocked = RegisterRules(), RegisteredCells(), 0
    for row in found:
        place = (row.site_id, row.item_id)
        try:
            with unit_of_work(database, actor=EXPIRY, clock=clock, realm=row.realm) as work:
                on_hand, reserved, held = lock_balances(work, {place}).get(place, [0, 0, 0])
                quantity = min(row.quantity, Decimal(on_hand - reserved - held).scaleb(-QUANTITY_PLACES))
                if quantity <= 0:
                    continue
                command = ChangeStatus(
                    site=row.site_id, item=row.item_id, quantity=quantity, source=StockStatus.AVAILABLE, target=StockStatus.QUARANTINE, location=row.location_id, lot=row.lot_id,
                    note=f"lot {row.code} expired on {row.expires_on.isoformat()}",
                )  # fmt: skip
                change_status(work, [command], rules=rules, cells=cells, order_names=order_names)
                blocked += 1
        except DomainError as refusal:
            log.warning("expired lot not blocked", site=row.site_id, lot=row.lot_id, code=refusal.code)
    return blocked
