"""What stock is worth, for programs: methods of sites, cost layers, late costs."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from app.api.framework import operation
from app.api.lists import OneOf, listed, part_of, which
from app.api.v1.numbers import Key, as_amount, fresh
from app.api.values import Amount, Answer, Body, Page, PageQuery, Quantity, UnitPrice
from app.composition.request import reader
from app.queries.costing import (
    LATE_COSTS,
    Choice,
    CostedSite,
    LateCostRow,
    costed_sites,
    costing_of_site,
    late_cost_page,
    layers_page,
)
from app.queries.goods_receipts import receipt_page
from app.queries.stock import stock_place
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.inventory.cost_kinds import CostMethod, LateCostKind
from erpcore.inventory.costing.choosing import ChooseCosting, choose_costing
from erpcore.inventory.costing.late import AddLateCost, add_late_costs
from erpcore.kernel.actor import Actor
from erpcore.kernel.model import PRICE_PLACES
from erpcore.kernel.work import UnitOfWork

TAG = "Costing"


class CostingQuery(Body):
    """Which sites."""

    realm: str | None = which("Only of this realm; without it, of all of them.")


class SiteCostingAnswer(Answer):
    """How a site values its stock. `choice` 0: it never chose, and values at standard cost."""

    site_id: int
    site: str
    method: str
    choice: int
    since: datetime | None
    reason: str | None
    value: Amount
    currency: str


class SiteCostingList(Answer):
    """Every site that may hold goods."""

    count: int
    items: list[SiteCostingAnswer]


class ChoiceAnswer(Answer):
    """A method that a site chose; `revalued`: what its stock was worth more by that."""

    id: int
    method: str
    since: datetime
    reason: str
    revalued: Amount
    chosen_by: int


class SiteCostingDetail(SiteCostingAnswer):
    """With all that it chose, the newest first."""

    history: list[ChoiceAnswer]


class ChooseBody(Body):
    """The method from now on. `seen`: the `choice` that the program read; another one meanwhile is a conflict."""

    method: CostMethod
    reason: str = Field(min_length=1, max_length=200)
    seen: int | None = Field(None, ge=0)


class LayerAnswer(Answer):
    """Goods that came together: how many are left, worth exactly this. The first to come are the first to go."""

    id: int
    came_at: datetime
    document_type: str
    document_id: int
    quantity: Quantity
    left: Quantity
    unit_cost: UnitPrice | None
    value: Amount


class StepAnswer(Answer):
    """What happened to a layer: `came`, `went`, `late` (it cost more or less) or `ended`."""

    id: int
    layer: int
    at: datetime
    reason: str
    document_id: int
    quantity: Quantity
    value: Amount


class LayersQuery(Body):
    """Where the steps go on."""

    before: int | None = Field(None, ge=1, description="`older` of the part before: only steps before that one.")


class LayersAnswer(Answer):
    """What an item at a site lies in. `older` null: no steps before these."""

    method: str
    on_hand: Quantity
    value: Amount | None
    currency: str
    layers: list[LayerAnswer]
    used_up: int
    steps: list[StepAnswer]
    older: int | None


class LateCostQuery(PageQuery):
    """Which late costs."""

    kind: Annotated[str | None, OneOf(tuple(LateCostKind))] = which("Only those for this.")
    text: str = part_of("the receipt's number, the paper or the note")
    site: Key | None = which("Of this site.")
    realm: str | None = which("Only of this realm; without it, of all of them.")


class LateCostAnswer(Answer):
    """A late cost: `stock` of it is on goods still here, `sold` was cost of sales of `entry_on`."""

    id: int
    receipt_id: int
    receipt: str
    paper: str
    kind: str
    basis: str
    note: str | None
    site_id: int
    entry_on: date
    amount: Amount
    stock: Amount
    sold: Amount
    currency: str


class LatePartAnswer(Answer):
    """The part of one item; `here`: how many of those that came were still there."""

    item_id: int
    item: str
    quantity: Quantity
    here: Quantity
    stock: Amount
    sold: Amount


class LateCostDetail(LateCostAnswer):
    """With the part of each item."""

    parts: list[LatePartAnswer]


class LateCostBody(Body):
    """What a receipt's goods cost more (a minus: less), in the company's currency, and by which paper."""

    amount: Amount
    paper: str = Field(min_length=1, max_length=120)
    kind: Literal["freight", "duty", "price", "other"] = "freight"
    basis: Literal["value", "quantity"] = "value"
    note: str | None = Field(None, max_length=200)


def _site(found: CostedSite) -> dict[str, object]:
    choice = found.choice
    return {
        "site_id": found.site.id, "site": found.site.name, "method": found.method, "choice": choice.id if choice else 0,
        "since": choice.since if choice else None, "reason": choice.reason if choice else None,
        "value": as_amount(found.value_minor, found.site.currency), "currency": found.site.currency,
    }  # fmt: skip


def _detail(found: CostedSite, history: list[Choice]) -> SiteCostingDetail:
    chosen = [
        ChoiceAnswer(
            id=one.id, method=one.method, since=one.since, reason=one.reason, chosen_by=one.chosen_by,
            revalued=as_amount(one.revalued_minor, found.site.currency),
        )
        for one in history
    ]  # fmt: skip
    return SiteCostingDetail.model_validate(_site(found) | {"history": chosen})


@operation(
    "GET", "/costing", permission=Permission.COST_READ, summary="How sites value their stock", tag=TAG, query=CostingQuery,
    answer=SiteCostingList,
)  # fmt: skip
def list_costing(query: CostingQuery) -> SiteCostingList:
    rows = [
        SiteCostingAnswer.model_validate(_site(one)) for one in costed_sites(reader(), actor(), query.realm or None)
    ]
    return SiteCostingList(count=len(rows), items=rows)


@operation(
    "GET", "/sites/{site_id}/costing", permission=Permission.COST_READ, summary="How a site values its stock", tag=TAG,
    answer=SiteCostingDetail,
)  # fmt: skip
def show_costing(site_id: int) -> SiteCostingDetail:
    return _detail(*costing_of_site(reader(), actor(), site_id))


@operation(
    "POST", "/sites/{site_id}/costing", permission=Permission.COSTING_CHOOSE, summary="Value a site's stock by another method",
    tag=TAG, body=ChooseBody, answer=SiteCostingDetail, example={"method": "fifo", "reason": "agreed with the auditor"},
)  # fmt: skip
def choose_site_costing(work: UnitOfWork, site_id: int, body: ChooseBody) -> SiteCostingDetail:
    """What is there goes on at what it is worth; at standard cost it is revalued, and the difference posted."""
    found, _ = costing_of_site(work.session, work.actor, site_id)
    work.realm = found.site.realm
    command = ChooseCosting(site=site_id, method=body.method, reason=body.reason, seen=body.seen)
    choose_costing(work, [command])
    return _detail(*costing_of_site(fresh(work), work.actor, site_id))


@operation(
    "GET", "/sites/{site_id}/stock/{item_id}/layers", permission=Permission.COST_READ, summary="What an item at a site is worth",
    tag=TAG, query=LayersQuery, answer=LayersAnswer,
)  # fmt: skip
def show_layers(site_id: int, item_id: int, query: LayersQuery) -> LayersAnswer:
    row = stock_place(reader(), actor(), site_id, item_id).row
    page = layers_page(reader(), actor(), site_id, item_id, before=query.before)
    layers = [
        LayerAnswer(
            id=one.id, came_at=one.came_at, document_type=one.document_type, document_id=one.document_id, quantity=one.quantity,
            left=one.left, value=as_amount(one.value_minor, row.currency),
            unit_cost=None if one.unit_cost_minor is None else _unit(one.value_minor, one.left, row.currency),
        )
        for one in page.layers
    ]  # fmt: skip
    steps = [
        StepAnswer(
            id=one.id, layer=one.layer, at=one.at, reason=one.reason, document_id=one.document_id, quantity=one.quantity,
            value=as_amount(one.value_minor, row.currency),
        )
        for one in page.steps
    ]  # fmt: skip
    return LayersAnswer(
        method=row.method, on_hand=row.on_hand, currency=row.currency, layers=layers, used_up=page.used_up, steps=steps,
        value=None if row.value_minor is None else as_amount(row.value_minor, row.currency), older=page.older,
    )  # fmt: skip


def _unit(minor: int, left: Decimal, currency: str) -> Decimal:
    return (as_amount(minor, currency) / left).quantize(Decimal(1).scaleb(-PRICE_PLACES))


def _late(row: LateCostRow) -> dict[str, object]:
    return {
        "id": row.id, "receipt_id": row.receipt_id, "receipt": row.receipt, "paper": row.paper, "kind": row.kind,
        "basis": row.basis, "note": row.note, "site_id": row.site_id, "entry_on": row.entry_on,
        "amount": as_amount(row.amount_minor, row.currency), "stock": as_amount(row.stock_minor, row.currency),
        "sold": as_amount(row.sold_minor, row.currency), "currency": row.currency,
    }  # fmt: skip


@operation(
    "GET", "/late-costs", permission=Permission.COST_READ, summary="List late costs", tag=TAG, query=LateCostQuery,
    answer=Page[LateCostAnswer],
)  # fmt: skip
def list_late_costs(query: LateCostQuery) -> Page[LateCostAnswer]:
    return listed(LATE_COSTS, query, lambda row: LateCostAnswer.model_validate(_late(row)))


def _late_detail(session: Session, who: Actor, key: int) -> LateCostDetail:
    row, parts = late_cost_page(session, who, key)
    shares = [
        LatePartAnswer(
            item_id=one.item_id, item=one.code, quantity=one.quantity, here=one.here,
            stock=as_amount(one.stock_minor, row.currency), sold=as_amount(one.sold_minor, row.currency),
        )
        for one in parts
    ]  # fmt: skip
    return LateCostDetail.model_validate(_late(row) | {"parts": shares})


@operation(
    "GET", "/late-costs/{cost_id}", permission=Permission.COST_READ, summary="One late cost", tag=TAG, answer=LateCostDetail,
)  # fmt: skip
def show_late_cost(cost_id: int) -> LateCostDetail:
    return _late_detail(reader(), actor(), cost_id)


@operation(
    "POST", "/goods-receipts/{receipt_id}/late-costs", permission=Permission.LATE_COST_ADD, summary="Add what goods cost more",
    tag=TAG, body=LateCostBody, answer=LateCostDetail, status=201, example={"amount": "120.00", "paper": "FR 8871", "kind": "freight"},
)  # fmt: skip
def add_late_cost(work: UnitOfWork, receipt_id: int, body: LateCostBody) -> LateCostDetail:
    """What is still here is worth more; of what has left it is cost of sales of today."""
    receipt, _ = receipt_page(work.session, work.actor, receipt_id)
    work.realm = receipt.realm
    command = AddLateCost(receipt=receipt_id, **dict(body))
    (done,) = add_late_costs(work, [command])
    return _late_detail(fresh(work), work.actor, done.id)
