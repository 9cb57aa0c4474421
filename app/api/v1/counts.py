"""Counts, approvals, lots and periods for programs."""

from __future__ import annotations

from dataclasses import replace

from app.api.companies import in_company
from app.api.framework import operation
from app.api.lists import asked_of
from app.api.v1.numbers import as_amount, pointing
from app.api.v1.warehouse_models import (
    CountList,
    CountPlanBody,
    CountQuery,
    CountTaskAnswer,
    Done,
    FoundBody,
    List,
    Made,
    PeriodBody,
    ProposedAnswer,
    ProposedList,
    ReasonBody,
    StationAnswer,
    TraceAnswer,
    VerdictBody,
)
from app.composition.core_approvals import decide_on_adjustment
from app.composition.request import now, reader
from app.composition.trading import cells, rules
from app.queries.closing_checks import find
from app.queries.counts import COUNTS, MOST, UNFINISHED, CountRow, count_rows
from app.queries.places import realm_of_site
from app.queries.warehouse import proposed_adjustments, trace_lot
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.inventory.count_plan import PlanCount, plan_counts, plan_due_counts
from erpcore.inventory.counting import cancel_count, decide_count, record_count, start_count
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.closing.services import move_close
from erpcore.ledger.periods import ClosePeriod

TAG = "Warehouse"


def _at(work: UnitOfWork, site: int) -> None:
    work.realm = realm_of_site(work.session, work.actor, site)


def _count(row: CountRow) -> CountTaskAnswer:
    return CountTaskAnswer(
        id=row.id, site_id=row.site_id, item_id=row.item_id, item=row.code, location=row.location, lot=row.lot,
        state=row.state, due_on=row.due_on, version=row.version, difference=row.difference,
        value=None if row.value_minor is None else as_amount(row.value_minor, row.currency),
    )  # fmt: skip


@operation(
    "GET", "/count-tasks", permission=Permission.STOCK_COUNT, summary="Counts", tag=TAG, query=CountQuery, answer=CountList
)  # fmt: skip
def list_counts(query: CountQuery) -> CountList:
    asked = asked_of(query, state=query.state or UNFINISHED)
    rows = COUNTS.page(reader(), actor(), replace(asked, size=MOST), now()).rows
    return CountList(count=len(rows), items=[_count(row) for row in rows])


@operation(
    "POST", "/count-tasks", permission=Permission.COUNT_PLAN, summary="Plan counts", tag=TAG, body=CountPlanBody, answer=List,
    status=201, example={"site": 1001, "item": 1004},
)  # fmt: skip
def plan_count_tasks(work: UnitOfWork, body: CountPlanBody) -> List:
    _at(work, body.site)
    if body.item is None:
        return List(count=plan_due_counts(work, body.site))
    command = PlanCount(site=body.site, item=body.item, location=body.location, lot=body.lot)
    with pointing():
        return List(count=len(plan_counts(work, [command], rules=rules(), cells=cells())))


def _task(work: UnitOfWork, task: int) -> None:
    rows = count_rows(work.session, work.actor, only=task)
    if not rows:
        raise NotFound("count_unknown", id=task)
    work.realm = rows[0].realm


@operation(
    "POST", "/count-tasks/{task_id}/start", permission=Permission.STOCK_COUNT, summary="Begin to count", tag=TAG, answer=Done
)  # fmt: skip
def start_count_task(work: UnitOfWork, task_id: int) -> Done:
    _task(work, task_id)
    start_count(work, task_id, rules=rules(), cells=cells())
    return Done(state="counting")


@operation(
    "POST", "/count-tasks/{task_id}/found", permission=Permission.STOCK_COUNT, summary="Record what was found", tag=TAG,
    body=FoundBody, answer=Done, example={"found": "97"},
)  # fmt: skip
def record_count_task(work: UnitOfWork, task_id: int, body: FoundBody) -> Done:
    _task(work, task_id)
    with pointing():
        done = record_count(work, task_id, body.found, rules=rules(), cells=cells(), seen_version=body.version)
    return Done(state=done.state)


@operation(
    "POST", "/count-tasks/{task_id}/decision", permission=Permission.COUNT_APPROVE, summary="Decide on a difference", tag=TAG,
    body=VerdictBody, answer=Done, example={"approved": True, "note": "seen it myself"},
)  # fmt: skip
def decide_count_task(work: UnitOfWork, task_id: int, body: VerdictBody) -> Done:
    _task(work, task_id)
    decide_count(
        work, task_id, approved=body.approved, note=body.note, rules=rules(), cells=cells(), seen_version=body.version
    )
    return Done(state="done" if body.approved else "recount")


@operation(
    "POST", "/count-tasks/{task_id}/cancellation", permission=Permission.COUNT_PLAN, summary="Cancel a count", tag=TAG,
    body=ReasonBody, answer=Done, example={"reason": "the line waits"},
)  # fmt: skip
def cancel_count_task(work: UnitOfWork, task_id: int, body: ReasonBody) -> Done:
    _task(work, task_id)
    cancel_count(work, task_id, body.reason)
    return Done(state="cancelled")


@operation(
    "GET", "/stock-adjustments", permission=Permission.STOCK_READ, summary="Adjustments that wait for approval", tag=TAG,
    answer=ProposedList,
)  # fmt: skip
def list_adjustments() -> ProposedList:
    rows = [
        ProposedAnswer(
            id=row.id, site_id=row.site_id, item=row.code, quantity=row.quantity, currency=row.currency, reason=row.reason,
            value=None if row.value_minor is None else as_amount(row.value_minor, row.currency), note=row.note,
            asked_by=row.asked_by, version=row.version,
        )
        for row in proposed_adjustments(reader(), actor())
    ]  # fmt: skip
    return ProposedList(count=len(rows), items=rows)


@operation(
    "POST", "/stock-adjustments/{adjustment_id}/decision", permission=Permission.ADJUSTMENT_APPROVE,
    summary="Approve or reject an adjustment", tag=TAG, body=VerdictBody, answer=Done,
    example={"approved": True, "note": "checked"},
)  # fmt: skip
def decide_stock_adjustment(work: UnitOfWork, adjustment_id: int, body: VerdictBody) -> Done:
    rows = proposed_adjustments(work.session, work.actor, only=adjustment_id)
    if not rows:
        raise NotFound("adjustment_unknown", id=adjustment_id)
    work.realm = rows[0].realm
    done = decide_on_adjustment(
        work, adjustment_id, approved=body.approved, note=body.note, rules=rules(), cells=cells(), seen_version=body.version
    )  # fmt: skip
    return Done(state="waiting" if not done else "booked" if body.approved else "rejected")


@operation(
    "GET", "/lots/{lot_id}/trace", permission=Permission.STOCK_READ, summary="Where a lot came from and went", tag=TAG,
    answer=TraceAnswer,
)  # fmt: skip
def show_trace(lot_id: int) -> TraceAnswer:
    found = trace_lot(reader(), actor(), lot_id)
    stations = [
        StationAnswer(
            kind=one.kind, at=one.at, quantity=one.quantity, site=one.site, document=one.document, paper=one.paper,
            supplier=one.supplier, order=one.order_id, customer=one.customer,
        )
        for one in found.stations
    ]  # fmt: skip
    return TraceAnswer(lot=found.lot, item=found.item, expires_on=found.expires_on, stations=stations)


@operation(
    "POST", "/periods", permission=Permission.PERIOD_CLOSE, summary="Close the books up to a day", tag=TAG, body=PeriodBody,
    answer=Made, status=201, example={"entity": 1000, "until": "2026-11-01", "reason": "month end"},
)  # fmt: skip
def close_books(work: UnitOfWork, body: PeriodBody) -> Made:
    in_company(work, body.entity)
    with pointing():
        return Made(id=move_close(work, ClosePeriod(entity=body.entity, until=body.until, reason=body.reason), find))
