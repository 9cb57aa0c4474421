"""A dunning run: proposed by one person, confirmed by another, then issued notice by notice, each once however often it is tried."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import func, select

from erpcore.billing.disputes.records import held_back
from erpcore.billing.dunning.fees import charge_fee
from erpcore.billing.dunning.flow import CONFIRM, NOTICE, PROPOSE, RUN
from erpcore.billing.dunning.models import (
    DunningItem,
    DunningLeftOut,
    DunningNotice,
    DunningRun,
    DunningStand,
    DunningStep,
    NoticeState,
    RunState,
)
from erpcore.billing.dunning.procedures import Procedure, levels_of, procedures_on
from erpcore.billing.dunning.records import (
    SAVE_NOTICE,
    SAVE_RUN,
    SAVE_STAND,
    company,
    overdue_invoices,
    own_money,
    place_of,
    withheld,
)
from erpcore.billing.dunning.rules import Level, Overdue, next_level
from erpcore.credit.models import Receivable
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.first import insert_absent
from erpcore.kernel.history import record_move
from erpcore.kernel.rows import read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.kinds import JournalKind
from erpcore.ledger.periods import require_open_period
from erpcore.masterdata.calendars import calendar_on, calendars_of
from erpcore.masterdata.models import Customer, Site
from erpcore.masterdata.queries import EntityFacts
from erpcore.published.dunning import DunningSent

_RUN = ("id", "entity_id", "run_on", "state", "proposed_by", "proposed_at", "confirmed_by", "confirmed_at", "version")
_NOTICE = (
    "id", "run_id", "entity_id", "customer_id", "procedure_id", "level", "letter", "pay_until", "overdue_minor", "fee_minor",
    "state", "reason", "issued_at",
)  # fmt: skip
_ITEM = ("notice_id", "document_id", "from_level", "to_level", "open_minor", "due_on")
_LEFT = ("run_id", "document_id", "customer_id", "open_minor", "reason")
_STEP = ("notice_id", "document_id", "level", "at")
#: A paper gives no respite beyond so many closed days in a row.
_MOST_CLOSED = 14
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """A run with how many customers it asks, and how many documents it leaves out."""

    run: int
    notices: int
    left_out: int


def propose_run(work: UnitOfWork, entity: int) -> Proposed:
    """What the company would ask for today, kept as a run that somebody else confirms; nothing is posted or sent yet.

    Raises ``RuleBroken`` where today has a run, no procedure is in force, nothing is to be asked for, or the books of today are
    closed.
    """
    work.actor.require(PROPOSE)
    facts = company(work, entity)
    today = local_day(work.now, facts.time_zone)
    require_open_period(work, facts.id, today, JournalKind.SALES)
    procedures = procedures_on(work.session, facts.id, today)
    if not procedures:
        raise RuleBroken("dunning_no_procedure", field="entity", company=facts.code, day=today)
    key = work.ids.one()
    values = {
        "id": key, "entity_id": facts.id, "run_on": today, "state": RunState.PROPOSED, "proposed_by": work.actor.id,
        "proposed_at": work.now, "version": 1,
    }  # fmt: skip
    # The index on company and day lets one of two through.
    if not insert_absent(work, DunningRun, values):
        raise RuleBroken("dunning_run_exists", field="entity", company=facts.code, day=today)
    notices, items, left = _worked_out(work, facts, key, today, procedures)
    if not notices:
        raise RuleBroken("dunning_nothing", field="entity", company=facts.code, day=today)
    write_rows(work, DunningNotice.__table__, _NOTICE, notices)
    write_rows(work, DunningItem.__table__, _ITEM, items)
    write_rows(work, DunningLeftOut.__table__, _LEFT, left)
    record_move(work, RUN.document, key, "propose", None, RunState.PROPOSED)
    work.audit(
        "dunning_run.proposed", RUN.document, key, entity=facts.id, day=today, notices=len(notices), left_out=len(left)
    )
    return Proposed(run=key, notices=len(notices), left_out=len(left))


def _worked_out(
    work: UnitOfWork, facts: EntityFacts, run: int, today: date, procedures: dict[int | None, Procedure]
) -> tuple[list[Any], list[Any], list[Any]]:
    every = overdue_invoices(work.session, [facts.id], today)
    customers = {one.customer for one in every}
    money = own_money(work.session, customers)
    held = withheld(work.session, customers, today, facts.time_zone)
    ends = _PayUntil(work, facts.id)
    notices, items, left = [], [], []
    for customer, found in groupby(every, key=lambda one: one.customer):
        owed = list(found)
        procedure = procedures.get(money[customer].group) or procedures.get(None)
        asked, reasons = _asked(owed, procedure, held, money[customer].minor, today)
        left += [(run, one.document, customer, one.open_minor, reasons[one.document]) for one in owed if one.document in reasons]  # fmt: skip
        if not asked or procedure is None:
            continue
        level = procedure.levels[max(to for one, to in asked if to > one.level)]
        notice = work.ids.one()
        notices.append(
            (
                notice, run, facts.id, customer, procedure.id, level.level, level.letter, ends.after(today, level.respite_days),
                sum(one.open_minor for one, _ in asked), level.fee_minor, NoticeState.PROPOSED, None, None,
            )
        )  # fmt: skip
        items += [(notice, one.document, one.level, to, one.open_minor, one.due_on) for one, to in asked]
    return notices, items, left


def _asked(
    owed: Sequence[Overdue], procedure: Procedure | None, held: Any, own_minor: int, today: date
) -> tuple[list[tuple[Overdue, int]], dict[int, str]]:
    """What a customer is asked for, with the level after it; and why the rest is not. Nothing unless something rises."""
    if procedure is None:
        return [], {one.document: "no procedure for the customer's group" for one in owed}
    reasons = {one.document: why for one in owed if (why := held.why(one)) is not None}
    free = [one for one in owed if one.document not in reasons]
    total = sum(one.open_minor for one in free)
    rising = [(one, next_level(procedure.levels, one, today, procedure.interval_days)) for one in free]
    why = ""
    if free and own_minor >= total:
        why = "covered by money on account and credits"
    elif total < procedure.min_total_minor:
        why = "less than the procedure asks for"
    elif all(to == one.level for one, to in rising):
        why = "no further level is due"
    return ([], reasons | {one.document: why for one in free}) if why else (rising, reasons)


class _PayUntil:
    """The day that a letter gives: moved on to the next on which every site of the company that has a calendar works."""

    def __init__(self, work: UnitOfWork, entity: int) -> None:
        sites = list(work.session.scalars(select(Site.id).where(Site.entity_id == entity)))
        told = calendars_of(work.session, sites)
        self._told = [[one for one in told if one.site == site] for site in sorted({one.site for one in told})]

    def after(self, day: date, respite_days: int) -> date:
        """So many days later; without calendars any day will do."""
        until = day + respite_days * _DAY
        for _ in range(_MOST_CLOSED):
            if all(self._is_open(known, until) for known in self._told):
                break
            until += _DAY
        return until

    @staticmethod
    def _is_open(known: Any, day: date) -> bool:
        one = calendar_on(known, day)
        return one is None or (one.week[day.weekday()] is not None and day not in one.closed)


def _locked_run(work: UnitOfWork, run: int, permission: str, seen: int | None) -> Any:
    rows = read_rows(work, DunningRun, _RUN, "id", [run], lock=True)
    if not rows:
        raise NotFound("dunning_run_unknown", id=run)
    work.actor.require(permission)
    company(work, rows[0].entity_id)
    if seen not in (None, rows[0].version):
        raise Conflict("changed_meanwhile")
    return rows[0]


def _save_run(work: UnitOfWork, row: Any, move: str, reason: str | None = None, **changes: Any) -> None:
    state = RUN.target(move, row.state, reason=reason)
    values = {"confirmed_by": row.confirmed_by, "confirmed_at": row.confirmed_at, **changes, "state": state}
    SAVE_RUN.run(work, [{"of": row.id, "seen": row.version, **{f"now_{k}": v for k, v in values.items()}}])
    record_move(work, RUN.document, row.id, move, row.state, state, reason=reason)


def confirm_run(work: UnitOfWork, run: int, *, seen_version: int | None = None) -> None:
    """Let the notices of a run be issued; one of which none is left is done at once. Raises ``RuleBroken`` for who proposed it, and where the books of its day are closed."""
    row = _locked_run(work, run, CONFIRM, seen_version)
    RUN.target("confirm", row.state)
    if row.proposed_by == work.actor.id and not work.actor.is_system:
        raise RuleBroken("dunning_same_person", run=run)
    require_open_period(work, row.entity_id, row.run_on, JournalKind.SALES)
    _save_run(work, row, "confirm", confirmed_by=work.actor.id, confirmed_at=work.now)
    work.audit("dunning_run.confirmed", RUN.document, run, entity=row.entity_id, proposed_by=row.proposed_by)
    # A run of which every notice was taken out has none that would finish it.
    _finish(work, run)


def cancel_run(work: UnitOfWork, run: int, reason: str, *, seen_version: int | None = None) -> None:
    """Take a proposal back; another may then be made for the same day."""
    row = _locked_run(work, run, PROPOSE, seen_version)
    _save_run(work, row, "cancel", reason=reason)
    work.audit("dunning_run.cancelled", RUN.document, run, entity=row.entity_id, reason=reason)


def drop_notice(work: UnitOfWork, notice: int, reason: str) -> None:
    """Take a customer out of a run that nobody has confirmed yet."""
    found = read_rows(work, DunningNotice, ("id", "run_id"), "id", [notice])
    if not found:
        raise NotFound("dunning_notice_unknown", id=notice)
    run = _locked_run(work, found[0].run_id, PROPOSE, None)
    if run.state != RunState.PROPOSED:
        raise RuleBroken("dunning_run_confirmed", run=run.id)
    row = read_rows(work, DunningNotice, _NOTICE, "id", [notice], lock=True)[0]
    _settle(work, row, "drop", reason=reason)
    work.audit("dunning_notice.dropped", NOTICE.document, notice, run=run.id, reason=reason)


def _settle(work: UnitOfWork, row: Any, move: str, *, reason: str | None = None, **changes: Any) -> None:
    state = NOTICE.target(move, row.state, reason=reason)
    names = ("level", "letter", "pay_until", "overdue_minor", "fee_minor", "issued_at")
    values = {name: changes.get(name, getattr(row, name)) for name in names} | {"state": state, "reason": reason}
    SAVE_NOTICE.run(work, [{"of": row.id, "was": row.state, **{f"now_{k}": v for k, v in values.items()}}])
    record_move(work, NOTICE.document, row.id, move, row.state, state, reason=reason)


def waiting_notices(work_or_session: Any, run: int | None = None) -> list[int]:
    """Notices of confirmed runs that are not issued yet, in their order."""
    query = (
        select(DunningNotice.id)
        .join(DunningRun, DunningRun.id == DunningNotice.run_id)
        .where(DunningRun.state == RunState.CONFIRMED, DunningNotice.state == NoticeState.PROPOSED)
        .order_by(DunningNotice.id)
    )
    return list(work_or_session.scalars(query if run is None else query.where(DunningRun.id == run)))


def issue_notice(work: UnitOfWork, notice: int) -> bool:
    """Issue one notice of a confirmed run: levels rise, its fee is posted, and it is told. ``False`` where that was done already.

    What was paid, blocked, promised or asked for otherwise since the proposal is left out; where nothing rises any more the notice is
    dropped with that reason. The last notice of a run finishes it. Raises ``RuleBroken`` where the books of the day are closed.
    """
    found = read_rows(work, DunningNotice, _NOTICE, "id", [notice], lock=True)
    if not found:
        raise NotFound("dunning_notice_unknown", id=notice)
    row = found[0]
    run = read_rows(work, DunningRun, _RUN, "id", [row.run_id])[0]
    if row.state != NoticeState.PROPOSED or run.state != RunState.CONFIRMED:
        return False
    facts = company(work, row.entity_id)
    require_open_period(work, row.entity_id, run.run_on, JournalKind.SALES)
    levels = {one.level: one for one in levels_of(work.session, [row.procedure_id])[row.procedure_id]}
    still = _still(work, row, facts, run.run_on)
    rising = [(one, to) for one, to in still if to > one.level]
    if rising:
        _issue(work, row, run, facts, levels, still)
    else:
        _settle(work, row, "drop", reason="Nothing of it is to be asked for any more.")
    _finish(work, run.id)
    return True


def _still(work: UnitOfWork, row: Any, facts: EntityFacts, day: date) -> list[tuple[Overdue, int]]:
    """What of a notice is still to be asked for, as it is now."""
    items = {one.document_id: one for one in read_rows(work, DunningItem, _ITEM, "notice_id", [row.id])}
    disputed = held_back(work.session, sorted(items))
    names = ("document_id", "customer_id", "open_minor", "due_on")
    owed = read_rows(work, Receivable, names, "document_id", items, lock=True)
    stands = {
        one.document_id: one
        for one in read_rows(work, DunningStand, ("document_id", "level", "last_on"), "document_id", items, lock=True)
    }
    held = withheld(work.session, [row.customer_id], local_day(work.now, facts.time_zone), facts.time_zone)
    out = []
    for one in owed:
        known = stands.get(one.document_id)
        now = Overdue(
            document=one.document_id, customer=one.customer_id, due_on=one.due_on,
            open_minor=one.open_minor - disputed.get(one.document_id, 0), level=known.level if known else 0, last_on=known.last_on if known else None,
        )  # fmt: skip
        item = items[one.document_id]
        if now.open_minor > 0 and held.why(now) is None and now.level == item.from_level:
            out.append((now, item.to_level))
    total = sum(one.open_minor for one, _ in out)
    own = own_money(work.session, [row.customer_id])[row.customer_id].minor
    return [] if own >= total else out


def _issue(
    work: UnitOfWork, row: Any, run: Any, facts: EntityFacts, levels: dict[int, Level], still: list[tuple[Overdue, int]]
) -> None:
    level = levels[max(to for one, to in still if to > one.level)]
    overdue = sum(one.open_minor for one, _ in still)
    write_rows(
        work,
        DunningStep.__table__,
        _STEP,
        [(row.id, one.document, to, work.now) for one, to in still if to > one.level],
    )
    _raise_stands(work, still, run.run_on)
    (group,) = (one.group_id for one in read_rows(work, Customer, ("group_id",), "id", [row.customer_id]))
    place = place_of(facts, group)
    fee = charge_fee(work, place, notice=row.id, customer=row.customer_id, minor=level.fee_minor, on=run.run_on)
    pay_until = (
        row.pay_until if level.level == row.level else _PayUntil(work, facts.id).after(run.run_on, level.respite_days)
    )
    _settle(
        work, row, "issue", level=level.level, letter=level.letter, pay_until=pay_until, overdue_minor=overdue,
        fee_minor=level.fee_minor, issued_at=work.now,
    )  # fmt: skip
    event = DunningSent(
        customer=row.customer_id, run=run.id, level=level.level, documents=len(still), overdue=overdue,
        fee=level.fee_minor if fee else 0,
    )  # fmt: skip
    work.publish(
        event, place, step="order_to_cash.cash", subject=(NOTICE.document, row.id, 1), journey=row.id,
        refs=[("invoice", one.document, 1_000_000) for one, _ in still],
    )  # fmt: skip


def _raise_stands(work: UnitOfWork, still: Iterable[tuple[Overdue, int]], day: date) -> None:
    rising = [(one, to) for one, to in still if to > one.level]
    write_rows(
        work, DunningStand.__table__, ("document_id", "customer_id", "level", "last_on"),
        [(one.document, one.customer, to, day) for one, to in rising if one.last_on is None],
    )  # fmt: skip
    SAVE_STAND.run(
        work,
        [
            {"of": one.document, "was": one.level, "now_level": to, "now_last": day}
            for one, to in rising
            if one.last_on is not None
        ],
    )


def _finish(work: UnitOfWork, run: int) -> None:
    """Finish the run with its last notice. Whoever issues another at the same time is waited for, so that one of them does it."""
    row = read_rows(work, DunningRun, _RUN, "id", [run], lock=True)[0]
    left = select(func.count()).where(DunningNotice.run_id == run, DunningNotice.state == NoticeState.PROPOSED)
    if row.state == RunState.CONFIRMED and not work.session.execute(left).scalar_one():
        _save_run(work, row, "finish")
