"""Where do the goods of an order come from: another site, a supplier, another item; and which of its lines are short?"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.queries.order_facts import OrderPage
from app.queries.purchases import PurchaseRow, purchases_of_order
from app.queries.short import is_short
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Site
from erpcore.orders.models import HoldKind, OrderLine, SalesOrder


@dataclass(frozen=True, kw_only=True)
class SupplyOfOrder:
    """``elsewhere``: line numbers with site and reason; ``replaces``: substitute line → the line it stands in for;
    ``short``: ids of short lines by number; ``asked``: the hold of a substitution that waits.
    """

    elsewhere: list[tuple[int, str, str]] = field(default_factory=list)
    replaces: list[tuple[int, int]] = field(default_factory=list)
    short: dict[int, int] = field(default_factory=dict)
    purchases: list[PurchaseRow] = field(default_factory=list)
    asked: int | None = None

    @property
    def says_something(self) -> bool:
        return bool(self.elsewhere or self.replaces or self.short or self.purchases or self.asked)


def supply_of_order(session: Session, actor: Actor, page: OrderPage) -> SupplyOfOrder:
    """What the order's page says of it: one query, and one more for an order with drop-ship lines."""
    numbers = {line.id: line.line_no for line in page.lines}
    rows = session.execute(
        select(
            OrderLine.id,
            OrderLine.site_id,
            OrderLine.source_reason,
            OrderLine.replaces_id,
            Site.name,
            is_short().label("is_short"),
        )
        .join(Site, Site.id == OrderLine.site_id)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .where(OrderLine.order_id == page.id)
        .order_by(OrderLine.line_no)
    ).all()
    return SupplyOfOrder(
        elsewhere=[
            (numbers[row.id], row.name, row.source_reason or "") for row in rows if row.site_id != page.site_id
        ],
        replaces=[(numbers[row.id], numbers.get(row.replaces_id, 0)) for row in rows if row.replaces_id],
        short={numbers[row.id]: row.id for row in rows if row.is_short},
        purchases=purchases_of_order(session, actor, page.id) if any(one.kind == "drop_ship" for one in page.lines) else [],
        asked=next((hold.id for hold in page.open_holds if hold.kind == HoldKind.SUBSTITUTION), None),
    )  # fmt: skip
