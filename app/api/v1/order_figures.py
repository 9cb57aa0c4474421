"""What an order would be if it were captured now, for programs: availability, promise, price, credit, and what to say. Nothing is
kept.
"""

from __future__ import annotations

from datetime import date

from app.api.framework import operation
from app.api.v1.letter_texts import Words
from app.api.v1.numbers import as_amount
from app.api.v1.order_models import LineBody, OrderBody
from app.api.values import Amount, Answer, Quantity, UnitPrice
from app.composition.letters import words_for
from app.composition.trading import cells
from app.messages import sentence
from app.queries.asked_orders import customer_by_id, items_of
from app.queries.order_entry import AskedLine, CustomerPick, QuotedLine, quote_order
from app.queries.order_words import situations_typed
from app.queries.places import SitePick, sites_seen
from app.security.permissions import Permission
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork

TAG = "Orders"


class FiguresOfLine(Answer):
    """What a line would be. `unit_price` null: no rule gives one; `available` null: no stock is kept; `days_late`: the promise after
    the wish; `margin_permille` null: unknown, or the token may not see costs.
    """

    item_id: int
    item: str
    unit: str
    available: Quantity | None
    is_short: bool
    promised_on: date
    promise_reason: str
    days_late: int
    unit_price: UnitPrice | None
    price_source: str
    value: Amount | None
    tax: Amount | None
    is_below_floor: bool
    margin_permille: int | None


class OrderFigures(Answer):
    """The whole order. `closed`: why it would not be taken here; `over_limit`: how far release would take the customer over the
    limit; `approval`: the level that would have to approve its prices.
    """

    currency: str
    value: Amount
    tax: Amount | None
    committed_on: date | None
    exposure: Amount
    credit_limit: Amount | None
    over_limit: Amount | None
    approval: str | None
    rush_charge: Amount | None
    rush_refused: str | None
    closed: str | None
    lines: list[FiguresOfLine]
    words: list[Words]


@operation(
    "POST", "/order-figures", permission=Permission.ORDER_CAPTURE, summary="What an order would be, without capturing it", tag=TAG,
    body=OrderBody, answer=OrderFigures,
    example={"site": 1001, "channel": 1002, "customer": 1003, "lines": [{"item": 1004, "quantity": "12"}]},
)  # fmt: skip
def show_order_figures(work: UnitOfWork, body: OrderBody) -> OrderFigures:
    """Nothing is kept."""
    site = next((one for one in sites_seen(work.session, work.actor) if one.id == body.site), None)
    if site is None:
        raise NotFound("site_unknown", field="site", site=body.site)
    customer = _customer(work, site, body.customer)
    _check_items(work, site, body.lines)
    quote = quote_order(
        work.session, work.actor, work.now, site=site.id, realm=site.realm, channel=body.channel, customer=customer,
        lines=[_asked(line, body) for line in body.lines], cells=cells(),
    )  # fmt: skip
    code, rush, lines = quote.currency, quote.rush, [line for line in quote.lines if line is not None]
    quantities = [line.quantity for line in body.lines]
    told = work.actor.may(Permission.COST_READ)
    words = words_for(work.session, situations_typed(quote, quantities))
    return OrderFigures(
        currency=code, value=as_amount(quote.net_minor, code), tax=_money(quote.tax_minor, code), committed_on=quote.committed_on,
        exposure=as_amount(quote.exposure_minor, code), credit_limit=_money(quote.credit_limit_minor, code),
        over_limit=as_amount(quote.over_limit_minor, code) if quote.over_limit_minor > 0 else None, approval=quote.approval or None,
        rush_charge=as_amount(rush.net_minor, code) if rush and not rush.refusal else None,
        rush_refused=sentence(rush.refusal) if rush and rush.refusal else None,
        closed=sentence(quote.closed) if quote.closed else None,
        lines=[_line(line, asked.quantity, code, told) for line, asked in zip(lines, body.lines, strict=True)],
        words=[Words(situation=one, body=said) for one, said in words],
    )  # fmt: skip


def _customer(work: UnitOfWork, site: SitePick, customer: int) -> CustomerPick:
    found = customer_by_id(work.session, site.entity_id, customer)
    if found is None:
        raise NotFound("customer_unknown", field="customer", id=customer)
    return found


def _check_items(work: UnitOfWork, site: SitePick, lines: list[LineBody]) -> None:
    known = items_of(work.session, site.entity_id, {line.item for line in lines})
    for number, line in enumerate(lines):
        if line.item not in known:
            raise NotFound("item_unknown", field=f"lines/{number}/item", id=line.item)


def _asked(line: LineBody, head: OrderBody) -> AskedLine:
    return AskedLine(
        item=line.item, quantity=line.quantity, unit_price=line.unit_price,
        requested_on=line.requested_on or head.requested_on, rush=line.rush or head.rush,
    )  # fmt: skip


def _money(minor: int | None, currency: str) -> Amount | None:
    return None if minor is None else as_amount(minor, currency)


def _line(line: QuotedLine, quantity: Quantity, currency: str, told: bool) -> FiguresOfLine:
    return FiguresOfLine(
        item_id=line.item, item=line.code, unit=line.unit, available=line.available if line.has_stock else None,
        is_short=not line.covers(quantity), promised_on=line.promised_on, promise_reason=line.reason, days_late=line.days_late,
        unit_price=line.unit_price, price_source=line.price_source, value=_money(line.net_minor, currency),
        tax=_money(line.tax_minor, currency), is_below_floor=line.margin is not None and line.margin.is_below,
        margin_permille=line.margin.permille if told and line.margin else None,
    )  # fmt: skip
