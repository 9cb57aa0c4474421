"""Pure decisions of the floor: what goes first, whose a task is, how orders are put into rounds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from erpcore.fulfilment.floor.models import PickMethod, TaskState

#: Without a sign of life for so long a claimed task may be taken over: a dead battery must not hold an order.
CLAIM_HOLDS = timedelta(minutes=15)
STANDARD_PRIORITY, HIGHEST, LOWEST = 5, 1, 9
#: Totes on one trolley.
MOST_TOTES = 8


class Wanted(NamedTuple):
    """So much of an order line to be picked. ``lead_days``: what the order's channel commits to; ``collected_at``: when the
    carrier that the rules give it collects next.
    """

    order: int
    order_line: int
    item: int
    quantity: int
    promised_due_at: datetime
    lead_days: int
    collected_at: datetime | None
    zone: str | None = None
    location: int | None = None
    lot: int | None = None
    hold: int | None = None
    is_rush: bool = False
    #: Where the location stands on the way through the warehouse.
    walk: int = 0


def urgency(rule: str, wanted: Sequence[Wanted]) -> tuple[int, datetime]:
    """Priority and due moment of a task for these lines, by the site's ``task_priority_rule``.

    *promise*: by the earliest promise · *cut_off*: by the earliest collection, the promise where none is known · *channel*: the
    shorter the channel's committed lead time, the higher the priority, then by promise. Urgent (1) is said by hand, or by an
    order that was asked as a rush.
    """
    promised = min(one.promised_due_at for one in wanted)
    if any(one.is_rush for one in wanted):
        return HIGHEST, promised
    if rule == "cut_off":
        return STANDARD_PRIORITY, min(one.collected_at or one.promised_due_at for one in wanted)
    if rule == "channel":
        return min(HIGHEST + 1 + min(one.lead_days for one in wanted), LOWEST - 1), promised
    return STANDARD_PRIORITY, promised


def rounds(wanted: Sequence[Wanted], method: str, *, totes: int = MOST_TOTES) -> list[list[tuple[int, Wanted]]]:
    """The lines of each round with their tote, in the order of the walk.

    *order*: one order a round · *batch*: as many orders as the trolley has totes · *zone*: one round per zone and trolley.
    Orders keep the sequence they come in, so the most urgent share a round.
    """
    parts: dict[str, list[Wanted]] = {}
    for one in wanted:
        parts.setdefault((one.zone or "") if method == PickMethod.ZONE else "", []).append(one)
    out: list[list[tuple[int, Wanted]]] = []
    most = 1 if method == PickMethod.ORDER else totes
    for _, lines in sorted(parts.items()):
        orders = list(dict.fromkeys(one.order for one in lines))
        for start in range(0, len(orders), most):
            tote = {order: place + 1 for place, order in enumerate(orders[start : start + most])}
            mine = [(tote[one.order], one) for one in lines if one.order in tote]
            out.append(sorted(mine, key=lambda pair: (pair[1].walk, pair[1].item, pair[0], pair[1].order_line)))
    return out


def is_lapsed(state: str, claimed_until: datetime | None, now: datetime) -> bool:
    """Whether whoever claimed the task has given no sign of life for too long."""
    return state in (TaskState.CLAIMED, TaskState.STARTED) and claimed_until is not None and claimed_until <= now


def may_take(state: str, owner: int | None, claimed_until: datetime | None, person: int, now: datetime) -> bool:
    """Whether this person may take the task: open and not given to somebody else, their own, or left behind."""
    if state == TaskState.OPEN:
        return owner in (None, person)
    return state in (TaskState.CLAIMED, TaskState.STARTED) and (owner == person or is_lapsed(state, claimed_until, now))


def is_tolerated(missing: int, ordered: int, permille: int) -> bool:
    """Whether so little of a line is missing that the order may do without it: at most so many thousandths of what was ordered."""
    return 0 < missing * 1000 <= ordered * permille
