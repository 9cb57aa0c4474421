"""Taking orders: capture, validation, price, promise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from erpcore.kernel.clock import day_end, local_day
from erpcore.kernel.errors import DomainError, NotAllowed, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES, scaled_int
from erpcore.kernel.money import exact_amount, scaled_amount
from erpcore.kernel.quantity import MOST_WORTH
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import (
    CustomerFacts,
    ItemFacts,
    SiteFacts,
    channel_exists,
    commitment,
    customers,
    items,
    site_facts,
    tax_rate,
)
from erpcore.orders.addressing import check_addresses, choose_addresses, country_of, read_addresses
from erpcore.orders.checking import Packs, check_order, in_own_units, numbers_free, packs_asked
from erpcore.orders.commands import CaptureOrder, NewLine
from erpcore.orders.documents import Line, Order
from erpcore.orders.duplicates import notice_duplicates, settle_duplicates
from erpcore.orders.models import OrderState, Progress
from erpcore.orders.moving import captured_line
from erpcore.orders.policy import stamp_lines
from erpcore.orders.pricing import OVERRIDE, hold_for_price, price_lines
from erpcore.orders.records import insert_lines, insert_orders
from erpcore.orders.rules import LineDates, line_dates, line_kind, rush_day
from erpcore.orders.rush import settle_rush
from erpcore.orders.sourcing import report_sources, source_and_promise
from erpcore.ports import BY_PERMISSION, Authority, Cell, CellStates, Process, ProcessRules, Ruleset, admit
from erpcore.published import (
    LinePromise,
    OrderCaptured,
    OrderPriceOverridden,
    OrderPromised,
    OrderValidated,
)

__all__ = ["CAPTURE", "CaptureOrder", "NewLine", "capture_orders", "draft_order", "draft_orders", "extend_order"]

CAPTURE = "orders:order:capture"


def capture_orders(
    work: UnitOfWork,
    commands: Sequence[CaptureOrder],
    *,
    rules: ProcessRules,
    cells: CellStates,
    authority: Authority = BY_PERMISSION,
) -> list[Order]:
    """Take orders: validate, price, promise each line, and stamp the rules they were promised under.

    Each order is captured in a cell that is open; all of them or none. Raises ``RuleBroken`` naming the field and line,
    ``NotFound`` for unknown codes, ``Conflict`` for a number in use, ``NeedsConfirmation`` for a warning not yet accepted.
    """
    known_items = items(work, {line.item for c in commands for line in c.lines})
    commands = in_own_units(work, commands, known_items)
    known_customers = customers(work, {c.customer for c in commands})
    commands = settle_rush(work, commands, known_items, known_customers, rules)
    numbers_free(work, commands)
    read_addresses(work, commands)
    ids = work.ids.reserve(len(commands) + sum(len(c.lines) for c in commands))
    orders = []
    for command in commands:
        work.actor.require(CAPTURE, site=command.site)
        site = site_facts(work, command.site)
        channel_exists(work, command.channel)
        customer = known_customers[command.customer]
        check_order(command, site, customer, known_items)
        cell = Cell(site.live_id, command.channel, Process.ORDER_TO_CASH, customer.group_id)
        grant = admit(work, cells, site.entity.realm, cell, begins=True)
        ruleset = rules.resolve(
            work,
            entity=site.entity.live_id,
            site=site.live_id,
            channel=command.channel,
            customer_group=customer.group_id,
        )
        at = _at(work, command.at)
        order_id = command.id or next(ids)
        order = _new_order(work, command, site, customer, ruleset, order_id, at=at, grant=grant)
        choose_addresses(work, command, order, site)
        _build_lines(work, command, order, site, customer, known_items, [next(ids) for _ in command.lines], rules)
        stamp_lines(work, rules, order, known_items)
        orders.append(order)
    # Before sites are chosen, which writes: who enters orders one by one goes on after a refusal.
    noticed = notice_duplicates(work, orders, [command.accepted for command in commands], rules)
    if not work.is_stated:
        unstated = [
            (order, line)
            for order, command in zip(orders, commands, strict=True)
            for line, asked in zip(order.lines, command.lines, strict=True)
            if asked.promised_on is None
        ]
        source_and_promise(work, rules, cells, unstated)
    insert_orders(work, orders)
    for order in orders:
        _report(work, order, known_items)
    report_sources(work, orders)
    for order, command in zip(orders, commands, strict=True):
        # What a quote holds was approved before the quote was sent.
        asked = [line for line, new in zip(order.lines, command.lines, strict=True) if new.quoted is None]
        hold_for_price(work, rules, order, asked, authority=authority)
    settle_duplicates(work, noticed)
    return orders


def _new_order(
    work: UnitOfWork,
    command: CaptureOrder,
    site: SiteFacts,
    customer: CustomerFacts,
    ruleset: Ruleset,
    key: int,
    *,
    at: datetime,
    grant: int | None,
) -> Order:
    """The head of a captured order, without lines yet."""
    return Order(
        id=key, entity_id=site.entity.id, site_id=site.id, channel_id=command.channel, customer_id=customer.id,
        number=command.number or f"SO-{key}", customer_reference=command.customer_reference,
        state=OrderState.CAPTURED, delivery_status=Progress.NONE, billing_status=Progress.NONE,
        payment_status=Progress.NONE, currency=command.currency or site.entity.currency,
        ship_country=command.ship_country or customer.country, value_minor=0, captured_at=at, ruleset=ruleset.hash,
        variants=ruleset.variants, grant_id=grant, source=work.source, version=1, lines=[],
        customer_group=customer.group_id,
    )  # fmt: skip


def extend_order(work: UnitOfWork, order: Order, lines: Sequence[NewLine], *, rules: ProcessRules) -> list[Line]:
    """Add lines to a locked order: priced, dated and promised as of now, under the rules of the order. The caller saves it."""
    site = site_facts(work, order.site_id)
    customer = customers(work, {order.customer_id})[order.customer_id]
    known = items(work, {line.item for line in lines})
    command = CaptureOrder(
        site=order.site_id, channel=order.channel_id, customer=order.customer_id, lines=lines, currency=order.currency
    )
    (command,) = in_own_units(work, [command], known)
    check_order(command, site, customer, known)
    # A part of its own, so that days and prices are those of now and not of the capture.
    part = replace(order, lines=[], captured_at=work.now, value_minor=0)
    check_addresses(work, command, customer.id, local_day(work.now, site.time_zone))
    ids = work.ids.reserve(len(lines))
    _build_lines(work, command, part, site, customer, known, [next(ids) for _ in lines], rules)
    stamp_lines(work, rules, part, known)
    source_and_promise(work, rules, None, [(part, line) for line in part.lines])
    last = max(line.line_no for line in order.lines)
    for line in part.lines:
        line.line_no += last
    order.value_minor += part.value_minor
    insert_lines(work, order, part.lines)
    return part.lines


def draft_order(work: UnitOfWork, command: CaptureOrder, *, rules: ProcessRules) -> Order:
    """The order that capturing would give now, with prices, days, taxes and rules, written nowhere. Raises as capturing does.

    No cell is asked and no duplicate looked for: what is only offered begins nothing.
    """
    (drafted,) = draft_orders(work, [command], rules=rules)
    if isinstance(drafted, DomainError):
        raise drafted
    return drafted


def draft_orders(
    work: UnitOfWork, commands: Sequence[CaptureOrder], *, rules: ProcessRules
) -> list[Order | DomainError]:
    """As ``draft_order``, of many: each order, or why it would be refused. What is scarce is promised to the first first.

    The number of questions does not grow with the number of orders. Raises ``NotFound`` for a customer or item that is none.
    """
    known = items(work, {line.item for c in commands for line in c.lines})
    buyers = customers(work, {c.customer for c in commands})
    read_addresses(work, commands)
    packs = packs_asked(work, commands)
    ids = work.ids.reserve(sum(len(c.lines) + 1 for c in commands))
    out: list[Order | DomainError] = []
    for command in commands:
        try:
            out.append(_drafted(work, command, known, buyers, packs, ids, rules))
        except DomainError as refusal:
            out.append(refusal)
    drafted = [one for one in out if isinstance(one, Order)]
    source_and_promise(work, rules, None, [(order, line) for order in drafted for line in order.lines])
    return out


def _drafted(
    work: UnitOfWork,
    command: CaptureOrder,
    known: dict[int, ItemFacts],
    buyers: Mapping[int, CustomerFacts],
    packs: Packs,
    ids: Iterator[int],
    rules: ProcessRules,
) -> Order:
    (command,) = in_own_units(work, [command], known, packs)
    (command,) = settle_rush(work, [command], known, buyers, rules)
    site = site_facts(work, command.site)
    channel_exists(work, command.channel)
    customer = buyers[command.customer]
    check_order(command, site, customer, known)
    ruleset = rules.resolve(
        work, entity=site.entity.live_id, site=site.live_id, channel=command.channel, customer_group=customer.group_id
    )
    order = _new_order(work, command, site, customer, ruleset, command.id or 0, at=work.now, grant=None)
    choose_addresses(work, command, order, site)
    _build_lines(work, command, order, site, customer, known, [next(ids) for _ in command.lines], rules)
    stamp_lines(work, rules, order, known)
    return order


def _at(work: UnitOfWork, stated: datetime | None) -> datetime:
    if stated is None:
        return work.now
    if not work.is_stated:
        raise NotAllowed("time_not_stated", source=work.source)
    return stated


def _build_lines(
    work: UnitOfWork,
    command: CaptureOrder,
    order: Order,
    site: SiteFacts,
    customer: CustomerFacts,
    known: dict[int, ItemFacts],
    ids: Sequence[int],
    rules: ProcessRules,
) -> None:
    day = local_day(order.captured_at, site.time_zone)
    terms = commitment(work, site.id, command.channel, customer.group_id, day)
    dated: dict[tuple[date | None, str | None], LineDates] = {}
    asked = [line for line in command.lines if line.quoted is None]
    priced = price_lines(
        work, asked, site=site, channel=command.channel, customer=customer, currency=order.currency, day=day,
        known=known, rules=rules,
    )  # fmt: skip
    if len(asked) < len(command.lines):
        found = iter(priced)
        priced = [line.quoted or next(found) for line in command.lines]
    for number, (line, key) in enumerate(zip(command.lines, ids, strict=True), 1):
        item = known[line.item]
        wish = (line.requested_on or command.requested_on, line.basis)
        dates = dated.get(wish)
        if dates is None:
            dates = dated[wish] = line_dates(order.captured_at, site.time_zone, terms, *wish)
        quantity = scaled_int(line.quantity, QUANTITY_PLACES)
        price = priced[number - 1]
        unit_price = price.unit_price
        if line.amount is None:
            amount, value = exact_amount(quantity, unit_price), scaled_amount(quantity, unit_price, order.currency)
        else:
            amount = scaled_int(line.amount, PRICE_PLACES)
            value = scaled_amount(1000, amount, order.currency)
        if amount >= MOST_WORTH * 10**PRICE_PLACES:
            raise RuleBroken("value_absurd", field=f"lines-{number - 1}-quantity", line=number, item=item.code)
        usual = rush_day(dates, day) if line.rush or line.is_rush_charge else max(dates.committed, dates.requested)
        promised = line.promised_on or usual
        order.lines.append(
            Line(
                id=key, order_id=order.id, line_no=number * 10, item_id=item.id, site_id=order.site_id,
                kind=line_kind(item.kind, unit_price, amount, drop_ship=line.drop_ship), quantity=quantity,
                unit_price=unit_price, price_source=price.source, amount=amount, value_minor=value,
                tax_rate=tax_rate(
                    work, order.entity_id, country_of(work, line.ship_to, order), customer.tax_class, item.tax_class, day,
                    ship_from=site.country, customer=customer.id,
                ),
                requested_on=dates.requested, requested_ship_on=dates.requested_ship, committed_on=dates.committed,
                first_promised_on=promised, promised_on=promised,
                promised_due_at=day_end(promised, site.time_zone),
                promise_reason="stated" if line.promised_on else "commitment", basis=dates.basis, allocated=0, picked=0,
                shipped=0, delivered=0, invoiced=0, cancelled=0, returned=0, early_days=terms.early_days,
                late_days=terms.late_days, price_rule_id=price.rule, list_price=price.list_price,
                resolved_price=price.resolved, price_floor=price.floor, unit_cost=price.cost, price_losers=price.losers,
                price_reason=price.reason, ship_to_id=line.ship_to, is_rush=line.rush,
            )
        )  # fmt: skip
        order.value_minor += value
        work.memo.setdefault("starts", {})[key] = dates.start


def _report(work: UnitOfWork, order: Order, known: dict[int, ItemFacts]) -> None:
    place = order.place(work)
    subject = ("order", order.id, 1)
    starts: dict[int, datetime] = work.memo["starts"]
    lines = [captured_line(line, known[line.item_id].abc, order.currency) for line in order.lines]
    start = min(starts[line.id] for line in order.lines)
    common = {"subject": subject, "journey": order.id, "at": order.captured_at}
    start_on = None if start == order.captured_at else local_day(start, place.time_zone)
    captured = OrderCaptured(customer=order.customer_id, start=start, start_on=start_on, lines=lines)
    work.publish(captured, place, step="order_to_cash.capture", **common)  # type: ignore[arg-type]  # of several types
    work.publish(OrderValidated(), place, step="order_to_cash.validate", **common)  # type: ignore[arg-type]  # of several types
    for line in order.lines:
        if line.price_source != OVERRIDE:
            continue
        override = OrderPriceOverridden(
            line=line.id, old=line.resolved_price or 0, new=line.unit_price, reason=line.price_reason or ""
        )
        work.publish(override, place, step="order_to_cash.capture", **common)  # type: ignore[arg-type]  # of several types
    promises = [
        LinePromise(line=line.id, day=line.promised_on, basis=line.basis, reason=line.promise_reason)
        for line in order.lines
    ]
    work.publish(OrderPromised(lines=promises), place, step="order_to_cash.promise", **common)  # type: ignore[arg-type]  # of several types
    record_move(work, "order", order.id, "capture", None, OrderState.CAPTURED, at=order.captured_at)
