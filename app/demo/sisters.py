"""What the companies of the demo have to do with each other: goods that one sends to another.

The other companies are not live yet, so the goods go where that is practised: between their rehearsal sites.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import literal, select
from sqlalchemy.orm import aliased

from app.composition.cells import RegisteredCells
from app.composition.policies import RegisterRules
from app.demo.desk import Desk
from erpcore.inventory.models import StockBalance
from erpcore.inventory.sisters.services import SendToSister, SisterGoods, send_to_sister, turn_back
from erpcore.kernel.actor import Actor
from erpcore.kernel.model import Quantity
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.counterparts import KeepCounterpart, keep_counterparts
from erpcore.masterdata.models import Item, ItemKind, Realm, Tracking

_FROM, _TO = "KAS", "PRA"
_QUANTITY = Decimal(3)


def trade_with_sisters(desk: Desk) -> None:
    """Two transfers in rehearsal, of which one is turned back."""
    today = desk.today(desk.world.nodes[Realm.LIVE, "DUI"])
    nodes = desk.world.nodes
    source, target = nodes[Realm.REHEARSAL, _FROM], nodes[Realm.REHEARSAL, _TO]
    system = Actor.system("demo")
    with desk.work(system, Realm.REHEARSAL) as work:
        pairs = _alike(work, source.id, source.entity, target.entity)
        keep_counterparts(work, [KeepCounterpart(item=one, counterpart=other) for one, other in pairs])
    for number, reason in ((1, ""), (2, "Meant for Leeds")):
        command = SendToSister(
            from_site=source.id, to_site=target.id, arrives_on=today + timedelta(days=2), key=f"rehearsal-{number}",
            lines=[SisterGoods(item=one, quantity=_QUANTITY) for one, _ in pairs], note="How goods go between the companies",
        )  # fmt: skip
        with desk.work(system, Realm.REHEARSAL) as work:
            sent = send_to_sister(work, command, rules=RegisterRules(), cells=RegisteredCells())
        if reason:
            with desk.work(system, Realm.REHEARSAL) as work:
                turn_back(work, sent.transfer, reason, rules=RegisterRules(), cells=RegisteredCells())


def _alike(work: UnitOfWork, site: int, entity: int, sister: int) -> list[tuple[int, int]]:
    """Two items of the one company that are free at the site, and those of the other that are the same goods."""
    other, free = aliased(Item), StockBalance.on_hand - StockBalance.reserved - StockBalance.blocked
    query = (
        select(Item.id, other.id.label("other"))
        .join(other, other.code == Item.code)
        .join(StockBalance, StockBalance.item_id == Item.id)
        .where(
            Item.entity_id == entity, other.entity_id == sister, StockBalance.site_id == site, free >= literal(4 * _QUANTITY, Quantity),
            Item.kind == ItemKind.STOCK, other.kind == Item.kind, Item.tracking == Tracking.NONE, other.tracking == Item.tracking,
            other.unit == Item.unit, other.quantity_places == Item.quantity_places, Item.standard_cost.is_not(None),
        )
        .order_by(Item.code)
        .limit(2)
    )  # fmt: skip
    return [(row.id, row.other) for row in work.session.execute(query)]
