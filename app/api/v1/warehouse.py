"""The warehouse for programs: what is expected, goods receipts, put-away, status, transfers, counts, approvals, lots, periods."""

from __future__ import annotations

from app.api.framework import operation
from app.api.v1.numbers import pointing
from app.api.v1.warehouse_models import (
    ArrivalBody,
    BinList,
    BinMoveBody,
    BinQuery,
    ExpectBody,
    ExpectedList,
    LocationBody,
    LostBody,
    Made,
    PutAwayBody,
    ReceiptAnswer,
    ReceiptBody,
    StatusBody,
    TransferAnswer,
    TransferBody,
    bin_answer,
    bin_list,
    expected_answer,
)
from app.composition.core_approvals import BY_RULES
from app.composition.order_names import order_names
from app.composition.request import now, reader
from app.composition.trading import cells, rules
from app.queries.places import realm_of_site
from app.queries.warehouse import (
    bin_rows,
    expected_rows,
    transfer_lines,
)
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.inventory.losing import GiveUp, give_up
from erpcore.inventory.places import AddLocation, add_locations
from erpcore.inventory.receiving import Expect, ReceivedLine, ReceiveGoods, expect_receipts
from erpcore.inventory.shifting import ChangeStatus, MoveBin, PutAway, change_status, move_bins, put_away
from erpcore.inventory.transfers import (
    ArrivedLine,
    ReceiveTransfer,
    ShipTransfer,
    TransferLine,
    receive_transfer,
    ship_transfers,
)
from erpcore.kernel.work import UnitOfWork
from erpcore.purchasing.receiving import receive_purchased

TAG = "Warehouse"


def _at(work: UnitOfWork, site: int) -> None:
    work.realm = realm_of_site(work.session, work.actor, site)


@operation(
    "GET", "/expected-receipts", permission=Permission.STOCK_READ, summary="What should still come", tag=TAG,
    answer=ExpectedList,
)  # fmt: skip
def list_expected() -> ExpectedList:
    rows = [expected_answer(row) for row in expected_rows(reader(), actor())]
    return ExpectedList(count=len(rows), items=rows)


@operation(
    "POST", "/expected-receipts", permission=Permission.RECEIPT_EXPECT, summary="Expect goods", tag=TAG, body=ExpectBody,
    answer=Made, status=201,
    example={"site": 1001, "item": 1004, "quantity": "50", "expected_on": "2026-12-01", "number": "PO-771"},
)  # fmt: skip
def expect_goods(work: UnitOfWork, body: ExpectBody) -> Made:
    _at(work, body.site)
    command = Expect(**dict(body))
    with pointing():
        (key,) = expect_receipts(work, [command], rules=rules(), cells=cells())
    return Made(id=key)


@operation(
    "POST", "/goods-receipts", permission=Permission.STOCK_RECEIVE, summary="Receive goods with a paper", tag=TAG,
    body=ReceiptBody, answer=ReceiptAnswer, status=201,
    example={"site": 1001, "paper": "DN 771", "lines": [{"item": 1004, "quantity": "50", "expected": 1007}]},
)  # fmt: skip
def take_goods_in(work: UnitOfWork, body: ReceiptBody) -> ReceiptAnswer:
    _at(work, body.site)
    lines = [ReceivedLine(**dict(line)) for line in body.lines]
    command = ReceiveGoods(site=body.site, paper=body.paper, supplier=body.supplier, lines=lines)
    with pointing():
        done = receive_purchased(work, command, rules=rules(), cells=cells())
    return ReceiptAnswer(
        id=done.id,
        number=done.number,
        discrepancies=done.discrepancies,
        waits_to_be_put_away=done.waits,
        set_apart=done.set_apart,
    )


@operation(
    "GET", "/stock-bins", permission=Permission.STOCK_READ, summary="Where stock lies", tag=TAG, query=BinQuery,
    answer=BinList,
)  # fmt: skip
def list_bins(query: BinQuery) -> BinList:
    rows = [
        bin_answer(row, now())
        for row in bin_rows(reader(), actor(), site=query.site, item=query.item, status=query.status)
    ]
    return BinList(count=len(rows), items=rows)


@operation(
    "POST", "/put-aways", permission=Permission.STOCK_PUT_AWAY, summary="Put goods away", tag=TAG, body=PutAwayBody,
    answer=BinList, status=201, example={"site": 1001, "item": 1004, "quantity": "50", "source": 1010, "location": 1011},
)  # fmt: skip
def put_goods_away(work: UnitOfWork, body: PutAwayBody) -> BinList:
    _at(work, body.site)
    with pointing():
        put_away(work, [PutAway(**dict(body))], rules=rules(), cells=cells(), order_names=order_names)
    return bin_list(work, body.site, body.item)


@operation(
    "POST", "/bin-moves", permission=Permission.STOCK_PUT_AWAY, summary="Move goods to another place of their site", tag=TAG,
    body=BinMoveBody, answer=BinList, status=201,
    example={"site": 1001, "item": 1004, "quantity": "5", "source": 1011, "location": 1012},
)  # fmt: skip
def move_between_bins(work: UnitOfWork, body: BinMoveBody) -> BinList:
    _at(work, body.site)
    with pointing():
        move_bins(work, [MoveBin(**dict(body))], rules=rules(), cells=cells(), order_names=order_names)
    return bin_list(work, body.site, body.item)


@operation(
    "POST", "/stock-status", permission=Permission.STOCK_STATUS, summary="Block goods or release them", tag=TAG,
    body=StatusBody, answer=BinList, status=201,
    example={"site": 1001, "item": 1004, "quantity": "2", "source": "available", "target": "damaged", "reason": "wet"},
)  # fmt: skip
def change_stock_status(work: UnitOfWork, body: StatusBody) -> BinList:
    _at(work, body.site)
    told = dict(body)
    command = ChangeStatus(note=told.pop("reason"), **told)
    with pointing():
        change_status(work, [command], rules=rules(), cells=cells(), order_names=order_names)
    return bin_list(work, body.site, body.item)


@operation(
    "POST", "/locations", permission=Permission.LOCATION_CHANGE, summary="Set up a location", tag=TAG, body=LocationBody,
    answer=Made, status=201, example={"site": 1001, "code": "A-01-3", "kind": "storage", "zone": "A", "walk": 13},
)  # fmt: skip
def set_up_location(work: UnitOfWork, body: LocationBody) -> Made:
    _at(work, body.site)
    with pointing():
        (key,) = add_locations(work, [AddLocation(**dict(body))])
    return Made(id=key)


@operation(
    "POST", "/stock-transfers", permission=Permission.TRANSFER_SHIP, summary="Ship goods to another site", tag=TAG,
    body=TransferBody, answer=TransferAnswer, status=201,
    example={"from_site": 1001, "to_site": 1002, "arrives_on": "2026-12-01", "lines": [{"item": 1004, "quantity": "5"}]},
)  # fmt: skip
def ship_stock(work: UnitOfWork, body: TransferBody) -> TransferAnswer:
    _at(work, body.from_site)
    lines = [TransferLine(**dict(line)) for line in body.lines]
    command = ShipTransfer(
        from_site=body.from_site, to_site=body.to_site, arrives_on=body.arrives_on, lines=lines, note=body.note
    )
    with pointing():
        (made,) = ship_transfers(work, [command], rules=rules(), cells=cells())
    return TransferAnswer(id=made.id, number=made.number, settled=False)


@operation(
    "POST", "/stock-transfers/{transfer_id}/receipts", permission=Permission.STOCK_RECEIVE, summary="Receive a transfer",
    tag=TAG, body=ArrivalBody, answer=TransferAnswer, example={"lines": [{"line": 1020, "quantity": "5"}]},
)  # fmt: skip
def receive_stock_transfer(work: UnitOfWork, transfer_id: int, body: ArrivalBody) -> TransferAnswer:
    head, _ = transfer_lines(work.session, work.actor, transfer_id)
    _at(work, head.site_id)
    lines = [ArrivedLine(**dict(line)) for line in body.lines]
    command = ReceiveTransfer(transfer=transfer_id, lines=lines, seen_version=body.version)
    with pointing():
        came = receive_transfer(work, command, rules=rules(), cells=cells(), order_names=order_names)
    return TransferAnswer(id=transfer_id, number=head.number, settled=came.settled, set_apart=came.set_apart)


@operation(
    "POST", "/stock-transfers/{transfer_id}/losses", permission=Permission.STOCK_ADJUST, summary="Give up what did not come",
    tag=TAG, body=LostBody, answer=TransferAnswer, example={"line": 1020, "quantity": "1", "reason": "fell off the truck"},
)  # fmt: skip
def lose_stock_transfer(work: UnitOfWork, transfer_id: int, body: LostBody) -> TransferAnswer:
    head, _ = transfer_lines(work.session, work.actor, transfer_id)
    _at(work, head.site_id)
    with pointing():
        done = give_up(
            work, GiveUp(transfer=transfer_id, **dict(body)), rules=rules(), cells=cells(), authority=BY_RULES
        )
    return TransferAnswer(id=transfer_id, number=head.number, settled=done.settled, waits=done.waits)
