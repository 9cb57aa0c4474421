"""Items for programs: what there is of each, its packs, how it is tracked and sold, and changes of what is expected."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from app.api.framework import operation
from app.api.lists import OneOf, listed, only, part_of, which
from app.api.v1.numbers import pointing
from app.api.v1.warehouse_models import ExpectedAnswer, expected_answer
from app.api.values import Answer, Body, Page, PageQuery, Quantity, Realm, UnitPrice
from app.composition.request import reader
from app.composition.trading import cells, rules
from app.queries.items import CLASSES, ITEMS, KINDS, TRACKINGS, ItemPage, ItemRow, item_page
from app.queries.warehouse import expected_rows
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.inventory.places import KeepItem, keep_item
from erpcore.inventory.receiving import ChangeExpected, change_expected
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.units import AddPack, add_packs

TAG = "Items"


class ItemAnswer(Answer):
    """An item with what there is of it at all sites that the token sees. `blocked_stock` may not be sold."""

    id: int
    code: str
    name: str
    unit: str
    kind: str
    tracking: str
    class_: str | None = Field(serialization_alias="class")
    is_blocked: bool
    on_hand: Quantity
    reserved: Quantity
    blocked_stock: Quantity
    free: Quantity
    in_transit: Quantity
    expected: Quantity


class PackOfItem(Answer):
    """A pack: `denominator` of them hold `numerator` of the item's own unit."""

    code: str
    name: str
    numerator: int
    denominator: int
    barcode: str | None


class SiteOfItem(Answer):
    """What there is at one site."""

    site_id: int
    site: str
    on_hand: Quantity
    reserved: Quantity
    blocked_stock: Quantity
    in_transit: Quantity
    free: Quantity


class HolderOfItem(Answer):
    """An order line that holds stock."""

    order: int
    number: str
    line: int
    site: str
    quantity: Quantity


class ItemDetailAnswer(Answer):
    """One item: master data, packs, sites, who holds it. `standard_cost` null: unknown, or the token may not see costs."""

    id: int
    code: str
    name: str
    unit: str
    places: int
    kind: str
    tracking: str
    order_multiple: Quantity | None
    standard_cost: UnitPrice | None
    is_blocked: bool
    packs: list[PackOfItem]
    sites: list[SiteOfItem]
    holders: list[HolderOfItem]


class ItemQuery(PageQuery):
    """Which items."""

    realm: Realm = "live"
    none_free: bool = only("stock items of which nothing is free")
    blocked: bool = only("those that are not sold any more")
    tracking: Annotated[str | None, OneOf(TRACKINGS)] = None
    text: str = part_of("the code or name; a barcode only as a whole")
    kind: Annotated[str | None, OneOf(KINDS)] = None
    abc: Annotated[str | None, OneOf(CLASSES)] = which("`-`: of no class.")


class PackBody(Body):
    """`denominator` packs hold `numerator` of the item's own unit."""

    code: str = Field(min_length=1, max_length=12)
    name: str = Field(min_length=1, max_length=120)
    numerator: int = Field(ge=1, le=1_000_000)
    denominator: int = Field(1, ge=1, le=1_000_000)
    barcode: str | None = Field(None, max_length=120)


class KeepBody(Body):
    """How an item is tracked (`none`, `lot`, `serial`), and in which multiples it is sold."""

    tracking: str = Field(max_length=8)
    order_multiple: Quantity | None = None


class ExpectedChangeBody(Body):
    """Another day, or how much of it will not come. `version`: as it was read."""

    expected_on: date | None = None
    cancelled: Quantity | None = None
    version: int | None = None


def _item(row: ItemRow) -> ItemAnswer:
    return ItemAnswer(
        id=row.id, code=row.code, name=row.name, unit=row.unit, kind=row.kind, tracking=row.tracking, class_=row.abc,
        is_blocked=row.is_blocked, on_hand=row.on_hand, reserved=row.reserved, blocked_stock=row.blocked, free=row.free,
        in_transit=row.in_transit, expected=row.coming,
    )  # fmt: skip


def _detail(page: ItemPage, *, costs: bool) -> ItemDetailAnswer:
    return ItemDetailAnswer(
        id=page.id, code=page.code, name=page.name, unit=page.unit, places=page.places, kind=page.kind, tracking=page.tracking,
        order_multiple=page.order_multiple, standard_cost=page.standard_cost if costs else None, is_blocked=page.is_blocked,
        packs=[PackOfItem(**pack._asdict()) for pack in page.packs],
        sites=[
            SiteOfItem(
                site_id=row.site_id, site=row.site, on_hand=row.on_hand, reserved=row.reserved, blocked_stock=row.blocked,
                in_transit=page.transit.get(row.site_id, Decimal(0)), free=row.available,
            )
            for row in page.sites
        ],
        holders=[
            HolderOfItem(order=one.order_id, number=one.number, line=one.line_no, site=one.site, quantity=one.quantity)
            for one in page.keepers
        ],
    )  # fmt: skip


@operation(
    "GET", "/items", permission=Permission.STOCK_READ, summary="List items with their stock", tag=TAG, query=ItemQuery,
    answer=Page[ItemAnswer],
)  # fmt: skip
def list_items(query: ItemQuery) -> Page[ItemAnswer]:
    return listed(ITEMS, query, _item)


@operation(
    "GET", "/items/{item_id}", permission=Permission.STOCK_READ, summary="One item", tag=TAG, answer=ItemDetailAnswer
)
def show_item(item_id: int) -> ItemDetailAnswer:
    return _detail(item_page(reader(), actor(), item_id), costs=actor().may(Permission.COST_READ))


def _changed(work: UnitOfWork, item: int) -> ItemDetailAnswer:
    work.session.expire_all()
    return _detail(item_page(work.session, work.actor, item), costs=work.actor.may(Permission.COST_READ))


def _seen(work: UnitOfWork, item: int) -> None:
    """The item is one of a company of whose sites the token sees one."""
    work.realm = item_page(work.session, work.actor, item).realm


@operation(
    "POST", "/items/{item_id}/packs", permission=Permission.MASTERDATA_CHANGE, summary="Add a pack", tag=TAG, body=PackBody,
    answer=ItemDetailAnswer, status=201, example={"code": "box", "name": "Box of 12", "numerator": 12, "barcode": "4012345678901"},
)  # fmt: skip
def add_pack(work: UnitOfWork, item_id: int, body: PackBody) -> ItemDetailAnswer:
    _seen(work, item_id)
    with pointing():
        add_packs(work, [AddPack(item=item_id, **dict(body))])
    return _changed(work, item_id)


@operation(
    "POST", "/items/{item_id}/keeping", permission=Permission.MASTERDATA_CHANGE, summary="Change how an item is tracked and sold",
    tag=TAG, body=KeepBody, answer=ItemDetailAnswer, example={"tracking": "lot", "order_multiple": "6"},
)  # fmt: skip
def change_keeping(work: UnitOfWork, item_id: int, body: KeepBody) -> ItemDetailAnswer:
    _seen(work, item_id)
    with pointing():
        keep_item(work, KeepItem(item=item_id, tracking=body.tracking, order_multiple=body.order_multiple))
    return _changed(work, item_id)


@operation(
    "POST", "/expected-receipts/{expected_id}/changes", permission=Permission.RECEIPT_EXPECT,
    summary="Change the day or the quantity of what should come", tag="Warehouse", body=ExpectedChangeBody,
    answer=ExpectedAnswer, example={"expected_on": "2026-12-08", "cancelled": "10"},
)  # fmt: skip
def change_expected_receipt(work: UnitOfWork, expected_id: int, body: ExpectedChangeBody) -> ExpectedAnswer:
    rows = expected_rows(work.session, work.actor, only=expected_id)
    if not rows:
        raise NotFound("expected_unknown", id=expected_id)
    work.realm = rows[0].realm
    command = ChangeExpected(
        expected=expected_id, expected_on=body.expected_on, cancelled=body.cancelled, seen_version=body.version
    )
    with pointing():
        change_expected(work, [command], rules=rules(), cells=cells())
    work.session.expire_all()
    (row,) = expected_rows(work.session, work.actor, only=expected_id)
    return expected_answer(row)
