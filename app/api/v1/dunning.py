"""Dunning for programs: procedures, runs that one person proposes and another confirms, notices, blocks, promises and fees."""

from __future__ import annotations

from decimal import Decimal

from app.api.companies import in_company
from app.api.framework import operation
from app.api.lists import listed
from app.api.v1.dunning_models import (
    BlockAnswer,
    BlockBody,
    CustomerAnswer,
    FeeBody,
    LeftOutAnswer,
    NoticeAnswer,
    ProcedureBody,
    PromiseAnswer,
    PromiseBody,
    ReasonBody,
    RunAnswer,
    RunBody,
    RunDetail,
    RunQuery,
    RunStepBody,
    StandAnswer,
)
from app.api.v1.numbers import as_amount, as_minor, fresh, pointing
from app.api.v1.papers import PaperAnswer, paper_answer
from app.api.v1.warehouse_models import Made
from app.api.values import Page
from app.composition.request import now, reader
from app.queries.dunning import RUNS, NoticeRow, RunPage, RunRow, notice_page, run_page
from app.queries.dunning_customer import customer_dunning
from app.reports.dunning import notice_paper
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.billing.dunning.fees import SettleFee, settle_fees
from erpcore.billing.dunning.holding import SetBlock, TakePromise, lift_block, set_block, take_promise
from erpcore.billing.dunning.procedures import WriteProcedure, write_procedure
from erpcore.billing.dunning.rules import Level
from erpcore.billing.dunning.runs import cancel_run, confirm_run, drop_notice, propose_run
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork

TAG = "Dunning"


def _run(row: RunRow) -> dict[str, object]:
    names = (
        "id",
        "entity_id",
        "run_on",
        "state",
        "currency",
        "notices",
        "issued",
        "proposed_by",
        "confirmed_by",
        "version",
    )
    values = {name: getattr(row, name) for name in names}
    return {
        **values,
        "overdue": as_amount(row.overdue_minor, row.currency),
        "fees": as_amount(row.fee_minor, row.currency),
    }


def _notice(row: NoticeRow, code: str) -> NoticeAnswer:
    names = (
        "id",
        "number",
        "customer_id",
        "level",
        "letter",
        "pay_until",
        "state",
        "reason",
        "letter_state",
        "documents",
    )
    values = {name: getattr(row, name) for name in names}
    return NoticeAnswer.model_validate(
        {**values, "overdue": as_amount(row.overdue_minor, code), "fee": as_amount(row.fee_minor, code)}
    )


def _detail(page: RunPage) -> RunDetail:
    code = page.row.currency
    left = [
        LeftOutAnswer(
            document=one.document, number=one.number, customer_id=one.customer_id, open=as_amount(one.open_minor, code),
            reason=one.reason,
        )
        for one in page.left_out
    ]  # fmt: skip
    return RunDetail.model_validate(
        {**_run(page.row), "asked": [_notice(one, code) for one in page.notices], "left_out": left}
    )


@operation("GET", "/dunning-runs", permission=Permission.INVOICE_READ, summary="Dunning runs", tag=TAG, query=RunQuery, answer=Page[RunAnswer])  # fmt: skip
def list_dunning_runs(query: RunQuery) -> Page[RunAnswer]:
    return listed(RUNS, query, lambda row: RunAnswer.model_validate(_run(row)))


@operation("GET", "/dunning-runs/{run_id}", permission=Permission.INVOICE_READ, summary="One run: whom it asks, and what it leaves out", tag=TAG, answer=RunDetail)  # fmt: skip
def show_dunning_run(run_id: int) -> RunDetail:
    return _detail(run_page(reader(), actor(), run_id))


@operation(
    "POST", "/dunning-runs", permission=Permission.DUNNING_PROPOSE, summary="Propose the run of today", tag=TAG, body=RunBody,
    answer=Made, status=201, example={"entity": 1000},
)  # fmt: skip
def propose_dunning_run(work: UnitOfWork, body: RunBody) -> Made:
    company = in_company(work, body.entity)
    with pointing():
        return Made(id=propose_run(work, company.id).run)


@operation(
    "POST", "/dunning-runs/{run_id}/moves", permission=Permission.INVOICE_READ, summary="Confirm or cancel a run", tag=TAG,
    body=RunStepBody, answer=RunDetail, example={"move": "confirm"},
)  # fmt: skip
def step_dunning_run(work: UnitOfWork, run_id: int, body: RunStepBody) -> RunDetail:
    """The service asks for the permission of the move. A job issues the notices of what is confirmed."""
    work.realm = run_page(work.session, work.actor, run_id).row.realm
    with pointing():
        if body.move == "confirm":
            confirm_run(work, run_id, seen_version=body.version)
        else:
            cancel_run(work, run_id, body.reason or "", seen_version=body.version)
    return _detail(run_page(fresh(work), work.actor, run_id))


@operation(
    "POST", "/dunning-notices/{notice_id}/drop", permission=Permission.DUNNING_PROPOSE,
    summary="Leave a customer out of a run that nobody has confirmed", tag=TAG, body=ReasonBody, answer=Made,
    example={"reason": "spoken to"},
)  # fmt: skip
def drop_dunning_notice(work: UnitOfWork, notice_id: int, body: ReasonBody) -> Made:
    work.realm = notice_page(work.session, work.actor, notice_id).realm
    with pointing():
        drop_notice(work, notice_id, body.reason)
    return Made(id=notice_id)


@operation(
    "GET", "/dunning-notices/{notice_id}/letter-paper", permission=Permission.INVOICE_READ, summary="The letter of a notice as a PDF",
    tag="Papers", answer=PaperAnswer,
)  # fmt: skip
def print_dunning_letter(notice_id: int) -> PaperAnswer:
    return paper_answer(notice_paper(notice_page(reader(), actor(), notice_id)))


@operation(
    "POST", "/dunning-procedures", permission=Permission.DUNNING_SET_UP, summary="Write a procedure", tag=TAG, body=ProcedureBody,
    answer=Made, status=201,
    example={"entity": 1000, "name": "Usual", "valid_from": "2026-12-01", "levels": [{"days_overdue": 5, "letter": "reminder"}]},
)  # fmt: skip
def write_dunning_procedure(work: UnitOfWork, body: ProcedureBody) -> Made:
    company = in_company(work, body.entity)

    def minor(amount: Decimal | None, pointer: str) -> int:
        return 0 if amount is None else as_minor(amount, company.currency, pointer)

    levels = [
        Level(
            level=number, days_overdue=one.days_overdue, min_minor=minor(one.minimum, f"levels/{number - 1}/minimum"),
            fee_minor=minor(one.fee, f"levels/{number - 1}/fee"), letter=one.letter, respite_days=one.respite_days, note=one.note,
        )
        for number, one in enumerate(body.levels, 1)
    ]  # fmt: skip
    command = WriteProcedure(
        entity=company.id, group=body.group, name=body.name, valid_from=body.valid_from, interval_days=body.interval_days,
        min_total_minor=minor(body.minimum_total, "minimum_total"), levels=levels,
    )  # fmt: skip
    with pointing():
        return Made(id=write_procedure(work, command))


@operation("GET", "/customers/{customer_id}/dunning", permission=Permission.INVOICE_READ, summary="A customer’s levels, promises, blocks and notices", tag=TAG, answer=CustomerAnswer)  # fmt: skip
def show_customer_dunning(customer_id: int) -> CustomerAnswer:
    page = customer_dunning(reader(), actor(), customer_id, now())
    code = page.currency
    return CustomerAnswer(
        customer_id=page.customer_id, currency=code,
        invoices=[
            StandAnswer(
                document=one.document, number=one.number, due_on=one.due_on, open=as_amount(one.open_minor, code),
                days_over=one.days_over, level=one.level,
            )
            for one in page.open_invoices
        ],
        promises=[
            PromiseAnswer(
                id=one.id, document=one.document, amount=as_amount(one.amount_minor, code), came=as_amount(one.came_minor, code),
                until=one.until, said_by=one.said_by, state=one.state,
            )
            for one in page.promises
        ],
        blocks=[
            BlockAnswer(
                id=one.id, kind=one.kind, reason=one.reason, until=one.until, owner_id=one.owner_id, is_over=one.is_over
            )
            for one in page.blocks
        ],
        notices=[_notice(one, code) for one in page.notices],
    )  # fmt: skip


@operation(
    "POST", "/customers/{customer_id}/dunning-blocks", permission=Permission.COLLECTION_WORK, summary="Let nobody ask for a while",
    tag=TAG, body=BlockBody, answer=Made, status=201, example={"kind": "dispute", "reason": "wrong size", "until": "2026-12-20"},
)  # fmt: skip
def block_dunning(work: UnitOfWork, customer_id: int, body: BlockBody) -> Made:
    work.realm = customer_dunning(work.session, work.actor, customer_id, work.now).realm
    command = SetBlock(customer=customer_id, owner=work.actor.id, **body.model_dump())
    with pointing():
        return Made(id=set_block(work, command))


@operation(
    "POST", "/customers/{customer_id}/dunning-blocks/{block_id}/lift", permission=Permission.COLLECTION_WORK, summary="End a block",
    tag=TAG, body=ReasonBody, answer=Made, example={"reason": "agreed"},
)  # fmt: skip
def lift_dunning_block(work: UnitOfWork, customer_id: int, block_id: int, body: ReasonBody) -> Made:
    work.realm = customer_dunning(work.session, work.actor, customer_id, work.now).realm
    with pointing():
        lift_block(work, block_id, body.reason)
    return Made(id=block_id)


@operation(
    "POST", "/customers/{customer_id}/payment-promises", permission=Permission.COLLECTION_WORK, summary="Keep a promise to pay",
    tag=TAG, body=PromiseBody, answer=Made, status=201, example={"amount": "120.00", "until": "2026-12-20", "said_by": "Ms Kern"},
)  # fmt: skip
def keep_payment_promise(work: UnitOfWork, customer_id: int, body: PromiseBody) -> Made:
    page = customer_dunning(work.session, work.actor, customer_id, work.now)
    work.realm = page.realm
    command = TakePromise(
        customer=customer_id, amount_minor=as_minor(body.amount, page.currency, "amount"), until=body.until, said_by=body.said_by,
        note=body.note, document=body.document,
    )  # fmt: skip
    with pointing():
        return Made(id=take_promise(work, command))


@operation(
    "POST", "/customers/{customer_id}/dunning-fees/{fee_id}/settlements", permission=Permission.RECEIPT_APPLY,
    summary="Settle a fee out of a receipt, or waive it", tag=TAG, body=FeeBody, answer=Made, status=201,
    example={"amount": "5.00", "reason": "a good customer"},
)  # fmt: skip
def settle_dunning_fee(work: UnitOfWork, customer_id: int, fee_id: int, body: FeeBody) -> Made:
    page = customer_dunning(work.session, work.actor, customer_id, work.now)
    work.realm = page.realm
    if fee_id not in {one.id for one in page.fees}:
        raise NotFound("dunning_fee_unknown", id=fee_id)
    command = SettleFee(
        fee=fee_id,
        amount_minor=as_minor(body.amount, page.currency, "amount"),
        receipt=body.receipt,
        reason=body.reason,
    )
    with pointing():
        return Made(id=settle_fees(work, [command])[0])
