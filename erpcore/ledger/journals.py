"""Postings by hand: somebody writes a journal, who neither wrote nor changed it approves it, and what is posted is only ever reversed by another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import delete, select, update

from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.events import Place
from erpcore.kernel.history import Transition, record_move
from erpcore.kernel.money import from_minor
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.flow import JOURNAL, WRITING
from erpcore.ledger.kinds import JournalKind
from erpcore.ledger.models import Account, AccountRole, JournalState, ManualJournal, ManualLine
from erpcore.ledger.periods import require_open_period
from erpcore.ledger.posting_rules import CONTROL_ROLES
from erpcore.ledger.services import Entry, Side, post_entries
from erpcore.masterdata.models import Channel
from erpcore.masterdata.queries import EntityFacts, entity_facts, site_facts
from erpcore.ports import standard_ruleset
from erpcore.published.journals import JournalPosted

_COLUMNS = (
    "id", "entity_id", "site_id", "channel_id", "state", "entry_on", "currency", "amount_minor", "reason", "evidence",
    "reverses_id", "entry_id", "written_by", "written_at", "decided_by", "decided_at", "decision_note", "version",
)  # fmt: skip
_LINE = ("journal_id", "line_no", "account_id", "debit_minor", "credit_minor")
_CHANGED = (
    "state", "site_id", "channel_id", "entry_on", "amount_minor", "reason", "evidence", "entry_id", "decided_by", "decided_at",
    "decision_note",
)  # fmt: skip
#: In minor units: more than any journal moves.
_MOST_MINOR = 10**15
#: As many sides as one journal may have.
MOST_LINES = 200


class JournalLineIn(NamedTuple):
    """One side as it is written, in minor units."""

    account: int
    debit_minor: int
    credit_minor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteJournal:
    """A journal as it is written. ``evidence``: what it rests on, in words, where nobody looks it up otherwise."""

    entity: int
    entry_on: date
    reason: str
    lines: Sequence[JournalLineIn]
    site: int | None = None
    channel: int | None = None
    evidence: str | None = None


def _change() -> Any:
    table = ManualJournal.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("seen", table.c.version))
        .values({name: param(f"now_{name}", table.c[name]) for name in _CHANGED} | {"version": table.c.version + 1})
    )


_CHANGE = Change(_change)


def _save(work: UnitOfWork, row: Any, **changes: Any) -> None:
    values = {f"now_{name}": changes.get(name, getattr(row, name)) for name in _CHANGED}
    _CHANGE.run(work, [{"of": row.id, "seen": row.version, **values}])


def _locked(work: UnitOfWork, journal: int, permission: str, seen_version: int | None) -> Any:
    """The journal, locked; refuses who may not, another realm, and who saw an older version."""
    rows = read_rows(work, ManualJournal, _COLUMNS, "id", [journal], lock=True)
    if not rows:
        raise NotFound("journal_unknown", id=journal)
    row = rows[0]
    _company(work, row.entity_id)
    _require(work, permission, row.site_id)
    if seen_version not in (None, row.version):
        raise Conflict("changed_meanwhile")
    return row


def _company(work: UnitOfWork, entity: int) -> EntityFacts:
    facts = entity_facts(work, entity)
    if facts.realm != work.realm:
        raise RuleBroken("other_realm", site=facts.code, realm=facts.realm, asked=work.realm)
    return facts


def _require(work: UnitOfWork, permission: str, site: int | None) -> None:
    """What belongs to no site is for people who see all."""
    work.actor.require(permission, site=site)
    if site is None and work.actor.sites is not None:
        raise NotFound("not_found")


def _place(work: UnitOfWork, entity: EntityFacts, site: int | None, channel: int | None) -> Place:
    zone = entity.time_zone
    if site is not None:
        facts = site_facts(work, site)
        if facts.entity.id != entity.id:
            raise RuleBroken("other_entity", field="site", customer=entity.code, site=facts.code)
        zone = facts.time_zone
    if channel is not None and work.session.get(Channel, channel) is None:
        raise RuleBroken("choice_unknown", field="channel", value=str(channel))
    return Place(
        realm=entity.realm, entity=entity.id, site=site, channel=channel, ruleset=standard_ruleset().hash,
        currency=entity.currency, time_zone=zone,
    )  # fmt: skip


def _check_day(work: UnitOfWork, place: Place, day: date, *, posts: bool = True) -> None:
    """``posts`` false: who only reads and agrees is not kept out by a soft lock."""
    today = local_day(work.now, place.time_zone)
    if day > today:
        raise RuleBroken("journal_in_future", field="entry_on", day=day)
    if day < today:
        require_open_period(work, place.entity, day, JournalKind.MANUAL, posts=posts)


def _check_lines(work: UnitOfWork, entity: EntityFacts, lines: Sequence[JournalLineIn]) -> int:
    """What the journal debits; refuses sides that are none, accounts of control, and what does not balance."""
    if not 2 <= len(lines) <= MOST_LINES:
        raise RuleBroken("journal_lines_few", field="lines-0-account")
    accounts = {row.id: row for row in read_rows(work, Account, ("id", "code", "role"), "entity_id", [entity.id])}
    for number, line in enumerate(lines):
        account = accounts.get(line.account)
        if account is None:
            raise RuleBroken("ledger_account_unknown", field=f"lines-{number}-account")
        if account.role in CONTROL_ROLES:
            raise RuleBroken(
                "account_not_by_hand",
                field=f"lines-{number}-account",
                account=account.code,
                role=account.role.replace("_", " "),
            )
        if min(line.debit_minor, line.credit_minor) < 0 or (line.debit_minor > 0) == (line.credit_minor > 0):
            raise RuleBroken("journal_line_side", field=f"lines-{number}-debit")
        if max(line.debit_minor, line.credit_minor) >= _MOST_MINOR:
            raise RuleBroken("amount_absurd", field=f"lines-{number}-debit")
    debits, credited = sum(line.debit_minor for line in lines), sum(line.credit_minor for line in lines)
    if debits != credited:
        debit, credit, difference = (
            from_minor(minor, entity.currency) for minor in (debits, credited, abs(debits - credited))
        )
        raise RuleBroken(
            "journal_unbalanced", currency=entity.currency, debits=debit, credits=credit, difference=difference
        )
    return debits


def write_journal(work: UnitOfWork, command: WriteJournal) -> int:
    """Keep a draft; returns its id. Nothing is posted before another person approves it."""
    entity = _company(work, command.entity)
    _require(work, "ledger:entry:post", command.site)
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="journal", move="write")
    _check_day(work, _place(work, entity, command.site, command.channel), command.entry_on)
    amount, key = _check_lines(work, entity, command.lines), work.ids.one()
    _insert(work, key, entity, command, amount, JOURNAL.initial, None)
    record_move(work, "journal", key, "write", None, JOURNAL.initial)
    return key


def _insert(
    work: UnitOfWork, key: int, entity: EntityFacts, command: WriteJournal, amount: int, state: str, reverses: int | None
) -> None:  # fmt: skip
    head = (
        key, entity.id, command.site, command.channel, state, command.entry_on, entity.currency, amount, command.reason.strip(),
        (command.evidence or "").strip() or None, reverses, None, work.actor.id, work.now, None, None, None, 1,
    )  # fmt: skip
    write_rows(work, ManualJournal.__table__, _COLUMNS, [head])
    _write_lines(work, key, command.lines)


def _write_lines(work: UnitOfWork, journal: int, lines: Sequence[JournalLineIn]) -> None:
    write_rows(work, ManualLine.__table__, _LINE, [(journal, number, *line) for number, line in enumerate(lines, 1)])


def change_journal(work: UnitOfWork, journal: int, command: WriteJournal, *, seen_version: int | None = None) -> None:
    """Write a draft anew; what was submitted stands as it is."""
    row = _locked(work, journal, "ledger:entry:post", seen_version)
    if row.reverses_id is not None:
        raise RuleBroken("journal_fixed")
    if row.state != JournalState.DRAFT:
        JOURNAL.target("submit", row.state)
    entity = _company(work, row.entity_id)
    _require(work, "ledger:entry:post", command.site)
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="journal", move="write")
    _check_day(work, _place(work, entity, command.site, command.channel), command.entry_on)
    amount = _check_lines(work, entity, command.lines)
    work.session.execute(delete(ManualLine).where(ManualLine.journal_id == journal))
    _write_lines(work, journal, command.lines)
    _save(
        work, row, site_id=command.site, channel_id=command.channel, entry_on=command.entry_on, amount_minor=amount,
        reason=command.reason.strip(), evidence=(command.evidence or "").strip() or None,
    )  # fmt: skip
    record_move(work, "journal", row.id, "change", row.state, row.state)


def _has_written(work: UnitOfWork, row: Any) -> bool:
    """Whether the person wrote the journal or changed it since."""
    if row.written_by == work.actor.id:
        return True
    wrote = select(Transition.id).where(
        Transition.document_type == "journal", Transition.document_id == row.id, Transition.move.in_(WRITING),
        Transition.actor == work.actor.id,
    )  # fmt: skip
    return work.session.execute(wrote.limit(1)).first() is not None


def move_journal(
    work: UnitOfWork, journal: int, move: str, *, note: str | None = None, seen_version: int | None = None
) -> None:
    """Submit, approve, reject, rework or post a journal.

    Raises ``NotAllowed("journal_own")`` for who wrote or changed it and wants to decide on it, ``RuleBroken("period_closed")``
    where its day was closed meanwhile, ``IllegalMove`` where somebody else was faster.
    """
    step = JOURNAL.moves[move]
    row = _locked(work, journal, step.permission, seen_version)
    state = JOURNAL.target(move, row.state, reason=note)
    if move in ("approve", "reject") and not work.actor.is_system and _has_written(work, row):
        raise NotAllowed("journal_own")
    if move == "rework" and row.reverses_id is not None:
        raise RuleBroken("journal_fixed")
    place = _place(work, _company(work, row.entity_id), row.site_id, row.channel_id)
    changes: dict[str, Any] = {"state": state}
    if move in ("submit", "approve", "post"):
        _check_day(work, place, row.entry_on, posts=move == "post")
    if move in ("approve", "reject"):
        changes |= {"decided_by": work.actor.id, "decided_at": work.now, "decision_note": (note or "").strip() or None}
        work.audit("journal_decided", "journal", row.id, move=move, written_by=row.written_by, amount=row.amount_minor)
    if move == "post":
        changes["entry_id"] = _post(work, row, place)
    _save(work, row, **changes)
    record_move(work, "journal", row.id, move, row.state, state, reason=(note or "").strip() or None)


def _post(work: UnitOfWork, row: Any, place: Place) -> int:
    """Post its lines; what it reverses is reversed by that."""
    lines = read_rows(work, ManualLine, _LINE, "journal_id", [row.id])
    roles = {
        one.id: one.role for one in read_rows(work, Account, ("id", "role"), "id", {line.account_id for line in lines})
    }
    sides = [
        Side(AccountRole(role) if role else None, line.debit_minor - line.credit_minor, account=line.account_id)
        for line in sorted(lines, key=lambda one: one.line_no)
        for role in (roles[line.account_id],)
    ]
    before = None
    if row.reverses_id is not None:
        (before,) = read_rows(work, ManualJournal, _COLUMNS, "id", [row.reverses_id], lock=True)
        _save(work, before, state=JOURNAL.target("reverse", before.state))
        record_move(work, "journal", before.id, "reverse", before.state, JournalState.REVERSED, reason=row.reason)
    (entry,) = post_entries(
        work,
        [
            Entry(
                rule="manual_journal", place=place, document_type="journal", document_id=row.id,
                journey=before.id if before else row.id, entry_on=row.entry_on, posted_at=work.now, currency=row.currency,
                sides=sides, text=row.reason, reverses=before.entry_id if before else None,
            )
        ],
    )  # fmt: skip
    work.publish(
        JournalPosted(
            amount=row.amount_minor, written_by=row.written_by, approved_by=row.decided_by, reverses=row.reverses_id
        ),
        place, step="record_to_report.post", subject=("journal", row.id, row.version + 1),
        journey=before.id if before else row.id,
    )  # fmt: skip
    return entry


def reverse_journal(
    work: UnitOfWork, journal: int, *, entry_on: date, reason: str, seen_version: int | None = None
) -> int:
    """Submit the mirror image of a posted journal, which another person approves; returns its id.

    Raises ``RuleBroken("journal_reversed_already")`` where one waits or was posted.
    """
    row = _locked(work, journal, "ledger:entry:post", seen_version)
    JOURNAL.target("reverse", row.state)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="journal", move="reverse")
    other = select(ManualJournal.id).where(
        ManualJournal.reverses_id == journal, ManualJournal.state != JournalState.REJECTED
    )
    if work.session.execute(other).first() is not None:
        raise RuleBroken("journal_reversed_already")
    entity = _company(work, row.entity_id)
    _check_day(work, _place(work, entity, row.site_id, row.channel_id), entry_on)
    lines = sorted(read_rows(work, ManualLine, _LINE, "journal_id", [row.id]), key=lambda one: one.line_no)
    command = WriteJournal(
        entity=entity.id, entry_on=entry_on, reason=reason, site=row.site_id, channel=row.channel_id,
        lines=[JournalLineIn(line.account_id, line.credit_minor, line.debit_minor) for line in lines],
    )  # fmt: skip
    key, state = work.ids.one(), JOURNAL.target("submit", JOURNAL.initial)
    _insert(work, key, entity, command, row.amount_minor, state, row.id)
    record_move(work, "journal", key, "submit", None, state, reason=reason.strip())
    return key
