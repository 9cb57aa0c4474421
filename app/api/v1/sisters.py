"""Goods between companies for programs: sent once under a key, compared side by side, turned back; and which items are the same goods."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from pydantic import Field
from sqlalchemy.orm import Session

from app.api.framework import operation
from app.api.lists import listed, only, part_of, which
from app.api.v1.numbers import Key, as_amount, fresh, pointing
from app.api.values import Amount, Answer, Body, Page, PageQuery, Quantity, UnitPrice
from app.composition.request import reader
from app.composition.trading import cells, rules
from app.queries.items import item_page
from app.queries.places import realm_of_site
from app.queries.sisters import SISTERS, SideRow, SisterRow, counterparts_of, sister_page
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.inventory.sisters.services import SendToSister, SisterGoods, send_to_sister, turn_back
from erpcore.kernel.actor import Actor
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.counterparts import KeepCounterpart, keep_counterparts, part_counterparts

TAG = "Sister companies"


class SisterQuery(PageQuery):
    """Which goods between companies."""

    text: str = part_of("the number, a site or a company")
    back: bool = only("those that were turned back")
    odd: bool = only("those of which one side is missing or says otherwise")
    site: Key | None = which("From or to this site.")
    realm: str | None = which("Only of this realm; without it, of all of them.")


class SisterAnswer(Answer):
    """Goods between two companies; `agreed` is in the sender's currency. `mirrored`: both sides are there and say the same."""

    id: int
    number: str
    state: str
    from_site: int
    sender: str
    to_site: int
    receiver: str
    agreed: Amount
    currency: str
    mirrored: bool
    turned_back: bool
    shipped_at: datetime
    arrives_on: date
    version: int


class SisterLineAnswer(Answer):
    """A line of one side: `amount` in the company's currency, `cost` what the goods are worth in its stock, for those who may read costs."""

    item_id: int
    item: str
    quantity: Quantity
    agreed_price: UnitPrice
    amount: Amount
    cost: Amount | None


class SideAnswer(Answer):
    """The document of one company and the entries that it posted."""

    id: int
    kind: str
    side: str
    key: str
    company: str
    currency: str
    amount: Amount
    cost: Amount | None
    rate_id: int | None
    posted_on: date
    reason: str | None
    lines: list[SisterLineAnswer]
    entries: list[int]


class SisterDetail(SisterAnswer):
    """With every document of both sides."""

    sides: list[SideAnswer]


class GoodsBody(Body):
    """So much of an item; without `price` at its standard cost."""

    item: Key
    quantity: Decimal = Field(gt=0, decimal_places=3)
    price: Decimal | None = Field(None, ge=0, decimal_places=6)


class SendBody(Body):
    """Goods for a site of another company. Under a `key` that is known nothing is sent again."""

    from_site: Key
    to_site: Key
    arrives_on: date
    key: str = Field(min_length=1, max_length=100)
    lines: list[GoodsBody] = Field(min_length=1, max_length=500)
    note: str | None = Field(None, max_length=200)


class TurnBody(Body):
    """Why. `seen`: the version that the program read."""

    reason: str = Field(min_length=1, max_length=200)
    seen: int | None = Field(None, ge=1)


class CounterpartBody(Body):
    """An item of another company."""

    counterpart: Key


class CounterpartAnswer(Answer):
    """The same goods at another company."""

    item_id: int
    code: str
    name: str
    entity_id: int
    company: str


class CounterpartList(Answer):
    """All counterparts of an item."""

    count: int
    items: list[CounterpartAnswer]


def _head(row: SisterRow) -> dict[str, object]:
    plain = {name: getattr(row, name) for name in SisterAnswer.model_fields if name != "agreed"}
    return plain | {"agreed": as_amount(row.agreed_minor, row.currency)}


def _side(one: SideRow, *, costs: bool) -> SideAnswer:
    def cost(minor: int) -> Decimal | None:
        return as_amount(minor, one.currency) if costs else None

    lines = [
        SisterLineAnswer(
            item_id=line.item_id, item=line.code, quantity=line.quantity, agreed_price=line.agreed_price,
            amount=as_amount(line.amount_minor, one.currency), cost=cost(line.cost_minor),
        )
        for line in one.lines
    ]  # fmt: skip
    return SideAnswer(
        id=one.id, kind=one.kind, side=one.side, key=one.key, company=one.company, currency=one.currency, rate_id=one.rate_id,
        amount=as_amount(one.amount_minor, one.currency), cost=cost(one.cost_minor), posted_on=one.posted_on,
        reason=one.reason, lines=lines, entries=one.entries,
    )  # fmt: skip


def _detail(session: Session, who: Actor, key: int) -> SisterDetail:
    page = sister_page(session, who, key)
    costs = who.may(Permission.COST_READ)
    sides = [_side(one, costs=costs) for _, sold, bought in page.pairs for one in (sold, bought) if one is not None]
    return SisterDetail.model_validate(_head(page.head) | {"sides": sides})


@operation(
    "GET", "/sister-transfers", permission=Permission.STOCK_READ, summary="List goods between companies", tag=TAG,
    query=SisterQuery, answer=Page[SisterAnswer],
)  # fmt: skip
def list_sister_transfers(query: SisterQuery) -> Page[SisterAnswer]:
    return listed(SISTERS, query, lambda row: SisterAnswer.model_validate(_head(row)))


@operation(
    "GET", "/sister-transfers/{transfer_id}", permission=Permission.STOCK_READ, summary="Both sides of goods between companies",
    tag=TAG, answer=SisterDetail,
)  # fmt: skip
def show_sister_transfer(transfer_id: int) -> SisterDetail:
    return _detail(reader(), actor(), transfer_id)


@operation(
    "POST", "/sister-transfers", permission=Permission.SISTER_SEND, summary="Send goods to another company of ours", tag=TAG,
    body=SendBody, answer=SisterDetail, status=201,
    example={
        "from_site": 1001, "to_site": 2001, "arrives_on": "2026-03-04", "key": "IC-2026-17",
        "lines": [{"item": 1058, "quantity": "10", "price": "6.00"}],
    },
)  # fmt: skip
def send_goods_to_sister(work: UnitOfWork, body: SendBody) -> SisterDetail:
    """A sale here and its mirror there, both or nothing."""
    work.realm = realm_of_site(work.session, work.actor, body.from_site)
    lines = [SisterGoods(item=one.item, quantity=one.quantity, price=one.price) for one in body.lines]
    command = SendToSister(**(body.model_dump(exclude={"lines"}) | {"lines": lines}))
    with pointing():
        sent = send_to_sister(work, command, rules=rules(), cells=cells())
    return _detail(fresh(work), work.actor, sent.transfer)


@operation(
    "POST", "/sister-transfers/{transfer_id}/turn-back", permission=Permission.SISTER_SEND,
    summary="Turn goods between companies back", tag=TAG, body=TurnBody, answer=SisterDetail, example={"reason": "wrong site"},
)  # fmt: skip
def turn_sister_transfer_back(work: UnitOfWork, transfer_id: int, body: TurnBody) -> SisterDetail:
    """Both sides, while the goods are wholly on their way."""
    work.realm = sister_page(work.session, work.actor, transfer_id).head.realm
    turn_back(work, transfer_id, body.reason, rules=rules(), cells=cells(), seen_version=body.seen)
    return _detail(fresh(work), work.actor, transfer_id)


def _counterparts(session: Session, item: int) -> CounterpartList:
    rows = [
        CounterpartAnswer(
            item_id=one.item_id, code=one.code, name=one.name, entity_id=one.entity_id, company=one.company
        )
        for one in counterparts_of(session, item)
    ]
    return CounterpartList(count=len(rows), items=rows)


@operation(
    "GET", "/items/{item_id}/counterparts", permission=Permission.MASTERDATA_READ, summary="The same goods at other companies",
    tag=TAG, answer=CounterpartList,
)  # fmt: skip
def list_counterparts(item_id: int) -> CounterpartList:
    item_page(reader(), actor(), item_id)
    return _counterparts(reader(), item_id)


@operation(
    "POST", "/items/{item_id}/counterparts", permission=Permission.MASTERDATA_CHANGE, summary="Name a counterpart", tag=TAG,
    body=CounterpartBody, answer=CounterpartList, status=201, example={"counterpart": 2058},
)  # fmt: skip
def name_counterpart(work: UnitOfWork, item_id: int, body: CounterpartBody) -> CounterpartList:
    work.realm = item_page(work.session, work.actor, item_id).realm
    with pointing():
        keep_counterparts(work, [KeepCounterpart(item=item_id, counterpart=body.counterpart)])
    return _counterparts(work.session, item_id)


@operation(
    "POST", "/items/{item_id}/counterparts/part", permission=Permission.MASTERDATA_CHANGE, summary="Part two counterparts",
    tag=TAG, body=CounterpartBody, answer=CounterpartList, example={"counterpart": 2058},
)  # fmt: skip
def part_counterpart(work: UnitOfWork, item_id: int, body: CounterpartBody) -> CounterpartList:
    work.realm = item_page(work.session, work.actor, item_id).realm
    with pointing():
        part_counterparts(work, item_id, body.counterpart)
    return _counterparts(work.session, item_id)
