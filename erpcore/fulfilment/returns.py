"""Goods coming back: their request. ``return_deciding`` says whether they may, ``returned_goods`` takes them in, billing credits them.

A return names the sale it reverses where one exists: the latest sale of the item to the customer not yet returned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from erpcore.fulfilment.models import Condition, Disposition, ReturnLine, ReturnOrder, ReturnState
from erpcore.fulfilment.return_deciding import authorise_by_policy
from erpcore.fulfilment.return_policy import delivered_days, judge, kept_as
from erpcore.fulfilment.return_records import (
    COLUMNS,
    LINE_COLUMNS,
    ReturnLineRow,
    ReturnRow,
    line_values,
    return_values,
)
from erpcore.fulfilment.return_sales import Sale, count_returned, sales_of
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotAllowed, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES, scaled_int
from erpcore.kernel.money import exact_amount
from erpcore.kernel.quantity import ABSURD, MOST_WORTH
from erpcore.kernel.rows import write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import ItemKind
from erpcore.masterdata.queries import customers, items, site_facts, tax_rate
from erpcore.masterdata.units import in_own_unit
from erpcore.ports import Cell, CellStates, Process, ProcessRules, admit
from erpcore.published import ReturnRequested

REQUEST = "returns:return:request"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReturnedLine:
    """One item given back. ``order_line`` when the customer names the sale; otherwise the latest open one is taken."""

    item: int
    quantity: Decimal
    unit_price: Decimal | None = None
    order_line: int | None = None
    disposition: Disposition = Disposition.RESTOCK


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestReturn:
    """A customer wants to give goods back. ``fault`` is ours, customer or undecided."""

    site: int
    channel: int
    customer: int
    reason: str
    fault: str
    lines: Sequence[ReturnedLine]
    number: str | None = None
    ship_country: str | None = None
    at: datetime | None = None
    condition: Condition = Condition.UNSTATED


def request_returns(
    work: UnitOfWork, commands: Sequence[RequestReturn], *, rules: ProcessRules, cells: CellStates
) -> list[ReturnRow]:
    """Take down what customers want to give back, each line tied to the sale it reverses, or saying why it is not.

    A line larger than its sale is spread over earlier ones; what no sale covers stays unlinked. Raises ``RuleBroken`` when a
    named sale has less left than is to be returned. What keeps to a policy that asks nobody is authorised at once.
    """
    known = items(work, {line.item for c in commands for line in c.lines})
    buyers = customers(work, {c.customer for c in commands})
    pairs = {
        (c.customer, line.item)
        for c in commands
        for line in c.lines
        if known[line.item].kind != ItemKind.CHARGE and not buyers[c.customer].is_unknown
    }
    sales = sales_of(work, pairs) if pairs else {}
    owners = {sale.line: sale.order for found in sales.values() for sale in found}
    taken: dict[int, int] = {}
    returns: list[ReturnRow] = []
    for command in commands:
        work.actor.require(REQUEST, site=command.site)
        row = _head(work, command, rules, cells)
        for line in command.lines:
            spread(work, row, line, known[line.item].kind, sales.get((command.customer, line.item)), taken)
        ids = work.ids.reserve(len(row.lines))
        for number, part in enumerate(row.lines, 1):
            part.id, part.line_no = next(ids), number * 10
        linked = {owners[part.order_line_id] for part in row.lines if part.order_line_id}
        row.order_id = min(linked) if len(linked) == 1 else None
        returns.append(row)
    _judge(work, returns, rules)
    count_returned(work, taken)
    write_rows(work, ReturnOrder.__table__, COLUMNS, [return_values(r) for r in returns])
    write_rows(work, ReturnLine.__table__, LINE_COLUMNS, [line_values(line) for r in returns for line in r.lines])
    work.memo.setdefault("returns", {}).update((r.id, r) for r in returns)
    for row in returns:
        record_move(work, "return", row.id, "request", None, row.state, at=row.requested_at, reason=row.reason)
        refs = [("order", row.order_id, 1_000_000)] if row.order_id else []
        event = ReturnRequested(reason=row.reason, order=row.order_id, value=row.value)
        work.publish(
            event, row.place(work), step="returns_to_credit.request", subject=("return", row.id, 1), journey=row.id,
            at=row.requested_at, refs=refs,
        )  # fmt: skip
    authorise_by_policy(work, returns)
    return returns


def _judge(work: UnitOfWork, returns: Sequence[ReturnRow], rules: ProcessRules) -> None:
    """Keep with each return what its policy says of it. A file of the past says what was done, whatever the policy."""
    if work.source == "import":
        return
    delivered = delivered_days(work, returns)
    for row in returns:
        days = [delivered[line.order_line_id] for line in row.lines if line.order_line_id in delivered]
        day = local_day(row.requested_at, site_facts(work, row.site_id).time_zone)
        row.judged = kept_as(judge(row, rules.stored(work, row.ruleset), days, day))


def _head(work: UnitOfWork, command: RequestReturn, rules: ProcessRules, cells: CellStates) -> ReturnRow:
    site = site_facts(work, command.site)
    customer = customers(work, {command.customer})[command.customer]
    if customer.entity_id != site.entity.id:
        raise RuleBroken("other_entity", field="customer", customer=customer.code, site=site.code)
    if not command.lines:
        raise RuleBroken("order_empty", field="lines")
    if command.at is not None and not work.is_stated:
        raise NotAllowed("time_not_stated", source=work.source)
    cell = Cell(site.live_id, command.channel, Process.RETURNS_TO_CREDIT, customer.group_id)
    grant = admit(work, cells, site.entity.realm, cell, begins=True)
    ruleset = rules.resolve(
        work, entity=site.entity.live_id, site=site.live_id, channel=command.channel, customer_group=customer.group_id
    )
    key = work.ids.one()
    return ReturnRow(
        id=key, entity_id=site.entity.id, site_id=site.id, channel_id=command.channel, customer_id=customer.id,
        order_id=None, number=command.number or f"RT-{key}", state=ReturnState.REQUESTED, reason=command.reason,
        fault=command.fault, currency=site.entity.currency, ship_country=command.ship_country or customer.country,
        ruleset=ruleset.hash, variants=ruleset.variants, grant_id=grant, requested_at=command.at or work.now, version=1,
        condition=command.condition, judged=None, replacement_id=None, lines=[], customer_group=customer.group_id,
    )  # fmt: skip


def spread(
    work: UnitOfWork,
    row: ReturnRow,
    asked: ReturnedLine,
    kind: str,
    sales: Sequence[Sale] | None,
    taken: dict[int, int],
    *,
    unsold_price: int | None = None,
) -> None:
    """Lay a returned line over the sales it reverses, latest first. ``unsold_price``: of what no sale covers, unless one is stated."""
    item = items(work, {asked.item})[asked.item]
    code = item.code
    if asked.quantity <= 0:
        raise RuleBroken("quantity_not_positive", field="quantity", line=len(row.lines) + 1, item=code)
    if asked.quantity >= ABSURD:
        raise RuleBroken("quantity_absurd", field="quantity", value=str(asked.quantity))
    if asked.unit_price is not None and asked.unit_price < 0:
        raise RuleBroken("price_negative", field="unit_price", line=len(row.lines) + 1)
    if asked.quantity * (asked.unit_price or 0) >= MOST_WORTH:
        raise RuleBroken("value_absurd", field="unit_price", line=len(row.lines) + 1, item=code)
    left = scaled_int(in_own_unit(asked.quantity, None, item.quantity_places), QUANTITY_PLACES)
    disposition = Disposition.NONE if kind != ItemKind.STOCK else asked.disposition
    stated = None if asked.unit_price is None else scaled_int(asked.unit_price, PRICE_PLACES)
    for sale in sales or ():
        if asked.order_line not in (None, sale.line) or (asked.order_line is None and sale.at >= row.requested_at):
            continue
        part = min(left, sale.left - taken.get(sale.line, 0))
        if part <= 0:
            continue
        taken[sale.line] = taken.get(sale.line, 0) + part
        left -= part
        # A file of the past says what was credited then; otherwise the price of the sale stands.
        price = stated if stated is not None and work.source == "import" else sale.price
        row.lines.append(_part(row, asked, part, price, sale.line, sale.tax_rate, disposition, None))
        if not left:
            return
    if asked.order_line is not None:
        raise RuleBroken("return_too_much", field="quantity", item=code)
    stated = unsold_price if stated is None else stated
    if stated is None:
        raise RuleBroken("return_price_missing", field="unit_price", item=code)
    customer = customers(work, {row.customer_id})[row.customer_id]
    item = items(work, {asked.item})[asked.item]
    why = (
        "charge" if kind == ItemKind.CHARGE else "unknown customer" if customer.is_unknown
        else "sales already returned" if any(sale.at < row.requested_at for sale in sales or ()) else "no earlier sale"
    )  # fmt: skip
    day = local_day(row.requested_at, site_facts(work, row.site_id).time_zone)
    rate = tax_rate(
        work, row.entity_id, row.ship_country, customer.tax_class, item.tax_class, day, customer=customer.id
    )
    row.lines.append(_part(row, asked, left, stated, None, rate, disposition, why))


def _part(
    row: ReturnRow,
    asked: ReturnedLine,
    quantity: int,
    price: int,
    sale: int | None,
    rate: int | None,
    disposition: Disposition,
    why: str | None,
) -> ReturnLineRow:
    return ReturnLineRow(
        id=0, return_id=row.id, line_no=0, item_id=asked.item, order_line_id=sale, quantity=quantity, unit_price=price,
        amount=exact_amount(quantity, price), tax_rate=rate, disposition=disposition, unlinked=why, asked=quantity,
    )  # fmt: skip
