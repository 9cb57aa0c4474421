"""Prices for programs: rules and their end, a price asked for, and why a line has its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from app.api.companies import in_company
from app.api.framework import operation
from app.api.lists import asked_of, listed, which
from app.api.v1.numbers import Key
from app.api.v1.order_models import AcceptBody
from app.api.values import Answer, Body, Page, PageQuery, Quantity, Realm, UnitPrice
from app.composition.request import now, reader
from app.composition.trading import rules
from app.importers.pricechanges import save_row
from app.importers.pricelists import COLUMNS
from app.queries.line_prices import Candidate, ask_price, line_price
from app.queries.places import entities_seen
from app.queries.prices import (
    KINDS,
    PRICES,
    PriceRow,
    price_row,
)
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.work import UnitOfWork
from erpcore.pricing.services import EndPrice, end_prices

TAG = "Prices"


class Standing(StrEnum):
    """Whether rules hold."""

    NOW = "now"
    LATER = "later"
    ENDED = "ended"
    ALL = "all"


class PriceAnswer(Answer):
    """A rule by the codes that lists use: a `unit_price`, or a `discount` as a share of the list price."""

    id: int
    entity_id: int
    kind: str
    item: str | None
    item_group: str | None
    customer: str | None
    customer_group: str | None
    channel: str | None
    minimum_quantity: Quantity
    unit_price: UnitPrice | None
    discount: UnitPrice | None
    currency: str
    valid_from: date
    valid_until: date | None
    reference: str | None
    price_list_id: int | None


class PriceQuery(PageQuery):
    """Which rules: of the live companies, unless a realm or a company is named."""

    realm: Realm = "live"
    entity: Key | None = None
    customer_group: Key | None = which("Only those for this group of customers.")
    channel: Key | None = None
    kind: str | None = Field(None, description="One of " + ", ".join(KINDS))
    standing: Standing = Standing.NOW
    text: str | None = Field(None, max_length=120, description="A part of the item, customer or reference.")


class PriceBody(Body):
    """A price by codes, as a row of a list. `accept` answers a confirmation that another person is asked."""

    entity: Key
    kind: str = Field(max_length=12, description="One of " + ", ".join(KINDS))
    item: str = Field("", max_length=120)
    item_group: str = Field("", max_length=120)
    customer: str = Field("", max_length=120)
    customer_group: str = Field("", max_length=120)
    channel: str = Field("", max_length=120)
    minimum_quantity: Quantity | None = None
    unit_price: UnitPrice | None = None
    discount_percent: UnitPrice | None = None
    valid_from: date
    valid_until: date | None = None
    reference: str = Field("", max_length=120)
    accept: list[AcceptBody] = Field(default_factory=list, max_length=5)


class SavedAnswer(Answer):
    """The rule that holds, or the list that waits for somebody else."""

    price: PriceAnswer | None
    waits_as_list: int | None
    approval_rule: str | None = Field(None, description="By which rules of approval it needed nobody")


class EndBody(Body):
    """The first day on which the rule no longer holds."""

    on: date


class CheckQuery(Body):
    """What a price is asked for."""

    item: Key
    customer: Key | None = None
    channel: Key | None = None
    quantity: Quantity = Field(Decimal(1), gt=0)
    on: date | None = None


class CandidateAnswer(Answer):
    """A rule that fitted, and the price it gave."""

    rule: int
    kind: str
    unit_price: UnitPrice


class CheckAnswer(Answer):
    """A price with what it came from. `cost`, `floor` and what follows from them are null for callers who may not see costs."""

    unit_price: UnitPrice | None
    list_price: UnitPrice | None
    currency: str
    winner: CandidateAnswer | None
    losers: list[CandidateAnswer]
    lowest_without_approval: UnitPrice | None
    cost: UnitPrice | None
    floor: UnitPrice | None
    margin_permille: int | None


class LinePriceAnswer(Answer):
    """How a line came to its price, as it was kept at that time. `cost` and `floor` are null for callers who may not see costs."""

    unit_price: UnitPrice
    source: str
    currency: str
    list_price: UnitPrice | None
    resolved_price: UnitPrice | None
    reason: str | None
    winner: CandidateAnswer | None
    losers: list[CandidateAnswer]
    cost: UnitPrice | None
    floor: UnitPrice | None
    margin_permille: int | None
    held_since: datetime | None
    released_at: datetime | None
    released_by: int | None
    release_reason: str | None


def _price(row: PriceRow) -> PriceAnswer:
    return PriceAnswer(
        item=row.item_code or None, item_group=row.item_group_code or None, customer=row.customer_code or None,
        customer_group=row.customer_group_code or None, channel=row.channel_code or None, reference=row.reference or None,
        **{
            name: getattr(row, name)
            for name in (
                "id", "entity_id", "kind", "minimum_quantity", "unit_price", "discount", "currency", "valid_from", "valid_until",
                "price_list_id",
            )
        },
    )  # fmt: skip


@operation("GET", "/prices", permission=Permission.MASTERDATA_READ, summary="List price rules", tag=TAG, query=PriceQuery, answer=Page[PriceAnswer])  # fmt: skip
def list_price_rules(query: PriceQuery) -> Page[PriceAnswer]:
    entities = entities_seen(reader(), actor())
    realm = next((one.realm for one in entities if one.id == query.entity), query.realm)
    asked = replace(asked_of(query, standing=query.standing.value), realm=realm)
    return listed(PRICES, query, _price, asked=asked)


@operation("GET", "/prices/{rule_id}", permission=Permission.MASTERDATA_READ, summary="One price rule", tag=TAG, answer=PriceAnswer)  # fmt: skip
def show_price_rule(rule_id: int) -> PriceAnswer:
    return _price(price_row(reader(), actor(), rule_id))


@operation(
    "POST", "/prices", permission=Permission.PRICE_CHANGE, summary="Save a price", tag=TAG, body=PriceBody, answer=SavedAnswer,
    status=201,
    example={"entity": 1001, "kind": "list", "item": "40-0", "unit_price": "10.50", "valid_from": "2027-01-01"},
)  # fmt: skip
def save_price_rule(work: UnitOfWork, body: PriceBody) -> SavedAnswer:
    entity = in_company(work, body.entity)
    typed = {name: getattr(body, name, None) for name in COLUMNS}
    row = {name: "" if value is None else _text(value) for name, value in typed.items()} | {"currency": entity.currency}
    accepted = {one.code: one.reason for one in body.accept}
    saved = save_row(work, entity.id, row, rules=rules(), accepted=accepted)
    found = None if saved.rule is None else _price(price_row(work.session, work.actor, saved.rule))
    return SavedAnswer(price=found, waits_as_list=saved.waits, approval_rule=saved.said or None)


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else str(value)


@operation(
    "POST", "/prices/{rule_id}/end", permission=Permission.PRICE_CHANGE, summary="End a price", tag=TAG, body=EndBody,
    answer=PriceAnswer, example={"on": "2027-01-01"},
)  # fmt: skip
def end_price_rule(work: UnitOfWork, rule_id: int, body: EndBody) -> PriceAnswer:
    price_row(work.session, work.actor, rule_id)
    end_prices(work, [EndPrice(rule=rule_id, on=body.on)])
    work.session.expire_all()
    return _price(price_row(work.session, work.actor, rule_id))


def _candidates(found: list[Candidate]) -> list[CandidateAnswer]:
    return [CandidateAnswer(rule=one.id, kind=one.kind, unit_price=one.unit_price) for one in found]


@operation("GET", "/price-check", permission=Permission.MASTERDATA_READ, summary="Ask for a price", tag=TAG, query=CheckQuery, answer=CheckAnswer)  # fmt: skip
def check_price(query: CheckQuery) -> CheckAnswer:
    found = ask_price(
        reader(), actor(), now(), item=query.item, customer=query.customer, channel=query.channel, quantity=query.quantity,
        on=query.on,
    )  # fmt: skip
    sees = actor().may(Permission.COST_READ)
    return CheckAnswer(
        unit_price=found.unit_price, list_price=found.list_price, currency=found.currency,
        winner=_candidates([found.winner])[0] if found.winner else None, losers=_candidates(list(found.losers)),
        lowest_without_approval=found.lowest if sees else None, cost=found.cost if sees else None, floor=found.floor if sees else None,
        margin_permille=found.margin_permille if sees else None,
    )  # fmt: skip


@operation(
    "GET", "/orders/{order_id}/lines/{line_id}/price", permission=Permission.ORDER_READ, summary="Why a line has its price",
    tag=TAG, answer=LinePriceAnswer,
)  # fmt: skip
def show_line_price(order_id: int, line_id: int) -> LinePriceAnswer:
    found = line_price(reader(), actor(), order_id, line_id)
    sees, hold = actor().may(Permission.COST_READ), found.holds[-1] if found.holds else None
    return LinePriceAnswer(
        unit_price=found.unit_price, source=found.source, currency=found.currency, list_price=found.list_price,
        resolved_price=found.resolved, reason=found.reason, winner=_candidates([found.winner])[0] if found.winner else None,
        losers=_candidates(list(found.losers)), cost=found.cost if sees else None, floor=found.floor if sees else None,
        margin_permille=found.margin_permille if sees else None, held_since=hold.since if hold else None,
        released_at=hold.released_at if hold else None, released_by=(hold.released_by or None) if hold else None,
        release_reason=hold.reason if hold else None,
    )  # fmt: skip
