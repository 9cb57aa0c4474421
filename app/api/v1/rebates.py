"""Rebate agreements for programs: written, agreed to by another, ended, settled; and what every line accrued."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from app.api.framework import check_version, operation
from app.api.lists import REALM, OneOf, listed, only, part_of, which
from app.api.v1.numbers import Key, as_amount, as_minor, fresh, pointing
from app.api.v1.papers import PaperAnswer, paper_answer
from app.api.values import Amount, Answer, Body, Page, PageQuery, Quantity, Realm, UnitPrice
from app.composition.request import now, reader
from app.queries.places import sites_seen
from app.queries.rebate_accruals import ACCRUALS, AccrualRow
from app.queries.rebates import (
    REBATES,
    STATES,
    RebatePage,
    RebateRow,
    TierFact,
    rebate_page,
    rebate_row,
)
from app.reports.rebates import rebate_statement
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.billing.rebate_settling import SettleRebate, settle_rebate
from erpcore.billing.rebates.agreements import (
    MOST_TIERS,
    TierIn,
    WriteRebate,
    agree_rebate,
    change_rebate,
    end_rebate,
    withdraw_rebate,
    write_rebate,
)
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork

TAG = "Rebates"
_DAY = timedelta(days=1)
_EXAMPLE = {
    "site": 1001, "name": "Yearly bonus", "customer": 1007, "valid_from": "2026-01-01", "last_on": "2026-12-31",
    "tiers": [{"starts_at": "0", "percent": "2"}, {"starts_at": "50000", "percent": "3", "is_retroactive": True}],
}  # fmt: skip


class TierBody(Body):
    """From so much on `percent` of the net (3: three percent), or an amount `per_unit`; `is_retroactive`: of all that counts."""

    starts_at: Quantity
    percent: Quantity | None = None
    per_unit: UnitPrice | None = None
    is_retroactive: bool = False


class RebateBody(Body):
    """An agreement as a draft, for a customer or a group, on an item, a group of items or all goods. Only what goes beyond `base`
    counts; `base_from_books` adds up what was billed in the same days of the year before. `adds_up`: it may stand beside others.
    """

    site: Key
    name: str = Field(min_length=1, max_length=200)
    customer: Key | None = None
    customer_group: Key | None = None
    item: Key | None = None
    item_group: Key | None = None
    valid_from: date
    last_on: date
    basis: Literal["net", "quantity"] = "net"
    base: Quantity = Decimal(0)
    base_from_books: bool = False
    adds_up: bool = False
    tiers: list[TierBody] = Field(min_length=1, max_length=MOST_TIERS)


class RebateStepBody(Body):
    """What to do with it. Who wrote it cannot `agree`; `withdraw` needs a `reason`, as does `end` before its last day."""

    move: Literal["agree", "withdraw", "end"]
    reason: str = Field("", max_length=300)


class RebateSettleBody(Body):
    """Net to give back; without `paid` all that is accrued. What differs in the end needs a `reason`."""

    paid: Amount | None = None
    claimed: Amount | None = None
    reason: str = Field("", max_length=300)


class RebateAnswer(Answer):
    """An agreement and what stands of it. `counted` is what tiers are measured by; `open` is accrued and not settled."""

    id: int
    number: str
    name: str
    state: str
    entity_id: int
    site_id: int
    customer_id: int | None
    customer_group_id: int | None
    item_id: int | None
    item_group_id: int | None
    whose: str
    what: str
    valid_from: date
    last_on: date
    currency: str
    basis: str
    base: Quantity
    adds_up: bool
    counted: Quantity
    net: Amount
    quantity: Quantity
    level: int
    accrued: Amount
    settled: Amount
    difference: Amount
    open: Amount
    version: int


class TierAnswer(Answer):
    """A tier, and how much it takes to reach it."""

    level: int
    starts_at: Quantity
    percent: Quantity | None
    per_unit: UnitPrice | None
    is_retroactive: bool
    missing: Quantity
    is_reached: bool


class RebatePostingAnswer(Answer):
    """What a document accrued: for itself, and, where it crossed a tier, for all before it."""

    document_type: str
    document_id: int
    document: str
    posted_on: date
    amount: Amount
    adjusted: Amount
    level: int


class RebateSettlementAnswer(Answer):
    """What was given back, by which credit memos; `difference` is what of it was not accrued."""

    id: int
    is_final: bool
    claimed: Amount | None
    accrued: Amount
    paid: Amount
    difference: Amount
    reason: str | None
    settled_at: datetime
    credit_memos: list[int]


class RebateDetail(RebateAnswer):
    """One with its tiers, its newest documents and its settlements."""

    tiers: list[TierAnswer]
    postings: list[RebatePostingAnswer]
    settlements: list[RebateSettlementAnswer]


class RebateQuery(PageQuery):
    """Which agreements."""

    realm: Realm | None = REALM
    state: Annotated[str | None, OneOf(STATES)] = None
    open: bool = only("those of which something is accrued and not settled")
    text: str = part_of("the number, the name or the customer")
    customer: Key | None = which("Only with this customer.")


class RebateAccrualAnswer(Answer):
    """What a line of a document counts and accrues; `adjusted` for all before it, where it crossed a tier."""

    agreement_id: int
    agreement: str
    document_type: str
    document_id: int
    document: str
    invoice_id: int
    order_line_id: int
    customer: str
    item_code: str
    item: str
    posted_on: date
    currency: str
    net: Amount
    quantity: Quantity
    amount: Amount
    adjusted: Amount
    level: int


class RebateAccrualQuery(PageQuery):
    """Which lines."""

    realm: Realm | None = REALM
    document: Annotated[str | None, OneOf(("invoice", "credit_memo"))] = None
    adjusted: bool = only("those that crossed a tier")
    text: str = part_of("the agreement, the customer, the item or the document")
    agreement: Key | None = which("Only of this agreement.")
    invoice: Key | None = which("Only of this invoice.")


def _facts(row: RebateRow) -> dict[str, object]:
    same = {name: getattr(row, name) for name in RebateAnswer.model_fields if name not in _WORKED_OUT}
    code = row.currency
    return same | {
        "last_on": row.valid_until - _DAY, "base": row.as_measured(row.base), "counted": row.as_measured(row.counted),
        "net": as_amount(row.net_minor, code), "accrued": as_amount(row.accrued_minor, code),
        "settled": as_amount(row.settled_minor, code), "difference": as_amount(row.difference_minor, code),
        "open": as_amount(row.open_minor, code),
    }  # fmt: skip


_WORKED_OUT = {"last_on", "base", "counted", "net", "accrued", "settled", "difference", "open"}


def _answer(row: RebateRow) -> RebateAnswer:
    return RebateAnswer.model_validate(_facts(row))


def _tier(row: RebateRow, one: TierFact) -> TierAnswer:
    return TierAnswer(
        level=one.level, starts_at=row.as_measured(one.starts_at), percent=None if one.percent is None else one.percent * 100,
        per_unit=one.per_unit, is_retroactive=one.is_retroactive, missing=row.as_measured(one.missing), is_reached=one.is_reached,
    )  # fmt: skip


def _detail(page: RebatePage) -> RebateDetail:
    row, code = page.row, page.row.currency
    return RebateDetail.model_validate(
        _facts(row)
        | {
            "tiers": [_tier(row, one) for one in page.tiers],
            "postings": [
                RebatePostingAnswer(
                    document_type=one.document_type, document_id=one.document_id, document=one.document, posted_on=one.posted_on,
                    amount=as_amount(one.amount_minor, code), adjusted=as_amount(one.adjusted_minor, code), level=one.level,
                )
                for one in page.postings
            ],
            "settlements": [
                RebateSettlementAnswer(
                    id=one.id, is_final=one.is_final, accrued=as_amount(one.accrued_minor, code), reason=one.reason,
                    claimed=None if one.claimed_minor is None else as_amount(one.claimed_minor, code),
                    paid=as_amount(one.paid_minor, code), difference=as_amount(one.difference_minor, code),
                    settled_at=one.settled_at, credit_memos=[key for key, *_ in one.memos],
                )
                for one in page.settlements
            ],
        }
    )  # fmt: skip


def _accrual(row: AccrualRow) -> RebateAccrualAnswer:
    same = {
        name: getattr(row, name)
        for name in RebateAccrualAnswer.model_fields
        if name not in ("net", "amount", "adjusted")
    }
    code = row.currency
    return RebateAccrualAnswer(
        **same, net=as_amount(row.net_minor, code), amount=as_amount(row.amount_minor, code),
        adjusted=as_amount(row.adjusted_minor, code),
    )  # fmt: skip


def _command(body: RebateBody) -> WriteRebate:
    return WriteRebate(
        site=body.site, name=body.name, customer=body.customer, customer_group=body.customer_group, item=body.item,
        item_group=body.item_group, valid_from=body.valid_from, valid_until=body.last_on + _DAY, basis=body.basis,
        base=body.base, base_from_books=body.base_from_books, adds_up=body.adds_up,
        tiers=[
            TierIn(
                starts_at=one.starts_at, percent=None if one.percent is None else one.percent / 100, per_unit=one.per_unit,
                is_retroactive=one.is_retroactive,
            )
            for one in body.tiers
        ],
    )  # fmt: skip


def _enter(work: UnitOfWork, site: int) -> None:
    """The change is of the realm of this site, which the caller has to see."""
    found = next((one for one in sites_seen(work.session, work.actor) if one.id == site), None)
    if found is None:
        raise NotFound("not_found")
    work.realm = found.realm


def _seen(work: UnitOfWork, rebate_id: int, version: int) -> RebateRow:
    row = rebate_row(work.session, work.actor, rebate_id)
    check_version(version, row.version)
    work.realm = row.realm
    return row


def _again(work: UnitOfWork, rebate_id: int) -> RebateDetail:
    return _detail(rebate_page(fresh(work), work.actor, rebate_id))


@operation(
    "GET", "/rebates", permission=Permission.INVOICE_READ, summary="List rebate agreements", tag=TAG, query=RebateQuery,
    answer=Page[RebateAnswer],
)  # fmt: skip
def list_rebates(query: RebateQuery) -> Page[RebateAnswer]:
    return listed(REBATES, query, _answer)


@operation(
    "GET", "/rebate-accruals", permission=Permission.INVOICE_READ, summary="What every line accrued for rebates", tag=TAG,
    query=RebateAccrualQuery, answer=Page[RebateAccrualAnswer],
)  # fmt: skip
def list_rebate_accruals(query: RebateAccrualQuery) -> Page[RebateAccrualAnswer]:
    return listed(ACCRUALS, query, _accrual, key=lambda row: (row.posting_id, row.line_no))


@operation(
    "GET", "/rebates/{rebate_id}", permission=Permission.INVOICE_READ, summary="One rebate agreement", tag=TAG,
    answer=RebateDetail,
)  # fmt: skip
def show_rebate(rebate_id: int) -> RebateDetail:
    return _detail(rebate_page(reader(), actor(), rebate_id))


@operation(
    "GET", "/rebates/{rebate_id}/statement", permission=Permission.INVOICE_READ, summary="The statement of an agreement as a PDF",
    tag=TAG, answer=PaperAnswer,
)  # fmt: skip
def print_rebate_statement(rebate_id: int) -> PaperAnswer:
    return paper_answer(rebate_statement(rebate_page(reader(), actor(), rebate_id), now()))


@operation(
    "POST", "/rebates", permission=Permission.REBATE_WRITE, summary="Write a rebate agreement", tag=TAG, body=RebateBody,
    answer=RebateDetail, status=201, example=_EXAMPLE,
)  # fmt: skip
def write_one_rebate(work: UnitOfWork, body: RebateBody) -> RebateDetail:
    _enter(work, body.site)
    with pointing():
        made = write_rebate(work, _command(body))
    return _again(work, made)


@operation(
    "POST", "/rebates/{rebate_id}/change", permission=Permission.REBATE_WRITE, summary="Write a draft anew", tag=TAG,
    body=RebateBody, answer=RebateDetail, versioned=True, example=_EXAMPLE,
)  # fmt: skip
def change_one_rebate(work: UnitOfWork, rebate_id: int, body: RebateBody, version: int) -> RebateDetail:
    _seen(work, rebate_id, version)
    with pointing():
        change_rebate(work, rebate_id, _command(body), seen_version=version)
    return _again(work, rebate_id)


@operation(
    "POST", "/rebates/{rebate_id}/move", permission=Permission.INVOICE_READ, summary="Agree to it, withdraw it or end it",
    tag=TAG, body=RebateStepBody, answer=RebateDetail, versioned=True, example={"move": "agree"},
)  # fmt: skip
def move_rebate(work: UnitOfWork, rebate_id: int, body: RebateStepBody, version: int) -> RebateDetail:
    _seen(work, rebate_id, version)
    if body.move == "agree":
        agree_rebate(work, rebate_id, note=body.reason, seen_version=version)
    elif body.move == "withdraw":
        withdraw_rebate(work, rebate_id, reason=body.reason, seen_version=version)
    else:
        end_rebate(work, rebate_id, reason=body.reason, seen_version=version)
    return _again(work, rebate_id)


@operation(
    "POST", "/rebates/{rebate_id}/settle", permission=Permission.REBATE_SETTLE,
    summary="Give a rebate back by credit memo: part of it while it runs, for good once it has ended", tag=TAG,
    body=RebateSettleBody, answer=RebateDetail, versioned=True, example={"paid": "1250.00"},
)  # fmt: skip
def settle_one_rebate(work: UnitOfWork, rebate_id: int, body: RebateSettleBody, version: int) -> RebateDetail:
    row = _seen(work, rebate_id, version)
    command = SettleRebate(
        agreement=rebate_id, reason=body.reason, seen_version=version,
        paid_minor=None if body.paid is None else as_minor(body.paid, row.currency, "paid"),
        claimed_minor=None if body.claimed is None else as_minor(body.claimed, row.currency, "claimed"),
    )  # fmt: skip
    settle_rebate(work, command)
    return _again(work, rebate_id)
