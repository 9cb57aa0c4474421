"""Expired goods are nobody's to promise: each evening that passes blocks what may not leave any more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.composition.expiry import set_place_apart
from app.composition.uow import Database, reading
from erpcore.inventory.models import Lot, StockBin, StockStatus
from erpcore.kernel.clock import Clock, local_day
from erpcore.masterdata.models import Entity, Site


def block_expired_lots(database: Database, *, clock: Clock) -> int:
    """Move what is available of lots past their last day to quarantine; returns how many bins were blocked.

    Where the rest does not cover what is reserved, reservations are taken back by the rule of the place. What is refused (a
    place is counted, somebody works on an order) is looked at again the next time.
    """
    now = clock.now()
    query: Any = (
        select(Entity.realm, StockBin.site_id, StockBin.item_id, Lot.expires_on, Site.time_zone)
        .join(Lot, Lot.id == StockBin.lot_id)
        .join(Site, Site.id == StockBin.site_id)
        .join(Entity, Entity.id == StockBin.entity_id)
        .where(
            StockBin.status == StockStatus.AVAILABLE, StockBin.quantity > 0,
            Lot.expires_on < now.date() + timedelta(days=1),
        )
        .order_by(StockBin.site_id, StockBin.item_id)
    )  # fmt: skip
    with reading(database) as session:
        found = [row for row in session.execute(query) if row.expires_on < local_day(now, row.time_zone)]
    places = dict.fromkeys((row.realm, row.site_id, row.item_id) for row in found)
    return sum(set_place_apart(database, (site, item), realm=realm, clock=clock) for realm, site, item in places)
