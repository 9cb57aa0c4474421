"""One site asks another for goods: requested, approved by the site that sends, shipped as transfers, cancelled.

What is approved is reserved at the sending site, so that it is promised to nobody else; what is shipped is in transit at the
site that asked, and customers there are promised from it by the day it arrives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from erpcore.fulfilment.branch.flow import TRANSFER_ORDER
from erpcore.fulfilment.branch.records import Asked, AskedLine, insert_asked, lock_asked, save_asked
from erpcore.inventory.posting import warehouse_place
from erpcore.inventory.services import Demand, free_reservations, reserve
from erpcore.inventory.supply import coming_to, free_at, waited_for
from erpcore.inventory.transfers import ShipTransfer, Transfer, TransferLine, ship_transfers
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.events import Event
from erpcore.kernel.history import record_move
from erpcore.kernel.model import QUANTITY_PLACES, scaled_int
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import SiteKind
from erpcore.masterdata.queries import SiteFacts, items, site_facts
from erpcore.masterdata.units import in_own_unit, pack_named, packs_of
from erpcore.orders.availability import Part, PromiseReason, whole
from erpcore.orders.promise import timeline
from erpcore.orders.sourcing import lanes_from
from erpcore.ports import CellStates, ProcessRules
from erpcore.published.transfers import TransferApproved, TransferCancelled, TransferRejected, TransferRequested

REQUEST = "supply:transfer_order:request"
#: Lines of one transfer order, and days ahead that it may be wanted.
MOST_LINES, MOST_DAYS = 500, 365
#: Days on the way where no lane says otherwise.
_USUAL_DAYS = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class AskLine:
    """So much of an item. ``unit``: the code of a pack that the quantity is in."""

    item: int
    quantity: Decimal
    unit: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AskTransfer:
    """What a site needs of another. Without ``wanted_on`` as soon as it can be there."""

    from_site: int
    to_site: int
    lines: Sequence[AskLine]
    wanted_on: date | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DecideTransfer:
    """The sending site's answer. ``arrives_on``: another promise than the computed one, which then needs a ``reason``."""

    order: int
    approve: bool
    arrives_on: date | None = None
    reason: str | None = None
    seen_version: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ShipAsked:
    """What leaves: quantities by line, ``None`` all that is open. ``last``: the rest will not be sent."""

    order: int
    lines: Mapping[int, Decimal] | None = None
    arrives_on: date | None = None
    last: bool = False
    seen_version: int | None = None


def ask_transfers(
    work: UnitOfWork, commands: Sequence[AskTransfer], *, rules: ProcessRules, cells: CellStates
) -> list[Asked]:
    """Ask another site for goods; each request says at once for which day it could be promised, and why."""
    known = items(work, {line.item for c in commands for line in c.lines})
    packs = packs_of(work.session, [line.item for c in commands for line in c.lines if line.unit])
    made = []
    for c in commands:
        work.actor.require(REQUEST, site=c.to_site)
        source, target = site_facts(work, c.from_site), site_facts(work, c.to_site)
        place = warehouse_place(work, target, rules, cells)
        today = local_day(work.now, target.time_zone)
        _check(c, source, target, today)
        key = work.ids.one()
        order = Asked(
            id=key, entity_id=target.entity.id, from_site_id=source.id, site_id=target.id, number=f"TO-{key}",
            state=TRANSFER_ORDER.initial, wanted_on=c.wanted_on or today, promised_on=today, promise_reason="",
            requested_at=work.now, requested_by=work.actor.id, decided_at=None, decided_by=None,
            note=(c.note or "").strip() or None, version=1,
        )  # fmt: skip
        for index, line in enumerate(c.lines):
            item = known[line.item]
            if item.entity_id != target.entity.id:
                raise RuleBroken("other_entity", field=f"lines-{index}-item", customer=item.code, site=target.code)
            if item.kind != "stock":
                raise RuleBroken("item_without_stock", field=f"lines-{index}-item", item=item.code)
            field = f"lines-{index}-quantity"
            own = in_own_unit(line.quantity, pack_named(packs, item, line.unit), item.quantity_places, field=field)
            quantity = scaled_int(own, QUANTITY_PLACES)
            if quantity <= 0:
                raise RuleBroken("quantity_not_positive_here", field=field, item=item.code)
            order.lines.append(AskedLine(work.ids.one(), key, (index + 1) * 10, item.id, quantity, 0, 0, 0))
        _promise(work, order)
        made.append(order)
        record_move(work, "transfer_order", key, "request", None, order.state, reason=order.note)
        event = TransferRequested(
            from_site=source.id, lines=len(order.lines), wanted=order.wanted_on, promised=order.promised_on,
            reason=order.promise_reason,
        )  # fmt: skip
        work.publish(event, place, step="warehouse.transfer", subject=("transfer_order", key, 1), journey=key)
    insert_asked(work, made)
    return made


def _check(c: AskTransfer, source: SiteFacts, target: SiteFacts, today: date) -> None:
    if source.id == target.id:
        raise RuleBroken("transfer_same_site", field="to_site")
    if source.entity.id != target.entity.id:
        raise RuleBroken("transfer_other_entity", field="to_site", site=target.code)
    for site, field in ((source, "from_site"), (target, "to_site")):
        if site.kind == SiteKind.DROP_SHIP:
            raise RuleBroken("transfer_of_works", field=field, site=site.code)
    if not 0 < len(c.lines) <= MOST_LINES:
        raise RuleBroken("transfer_lines", field="lines", most=MOST_LINES)
    if c.wanted_on is not None and not today <= c.wanted_on <= today + timedelta(days=MOST_DAYS):
        raise RuleBroken("wanted_day_absurd", field="wanted_on", day=c.wanted_on)


def _promise(work: UnitOfWork, order: Asked) -> None:
    """The day on which all of it can be there: what the sending site has or expects, then the way; never before it is wanted."""
    source, target = site_facts(work, order.from_site_id), site_facts(work, order.site_id)
    places = {(source.id, line.item_id) for line in order.lines if line.open > line.reserved}
    today = local_day(work.now, source.time_zone)
    free, waited, coming = free_at(work, places), waited_for(work, places), coming_to(work, places)
    known = items(work, {item for _, item in places})
    lines = {
        place: timeline(
            max(0, free.get(place, 0)), coming.get(place, ()), today=today,
            lead_days=known[place[1]].replenishment_days,
        )
        for place in places
    }  # fmt: skip
    # Customers who wait there were promised what is free and what comes; a branch comes after them.
    for place, quantity in waited.items():
        lines[place].take(quantity)
    # What is reserved for it already is there.
    parts = [Part(today, 0, PromiseReason.STOCK)]
    for line in order.lines:
        if line.open > line.reserved:
            parts += lines[source.id, line.item_id].take(line.open - line.reserved)
    ready = whole(parts)
    lanes = lanes_from(work, [source.id])
    way = lanes.get((source.id, target.country)) or lanes.get((source.id, "*"))
    days = _USUAL_DAYS if way is None else way.transit_days
    order.promised_on = max(order.wanted_on, ready.day + timedelta(days=days))
    order.promise_reason = ready.reason


def decide_transfers(
    work: UnitOfWork, commands: Sequence[DecideTransfer], *, rules: ProcessRules, cells: CellStates
) -> list[Asked]:
    """Approve or reject what others asked for; what is free of an approved one is reserved for it at once."""
    seen = {c.order: c.seen_version for c in commands}
    held = {one.id: one for one in lock_asked(work, seen, seen=seen)}
    for c in commands:
        order = held[c.order]
        move = "approve" if c.approve else "reject"
        work.actor.require(TRANSFER_ORDER.moves[move].permission, site=order.from_site_id)
        if order.requested_by == work.actor.id and not work.actor.is_system:
            raise RuleBroken("transfer_own_request", document=order.number)
        was = order.state
        order.state = TRANSFER_ORDER.target(move, was, reason=c.reason)
        order.decided_at, order.decided_by = work.now, work.actor.id
        source, target = site_facts(work, order.from_site_id), site_facts(work, order.site_id)
        warehouse_place(work, source, rules, cells)
        event: Event = TransferRejected(reason=(c.reason or "").strip())
        if c.approve:
            _reserve(work, order)
            _promise(work, order)
            if c.arrives_on is not None:
                _promise_otherwise(work, order, c, target)
            event = TransferApproved(promised=order.promised_on, reason=order.promise_reason)
        else:
            _drop_open(order)
        _report(work, order, event, move, was, rules, cells, reason=c.reason)
    save_asked(work, list(held.values()))
    return list(held.values())


def _promise_otherwise(work: UnitOfWork, order: Asked, c: DecideTransfer, target: SiteFacts) -> None:
    today = local_day(work.now, target.time_zone)
    if c.arrives_on is None or not today <= c.arrives_on <= today + timedelta(days=MOST_DAYS):
        raise RuleBroken("wanted_day_absurd", field="arrives_on", day=c.arrives_on)
    if c.arrives_on != order.promised_on and not (c.reason or "").strip():
        raise RuleBroken("reason_required", field="reason", document="transfer order", move="approve")
    if c.arrives_on != order.promised_on:
        order.promised_on, order.promise_reason = c.arrives_on, "stated"


def _reserve(work: UnitOfWork, order: Asked) -> None:
    demands = [
        Demand(line.id, order.entity_id, order.from_site_id, line.item_id, line.open - line.reserved)
        for line in order.lines
    ]
    for line, got in zip(order.lines, reserve(work, demands, at=work.now), strict=True):
        line.reserved += got


def _drop_open(order: Asked) -> None:
    for line in order.lines:
        line.cancelled += line.open


def ship_asked(work: UnitOfWork, command: ShipAsked, *, rules: ProcessRules, cells: CellStates) -> Transfer:
    """Send goods for an approved transfer order; its reservation is used first, then what is free.

    Raises ``RuleBroken("stock_short")`` for more than there is, ``transfer_above_open`` for more than was asked for.
    """
    (order,) = lock_asked(work, [command.order], seen={command.order: command.seen_version})
    work.actor.require(TRANSFER_ORDER.moves["ship"].permission, site=order.from_site_id)
    was = order.state
    shipped_state = TRANSFER_ORDER.target("ship", was)
    taken = _taken(work, order, command)
    if not taken:
        raise RuleBroken("transfer_empty", field="lines")
    free_reservations(work, {line.id: min(line.reserved, quantity) for line, quantity in taken})
    today = local_day(work.now, site_facts(work, order.site_id).time_zone)
    transfer = ShipTransfer(
        from_site=order.from_site_id, to_site=order.site_id, arrives_on=command.arrives_on or max(order.promised_on, today),
        lines=[
            TransferLine(item=line.item_id, quantity=Decimal(quantity).scaleb(-QUANTITY_PLACES)) for line, quantity in taken
        ],
        order=order.id, note=f"for {order.number}",
    )  # fmt: skip
    (sent,) = ship_transfers(work, [transfer], rules=rules, cells=cells)
    for line, quantity in taken:
        line.reserved -= min(line.reserved, quantity)
        line.shipped += quantity
    if command.last:
        _free(work, order)
        _drop_open(order)
    if all(line.open == 0 for line in order.lines):
        order.state = shipped_state
    record_move(work, "transfer_order", order.id, "ship", was, order.state, facts={"transfer": sent.id})
    save_asked(work, [order])
    return sent


def _taken(work: UnitOfWork, order: Asked, command: ShipAsked) -> list[tuple[AskedLine, int]]:
    """Lines and thousandths that leave."""
    if command.lines is None:
        return [(line, line.open) for line in order.lines if line.open]
    by_id = {line.id: line for line in order.lines}
    known = items(work, {line.item_id for line in order.lines})
    out = []
    for key, asked in command.lines.items():
        line = by_id.get(key)
        if line is None:
            raise RuleBroken("line_unknown", field=f"line_{key}", line=key)
        item = known[line.item_id]
        quantity = scaled_int(in_own_unit(asked, None, item.quantity_places, field=f"line_{key}"), QUANTITY_PLACES)
        if not 0 <= quantity <= line.open:
            raise RuleBroken("transfer_above_open", field=f"line_{key}", item=item.code, document=order.number)
        if quantity:
            out.append((line, quantity))
    return out


def _free(work: UnitOfWork, order: Asked) -> None:
    free_reservations(work, {line.id: line.reserved for line in order.lines if line.reserved})
    for line in order.lines:
        line.reserved = 0


def cancel_asked(
    work: UnitOfWork, order_id: int, reason: str, *, rules: ProcessRules, cells: CellStates, seen_version: int | None = None
) -> Asked:  # fmt: skip
    """The site that asked needs no more of it; what is reserved is free again, what is on its way comes."""
    (order,) = lock_asked(work, [order_id], seen={order_id: seen_version})
    work.actor.require(REQUEST, site=order.site_id)
    was = order.state
    order.state = TRANSFER_ORDER.target("cancel", was, reason=reason)
    _free(work, order)
    _drop_open(order)
    _report(work, order, TransferCancelled(reason=reason.strip()), "cancel", was, rules, cells, reason=reason)
    save_asked(work, [order])
    return order


def _report(
    work: UnitOfWork, order: Asked, event: Event, move: str, was: str, rules: ProcessRules, cells: CellStates, *,
    reason: str | None,
) -> None:  # fmt: skip
    place = warehouse_place(work, site_facts(work, order.site_id), rules, cells, begins=False)
    record_move(work, "transfer_order", order.id, move, was, order.state, reason=(reason or "").strip() or None)
    work.publish(
        event,
        place,
        step="warehouse.transfer",
        subject=("transfer_order", order.id, order.version + 1),
        journey=order.id,
    )
