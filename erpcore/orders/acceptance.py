"""What is covered when somebody with authority lets a held order go? The order as it was then, and nothing beyond.

An order that became worth more, gives more away or earns a smaller share than the one that was let go is looked at again, and
where an address was let go, one that goes to another. What the customer's other orders do meanwhile is looked at with those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Self

import orjson
from sqlalchemy import bindparam, select

from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.money import scaled_amount
from erpcore.kernel.rows import chunks
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.documents import Order
from erpcore.orders.models import HoldKind, OrderHold
from erpcore.orders.rules import destinations, value_of

#: The source of a price that a person entered.
ENTERED = "override"
_PERMILLE = 1000
#: Who lets these go has looked at the addresses.
_OF_PLACES = (HoldKind.ADDRESS, HoldKind.EXPORT)


class Facts(NamedTuple):
    """What an order was: its worth and what entered prices give away of it, in minor units, and the share above cost.

    ``margin`` is in per mille, rounded down; ``None`` where a cost is unknown, which nothing is compared with. ``places`` are
    the ids of the addresses that it was to be sent to; ``None`` where they were not kept.
    """

    worth: int
    lost: int
    margin: int | None
    places: Sequence[int] | None = None

    @classmethod
    def of(cls, order: Order) -> Self:
        worth = lost = above = 0
        known = True
        for line in order.lines:
            left = line.quantity - line.cancelled
            value = value_of(line, left, order.currency)
            worth += value
            if line.price_source == ENTERED and line.resolved_price is not None:
                lost += max(0, scaled_amount(left, line.resolved_price, order.currency) - value)
            known = known and (line.unit_cost is not None or not line.has_stock)
            above += (line.unit_price - (line.unit_cost or 0)) * left
        whole = sum(line.unit_price * (line.quantity - line.cancelled) for line in order.lines)
        places = sorted(key for key in destinations(order) if key is not None)
        return cls(worth, lost, above * _PERMILLE // whole if known and whole else None, places)

    @classmethod
    def read(cls, kept: str) -> Self:
        """As they were kept with a hold; what was not kept then stands in the way of nothing."""
        said = orjson.loads(kept)
        return cls(said["worth"], said.get("lost", 2**63), said.get("margin"), said.get("places"))

    def kept(self) -> str:
        return canonical_json(self._asdict()).decode()

    def covers(self, now: Facts, kind: str = HoldKind.CREDIT) -> bool:
        """Whether what was let go then, from a hold of this kind, is also what stands now."""
        if kind in _OF_PLACES and self.places is not None and not set(now.places or ()) <= set(self.places):
            return False
        thinner = self.margin is not None and now.margin is not None and now.margin < self.margin
        return now.worth <= self.worth and now.lost <= self.lost and not thinner


def accepted_kinds(work: UnitOfWork, orders: Sequence[Order]) -> dict[int, set[str]]:
    """The kinds of holds for which somebody with authority has let each order go as it stands now."""
    out: dict[int, set[str]] = {order.id: set() for order in orders}
    if work.source == "import":
        return out
    by_id = {order.id: order for order in orders}
    now: dict[int, Facts] = {}
    for key, kind, kept in _ended(work, by_id):
        if key not in now:
            now[key] = Facts.of(by_id[key])
        if Facts.read(kept).covers(now[key], kind):
            out[key].add(kind)
    return out


def held_for(work: UnitOfWork, orders: Sequence[Order], kind: HoldKind) -> set[int]:
    """Those of the orders, by id, that a hold of this kind holds or has held."""
    found: set[int] = set()
    for part in chunks(sorted(order.id for order in orders)):
        query = select(OrderHold.order_id).where(OrderHold.order_id.in_(part), OrderHold.kind == kind)
        found.update(work.session.execute(query).scalars())
    return found


#: Asked at every release, so made once.
_ENDED = select(OrderHold.order_id, OrderHold.kind, OrderHold.covers).where(
    OrderHold.order_id.in_(bindparam("orders", expanding=True)), OrderHold.covers.is_not(None)
)


def _ended(work: UnitOfWork, orders: Mapping[int, Order]) -> Iterable[tuple[int, HoldKind, str]]:
    for part in chunks(sorted(orders)):
        for row in work.session.execute(_ENDED, {"orders": part}):
            yield row[0], HoldKind(row[1]), row[2] or "{}"
