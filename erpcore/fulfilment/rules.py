"""Pure decisions about shipments: how much of a line may be picked, and which site ships what of an order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from erpcore.kernel.errors import RuleBroken
from erpcore.masterdata.models import ChargeLeaves
from erpcore.orders.documents import Line, Order
from erpcore.orders.models import LineKind

_PERMILLE = 1000


def pickable(line: Line, elsewhere: Mapping[int, int]) -> int:
    """Thousandths that may be picked: what is allocated; of what has no stock, what nobody else is to send (``elsewhere``)."""
    return line.allocated if line.has_stock else line.open - line.picked - elsewhere.get(line.id, 0)


def spare(line: Line, permille: int) -> int:
    """Thousandths that may be picked beyond what is allocated: within the tolerance, and only with all that was ordered."""
    if not line.has_stock or line.unallocated > 0:
        return 0
    return max(0, (line.quantity - line.cancelled) * permille // _PERMILLE - line.extra)


class Sold(Protocol):
    """What is asked of an order line to know what goes with it, as a service or as a page holds it."""

    @property
    def id(self) -> int: ...
    @property
    def item_id(self) -> int: ...
    @property
    def is_goods(self) -> bool: ...
    @property
    def open(self) -> Any: ...
    @property
    def picked(self) -> Any: ...
    @property
    def shipped(self) -> Any: ...


def goes_along(lines: Sequence[Sold], line: Sold, taken: Mapping[int, Any], leaves: Mapping[int, str]) -> bool:
    """Whether a charge or service goes with what is taken of the goods now; ``leaves``: when each item does.

    Where no goods are open any more there is nothing to wait for.
    """
    goods = [one for one in lines if one.is_goods]
    rest = any(one.open - one.picked - taken.get(one.id, 0) > 0 for one in goods)
    rule = leaves.get(line.item_id, ChargeLeaves.FIRST_GOODS)
    if rule == ChargeLeaves.BY_ITSELF:
        return False
    if rule == ChargeLeaves.LAST_GOODS:
        return not rest
    return not rest or any(taken.get(one.id, 0) or one.shipped or one.picked for one in goods)


def picked_of(
    order: Order,
    lines: Mapping[int, int] | None,
    sent: Mapping[int, int],
    spares: Mapping[int, int],
    leaves: Mapping[int, str],
) -> dict[int, int]:
    """Thousandths per line that a pick takes: what was asked, or all there is; ``sent`` is what others send.

    ``spares``: what may be taken of lines beyond that; ``leaves``: when charges and services go with it.
    """
    own = {line.id: line for line in order.lines}
    if lines is None:
        taken = {line.id: pickable(line, sent) for line in order.lines if line.is_goods}
        taken |= {
            line.id: pickable(line, sent)
            for line in order.lines
            if not line.is_goods and goes_along(order.lines, line, taken, leaves)
        }
        return {key: quantity for key, quantity in taken.items() if quantity > 0}
    for key, quantity in lines.items():
        line = own.get(key)
        most = 0 if line is None else pickable(line, sent) + spares.get(line.id, 0)
        if quantity < 0 or quantity > most:
            raise RuleBroken("pick_too_much", line=line.line_no if line else key, document=order.number)
    return {key: quantity for key, quantity in lines.items() if quantity > 0}


#: The site that ships, and the address that it ships to, where one is known.
Destination = tuple[int, int | None]


def by_destination(
    order: Order, taken: Mapping[int, int], short: Mapping[int, int], there: Mapping[int, int | None]
) -> dict[Destination, dict[int, int]]:
    """What each site ships to each address, in the order of the sites; ``there`` is the address of each line.

    What has no stock goes along with goods to its address, the selling site's first, else with the first goods there are; what
    a supplier sends goes by itself. Where all was short there is nothing.
    """
    parts: dict[Destination, dict[int, int]] = {}
    for line in order.lines:
        if line.has_stock and (line.id in taken or line.id in short):
            part = parts.setdefault((line.site_id, there[line.id]), {})
            if line.id in taken:
                part[line.id] = taken[line.id]
    goods = sorted(parts, key=lambda key: (key[0] != order.site_id, *_rank(key)))
    for line in order.lines:
        if line.has_stock or line.id not in taken:
            continue
        own = (order.site_id, there[line.id])
        along = [key for key in goods if key[1] == own[1]] or ([] if line.kind == LineKind.DROP_SHIP else goods)
        parts.setdefault(next(iter(along), own), {})[line.id] = taken[line.id]
    return dict(sorted(parts.items(), key=lambda part: _rank(part[0])))


def _rank(key: Destination) -> tuple[int, int]:
    return key[0], key[1] or 0
