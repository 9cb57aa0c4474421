"""Transfer orders for programs: asking another site, its answer, shipping, cancelling. Received like any transfer."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from app.api.framework import check_version, operation
from app.api.lists import listed, only, part_of
from app.api.v1.numbers import Key, fresh, pointing
from app.api.values import Answer, Body, Page, PageQuery, Quantity, Realm
from app.composition.request import reader
from app.composition.trading import cells, rules
from app.queries.places import realm_of_site
from app.queries.transfer_orders import (
    TRANSFER_ORDERS,
    State,
    TransferOrderPage,
    TransferOrderRow,
    transfer_order_page,
)
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.fulfilment.branch.services import (
    AskLine,
    AskTransfer,
    DecideTransfer,
    ShipAsked,
    ask_transfers,
    cancel_asked,
    decide_transfers,
    ship_asked,
)
from erpcore.kernel.work import UnitOfWork

TAG = "Transfer orders"


class TransferOrderAnswer(Answer):
    """What one site asks another for."""

    id: int
    number: str
    state: str
    from_site_id: int
    site_id: int
    wanted_on: date
    promised_on: date
    promise_reason: str
    requested_at: datetime
    version: int


class AskedLineAnswer(Answer):
    id: int
    line_no: int
    item_id: int
    quantity: Quantity
    reserved: Quantity
    shipped: Quantity
    cancelled: Quantity
    arrived: Quantity


class TransferOrderDetail(TransferOrderAnswer):
    """One transfer order with its lines and the transfers shipped for it."""

    lines: list[AskedLineAnswer]
    transfers: list[int]


class TransferOrderQuery(PageQuery):
    """Which transfer orders. `site`: from or to it. `late`: promised for a later day than it was asked for."""

    realm: Realm = "live"
    site: Key | None = None
    state: State | None = None
    late: bool = only("those promised for later than wanted, or past that day")
    text: str = part_of("the number or the note")


class AskedLineBody(Body):
    item: Key
    quantity: Quantity
    unit: str | None = Field(None, max_length=12)


class AskBody(Body):
    """What a site needs of another. Without `wanted_on` as soon as it can be there."""

    from_site: Key
    to_site: Key
    wanted_on: date | None = None
    note: str | None = Field(None, max_length=500)
    lines: list[AskedLineBody] = Field(min_length=1, max_length=500)


class DecisionBody(Body):
    """The sending site's answer. Another day than the promised one needs a reason, and so does a rejection."""

    approve: bool
    arrives_on: date | None = None
    reason: str | None = Field(None, max_length=500)


class ShipLineBody(Body):
    line: Key
    quantity: Quantity


class ShipBody(Body):
    """What leaves; without `lines` all that is open. `last`: the rest will not be sent."""

    lines: list[ShipLineBody] | None = Field(None, max_length=500)
    arrives_on: date | None = None
    last: bool = False


class CancelAskedBody(Body):
    """Why nothing more of it is needed."""

    reason: str = Field(min_length=1, max_length=500)


def _answer(row: TransferOrderRow) -> TransferOrderAnswer:
    return TransferOrderAnswer.model_validate(row)


def _detail(page: TransferOrderPage) -> TransferOrderDetail:
    lines = [AskedLineAnswer.model_validate(line) for line in page.lines]
    return TransferOrderDetail(
        **_answer(page.row).model_dump(), lines=lines, transfers=[one.id for one in page.transfers]
    )


@operation(
    "GET", "/transfer-orders", permission=Permission.STOCK_READ, summary="List transfer orders", tag=TAG,
    query=TransferOrderQuery, answer=Page[TransferOrderAnswer],
)  # fmt: skip
def list_transfer_orders(query: TransferOrderQuery) -> Page[TransferOrderAnswer]:
    return listed(TRANSFER_ORDERS, query, _answer)


@operation(
    "GET", "/transfer-orders/{order_id}", permission=Permission.STOCK_READ, summary="One transfer order", tag=TAG,
    answer=TransferOrderDetail,
)  # fmt: skip
def show_transfer_order(order_id: int) -> TransferOrderDetail:
    return _detail(transfer_order_page(reader(), actor(), order_id))


@operation(
    "POST", "/transfer-orders", permission=Permission.TRANSFER_REQUEST, summary="Ask another site for goods", tag=TAG,
    body=AskBody, answer=TransferOrderDetail, status=201,
    example={"from_site": 1001, "to_site": 1002, "lines": [{"item": 1004, "quantity": "20"}]},
)  # fmt: skip
def ask_for_transfer(work: UnitOfWork, body: AskBody) -> TransferOrderDetail:
    work.realm = realm_of_site(work.session, work.actor, body.to_site)
    command = AskTransfer(
        from_site=body.from_site, to_site=body.to_site, wanted_on=body.wanted_on, note=body.note,
        lines=[AskLine(**dict(line)) for line in body.lines],
    )  # fmt: skip
    with pointing():
        (made,) = ask_transfers(work, [command], rules=rules(), cells=cells())
    return _detail(transfer_order_page(fresh(work), work.actor, made.id))


def _at(work: UnitOfWork, order_id: int, version: int) -> None:
    row = transfer_order_page(work.session, work.actor, order_id).row
    check_version(version, row.version)
    work.realm = row.realm


@operation(
    "POST", "/transfer-orders/{order_id}/decide", permission=Permission.TRANSFER_APPROVE, summary="Approve or reject a transfer order",
    tag=TAG, body=DecisionBody, answer=TransferOrderDetail, versioned=True, example={"approve": True},
)  # fmt: skip
def decide_transfer_order(work: UnitOfWork, order_id: int, version: int, body: DecisionBody) -> TransferOrderDetail:
    _at(work, order_id, version)
    with pointing():
        decide_transfers(work, [DecideTransfer(order=order_id, **dict(body))], rules=rules(), cells=cells())
    return _detail(transfer_order_page(fresh(work), work.actor, order_id))


@operation(
    "POST", "/transfer-orders/{order_id}/ship", permission=Permission.TRANSFER_SHIP, summary="Ship for a transfer order", tag=TAG,
    body=ShipBody, answer=TransferOrderDetail, versioned=True, example={"lines": [{"line": 1011, "quantity": "20"}]},
)  # fmt: skip
def ship_transfer_order(work: UnitOfWork, order_id: int, version: int, body: ShipBody) -> TransferOrderDetail:
    _at(work, order_id, version)
    lines = None if body.lines is None else {line.line: line.quantity for line in body.lines}
    with pointing():
        ship_asked(
            work, ShipAsked(order=order_id, lines=lines, arrives_on=body.arrives_on, last=body.last), rules=rules(),
            cells=cells(),
        )  # fmt: skip
    return _detail(transfer_order_page(fresh(work), work.actor, order_id))


@operation(
    "POST", "/transfer-orders/{order_id}/cancel", permission=Permission.TRANSFER_REQUEST, summary="Take a transfer order back",
    tag=TAG, body=CancelAskedBody, answer=TransferOrderDetail, versioned=True, example={"reason": "sold out there"},
)  # fmt: skip
def cancel_transfer_order(work: UnitOfWork, order_id: int, version: int, body: CancelAskedBody) -> TransferOrderDetail:
    _at(work, order_id, version)
    with pointing():
        cancel_asked(work, order_id, body.reason, rules=rules(), cells=cells())
    return _detail(transfer_order_page(fresh(work), work.actor, order_id))
