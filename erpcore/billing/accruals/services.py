"""Posting what a period lacks at its end, and turning it back on the day after: both at once, so that neither is ever forgotten.

A run may be made as often as one likes. It posts what should stand there less what earlier runs posted, so a run that was killed, made
twice, or made by two at once leaves the same books.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from erpcore.billing.accruals.ends import PeriodEnd, period_end
from erpcore.billing.accruals.expected import expected_returns
from erpcore.billing.accruals.figures import Due, DueKey, cost_on_the_way, deferred, freight, unbilled
from erpcore.billing.accruals.models import AccrualKind, AccrualLine, AccrualRun
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.events import Place
from erpcore.kernel.first import insert_absent
from erpcore.kernel.history import record_move
from erpcore.kernel.rows import write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.closing.tasks import ACCRUALS_TASK, done_by_itself
from erpcore.ledger.kinds import JournalKind
from erpcore.ledger.models import AccountRole
from erpcore.ledger.periods import AUTHORITY, first_open_day, own_entity, require_over
from erpcore.ledger.services import LATER_ROLES, Entry, Side, ensure_account, post_entries
from erpcore.masterdata.models import Entity, Site
from erpcore.ports import standard_ruleset
from erpcore.published.accruals import AccrualsPosted, AccruedAmount

_COLUMNS = (
    "id", "run_id", "kind", "shipment_id", "order_id", "invoice_id", "site_id", "channel_id", "currency", "amount_minor",
    "charges_minor", "basis", "entry_id", "reversal_id", "written_at",
)  # fmt: skip
_R = AccountRole
#: Which rule posts a kind: what it debits, what it credits; where revenue is, charges have an account of their own.
_RULES: dict[AccrualKind, tuple[str, AccountRole, AccountRole]] = {
    AccrualKind.UNBILLED: ("unbilled_revenue", _R.UNBILLED, _R.REVENUE),
    AccrualKind.DEFERRED: ("deferred_revenue", _R.REVENUE, _R.DEFERRED),
    AccrualKind.COST: ("cost_on_the_way", _R.ON_THE_WAY, _R.COST_OF_SALES),
    AccrualKind.FREIGHT: ("freight_accrued", _R.FREIGHT, _R.FREIGHT_ACCRUED),
    AccrualKind.REFUND: ("refunds_expected", _R.REVENUE, _R.REFUNDS_EXPECTED),
    AccrualKind.RETURNED: ("returns_expected", _R.RETURNS_EXPECTED, _R.COST_OF_SALES),
}
_BACK = "_back"
_ORDER = list(AccrualKind)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunAccruals:
    """Post what a company's days before ``until`` lack."""

    entity: int
    until: date


class Ran(NamedTuple):
    """Which run it was, and how many lines it posted now."""

    run: int
    lines: int


def due_at(session: Session, end: PeriodEnd) -> list[Due]:
    """All that should stand in the books at the end of the period, by kind and document."""
    waiting = deferred(session, end)
    found = [*unbilled(session, end), *waiting, *cost_on_the_way(session, end, waiting), *freight(session, end)]
    return [*found, *expected_returns(session, end)]


def standing_at(session: Session, entity: int, until: date) -> dict[DueKey, tuple[int, int]]:
    """What runs posted of each for this period's end: amount, and the part of charges."""
    line = AccrualLine
    by = (line.kind, line.shipment_id, line.site_id, line.channel_id, line.currency)
    query = (
        select(*by, func.sum(line.amount_minor), func.sum(line.charges_minor))
        .join(AccrualRun, AccrualRun.id == line.run_id)
        .where(AccrualRun.entity_id == entity, AccrualRun.until == until)
        .group_by(*by)
    )
    return {
        DueKey(AccrualKind(kind), shipment, site, channel, currency): (int(amount), int(charges))
        for kind, shipment, site, channel, currency, amount, charges in session.execute(query)
    }


def still_due(due: Iterable[Due], standing: dict[DueKey, tuple[int, int]]) -> list[Due]:
    """What has to be posted so that what is due stands there: new, more, less, or taken back."""
    left, out = dict(standing), []
    for one in due:
        amount, charges = left.pop(one.key, (0, 0))
        if (one.amount, one.charges) != (amount, charges):
            out.append(
                Due(
                    key=one.key, amount=one.amount - amount, charges=one.charges - charges, order=one.order, invoice=one.invoice,
                    basis=one.basis,
                )
            )  # fmt: skip
    out += [
        Due(key=key, amount=-amount, charges=-charges)
        for key, (amount, charges) in sorted(left.items(), key=lambda one: (_ORDER.index(one[0].kind), one[0][1:]))
        if amount or charges
    ]
    return out


def run_accruals(work: UnitOfWork, command: RunAccruals, *, late: Collection[str]) -> Ran:
    """Post what is due at a period's end on its last day, and turn it back on the day after, line by line.

    ``late``: the rulesets by which control passes with the delivery. Raises ``RuleBroken("accruals_locked")`` where one of the two
    days takes no posting any more, ``"period_not_over"`` before the period's end.
    """
    work.actor.require(AUTHORITY)
    entity = own_entity(work, command.entity)
    require_over(work, entity, command.until)
    last = command.until - timedelta(days=1)
    for journal in (JournalKind.SALES, JournalKind.STOCK):
        first = first_open_day(work, entity.id, last, journal)
        if first > last:
            raise RuleBroken("accruals_locked", field="until", day=last, until=first, journal=journal)
    run = _locked_run(work, command)
    end = period_end(work.session, entity.id, command.until, late)
    found = still_due(due_at(work.session, end), standing_at(work.session, entity.id, command.until))
    if found:
        _post(work, entity, run, found)
    run.version, run.run_by, run.run_at = run.version + 1, work.actor.id, work.now
    work.session.flush()
    record_move(
        work,
        "accrual_run",
        run.id,
        "run",
        None if run.version == 1 else "posted",
        "posted",
        facts={"lines": len(found)},
    )
    done_by_itself(
        work, entity.id, command.until, ACCRUALS_TASK, f"Run AR-{run.id}: {len(found)} lines posted and turned back."
    )
    return Ran(run.id, len(found))


def _locked_run(work: UnitOfWork, command: RunAccruals) -> AccrualRun:
    """The run of this period's end, made where there is none; who comes second waits for the first here."""
    values = {
        "id": work.ids.one(), "entity_id": command.entity, "until": command.until, "run_by": work.actor.id, "run_at": work.now,
        "version": 0,
    }  # fmt: skip
    insert_absent(work, AccrualRun, values)
    return work.session.scalars(
        select(AccrualRun)
        .where(AccrualRun.entity_id == command.entity, AccrualRun.until == command.until)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()


def _post(work: UnitOfWork, entity: Entity, run: AccrualRun, found: Sequence[Due]) -> None:
    zones = {row.id: row.time_zone for row in work.session.scalars(select(Site).where(Site.entity_id == entity.id))}
    for role in sorted({role for due in found for role in _RULES[due.key.kind][1:]} & LATER_ROLES):
        ensure_account(work, entity.id, role)
    ids = work.ids.reserve(len(found))
    keys = [next(ids) for _ in found]
    there = [
        entry_of(due, key, entity, run.until, work, zones[due.key.site]) for due, key in zip(found, keys, strict=True)
    ]
    entries = post_entries(work, there)
    back = post_entries(work, [turned(one, key, run.until) for one, key in zip(there, entries, strict=True)])
    write_rows(
        work, AccrualLine.__table__, _COLUMNS,
        [
            (
                key, run.id, due.key.kind, due.key.shipment, due.order, due.invoice, due.key.site, due.key.channel, due.key.currency,
                due.amount, due.charges, due.basis, entry, reversal, work.now,
            )
            for due, key, entry, reversal in zip(found, keys, entries, back, strict=True)
        ],
    )  # fmt: skip
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for due in found:
        sums[due.key.kind, due.key.currency] += due.amount
    amounts = [
        AccruedAmount(kind=kind, currency=currency, amount=minor) for (kind, currency), minor in sorted(sums.items())
    ]
    work.publish(
        AccrualsPosted(until=run.until, lines=len(found), amounts=amounts), place_of(entity, entity.time_zone),
        step="record_to_report.post", subject=("accrual_run", run.id, run.version + 1), journey=run.id,
    )  # fmt: skip


def place_of(entity: Entity, zone: str, key: DueKey | None = None) -> Place:
    """Where something accrued belongs."""
    return Place(
        realm=entity.realm, entity=entity.id, site=key.site if key else None, channel=key.channel if key else None,
        ruleset=standard_ruleset().hash, currency=key.currency if key else entity.currency, time_zone=zone,
    )  # fmt: skip


def entry_of(due: Due, line: int, entity: Entity, until: date, work: UnitOfWork, zone: str) -> Entry:
    """What a line posts on the last day of the period."""
    rule, debit, credit = _RULES[due.key.kind]
    sides = []
    for role, sign in ((debit, 1), (credit, -1)):
        of_charges = due.charges if role == _R.REVENUE else 0
        sides += [Side(role, sign * (due.amount - of_charges)), Side(_R.CHARGES, sign * of_charges)]
    return Entry(
        rule=rule, place=place_of(entity, zone, due.key), document_type="accrual", document_id=line, journey=due.order or line,
        entry_on=until - timedelta(days=1), posted_at=work.now, currency=due.key.currency, sides=sides, text=due.basis,
    )  # fmt: skip


def turned(entry: Entry, posted: int, until: date) -> Entry:
    """What turns it back on the first day of the next period."""
    sides = [side._replace(amount=-side.amount) for side in entry.sides]
    return Entry(
        rule=f"{entry.rule}{_BACK}", place=entry.place, document_type=entry.document_type, document_id=entry.document_id,
        journey=entry.journey, entry_on=until, posted_at=entry.posted_at, currency=entry.currency, sides=sides, text=entry.text,
        reverses=posted,
    )  # fmt: skip
