"""Stock for programs: balances, and receiving, adjusting, counting through the services that screens use."""

from __future__ import annotations

from pydantic import Field

from app.api.framework import operation
from app.api.lists import listed, only, part_of, which
from app.api.v1.numbers import Key, as_amount, as_quantity, fresh, pointing
from app.api.values import Amount, Answer, Body, Page, PageQuery, Quantity, Realm
from app.composition.core_approvals import BY_RULES
from app.composition.request import reader
from app.composition.trading import cells, rules
from app.queries.places import realm_of_site
from app.queries.stock import STOCK, StockRow, stock_place
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.inventory.adjusting import Adjust, CountStock, adjust, count_stock
from erpcore.inventory.stock import ChangeStock, receive_stock
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork

TAG = "Stock"


class BalanceAnswer(Answer):
    """One item at one site. `costing`: standard, average or fifo. `value` null: all of it came at unknown cost, or the token may not see costs."""

    site_id: int
    site: str
    item_id: int
    item: str
    unit: str
    on_hand: Quantity
    reserved: Quantity
    available: Quantity
    at_unknown_cost: Quantity
    value: Amount | None
    currency: str
    costing: str


class AdjustmentAnswer(BalanceAnswer):
    """The balance after an adjustment. `waits`: it is worth more than the site's limit, and somebody else approves it first."""

    adjustment: int
    waits: bool


class BalanceQuery(PageQuery):
    """Which places."""

    realm: Realm = "live"
    short: bool = only("places where nothing is available")
    unvalued: bool = only("places with something at unknown cost")
    blocked: bool = only("places with something that may not be sold")
    text: str = part_of("the item's code or name")
    site: Key | None = which("Only what lies at this site.")


class ChangeBody(Body):
    """So much more (or less) of an item at a site, and why."""

    site: Key
    item: Key
    quantity: Quantity
    reason: str = Field(min_length=1, max_length=200)


class AdjustBody(ChangeBody):
    """So much more (or less) than the book says, why, and where it lies; `location` null: the default place."""

    reason_code: str = Field("other", max_length=16)
    location: Key | None = None
    lot: Key | None = None
    status: str = Field("available", max_length=12)


class CountBody(Body):
    """What was found at a blind count."""

    site: Key
    item: Key
    found: Quantity
    planned: bool = True


class CountAnswer(Answer):
    """How far the book was off, and what is there now. `adjustment`: above the site's limit, somebody else decides on it."""

    difference: Quantity
    adjustment: int | None
    balance: BalanceAnswer


def _balance(row: StockRow) -> BalanceAnswer:
    told = row.value_minor is not None and actor().may(Permission.COST_READ)
    return BalanceAnswer(
        site_id=row.site_id, site=row.site, item_id=row.item_id, item=row.code, unit=row.unit, on_hand=row.on_hand,
        reserved=row.reserved, available=row.available, at_unknown_cost=row.unvalued,
        value=as_amount(row.value_minor or 0, row.currency) if told else None, currency=row.currency, costing=row.method,
    )  # fmt: skip


def _read(work: UnitOfWork, site: int, item: int) -> BalanceAnswer:
    return _balance(stock_place(fresh(work), work.actor, site, item).row)


@operation(
    "GET", "/stock", permission=Permission.STOCK_READ, summary="List stock balances", tag=TAG, query=BalanceQuery,
    answer=Page[BalanceAnswer],
)  # fmt: skip
def list_stock(query: BalanceQuery) -> Page[BalanceAnswer]:
    return listed(STOCK, query, _balance, key=lambda row: (row.site_id, row.item_id))


@operation(
    "GET", "/sites/{site_id}/stock/{item_id}", permission=Permission.STOCK_READ, summary="One balance", tag=TAG,
    answer=BalanceAnswer,
)  # fmt: skip
def show_stock(site_id: int, item_id: int) -> BalanceAnswer:
    return _balance(stock_place(reader(), actor(), site_id, item_id).row)


def _change(work: UnitOfWork, body: ChangeBody) -> ChangeStock:
    work.realm = realm_of_site(work.session, work.actor, body.site)
    return ChangeStock(site=body.site, item=body.item, quantity=body.quantity, note=body.reason)


@operation(
    "POST", "/stock/receipts", permission=Permission.STOCK_RECEIVE, summary="Receive goods", tag=TAG, body=ChangeBody,
    answer=BalanceAnswer, status=201, example={"site": 1001, "item": 1004, "quantity": "50", "reason": "delivery note 771"},
)  # fmt: skip
def receive_goods(work: UnitOfWork, body: ChangeBody) -> BalanceAnswer:
    if body.quantity <= 0:
        raise RuleBroken("quantity_not_received", field="quantity")
    with pointing():
        receive_stock(work, [_change(work, body)], rules=rules(), cells=cells())
    return _read(work, body.site, body.item)


@operation(
    "POST", "/stock/adjustments", permission=Permission.STOCK_ADJUST, summary="Adjust stock", tag=TAG, body=AdjustBody,
    answer=AdjustmentAnswer, status=201, example={"site": 1001, "item": 1004, "quantity": "-2", "reason": "broken on the shelf"},
)  # fmt: skip
def adjust_goods(work: UnitOfWork, body: AdjustBody) -> AdjustmentAnswer:
    work.realm = realm_of_site(work.session, work.actor, body.site)
    command = Adjust(
        site=body.site, item=body.item, quantity=body.quantity, reason=body.reason_code, note=body.reason,
        location=body.location, lot=body.lot, status=body.status,
    )  # fmt: skip
    with pointing():
        (done,) = adjust(work, [command], rules=rules(), cells=cells(), authority=BY_RULES)
    balance = _read(work, body.site, body.item)
    return AdjustmentAnswer(adjustment=done.id, waits=done.waits, **dict(balance))


@operation(
    "POST", "/stock/counts", permission=Permission.STOCK_COUNT, summary="Record a blind count", tag=TAG, body=CountBody,
    answer=CountAnswer, status=201, example={"site": 1001, "item": 1004, "found": "97"},
)  # fmt: skip
def count_goods(work: UnitOfWork, body: CountBody) -> CountAnswer:
    if body.found < 0:
        raise RuleBroken("found_negative", field="found")
    work.realm = realm_of_site(work.session, work.actor, body.site)
    command = CountStock(site=body.site, item=body.item, counted=body.found, planned=body.planned)
    with pointing():
        (difference,) = count_stock(work, [command], rules=rules(), cells=cells(), authority=BY_RULES)
    return CountAnswer(
        difference=as_quantity(difference.quantity), adjustment=difference.adjustment, balance=_read(work, body.site, body.item)
    )  # fmt: skip
