"""What could lines that are only typed be promised from, and when would they arrive?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol

from app.composition.trading import rules
from erpcore.kernel.model import QUANTITY_PLACES, scaled_int
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Item, ItemKind
from erpcore.orders.availability import Part, whole
from erpcore.orders.documents import promise_floor
from erpcore.orders.promise import Wanted, promised_parts
from erpcore.orders.rules import LineDates, rush_day
from governance.variants.register import Scope


class Typed(Protocol):
    """What is read of a line."""

    @property
    def item(self) -> int: ...

    @property
    def quantity(self) -> Decimal | None: ...


def promised_lines(
    look: UnitOfWork, site: int, lines: Sequence[Typed | None], known: Mapping[int, Item], scope: Scope
) -> dict[int, Part]:
    """What lines could be promised from and when, by position: the timeline that capture asks, asked once for all of them.

    Lines whose rule promises the committed day are left out, as are items without stock.
    """
    wanted = [
        # Lines that wait already are known by their ids; those that are only typed by numbers below zero.
        Wanted(
            -1 - number, site, line.item, scaled_int(line.quantity or Decimal(1), QUANTITY_PLACES),
            look.now + timedelta(microseconds=number + 1),
        )
        for number, line in enumerate(lines)
        if line is not None and line.item in known and _by_stock(look, known[line.item], scope)
    ]  # fmt: skip
    return {-1 - key: whole(found) for key, found in promised_parts(look, wanted).items()} if wanted else {}


def _by_stock(look: UnitOfWork, item: Item, scope: Scope) -> bool:
    if item.kind != ItemKind.STOCK:
        return False
    return bool(rules().in_force(look, scope._replace(item_group=item.group_id))["promise_rule"] == "available")


def arrives(part: Part, dates: LineDates) -> date:
    """The day of the part, a delivery day by the way it takes."""
    way = max(0, (dates.requested - dates.requested_ship).days) if dates.basis == "delivery" else 0
    return part.day + timedelta(days=way)


def promise_of(dates: LineDates, day: date, part: Part | None, *, rush: bool) -> tuple[date, str]:
    """The day and the reason of a line's promise: from what there is and comes, else the committed day, of a rush the first."""
    if part is not None:
        return max(promise_floor(dates.requested, dates.committed, is_rush=rush), arrives(part, dates)), str(
            part.reason
        )
    return rush_day(dates, day) if rush else max(dates.committed, dates.requested), "commitment"
