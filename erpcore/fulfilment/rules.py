"""Pure decisions about shipments: how much of a line may be picked, and which site ships what of an order."""

from __future__ import annotations

from collections.abc import Mapping

from erpcore.orders.documents import Line, Order


def pickable(line: Line, elsewhere: Mapping[int, int]) -> int:
    """Thousandths that may be picked: what is allocated; of what has no stock, what nobody else is to send (``elsewhere``)."""
    return line.allocated if line.has_stock else line.open - line.picked - elsewhere.get(line.id, 0)


def by_site(order: Order, taken: Mapping[int, int], short: Mapping[int, int]) -> dict[int, dict[int, int]]:
    """What each site ships, in the order of the sites. What has no stock goes along with the selling site's goods, else with
    the first; a site where all was short comes with nothing.
    """
    parts: dict[int, dict[int, int]] = {}
    loose: dict[int, int] = {}
    for line in order.lines:
        if line.has_stock and (line.id in taken or line.id in short):
            parts.setdefault(line.site_id, {})
        if line.id in taken:
            part = parts[line.site_id] if line.has_stock else loose
            part[line.id] = taken[line.id]
    if loose or not parts:
        home = order.site_id if order.site_id in parts or not parts else min(parts)
        parts.setdefault(home, {}).update(loose)
    return dict(sorted(parts.items()))
