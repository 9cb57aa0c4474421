"""Picking, confirming and delivering shipments; each confirmation takes the stock and posts its cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from erpcore.fulfilment.billing_due import ARRIVES, fall_due, left, whole_orders_left
from erpcore.fulfilment.carriers.records import lock_carriages
from erpcore.fulfilment.extra import take_extra, taken_of
from erpcore.fulfilment.flow import SHIPMENT
from erpcore.fulfilment.models import Shipment, ShipmentLine, ShipmentState
from erpcore.fulfilment.records import (
    DAMAGE,
    SHIPMENT_COLUMNS,
    SHIPMENT_LINE_COLUMNS,
    ShipmentRow,
    join_shipment,
    lock_shipments,
    orders_of,
    save_shipments,
    sent_by_suppliers,
    shipment_values,
)
from erpcore.fulfilment.rules import by_destination
from erpcore.inventory.models import MoveReason
from erpcore.inventory.movement import Movement
from erpcore.inventory.services import free_reservations, move_stock
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.model import PRICE_PLACES, scaled_int
from erpcore.kernel.rows import write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Entry, Side, post_entries, read_charts
from erpcore.masterdata.queries import items, site_facts
from erpcore.masterdata.units import require_countable
from erpcore.orders.addressing import addresses_now, shipped_to
from erpcore.orders.documents import Line, Order
from erpcore.orders.models import OrderState
from erpcore.orders.moving import admit_order
from erpcore.orders.records import lines_by_id, lock_orders, save_orders
from erpcore.orders.rules import value_of
from erpcore.ports import CellStates, ProcessRules
from erpcore.published import (
    LineQuantity,
    ShipmentConfirmed,
    ShipmentDamaged,
    ShipmentDelivered,
    ShipmentPicked,
    ShipmentShortPicked,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Freight:
    """What the source says of freight, weight (kg) and insurance of a line: amounts, or words where it gives words."""

    freight: Decimal | None = None
    freight_note: str | None = None
    weight_kg: Decimal | None = None
    weight_note: str | None = None
    insurance: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PickOrder:
    """Pick an order: ``lines`` maps line ids to thousandths; ``None`` takes all that is allocated and all without stock.

    ``short`` says how much of a line was not there, with ``short_reason``. ``into``: a shipment of this order, still being
    picked, that the goods join. ``is_direct``: a supplier has sent the lines to the customer.
    """

    order: int
    lines: Mapping[int, int] | None = None
    short: Mapping[int, int] = field(default_factory=dict)
    short_reason: str = "not found"
    number: str | None = None
    at: datetime | None = None
    freight: Mapping[int, Freight] = field(default_factory=dict)
    into: int | None = None
    is_direct: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliverShipment:
    """Proof of delivery; ``damaged`` maps order line ids to thousandths that arrived damaged."""

    shipment: int
    damaged: Mapping[int, int] = field(default_factory=dict)
    damage_reason: str = "damaged in transit"
    at: datetime | None = None


def pick_orders(
    work: UnitOfWork, commands: Sequence[PickOrder], *, cells: CellStates, rules: ProcessRules | None = None
) -> list[ShipmentRow]:
    """Take goods from the shelf for released orders; what was not there goes back to being open, with a reason.

    One shipment per command, site that ships of it and address; an order picked with nothing at all gives none. Raises
    ``RuleBroken("pick_too_much")`` beyond what is allocated and, where ``rules`` are handed in, their tolerance for shipping
    over; ``pick_over_no_stock`` where what is taken beyond the order is not free.
    """
    orders = {order.id: order for order in lock_orders(work, [c.order for c in commands])}
    by_line = lines_by_id(orders.values())
    elsewhere, addresses = sent_by_suppliers(work, orders.values()), addresses_now(work, orders.values())
    shipments: list[ShipmentRow] = []
    lines: list[tuple[Any, ...]] = []
    changed: dict[int, Line] = {}
    freed: dict[int, int] = {}
    joined: dict[int, ShipmentRow] = {}
    for command in commands:
        order = orders[command.order]
        if order.state != OrderState.RELEASED:
            raise RuleBroken("not_released", document=order.number, state=order.state)
        for line_id, quantity in command.short.items():
            line = by_line[line_id]
            if quantity < 0 or quantity > line.allocated:
                raise RuleBroken("pick_too_much", line=line.line_no, document=order.number)
            line.allocated -= quantity
            freed[line_id] = freed.get(line_id, 0) + quantity
            changed[line_id] = line
        there = shipped_to(work, order, order.lines, addresses)
        taken_now = taken_of(work, order, command.lines, {} if command.is_direct else elsewhere, rules)
        _require_countable(work, by_line, command)
        parts = by_destination(order, taken_now, command.short, there)
        take_extra(work, order, taken_now)
        for nth, ((site, ship_to), taken) in enumerate(parts.items(), 1):
            permission = "purchasing:order:confirm" if command.is_direct else "warehouse:shipment:pick"
            work.actor.require(permission, site=site)
            admit_order(work, cells, order, site=site)
            shipment = _new_shipment(work, order, site, command, nth)
            shipment.ship_to_id = ship_to
            for line_id, quantity in taken.items():
                line = by_line[line_id]
                if line.has_stock:
                    line.allocated -= quantity
                line.picked += quantity
                changed[line_id] = line
            if command.into is not None and taken:
                shipment = join_shipment(work, order.id, (site, ship_to), command.into, taken)
                joined[shipment.id] = shipment
            else:
                shipment.lines += taken.items()
                lines += [_line_row(shipment.id, key, q, command.freight.get(key)) for key, q in taken.items()]
                if taken:
                    shipments.append(shipment)
            missing = {
                key: quantity
                for key, quantity in command.short.items()
                if (by_line[key].site_id, there[key]) == (site, ship_to)
            }
            _report_pick(work, order, shipment, command, taken, missing)
    write_rows(work, Shipment.__table__, SHIPMENT_COLUMNS, [shipment_values(s) for s in shipments])
    write_rows(work, ShipmentLine.__table__, SHIPMENT_LINE_COLUMNS, lines)
    save_shipments(work, list(joined.values()))
    if freed:
        free_reservations(work, freed)
    save_orders(work, list(orders.values()), list(changed.values()))
    work.memo.setdefault("shipments", {}).update((s.id, s) for s in shipments)
    return [*shipments, *joined.values()]


def _require_countable(work: UnitOfWork, by_line: Mapping[int, Line], command: PickOrder) -> None:
    stated = [*(command.lines or {}).items(), *command.short.items()]
    require_countable(work, [(by_line[key].item_id, quantity) for key, quantity in stated], field="lines")


def _new_shipment(work: UnitOfWork, order: Order, site: int, command: PickOrder, nth: int) -> ShipmentRow:
    """``nth`` sets a stated number apart where several sites ship."""
    key = work.ids.one()
    number = command.number and (command.number if nth == 1 else f"{command.number}/{nth}")
    return ShipmentRow(
        id=key, entity_id=order.entity_id, site_id=site, order_id=order.id, number=number or f"SH-{key}",
        state=ShipmentState.PICKED, picked_at=command.at or work.now, confirmed_at=None, delivered_at=None,
        invoice_due_at=None, invoice_id=None, version=1, lines=[],
    )  # fmt: skip


def _line_row(shipment: int, line: int, quantity: int, given: Freight | None) -> tuple[Any, ...]:
    if given is None:
        return (shipment, line, quantity, 0, None, None, None, None, None)
    freight = None if given.freight is None else scaled_int(given.freight, PRICE_PLACES)
    weight = None if given.weight_kg is None else scaled_int(given.weight_kg, 3)
    insurance = None if given.insurance is None else scaled_int(given.insurance, PRICE_PLACES)
    return (shipment, line, quantity, 0, freight, given.freight_note, weight, given.weight_note, insurance)


def _report_pick(
    work: UnitOfWork,
    order: Order,
    shipment: ShipmentRow,
    command: PickOrder,
    taken: Mapping[int, int],
    missing: Mapping[int, int],
) -> None:
    at, joins = command.at or work.now, command.into is not None
    version = shipment.version + 1 if joins else 1
    common: dict[str, Any] = {"step": "order_to_cash.pick", "journey": order.id, "at": at}
    if missing:
        short = [LineQuantity(line=key, quantity=quantity) for key, quantity in missing.items()]
        event = ShipmentShortPicked(reason=command.short_reason, lines=short)
        facts = {"lines": {str(key): quantity for key, quantity in missing.items()}}
        record_move(
            work, "order", order.id, "short_pick", order.state, order.state, at=at, reason=command.short_reason,
            facts=facts,
        )  # fmt: skip
        # Where nothing at all was there no shipment comes of it: the order is what came short.
        subject = ("shipment", shipment.id, version) if taken else ("order", order.id, order.version + 1)
        work.publish(event, order.place(work), subject=subject, **common)
    if taken:
        was = ShipmentState.PICKED if joins else None
        record_move(work, "shipment", shipment.id, "pick", was, ShipmentState.PICKED, at=at)
        picked = ShipmentPicked(lines=[LineQuantity(line=key, quantity=q) for key, q in taken.items()])
        work.publish(picked, order.place(work), subject=("shipment", shipment.id, version), **common)


def confirm_shipments(
    work: UnitOfWork,
    shipment_ids: Iterable[int],
    *,
    rules: ProcessRules,
    cells: CellStates,
    at: Mapping[int, datetime] | None = None,
    bought: Mapping[int, int] | None = None,
    held: Callable[[UnitOfWork, int], frozenset[int]] | None = None,
) -> list[ShipmentRow]:
    """The goods have left: stock goes down, its cost is posted, and the invoice falls due where the policy says so.

    ``bought``: what a supplier that sent the goods itself asks for them, in minor units by line; no stock moves then.
    ``held``: which bins held for its lines a shipment was picked from, asked where more of a line lies picked.
    Goods without a cost move at unknown cost and post none. Raises ``IllegalMove`` for a shipment confirmed before.
    """
    wanted = list(shipment_ids)
    orders = {order.id: order for order in lock_orders(work, orders_of(work, wanted))}
    shipments = lock_shipments(work, wanted)
    by_line = lines_by_id(orders.values())
    known = items(work, {by_line[line].item_id for s in shipments for line, _ in s.lines})
    movements: list[Movement] = []
    owners: list[int] = []
    for shipment in shipments:
        order = orders[shipment.order_id]
        permission = "warehouse:shipment:confirm" if bought is None else "purchasing:order:confirm"
        work.actor.require(permission, site=shipment.site_id)
        admit_order(work, cells, order, site=shipment.site_id)
        was = shipment.state
        shipment.state = SHIPMENT.target("confirm", was)
        if bought is None:
            _check_packed(work, order, shipment, rules)
        shipment.confirmed_at = (at or {}).get(shipment.id, work.now)
        record_move(work, "shipment", shipment.id, "confirm", was, shipment.state, at=shipment.confirmed_at)
        for line_id, quantity in shipment.lines:
            line = by_line[line_id]
            line.picked -= quantity
            line.shipped += quantity
            if line.has_stock:
                owners.append(shipment.id)
                movements.append(
                    Movement(
                        entity=order.entity_id, site=shipment.site_id, item=line.item_id, quantity=-quantity,
                        unit_cost=known[line.item_id].standard_cost, currency=order.currency, reason=MoveReason.ISSUE,
                        document_type="shipment", document_id=shipment.id, moved_at=shipment.confirmed_at,
                        reserved_line=line_id, holds=held(work, shipment.id) if held and line.picked else frozenset(),
                    )
                )  # fmt: skip
    read_charts(work, (order.entity_id for order in orders.values()))
    costs: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for owner, moved in zip(owners, move_stock(work, movements), strict=True):
        cost = costs[owner]
        if moved.value is None:
            cost[1] += 1
        else:
            cost[0] -= moved.value
            cost[2] += 1
    _post_costs(work, orders, shipments, by_line, costs, bought or {}, rules)
    save_shipments(work, shipments)
    save_orders(work, list(orders.values()), [by_line[line] for s in shipments for line, _ in s.lines])
    return shipments


def _check_packed(work: UnitOfWork, order: Order, shipment: ShipmentRow, rules: ProcessRules) -> None:
    """Where the site's rules let nothing leave unpacked; files and back-entries tell of what has left already."""
    if work.is_stated or not any(line.has_stock for line in order.lines):
        return
    site = site_facts(work, shipment.site_id)
    here = rules.resolve(work, entity=site.entity.live_id, site=site.live_id, channel=None, customer_group=None)
    if here["packing_required"] and lock_carriages(work, [shipment])[shipment.id].packed_at is None:
        raise RuleBroken("not_packed", document=shipment.number)


def _post_costs(
    work: UnitOfWork,
    orders: Mapping[int, Order],
    shipments: Sequence[ShipmentRow],
    by_line: Mapping[int, Line],
    costs: Mapping[int, list[int]],
    bought: Mapping[int, int],
    rules: ProcessRules,
) -> None:
    """What the goods cost: [value in minor units, lines at unknown cost, lines with one] of stock, and what suppliers ask."""
    entries = []
    for shipment in shipments:
        order = orders[shipment.order_id]
        value, unknown, valued = costs.get(shipment.id, [0, 0, 0])
        if value:
            entries.append(_cost_entry(work, order, shipment, value, "cost_of_sales", AccountRole.INVENTORY))
        if bought:
            asked = sum(bought.get(line, 0) for line, _ in shipment.lines)
            entries.append(_cost_entry(work, order, shipment, asked, "direct_cost", AccountRole.RECEIVED_NOT_INVOICED))
            value, valued = value + asked, 1
        _report_confirm(work, order, shipment, by_line, value if valued else None, unknown)
        left(work, order, shipment, by_line, rules)
    whole_orders_left(work, orders.values(), shipments)
    post_entries(work, entries)


def _cost_entry(
    work: UnitOfWork, order: Order, shipment: ShipmentRow, value: int, rule: str, source: AccountRole
) -> Entry:
    # The goods leave the books of the site that had them.
    place = order.place(work)._replace(site=shipment.site_id)
    when = shipment.confirmed_at or work.now
    return Entry(
        rule=rule, place=place, document_type="shipment", document_id=shipment.id, journey=order.id,
        entry_on=local_day(when, place.time_zone), posted_at=when, currency=order.currency,
        sides=(Side(AccountRole.COST_OF_SALES, value), Side(source, -value)),
    )  # fmt: skip


def _report_confirm(
    work: UnitOfWork,
    order: Order,
    shipment: ShipmentRow,
    by_line: Mapping[int, Line],
    cost: int | None,
    unknown: int,
) -> None:
    value = sum(value_of(by_line[line], quantity, order.currency) for line, quantity in shipment.lines)
    event = ShipmentConfirmed(
        lines=[LineQuantity(line=line, quantity=quantity) for line, quantity in shipment.lines], value=value, cost=cost,
        unvalued_lines=unknown, must_post=bool(cost),
    )  # fmt: skip
    work.publish(
        event, order.place(work), step="order_to_cash.ship", subject=("shipment", shipment.id, shipment.version + 1),
        journey=order.id, at=shipment.confirmed_at,
    )  # fmt: skip


def deliver_shipments(
    work: UnitOfWork, commands: Sequence[DeliverShipment], *, rules: ProcessRules, cells: CellStates
) -> list[ShipmentRow]:
    """The customer has the goods; damage is noted by line, and the invoice falls due where the policy waits for delivery."""
    told = {command.shipment: command for command in commands}
    orders = {order.id: order for order in lock_orders(work, orders_of(work, told))}
    shipments = lock_shipments(work, told)
    by_line = lines_by_id(orders.values())
    for shipment in shipments:
        order, command = orders[shipment.order_id], told[shipment.id]
        work.actor.require("warehouse:shipment:deliver", site=shipment.site_id)
        admit_order(work, cells, order)
        was = shipment.state
        shipment.state = SHIPMENT.target("deliver", was)
        shipment.delivered_at = command.at or work.now
        record_move(work, "shipment", shipment.id, "deliver", was, shipment.state, at=shipment.delivered_at)
        for line_id, quantity in shipment.lines:
            by_line[line_id].delivered += quantity
        _report_delivery(work, order, shipment, command)
        if rules.stored(work, order.ruleset)["invoice_trigger"] == ARRIVES:
            fall_due(work, order, shipment, by_line, ARRIVES, shipment.delivered_at)
    save_shipments(work, shipments)
    save_orders(work, list(orders.values()), [by_line[line] for s in shipments for line, _ in s.lines])
    return shipments


def _report_delivery(work: UnitOfWork, order: Order, shipment: ShipmentRow, command: DeliverShipment) -> None:
    common: dict[str, Any] = {
        "step": "order_to_cash.deliver", "subject": ("shipment", shipment.id, shipment.version + 1), "journey": order.id,
        "at": shipment.delivered_at,
    }  # fmt: skip
    place = order.place(work)
    lines = [LineQuantity(line=line, quantity=quantity) for line, quantity in shipment.lines]
    work.publish(ShipmentDelivered(lines=lines), place, **common)
    if not command.damaged:
        return
    shipped = dict(shipment.lines)
    for line, quantity in command.damaged.items():
        if quantity <= 0 or quantity > shipped.get(line, 0):
            raise RuleBroken("damage_too_much", document=shipment.number)
    items_of = {line.id: line.item_id for line in order.lines}
    require_countable(work, [(items_of[line], quantity) for line, quantity in command.damaged.items()], field="damaged")
    DAMAGE.run(
        work, [{"shipment": shipment.id, "line": line, "new_damaged": q} for line, q in sorted(command.damaged.items())]
    )
    damaged = [LineQuantity(line=line, quantity=quantity) for line, quantity in command.damaged.items()]
    work.publish(ShipmentDamaged(reason=command.damage_reason, lines=damaged), place, **common)
