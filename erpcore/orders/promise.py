"""For which day may a line be promised, and from what? One answer for capture, allocation, re-promising and screens.

The pure timeline in ``availability`` decides; here it is fed with what is free, what comes, and who waits already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from erpcore.inventory.balances import Place
from erpcore.inventory.supply import Coming, coming_to, free_at, waited_for, waiting_at
from erpcore.kernel.clock import day_end, local_day
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import SiteKind
from erpcore.masterdata.queries import items, site_facts
from erpcore.orders.availability import Part, PromiseReason, Supply, Timeline, whole
from erpcore.orders.documents import Line, Order
from erpcore.orders.records import ENDED_WAITS
from erpcore.ports import ProcessRules

#: What a line was promised from, by line, until it is written to its waiting row.
RECEIPTS = "promised receipts"


class Wanted(NamedTuple):
    """So much that a line wants at a place. Who has waited since earlier is served earlier."""

    line: int
    site: int
    item: int
    quantity: int
    since: datetime


def timeline(
    free: int, coming: Iterable[Coming], *, today: date, lead_days: int, is_third_party: bool = False
) -> Timeline:
    """What a place has and will have. At a third party's site free stock is theirs to hand out, and says so."""
    own = PromiseReason.THIRD_PARTY if is_third_party else PromiseReason.STOCK
    supplies = [Supply(today, free, own)] + [
        Supply(one.day, one.quantity, PromiseReason.TRANSIT if one.in_transit else PromiseReason.RECEIPT, one.receipt)
        for one in coming
    ]
    return Timeline(supplies, today=today, lead_days=lead_days)


def promised_parts(work: UnitOfWork, wanted: Sequence[Wanted], *, at: datetime | None = None) -> dict[int, list[Part]]:
    """What each line can be promised, by line: the parts of it with day and reason.

    Lines that wait at the same places keep their turn: they take first what they have waited for longer.
    """
    places = {(w.site, w.item) for w in wanted}
    free = free_at(work, places)
    asked: dict[Place, int] = defaultdict(int)
    for want in wanted:
        asked[want.site, want.item] += want.quantity
    waited = waited_for(work, places)
    scarce = {place for place in places if place in waited or asked[place] > free.get(place, 0)}
    own = {want.line for want in wanted}
    queue = [Wanted(w.line, w.site, w.item, w.unmet, w.since) for w in waiting_at(work, waited) if w.line not in own]
    coming = coming_to(work, scarce) if scarce else {}
    lines = _timelines(work, places, free, coming, at or work.now)
    parts: dict[int, list[Part]] = {}
    for want in sorted([*queue, *wanted], key=lambda w: w.since):
        got = lines[want.site, want.item].take(want.quantity)
        if want.line in own:
            parts[want.line] = got
    return parts


def _timelines(
    work: UnitOfWork,
    places: Iterable[Place],
    free: Mapping[Place, int],
    coming: Mapping[Place, Sequence[Coming]],
    at: datetime,
) -> dict[Place, Timeline]:
    known = items(work, {item for _, item in places})
    out = {}
    for place in places:
        site = site_facts(work, place[0])
        out[place] = timeline(
            max(0, free.get(place, 0)), coming.get(place, ()), today=local_day(at, site.time_zone),
            lead_days=known[place[1]].replenishment_days, is_third_party=site.kind == SiteKind.THIRD_PARTY,
        )  # fmt: skip
    return out


def day_there(line: Line, part: Part) -> date:
    """The day for which a line can be promised from there: as a ship date, or a delivery date by the way it takes."""
    if line.basis != "delivery":
        return part.day
    return part.day + timedelta(days=max(0, (line.requested_on - line.requested_ship_on).days))


def say_day(work: UnitOfWork, line: Line, day: date, reason: str) -> None:
    """Note the day and the reason of a line's promise. What is no longer promised from what comes waits for nothing any more."""
    was_waiting = line.may_wait
    line.promised_on, line.promise_reason = day, reason
    if was_waiting and not line.may_wait:
        work.memo.setdefault(ENDED_WAITS, set()).add(line.id)


def set_promise(work: UnitOfWork, order: Order, line: Line, part: Part) -> None:
    """Give a line its current promise: the day the goods can be there, a delivery day by the way they take.

    Never before the committed day of a line without a wish, nor before the wish.
    """
    say_day(work, line, max(line.floor, day_there(line, part)), part.reason)
    line.promised_due_at = day_end(line.promised_on, site_facts(work, order.site_id).time_zone)
    work.memo.setdefault(RECEIPTS, {})[line.id] = part.receipt


def promise_new_lines(work: UnitOfWork, rules: ProcessRules, lines: Sequence[tuple[Order, Line]]) -> None:
    """First promise of lines just taken, in the order given; where the rule promises the committed day it is left as it is.

    A line promised from what comes keeps its place in the queue for it, so that nothing is promised twice.
    """
    by_stock = [
        (order, line)
        for order, line in lines
        if line.has_stock and rules.stored(work, line.ruleset or order.ruleset)["promise_rule"] == "available"
    ]
    # Who waits at this instant already comes before a line taken at it.
    wanted = [
        Wanted(line.id, line.site_id, line.item_id, line.quantity, work.now + timedelta(microseconds=number))
        for number, (_, line) in enumerate(by_stock, 1)
    ]
    if not wanted:
        return
    parts = promised_parts(work, wanted)
    for order, line in by_stock:
        set_promise(work, order, line, whole(parts[line.id]))
        line.first_promised_on = line.promised_on
