"""Accruals of a period's end for programs: what is due, the run that posts it, the lines of runs, and the cut-off test."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from sqlalchemy.orm import Session

from app.api.companies import in_company, of_company
from app.api.framework import operation
from app.api.lists import OneOf, listed, part_of, which
from app.api.v1.numbers import Key, as_amount, fresh, pointing
from app.api.values import Amount, Answer, Body, Page, PageQuery
from app.composition.request import reader
from app.composition.terms import late_rulesets
from app.queries.accruals import ACCRUALS, KINDS, LineRow, end_page
from app.queries.cut_off import CutOffRow, cut_off_page
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.billing.accruals.services import RunAccruals, run_accruals
from erpcore.kernel.actor import Actor
from erpcore.kernel.work import UnitOfWork

TAG = "Ledger"


class EndQuery(Body):
    """Of which company, and the first day after the period."""

    entity: Key
    until: date


class RunBody(Body):
    """Post what the company's days before `until` lack, and turn it back on that day. Running again posts only what differs."""

    entity: Key
    until: date


class KindAnswer(Answer):
    """One kind in one currency: how many documents it comes from, what is due, what the books hold, what a run would post."""

    kind: str
    currency: str
    count: int
    due: Amount
    in_books: Amount
    to_post: Amount


class EndAnswer(Answer):
    """The end of a period. `left`: lines that a run would post; `run` is the run of this period, if there was one.

    `has_traded`: whether goods left or were billed in the month that ends with it; without, nothing due is no evidence.
    """

    entity: int
    until: date
    left: int
    run: int | None
    run_at: datetime | None
    has_traded: bool
    kinds: list[KindAnswer]


class AccrualLineAnswer(Answer):
    """A line of a run: of one shipment, or of what a channel of a site sold; `entry_id` posted it and `reversal_id` turned it back."""

    id: int
    run_id: int
    kind: str
    until: date
    entity_id: int
    site_id: int
    channel_id: int
    shipment_id: int | None
    shipment: str | None
    order_id: int | None
    invoice_id: int | None
    currency: str
    amount: Amount
    charges: Amount
    basis: str | None
    entry_id: int
    reversal_id: int


class AccrualLineQuery(PageQuery):
    """Which lines."""

    text: str = part_of("the number of shipment, order or invoice")
    entity: Key | None = which("Only those of this company; without it, of all that the caller sees.")
    run: Key | None = which("Only those of this run.")
    kind: Annotated[str | None, OneOf([kind.value for kind in KINDS])] = which("Only those of this kind.")
    site: Key | None = which("Only those of this site.")
    channel: Key | None = which("Only those of this channel.")


class CutOffQuery(Body):
    """Of which company, the first day after the period, and of which channel; without one, of all."""

    entity: Key
    until: date
    channel: Key | None = None


class CutOffChannel(Answer):
    """A channel in one currency: `differs` is the value whose invoice and transfer of control lie in different periods, `wrong`
    what of it no accrual mends.
    """

    channel_id: int
    currency: str
    count: int
    tested: Amount
    differing: int
    differs: Amount
    wrong_count: int
    wrong: Amount


class CutOffShipment(Answer):
    """A shipment that differs. `should` is the revenue that the period is to have of it, `has` what it has, accruals included."""

    shipment_id: int
    number: str
    order_id: int
    site_id: int
    channel_id: int
    currency: str
    by_delivery: bool
    passed_on: date | None
    invoice_id: int | None
    invoice_on: date | None
    accrued: Amount
    should: Amount
    has: Amount
    agrees: bool


class CutOffAnswer(Answer):
    """The cut-off test. `items` are the shipments that weigh most of the `found` that differ."""

    entity: int
    until: date
    channels: list[CutOffChannel]
    found: int
    items: list[CutOffShipment]


def _end(session: Session, who: Actor, entity: int, until: date) -> EndAnswer:
    page = end_page(session, who, entity, until)
    return EndAnswer(
        entity=entity, until=until, left=page.left, run=page.run.id if page.run else None,
        run_at=page.run.run_at if page.run else None, has_traded=page.has_traded,
        kinds=[
            KindAnswer(
                kind=row.kind, currency=row.currency, count=row.count, due=as_amount(row.due_minor, row.currency),
                in_books=as_amount(row.standing_minor, row.currency), to_post=as_amount(row.left_minor, row.currency),
            )
            for row in page.kinds
        ],
    )  # fmt: skip


def _line(row: LineRow) -> AccrualLineAnswer:
    own = {name: getattr(row, name) for name in AccrualLineAnswer.model_fields if name not in ("amount", "charges")}
    amount, charges = (as_amount(minor, row.currency) for minor in (row.amount_minor, row.charges_minor))
    return AccrualLineAnswer(amount=amount, charges=charges, **own)


@operation("GET", "/accruals", permission=Permission.LEDGER_READ, summary="What a period’s end is due", tag=TAG, query=EndQuery, answer=EndAnswer)  # fmt: skip
def show_accruals(query: EndQuery) -> EndAnswer:
    return _end(reader(), actor(), of_company(query.entity).id, query.until)


@operation(
    "POST", "/accruals", permission=Permission.PERIOD_CLOSE, summary="Run the accruals of a period", tag=TAG, body=RunBody,
    answer=EndAnswer, status=201, example={"entity": 1000, "until": "2026-11-01"},
)  # fmt: skip
def run(work: UnitOfWork, body: RunBody) -> EndAnswer:
    company = in_company(work, body.entity)
    with pointing():
        run_accruals(work, RunAccruals(entity=company.id, until=body.until), late=late_rulesets(work.session))
    return _end(fresh(work), work.actor, company.id, body.until)


@operation("GET", "/accrual-lines", permission=Permission.LEDGER_READ, summary="Lines of accruals", tag=TAG, query=AccrualLineQuery, answer=Page[AccrualLineAnswer])  # fmt: skip
def list_accrual_lines(query: AccrualLineQuery) -> Page[AccrualLineAnswer]:
    if query.entity is not None:
        of_company(query.entity)
    return listed(ACCRUALS, query, _line)


def _tested(row: CutOffRow) -> CutOffShipment:
    one = row.one
    return CutOffShipment(
        shipment_id=one.shipment, number=one.number, order_id=one.order, site_id=one.site, channel_id=one.channel,
        currency=one.currency, by_delivery=one.by_delivery, passed_on=one.passed_on, invoice_id=one.invoice,
        invoice_on=one.invoice_on, accrued=as_amount(one.accrued_minor, one.currency),
        should=as_amount(one.should_minor, one.currency), has=as_amount(one.has_minor, one.currency), agrees=not row.is_wrong,
    )  # fmt: skip


@operation("GET", "/cut-off", permission=Permission.LEDGER_READ, summary="The cut-off test of a period", tag=TAG, query=CutOffQuery, answer=CutOffAnswer)  # fmt: skip
def show_cut_off(query: CutOffQuery) -> CutOffAnswer:
    page = cut_off_page(reader(), actor(), of_company(query.entity).id, query.until, query.channel)
    return CutOffAnswer(
        entity=query.entity, until=query.until, found=page.found, items=[_tested(row) for row in page.rows],
        channels=[
            CutOffChannel(
                channel_id=row.channel_id, currency=row.currency, count=row.count, tested=as_amount(row.tested_minor, row.currency),
                differing=row.differing, differs=as_amount(row.differs_minor, row.currency), wrong_count=row.wrong,
                wrong=as_amount(row.wrong_minor, row.currency),
            )
            for row in page.channels
        ],
    )  # fmt: skip
