"""Lists of prices for programs: handed in, looked at row by row, applied once, or put to somebody else first."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import IO

from pydantic import Field

from app.api.companies import in_company
from app.api.framework import check_version, operation
from app.api.lists import asked_of, part_of
from app.api.v1.numbers import Key, as_amount
from app.api.values import Amount, Answer, Body, Realm, UnitPrice
from app.composition.request import now, reader
from app.composition.trading import looking, rules
from app.importers.priceapprovals import (
    asked_by_rules,
    asks_nobody,
    plan_now,
    request_of_list,
    said,
    settle,
    weigh_list,
)
from app.importers.pricechanges import Effect, hand_in, rows_with
from app.importers.pricelists import COLUMNS, ReadSheet, read_list
from app.messages import sentence
from app.queries.prices import PRICE_LISTS, ListRow, price_list
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.work import UnitOfWork
from erpcore.pricing.flow import PRICE_LIST_FLOW, PriceListState
from erpcore.pricing.lists import Outcome, RowPlan, SettleList

TAG = "Prices"
#: So many lists are answered at once.
MOST_LISTS = 200


class ListQuery(Body):
    """What the file is, and whose."""

    entity: Key
    file_name: str = Field(max_length=200, description="Its ending says how it is read: .csv or .xlsx.")


class ListAnswer(Answer):
    """A list. `counts` are of what holds; before that, its preview has them."""

    id: int
    entity_id: int
    file_name: str
    rows: int
    state: str
    uploaded_at: datetime
    asked_by: int | None
    applied_at: datetime | None
    counts: dict[str, int]
    version: int


class FiledQuery(Body):
    """Which lists, as on their page."""

    realm: Realm = "live"
    entity: Key | None = None
    state: PriceListState | None = None
    text: str = part_of("the name of the file")


class ListsAnswer(Answer):
    """The newest lists that fit, at most 200."""

    items: list[ListAnswer]


class RowAnswer(Answer):
    """What becomes of one row."""

    row: int
    cells: dict[str, str]
    outcome: str
    before: UnitPrice | None
    after: UnitPrice | None
    change_permille: int | None
    needs_second_person: bool
    code: str | None
    detail: str | None


class PreviewAnswer(Answer):
    """What a list would change now. Send `digest` as `seen` to make exactly this happen."""

    digest: str
    counts: dict[str, int]
    needs_second_person: int
    materiality: str = Field(description="How much hangs on it, by what it touches")
    counted_with: int = Field(
        description="Prices of the same person of the last 7 days that are in items and share too"
    )
    items: int = Field(description="How many items it touches")
    revenue_share_permille: int | None = Field(description="Of the orders of 90 days; null: nothing was sold")
    lost: Amount = Field(description="What those orders would have brought less")
    asks_nobody: bool = Field(description="Whether it can be applied without anybody else; otherwise ask for it")
    approval_rule: str = Field(description="The rules of approval that hold for it, as a sentence")
    approval_request: int | None = Field(description="The last request about it")
    rows: list[RowAnswer]


class PreviewQuery(Body):
    """Which rows are told, from after a row: those of an outcome, or as on the page those of an effect (`only`)."""

    outcome: Outcome | None = None
    only: Effect | None = Field(None, description="`second`: somebody else has to agree to them.")
    after: int = Field(0, ge=0, le=1_000_000)
    limit: int = Field(500, ge=1, le=20_000)


class SettleBody(Body):
    """What becomes of a list; `seen` is the digest of the preview, where prices would change."""

    move: str = Field(description="One of " + ", ".join(PRICE_LIST_FLOW.moves))
    seen: str = Field("", max_length=64)
    reason: str = Field("", max_length=500)


def _list(row: ListRow) -> ListAnswer:
    return ListAnswer(**{name: getattr(row, name) for name in ListAnswer.model_fields})


def _read(query: ListQuery, file: IO[bytes]) -> ReadSheet:
    return read_list(query.file_name, file)


@operation(
    "POST", "/price-lists", permission=Permission.PRICE_CHANGE, summary="Hand a list of prices in to be looked at", tag=TAG,
    query=ListQuery, answer=ListAnswer, status=201, takes_file=True, prepare=_read,
)  # fmt: skip
def hand_in_price_list(work: UnitOfWork, query: ListQuery, prepared: ReadSheet) -> ListAnswer:
    in_company(work, query.entity)
    return _list(price_list(work.session, work.actor, hand_in(work, query.entity, prepared)))


@operation("GET", "/price-lists", permission=Permission.MASTERDATA_READ, summary="Lists of prices", tag=TAG, query=FiledQuery, answer=ListsAnswer)  # fmt: skip
def list_price_lists(query: FiledQuery) -> ListsAnswer:
    asked = replace(asked_of(query), size=MOST_LISTS)
    return ListsAnswer(items=[_list(row) for row in PRICE_LISTS.page(reader(), actor(), asked, now()).rows])


@operation("GET", "/price-lists/{list_id}", permission=Permission.MASTERDATA_READ, summary="One list of prices", tag=TAG, answer=ListAnswer)  # fmt: skip
def show_price_list(list_id: int) -> ListAnswer:
    return _list(price_list(reader(), actor(), list_id))


def _row(one: RowPlan) -> RowAnswer:
    lowering = one.lowering
    cells = dict(zip(COLUMNS, one.row.cells, strict=False)) if len(one.row.cells) == len(COLUMNS) else {}
    return RowAnswer(
        row=one.row.number, cells=cells, outcome=one.outcome, before=_millionths(lowering.before if lowering else None),
        after=_millionths(lowering.after if lowering else None),
        change_permille=lowering.change_permille if lowering else None, needs_second_person=one.is_beyond,
        code=one.why.code if one.why else None, detail=sentence(one.why) if one.why else None,
    )  # fmt: skip


def _millionths(value: int | None) -> Decimal | None:
    return None if value is None else Decimal(value).scaleb(-6)


@operation(
    "GET", "/price-lists/{list_id}/preview", permission=Permission.MASTERDATA_READ, summary="What a list would change now",
    tag=TAG, query=PreviewQuery, answer=PreviewAnswer,
)  # fmt: skip
def preview_price_list(list_id: int, query: PreviewQuery) -> PreviewAnswer:
    row = price_list(reader(), actor(), list_id)
    work = looking(reader(), actor=actor(), now=now(), realm="live")
    plan = plan_now(work, list_id, rules=rules())
    weight = weigh_list(work, row, plan)
    asked, request = asked_by_rules(reader(), weight.facts), request_of_list(reader(), list_id)
    rows = [
        one
        for one in rows_with(plan.rows, query.only)
        if query.outcome in (None, one.outcome) and one.row.number > query.after
    ]
    return PreviewAnswer(
        digest=plan.digest, counts=dict(plan.counts), needs_second_person=plan.beyond,
        materiality=weight.materiality, counted_with=weight.counted_with, items=weight.items, revenue_share_permille=weight.share_permille,
        lost=as_amount(weight.lost_minor, weight.currency), asks_nobody=asks_nobody(asked), approval_rule=said(asked),
        approval_request=request.id if request else None, rows=[_row(one) for one in rows[: query.limit]],
    )  # fmt: skip


@operation(
    "POST", "/price-lists/{list_id}/settle", permission=Permission.MASTERDATA_READ,
    summary="Apply a list, ask for it, or decide on it", tag=TAG, body=SettleBody, answer=ListAnswer, versioned=True,
    example={"move": "apply", "seen": "9f2c"},
)  # fmt: skip
def settle_price_list(work: UnitOfWork, list_id: int, version: int, body: SettleBody) -> ListAnswer:
    check_version(version, price_list(work.session, work.actor, list_id).version)
    settle(work, SettleList(list=list_id, move=body.move, reason=body.reason, seen=body.seen), rules=rules())
    work.session.expire_all()
    return _list(price_list(work.session, work.actor, list_id))
