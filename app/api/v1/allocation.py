"""Scarce stock for programs: short items, claims and holders, runs, taking back, protections."""

from __future__ import annotations

from app.api.framework import operation
from app.api.lists import asked_of, listed
from app.api.v1.allocation_models import (
    ClaimAnswer,
    CommitBody,
    DecideBody,
    HolderAnswer,
    PlaceAnswer,
    ProtectBody,
    ProtectionAnswer,
    ProtectionList,
    ProtectionQuery,
    RankBody,
    RejectBody,
    RunAnswer,
    RunDetail,
    RunLineAnswer,
    RunPlaceAnswer,
    RunQuery,
    ShortItemAnswer,
    ShortQuery,
    SimulateBody,
    StateAnswer,
    TakeBackBody,
    TakenBackAnswer,
    WishAnswer,
    WishList,
)
from app.api.v1.numbers import as_amount, pointing, thousandths
from app.api.values import Page
from app.composition import order_approvals
from app.composition.order_approvals import BY_RULES
from app.composition.request import now, reader
from app.composition.trading import cells, rules
from app.queries.allocation import RUNS, RunRow, run_page, run_row
from app.queries.allocation_preview import preview
from app.queries.backorders import realm_of_line
from app.queries.claimants import PROTECTIONS, ProtectionRow, held_lines, one_protection, open_wishes
from app.queries.places import realm_of_site
from app.queries.scarcity import SHORT_ITEMS, ShortRow
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.protections import ProtectStock, end_protection, protect_stock
from erpcore.orders.runs import MoveLine, SimulateRun, commit_run, move_line, reject_run, simulate_run
from erpcore.orders.takeback import TakeBack, take_back

TAG = "Allocation"


@operation(
    "GET", "/short-items", permission=Permission.ORDER_READ, summary="Items that lines wait for", tag=TAG, query=ShortQuery,
    answer=Page[ShortItemAnswer],
)  # fmt: skip
def list_short_items(query: ShortQuery) -> Page[ShortItemAnswer]:
    """By site and item, so that one reads on while others become short or are served; `since` says who waits longest."""
    return listed(SHORT_ITEMS, query, _short, key=lambda row: (row.site_id, row.item_id))


def _short(row: ShortRow) -> ShortItemAnswer:
    return ShortItemAnswer(
        site_id=row.site_id, site=row.site, item_id=row.item_id, item=row.code, lines=row.lines, unmet=row.unmet,
        since=row.since, free=row.free, coming=row.coming, next_on=row.next_on,
        value=as_amount(row.value_minor, row.currency), currency=row.currency,
    )  # fmt: skip


@operation(
    "GET", "/sites/{site_id}/items/{item_id}/claims", permission=Permission.ORDER_READ,
    summary="Who waits for an item and who holds it", tag=TAG, answer=PlaceAnswer,
)  # fmt: skip
def show_claims(site_id: int, item_id: int) -> PlaceAnswer:
    """What each rule would give now to who waits, and who holds stock that is not picked."""
    page = preview(reader(), actor(), now(), site_id, item_id, rules=rules(), cells=cells())
    claims = [
        ClaimAnswer(
            line=row.line_id, order_id=row.order_id, order=row.order, customer=row.customer, rank=row.rank,
            priority=row.priority, tier=row.tier, since=row.since, promised_on=row.promised_on, leaves_whole=row.whole,
            wanted=row.wanted, gets=row.got, why=row.why, by_rule=row.by,
        )
        for row in page.rows
    ]  # fmt: skip
    holders = [
        HolderAnswer(
            line=row.line_id, order_id=row.order_id, order=row.number, customer=row.customer, allocated=row.allocated,
            promised_at=row.promised_at,
        )
        for row in held_lines(reader(), actor(), site_id, item_id)
    ]  # fmt: skip
    return PlaceAnswer(
        site_id=site_id, item_id=item_id, item=page.code, rule=page.rule, free=page.free, kept_by_contract=page.protected,
        claims=claims, holders=holders,
    )  # fmt: skip


def _run(row: RunRow) -> RunAnswer:
    return RunAnswer.model_validate(row)


@operation("GET", "/allocation-runs", permission=Permission.ORDER_READ, summary="List runs", tag=TAG, query=RunQuery, answer=Page[RunAnswer])  # fmt: skip
def list_allocation_runs(query: RunQuery) -> Page[RunAnswer]:
    return listed(RUNS, query, _run)


@operation(
    "GET", "/allocation-runs/{run_id}", permission=Permission.ORDER_READ, summary="A run with its explanation", tag=TAG,
    answer=RunDetail,
)  # fmt: skip
def show_allocation_run(run_id: int) -> RunDetail:
    """At most 2,000 lines of it; the file of the run has all."""
    page = run_page(reader(), actor(), run_id, most=2000)
    inputs = [
        RunPlaceAnswer(
            item_id=place.item_id, item=place.code, rule=place.rule, free=place.free, wanted=place.wanted, given=place.given,
            protected=place.protected,
        )
        for place in page.places
    ]  # fmt: skip
    lines = [RunLineAnswer.model_validate(row) for rows in page.lines.values() for row in rows]
    return RunDetail(inputs=inputs, explained=lines, **_run(page.run).model_dump())


@operation(
    "POST", "/allocation-runs", permission=Permission.ALLOCATION_SIMULATE, summary="Simulate a run", tag=TAG, body=SimulateBody,
    answer=StateAnswer, status=201, example={"site": 1001, "item": 1004},
)  # fmt: skip
def simulate_allocation(work: UnitOfWork, body: SimulateBody) -> StateAnswer:
    """Nothing is allocated until it is committed."""
    work.realm = realm_of_site(work.session, work.actor, body.site)
    with pointing():
        run = simulate_run(work, SimulateRun(site=body.site, item=body.item), rules=rules(), cells=cells())
    return StateAnswer(id=run.id, state=run.state)


@operation(
    "POST", "/allocation-runs/{run_id}/commit", permission=Permission.ALLOCATION_COMMIT, summary="Commit a run", tag=TAG,
    body=CommitBody, answer=StateAnswer, example={"version": 1},
)  # fmt: skip
def commit_allocation(work: UnitOfWork, run_id: int, body: CommitBody) -> StateAnswer:
    """All winners get their stock, or, where stock or orders have changed since, nobody does."""
    work.realm = run_row(work.session, work.actor, run_id).realm
    run = commit_run(work, run_id, rules=rules(), cells=cells(), seen_version=body.version)
    return StateAnswer(id=run.id, state=run.state)


@operation(
    "POST", "/allocation-runs/{run_id}/rejection", permission=Permission.ALLOCATION_COMMIT, summary="Put a run aside", tag=TAG,
    body=RejectBody, answer=StateAnswer, example={"reason": "the delivery was miscounted"},
)  # fmt: skip
def reject_allocation(work: UnitOfWork, run_id: int, body: RejectBody) -> StateAnswer:
    work.realm = run_row(work.session, work.actor, run_id).realm
    run = reject_run(work, run_id, body.reason)
    return StateAnswer(id=run.id, state=run.state)


@operation(
    "POST", "/allocation-runs/{run_id}/ranks", permission=Permission.ALLOCATION_OVERRIDE, summary="Rank a line by hand", tag=TAG,
    body=RankBody, answer=StateAnswer, example={"line": 1031, "rank": 1, "reason": "the customer's line stands still"},
)  # fmt: skip
def rank_line(work: UnitOfWork, run_id: int, body: RankBody) -> StateAnswer:
    """The run is worked out anew, and another person commits it."""
    work.realm = run_row(work.session, work.actor, run_id).realm
    command = MoveLine(run=run_id, line=body.line, rank=body.rank, reason=body.reason, seen_version=body.version)
    with pointing():
        run = move_line(work, command, rules=rules(), cells=cells())
    return StateAnswer(id=run.id, state=run.state)


@operation(
    "POST", "/take-backs", permission=Permission.ALLOCATION_TAKE_BACK, summary="Take allocated stock back", tag=TAG,
    body=TakeBackBody, answer=TakenBackAnswer, status=201,
    example={"line": 1031, "to": 1040, "quantity": "4", "reason": "promised first"},
)  # fmt: skip
def take_stock_back(work: UnitOfWork, body: TakeBackBody) -> TakenBackAnswer:
    """For a line that ranks better; where the site's rule wants a second person it waits for one."""
    work.realm = realm_of_line(work.session, body.line) or work.realm
    command = TakeBack(line=body.line, to=body.to, quantity=thousandths(body.quantity), reason=body.reason)
    with pointing():
        (done,) = take_back(work, [command], rules=rules(), cells=cells(), authority=BY_RULES)
    return TakenBackAnswer(state="done" if done.wish is None else "proposed", wish=done.wish)


@operation(
    "GET", "/take-backs", permission=Permission.ORDER_READ, summary="Wishes that wait for a second person", tag=TAG,
    answer=WishList,
)  # fmt: skip
def list_take_backs() -> WishList:
    rows = [
        WishAnswer(
            id=row.id, site_id=row.site_id, item_id=row.item_id, item=row.code, from_order=row.from_order,
            to_order=row.to_order, quantity=row.quantity, reason=row.reason, asked_by=row.asked_by, asked_at=row.asked_at,
        )
        for row in open_wishes(reader(), actor())
    ]  # fmt: skip
    return WishList(count=len(rows), items=rows)


@operation(
    "POST", "/take-backs/{wish_id}/decision", permission=Permission.TAKE_BACK_APPROVE, summary="Agree to a wish or reject it",
    tag=TAG, body=DecideBody, answer=StateAnswer, example={"agreed": True, "note": "they were promised first"},
)  # fmt: skip
def decide_on_take_back(work: UnitOfWork, wish_id: int, body: DecideBody) -> StateAnswer:
    rows = open_wishes(work.session, work.actor, only=wish_id)
    work.realm = rows[0].realm if rows else work.realm
    wish = order_approvals.decide_on_take_back(
        work, wish_id, agreed=body.agreed, note=body.note, rules=rules(), cells=cells()
    )
    return StateAnswer(id=wish.id, state=wish.state)


def _protection(row: ProtectionRow) -> ProtectionAnswer:
    names = [name for name in ProtectionAnswer.model_fields if name != "item"]
    return ProtectionAnswer(item=row.code, **{name: getattr(row, name) for name in names})


@operation(
    "GET", "/stock-protections", permission=Permission.ORDER_READ, summary="What is kept by contract", tag=TAG,
    query=ProtectionQuery, answer=ProtectionList,
)  # fmt: skip
def list_protections(query: ProtectionQuery) -> ProtectionList:
    rows = [_protection(row) for row in PROTECTIONS.every(reader(), actor(), asked_of(query), now())]
    return ProtectionList(count=len(rows), items=rows)


@operation(
    "POST", "/stock-protections", permission=Permission.PROTECTION_CHANGE, summary="Protect stock by contract", tag=TAG,
    body=ProtectBody, answer=StateAnswer, status=201,
    example={
        "site": 1001, "item": 1004, "customer": 1010, "quantity": "20", "contract": "frame contract 7",
        "valid_from": "2026-01-01",
    },
)  # fmt: skip
def enter_protection(work: UnitOfWork, body: ProtectBody) -> StateAnswer:
    work.realm = realm_of_site(work.session, work.actor, body.site)
    with pointing():
        (row,) = protect_stock(work, [ProtectStock(**{name: getattr(body, name) for name in ProtectBody.model_fields})])
    return StateAnswer(id=row.id, state="holds")


@operation(
    "POST", "/stock-protections/{protection_id}/end", permission=Permission.PROTECTION_CHANGE, summary="End a protection today",
    tag=TAG, answer=StateAnswer,
)  # fmt: skip
def end_stock_protection(work: UnitOfWork, protection_id: int) -> StateAnswer:
    work.realm = one_protection(work.session, work.actor, protection_id).realm
    end_protection(work, protection_id)
    return StateAnswer(id=protection_id, state="ended")
