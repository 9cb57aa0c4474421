"""Files of orders for programs: handed in, looked at order by order, entered once."""

from __future__ import annotations

from datetime import date, datetime
from typing import IO

from pydantic import Field

from app.api.companies import in_company
from app.api.framework import operation
from app.api.lists import REALM, listed, only, part_of
from app.api.v1.numbers import Key, as_amount
from app.api.values import Amount, Answer, Body, Page, PageQuery, Realm
from app.composition.orderfiles import BadRows, OrderFile
from app.composition.request import reader
from app.composition.trading import cells, rules
from app.importers.orderfiles import EnterOrders, PlannedOrder, enter_orders, hand_in, look_again, plan_of
from app.importers.ordersheets import read_orders
from app.importers.sheets import ReadSheet
from app.queries.order_files import ORDER_FILES, OrderFileRow, order_file
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.work import UnitOfWork

TAG = "Orders"


class OrderFileQuery(Body):
    """What the file is, and whose. It is in the columns of the template, which the page has: `order`, `site`, `channel`, `customer`,
    `item` and `quantity` must be there, and rows of one `order` are one.

    For the order: `customer_reference`, `wanted_on`, `ship_to` (the code of an address of the customer's), `rush`. For the row:
    `unit`, `unit_price`, `price_reason`, `line_wanted_on`, `line_ship_to`, `line_rush`, `drop_ship`. `rush` and `drop_ship` are yes or no.
    """

    entity: Key
    file_name: str = Field(max_length=200, description="Its ending says how it is read: .csv or .xlsx.")


class HandedInQuery(PageQuery):
    """Which files of orders. Who does not see all sites sees the own ones."""

    realm: Realm | None = REALM
    waiting: bool = only("those whose orders are not entered yet")
    refused: bool = only("those with orders that were refused")
    text: str = part_of("the file's name")


class FileAnswer(Answer):
    """A file of orders. `orders` that are neither `entered` nor `refused` are new, or were entered before."""

    id: int
    entity_id: int
    file_name: str
    rows: int
    orders: int
    entered: int
    refused: int
    uploaded_at: datetime
    looked_at: datetime
    entered_at: datetime | None
    version: int


class AddedAnswer(Answer):
    """What the rules add to an order: what a rush costs."""

    item: str
    value: Amount


class FileOrderAnswer(Answer):
    """One order of a file: `new`, `entered`, `known` from before, or `refused` with the row that is wrong and why."""

    name: str
    rows: list[int]
    outcome: str
    order_id: int | None
    number: str | None
    value: Amount | None
    currency: str | None
    promised_on: date | None
    added: list[AddedAnswer]
    row: int | None
    code: str | None
    detail: str | None


class FileDetail(FileAnswer):
    """A file with what becomes of its orders, as of `looked_at`."""

    items: list[FileOrderAnswer]


class EnterBody(Body):
    """What bad rows do, and why orders that look like earlier ones are entered all the same."""

    bad_rows: BadRows = Field(
        description="`all_or_nothing`, or `good_ones`: those that are refused stay with their reasons."
    )
    duplicate_reason: str = Field("", max_length=200)


def _file(row: OrderFile | OrderFileRow) -> FileAnswer:
    return FileAnswer(**{name: getattr(row, name) for name in FileAnswer.model_fields})


def _detail(row: OrderFile) -> FileDetail:
    return FileDetail(**dict(_file(row)), items=[_order(one) for one in plan_of(row)])


def _order(one: PlannedOrder) -> FileOrderAnswer:
    return FileOrderAnswer(
        name=one.name, rows=one.rows, outcome=one.outcome, order_id=one.order_id, number=one.number or None,
        value=None if one.value_minor is None else as_amount(one.value_minor, one.currency), currency=one.currency or None,
        promised_on=one.promised, added=[AddedAnswer(item=code, value=as_amount(worth, one.currency)) for code, worth in one.added or ()],
        row=one.row, code=one.code or None, detail=one.text or None,
    )  # fmt: skip


def _read(query: OrderFileQuery, file: IO[bytes]) -> ReadSheet:
    return read_orders(query.file_name, file)


@operation(
    "POST", "/order-files", permission=Permission.ORDER_CAPTURE, summary="Hand a file of orders in to be looked at", tag=TAG,
    query=OrderFileQuery, answer=FileDetail, status=201, takes_file=True, prepare=_read,
)  # fmt: skip
def hand_in_order_file(work: UnitOfWork, query: OrderFileQuery, prepared: ReadSheet) -> FileDetail:
    in_company(work, query.entity)
    return _detail(hand_in(work, query.entity, prepared, rules=rules(), cells=cells()))


@operation("GET", "/order-files", permission=Permission.ORDER_CAPTURE, summary="Files of orders", tag=TAG, query=HandedInQuery, answer=Page[FileAnswer])  # fmt: skip
def list_order_files(query: HandedInQuery) -> Page[FileAnswer]:
    return listed(ORDER_FILES, query, _file)


@operation("GET", "/order-files/{file_id}", permission=Permission.ORDER_CAPTURE, summary="One file of orders", tag=TAG, answer=FileDetail)  # fmt: skip
def show_order_file(file_id: int) -> FileDetail:
    return _detail(order_file(reader(), actor(), file_id)[0])


@operation("POST", "/order-files/{file_id}/look", permission=Permission.ORDER_CAPTURE, summary="Look at a file of orders again", tag=TAG, answer=FileDetail)  # fmt: skip
def look_at_order_file(work: UnitOfWork, file_id: int) -> FileDetail:
    return _detail(look_again(work, file_id, rules=rules(), cells=cells()))


@operation(
    "POST", "/order-files/{file_id}/enter", permission=Permission.ORDER_CAPTURE, summary="Enter the orders of a file", tag=TAG,
    body=EnterBody, answer=FileDetail, versioned=True, example={"bad_rows": "good_ones"},
)  # fmt: skip
def enter_order_file(work: UnitOfWork, file_id: int, version: int, body: EnterBody) -> FileDetail:
    command = EnterOrders(file=file_id, bad_rows=body.bad_rows, version=version, duplicate_reason=body.duplicate_reason)
    return _detail(enter_orders(work, command, rules=rules(), cells=cells()))
