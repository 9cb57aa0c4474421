"""Deductions and disputes for programs: named with payments, objected to, handed over and settled, through the services of screens."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from app.api.framework import check_version, operation
from app.api.lists import REALM, OneOf, listed, only, part_of, which
from app.api.v1.numbers import Key, as_amount, as_minor, fresh
from app.api.v1.warehouse_models import Made
from app.api.values import Amount, Answer, Body, Page, PageQuery, Quantity, Realm, UnitPrice
from app.composition.dispute_approvals import BY_RULES
from app.composition.process_desk import check_person
from app.composition.request import reader
from app.composition.trading import cells, rules
from app.queries.billing import invoice_page
from app.queries.cash import receipt_page
from app.queries.disputes import DISPUTES, KINDS, STATES, DisputePage, DisputeRow, dispute_page, dispute_row, reasons
from app.security.permissions import Permission
from app.security.require import actor
from app.security.roles import Role
from erpcore.billing.dispute_settling import CreditLine, Settle, settle_dispute
from erpcore.billing.disputing import (
    Deduct,
    Hand,
    Object,
    contest,
    hand_over,
    name_deductions,
    open_disputes,
    route_reason,
    say,
)
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork

TAG = "Disputes"


class DisputeAnswer(Answer):
    """One deduction or objection. Without `owner_id` whoever has `owner_role` owns it; `open` is not settled yet."""

    id: int
    number: str
    kind: str
    state: str
    site_id: int
    customer_id: int
    customer: str
    invoice_id: int
    invoice: str
    order_line_id: int | None
    reason_code: str
    reason: str
    currency: str
    amount: Amount
    open: Amount
    owner_id: int | None
    owner_role: str
    owner: str
    due_on: date
    raised_at: datetime
    settled_at: datetime | None
    version: int


class DisputePartAnswer(Answer):
    """What made part of the amount, or, negative, took it away, with the credit memo or debt given up that did."""

    kind: str
    amount: Amount
    document_id: int | None
    document: str
    note: str | None
    at: datetime


class DisputeMoveAnswer(Answer):
    """One entry of the history: a move, a hand-over or a comment."""

    move: str
    to_state: str
    reason: str | None
    at: datetime
    actor: int


class DisputeDetail(DisputeAnswer):
    """One with its parts and its history, newest move first; `request_id` is the approval that its write-off waits for."""

    note: str | None
    evidence: str | None
    asked: Amount | None
    receipt_id: int | None
    request_id: int | None
    parts: list[DisputePartAnswer]
    history: list[DisputeMoveAnswer]


class DisputeQuery(PageQuery):
    """Which deductions and disputes."""

    realm: Realm | None = REALM
    kind: Annotated[str | None, OneOf(KINDS)] = None
    state: Annotated[str | None, OneOf(STATES)] = which("`open`: all that are not over.")
    overdue: bool = only("those whose day has passed")
    mine: bool = only("one's own, and those of one's role that nobody has")
    text: str = part_of("the number, the invoice, the customer or the note")
    reason: str | None = which("Only for this reason.")
    owner: Annotated[str | None, OneOf(tuple(Role))] = which("Only those of this role.")
    site: Key | None = which("Only of invoices of this site.")
    customer: Key | None = which("Only of this customer.")
    invoice: Key | None = which("Only of this invoice.")


class ReasonAnswer(Answer):
    """A reason, whose its differences are and within how many days. `fault` is what a credit memo says."""

    code: str
    title: str
    owner_role: str
    owner_id: int | None
    due_days: int
    fault: str


class ReasonsAnswer(Answer):
    """All reasons."""

    items: list[ReasonAnswer]


class RouteBody(Body):
    """Whose the differences of a reason are."""

    code: str = Field(min_length=1, max_length=32)
    title: str = Field(min_length=1, max_length=120)
    role: Role
    owner: Key | None = None
    due_days: int = Field(ge=1, le=365)
    fault: Annotated[str, Field(pattern="^(ours|customer|undecided)$")] = "undecided"


class DeductBody(Body):
    """Why a payment was short; without a reason it is `unknown`, without an amount it is all that is open and not named yet."""

    reason: str = Field("", max_length=32)
    note: str = Field("", max_length=2000)
    amount: Amount | None = None


class ObjectBody(Body):
    """What a customer objects to."""

    invoice: Key
    amount: Amount
    reason: str = Field("", max_length=32)
    note: str = Field(min_length=1, max_length=2000)
    evidence: str = Field("", max_length=2000)
    order_line: Key | None = None


class ContestBody(Body):
    """Why a deduction is disputed."""

    reason: str = Field("", max_length=32, description="Another reason than was named; empty keeps it.")
    note: str = Field(min_length=1, max_length=2000)
    evidence: str = Field("", max_length=2000)
    order_line: Key | None = None


class HandBody(Body):
    """Who looks after them from now on, a person or a role, and until when."""

    disputes: list[Key] = Field(min_length=1, max_length=200)
    owner: Key | None = None
    role: Role | None = None
    due_on: date | None = None
    reason: str = Field("", max_length=500)


class CommentBody(Body):
    """What was said or found."""

    text: str = Field(min_length=1, max_length=2000)
    evidence: str = Field("", max_length=2000)


class CreditBody(Body):
    """So many units of a line credited, at the invoice's price or by so much less of it each."""

    order_line: Key
    quantity: Quantity
    unit_price: UnitPrice | None = None


class SettleBody(Body):
    """What becomes of it, in parts: credited, to be paid after all, written off. What no part names stays open."""

    credit: list[CreditBody] = Field(default_factory=list, max_length=50)
    rebill: Amount | None = None
    write_off: Amount | None = None
    reason: str = Field(min_length=1, max_length=500)


class HandedAnswer(Answer):
    """How many were handed over."""

    handed: int


def _answer(row: DisputeRow) -> DisputeAnswer:
    return DisputeAnswer(**_facts(row))


def _facts(row: DisputeRow) -> dict[str, Any]:
    own = {name: getattr(row, name) for name in DisputeAnswer.model_fields if name not in ("amount", "open")}
    return {**own, "amount": as_amount(row.amount_minor, row.currency), "open": as_amount(row.open_minor, row.currency)}


def _detail(page: DisputePage) -> DisputeDetail:
    row, code = page.row, page.row.currency
    return DisputeDetail(
        **_facts(row), note=row.note, evidence=row.evidence, receipt_id=page.receipt_id, request_id=page.request_id,
        asked=None if row.asked_minor is None else as_amount(row.asked_minor, code),
        parts=[
            DisputePartAnswer(
                kind=one.kind, amount=as_amount(one.amount_minor, code), document_id=one.document_id, document=one.document,
                note=one.note, at=one.at,
            )
            for one in page.parts
        ],
        history=[
            DisputeMoveAnswer(move=one.move, to_state=one.to_state, reason=one.reason, at=one.at, actor=one.actor)
            for one in page.steps
        ],
    )  # fmt: skip


def _again(work: UnitOfWork, dispute_id: int) -> DisputeDetail:
    return _detail(dispute_page(fresh(work), work.actor, dispute_id))


@operation(
    "GET", "/disputes", permission=Permission.INVOICE_READ, summary="List deductions and disputes", tag=TAG, query=DisputeQuery,
    answer=Page[DisputeAnswer],
)  # fmt: skip
def list_disputes(query: DisputeQuery) -> Page[DisputeAnswer]:
    return listed(DISPUTES, query, _answer)


@operation(
    "GET", "/disputes/{dispute_id}", permission=Permission.INVOICE_READ, summary="One deduction or dispute", tag=TAG,
    answer=DisputeDetail,
)  # fmt: skip
def show_dispute(dispute_id: int) -> DisputeDetail:
    return _detail(dispute_page(reader(), actor(), dispute_id))


@operation(
    "GET", "/dispute-reasons", permission=Permission.INVOICE_READ, summary="The reasons of deductions and disputes", tag=TAG,
    answer=ReasonsAnswer,
)  # fmt: skip
def list_dispute_reasons() -> ReasonsAnswer:
    return ReasonsAnswer(items=[ReasonAnswer.model_validate(one, from_attributes=True) for one in reasons(reader())])


@operation(
    "POST", "/dispute-reasons", permission=Permission.DISPUTE_ROUTE,
    summary="Say whose the differences of a reason are; a new code is added", tag=TAG, body=RouteBody, answer=ReasonsAnswer,
    example={"code": "pallets", "title": "Pallets", "role": "site_lead", "due_days": 5},
)  # fmt: skip
def route_dispute_reason(work: UnitOfWork, body: RouteBody) -> ReasonsAnswer:
    check_person(work, body.owner, field="owner")
    route_reason(
        work, body.code, title=body.title, role=body.role, owner=body.owner, due_days=body.due_days, fault=body.fault
    )
    work.session.flush()
    return ReasonsAnswer(
        items=[ReasonAnswer.model_validate(one, from_attributes=True) for one in reasons(work.session)]
    )


@operation(
    "POST", "/receipts/{receipt_id}/applications/{application_id}/deduct", permission=Permission.RECEIPT_APPLY,
    summary="Name what a payment left open of its invoice", tag=TAG, body=DeductBody, answer=DisputeDetail, status=201,
    example={"reason": "damaged", "note": "two pieces dented"},
)  # fmt: skip
def deduct_from_application(work: UnitOfWork, receipt_id: int, application_id: int, body: DeductBody) -> DisputeDetail:
    page = receipt_page(work.session, work.actor, receipt_id)
    if application_id not in {one.id for one in page.applied}:
        raise NotFound("application_unknown", id=application_id)
    work.realm, code = page.row.realm, page.row.currency
    minor = None if body.amount is None else as_minor(body.amount, code, "amount")
    command = Deduct(application=application_id, reason=body.reason, note=body.note, amount_minor=minor)
    (dispute,) = name_deductions(work, [command], rules=rules(), cells=cells())
    return _again(work, dispute)


@operation(
    "POST", "/disputes", permission=Permission.DISPUTE_WORK, summary="Write down what a customer objects to", tag=TAG,
    body=ObjectBody, answer=DisputeDetail, status=201,
    example={"invoice": 1201, "amount": "24.00", "reason": "price", "note": "9.00 was agreed"},
)  # fmt: skip
def open_dispute(work: UnitOfWork, body: ObjectBody) -> DisputeDetail:
    page = invoice_page(work.session, work.actor, body.invoice)
    work.realm = page.realm
    command = Object(
        invoice=body.invoice, amount_minor=as_minor(body.amount, page.currency, "amount"), reason=body.reason, note=body.note,
        evidence=body.evidence, order_line=body.order_line,
    )  # fmt: skip
    (dispute,) = open_disputes(work, [command])
    return _again(work, dispute)


@operation(
    "POST", "/disputes/{dispute_id}/contest", permission=Permission.DISPUTE_WORK, summary="Make a dispute of a deduction",
    tag=TAG, body=ContestBody, answer=DisputeDetail, versioned=True, example={"note": "the note says ten were signed for"},
)  # fmt: skip
def contest_deduction(work: UnitOfWork, dispute_id: int, body: ContestBody, version: int) -> DisputeDetail:
    row = dispute_row(work.session, work.actor, dispute_id)
    check_version(version, row.version)
    work.realm = row.realm
    contest(
        work, dispute_id, reason=body.reason, note=body.note, evidence=body.evidence, order_line=body.order_line,
        seen_version=version,
    )  # fmt: skip
    return _again(work, dispute_id)


@operation(
    "POST", "/disputes/hand-over", permission=Permission.DISPUTE_WORK,
    summary="Give deductions and disputes to a person or a role, or another day", tag=TAG, body=HandBody, answer=HandedAnswer,
    example={"disputes": [1301], "role": "billing", "reason": "a price"},
)  # fmt: skip
def hand_disputes_over(work: UnitOfWork, body: HandBody) -> HandedAnswer:
    keys = sorted(set(body.disputes))
    work.realm = dispute_row(work.session, work.actor, keys[0]).realm
    check_person(work, body.owner, field="owner")
    commands = [
        Hand(dispute=key, owner=body.owner, role=body.role, due_on=body.due_on, reason=body.reason) for key in keys
    ]
    hand_over(work, commands)
    return HandedAnswer(handed=len(keys))


@operation(
    "POST", "/disputes/{dispute_id}/comments", permission=Permission.DISPUTE_WORK, summary="Add what was said or found", tag=TAG,
    body=CommentBody, answer=Made, status=201, example={"text": "called Ms Novak, she sends the delivery note"},
)  # fmt: skip
def comment_on_dispute(work: UnitOfWork, dispute_id: int, body: CommentBody) -> Made:
    work.realm = dispute_row(work.session, work.actor, dispute_id).realm
    say(work, dispute_id, body.text, evidence=body.evidence)
    return Made(id=dispute_id)


@operation(
    "POST", "/disputes/{dispute_id}/settle", permission=Permission.DISPUTE_WORK,
    summary="Credit it, ask for it again or give it up, in parts", tag=TAG, body=SettleBody, answer=DisputeDetail, versioned=True,
    example={"write_off": "12.00", "reason": "not worth the trouble"},
)  # fmt: skip
def settle_one_dispute(work: UnitOfWork, dispute_id: int, body: SettleBody, version: int) -> DisputeDetail:
    row = dispute_row(work.session, work.actor, dispute_id)
    check_version(version, row.version)
    work.realm, code = row.realm, row.currency
    command = Settle(
        dispute=dispute_id, reason=body.reason, seen_version=version,
        credit=[
            CreditLine(order_line=one.order_line, quantity=one.quantity, unit_price=one.unit_price) for one in body.credit
        ],
        rebill_minor=0 if body.rebill is None else as_minor(body.rebill, code, "rebill"),
        write_off_minor=0 if body.write_off is None else as_minor(body.write_off, code, "write_off"),
    )  # fmt: skip
    settle_dispute(work, command, rules=rules(), cells=cells(), authority=BY_RULES)
    return _again(work, dispute_id)
