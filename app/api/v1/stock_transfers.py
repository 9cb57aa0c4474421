"""Transfers, goods receipts and the plan of counts for programs: what there is and where it stands."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from app.api.framework import operation
from app.api.lists import listed, only, part_of
from app.api.v1.numbers import Key, pointing
from app.api.v1.warehouse_models import List
from app.api.values import Answer, Body, Page, PageQuery, Quantity, Realm
from app.composition.request import now, reader
from app.queries.count_pages import count_plan
from app.queries.floor import floor_place
from app.queries.goods_receipts import RECEIPTS, receipt_page
from app.queries.places import realm_of_site
from app.queries.transfers import TRANSFERS, TransferRow, transfer_page
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.inventory.count_plan import set_cadence
from erpcore.inventory.documents import TransferState
from erpcore.kernel.work import UnitOfWork

TAG = "Warehouse"


class TransferHead(Answer):
    """A transfer; `open_lines` of its `lines` are on their way."""

    id: int
    number: str
    state: str
    from_site: int
    to_site: int
    shipped_at: datetime
    arrives_on: date
    settled_at: datetime | None
    lines: int
    open_lines: int
    version: int


class TransferLineAnswer(Answer):
    """One item and lot. `proposed`: so much waits for somebody to agree that it is lost."""

    line: int
    item_id: int
    item: str
    lot_id: int | None
    lot: str | None
    quantity: Quantity
    received: Quantity
    lost: Quantity
    proposed: Quantity
    open: Quantity


class TransferDetail(TransferHead):
    """A transfer with its lines."""

    parts: list[TransferLineAnswer]


class TransferQuery(PageQuery):
    """Which transfers. `site`: from or to it. `late`: they should have come already."""

    realm: Realm = "live"
    site: Key | None = None
    state: TransferState | None = None
    late: bool = only("those that should have arrived")
    text: str = part_of("the number or the note")


class GoodsLineAnswer(Answer):
    """One item and lot of a goods receipt, and how it differs from what was expected."""

    line_no: int
    item_id: int
    code: str
    lot_id: int | None
    lot: str | None
    quantity: Quantity
    damaged: Quantity
    discrepancy: str
    difference: Quantity
    reason: str | None


class GoodsReceiptAnswer(Answer):
    """A goods receipt with its lines."""

    id: int
    number: str
    paper: str
    supplier: str | None
    received_at: datetime
    lines: list[GoodsLineAnswer]


class GoodsReceiptHead(Answer):
    """A goods receipt; `differing` of its `lines` are not as they were expected."""

    id: int
    number: str
    site_id: int
    paper: str
    supplier: str | None
    received_at: datetime
    lines: int
    differing: int


class GoodsReceiptQuery(PageQuery):
    """Which goods receipts. `differs`: a line is not as it was expected."""

    realm: Realm = "live"
    site: Key | None = None
    differs: bool = only("those that differ from what was expected")
    text: str = part_of("the number, the paper or the supplier")


class ClassAnswer(Answer):
    """Items of a class (`-`: of none): counted every so many days; `due` places; `right` of `counted` first counts in 90 days."""

    abc: str
    days: int
    due: int
    open: int
    counted: int
    right: int


class PlanAnswer(List):
    """How a site is counted; `count` tasks are open."""

    classes: list[ClassAnswer]


class PlanQuery(Body):
    """Which site."""

    site: Key


class CadenceBody(Body):
    """Items of a class are counted every so many days."""

    site: Key
    abc: str = Field(min_length=1, max_length=1)
    days: int = Field(ge=1, le=1000)


def _head(row: TransferRow) -> dict[str, object]:
    return {
        "id": row.id, "number": row.number, "state": row.state, "from_site": row.from_site, "to_site": row.site_id,
        "shipped_at": row.shipped_at, "arrives_on": row.arrives_on, "settled_at": row.settled_at, "lines": row.lines,
        "open_lines": row.open_lines, "version": row.version,
    }  # fmt: skip


@operation(
    "GET", "/stock-transfers", permission=Permission.STOCK_READ, summary="Transfers from and to one's sites", tag=TAG,
    query=TransferQuery, answer=Page[TransferHead],
)  # fmt: skip
def list_transfers(query: TransferQuery) -> Page[TransferHead]:
    return listed(TRANSFERS, query, lambda row: TransferHead.model_validate(_head(row)))


@operation(
    "GET", "/stock-transfers/{transfer_id}", permission=Permission.STOCK_READ, summary="One transfer", tag=TAG,
    answer=TransferDetail,
)  # fmt: skip
def show_transfer(transfer_id: int) -> TransferDetail:
    page = transfer_page(reader(), actor(), transfer_id)
    parts = [
        TransferLineAnswer(
            line=line.id, item_id=line.item_id, item=line.code, lot_id=line.lot_id, lot=line.lot, quantity=line.quantity,
            received=line.received, lost=line.lost, proposed=line.proposed, open=line.open,
        )
        for line in page.lines
    ]  # fmt: skip
    return TransferDetail.model_validate(_head(page.head) | {"parts": parts})


@operation(
    "GET", "/goods-receipts", permission=Permission.STOCK_READ, summary="List goods receipts", tag=TAG,
    query=GoodsReceiptQuery, answer=Page[GoodsReceiptHead],
)  # fmt: skip
def list_goods_receipts(query: GoodsReceiptQuery) -> Page[GoodsReceiptHead]:
    return listed(RECEIPTS, query, GoodsReceiptHead.model_validate)


@operation(
    "GET", "/goods-receipts/{receipt_id}", permission=Permission.STOCK_READ, summary="One goods receipt", tag=TAG,
    answer=GoodsReceiptAnswer,
)  # fmt: skip
def show_receipt(receipt_id: int) -> GoodsReceiptAnswer:
    row, lines = receipt_page(reader(), actor(), receipt_id)
    return GoodsReceiptAnswer(
        id=row.id, number=row.number, paper=row.paper, supplier=row.supplier, received_at=row.received_at,
        lines=[GoodsLineAnswer.model_validate(line) for line in lines],
    )  # fmt: skip


@operation(
    "GET", "/count-plan", permission=Permission.STOCK_READ, summary="How a site is counted", tag=TAG, query=PlanQuery,
    answer=PlanAnswer,
)  # fmt: skip
def show_count_plan(query: PlanQuery) -> PlanAnswer:
    _, _, zone = floor_place(reader(), actor(), query.site)
    plan = count_plan(reader(), query.site, zone, now())
    return PlanAnswer(count=plan.total("open"), classes=[ClassAnswer.model_validate(row) for row in plan.classes])


@operation(
    "POST", "/count-cadences", permission=Permission.COUNT_PLAN, summary="Say how often a class is counted", tag=TAG,
    body=CadenceBody, answer=CadenceBody, example={"site": 1001, "abc": "A", "days": 30},
)  # fmt: skip
def change_cadence(work: UnitOfWork, body: CadenceBody) -> CadenceBody:
    work.realm = realm_of_site(work.session, work.actor, body.site)
    with pointing():
        set_cadence(work, body.site, body.abc, body.days)
    return body
