"""How is an entry raised, judged, changed, moved on, and turned into another one?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import delete

from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from governance.risks.content import LONGEST_TEXT, Said, check
from governance.risks.flow import ENTRY_FLOW, TURNS, EntryKind, EntryState
from governance.risks.models import RaidAssessment, RaidEntry, RaidLink
from governance.risks.permissions import RiskPermission
from governance.risks.records import (
    DOCUMENT,
    add_links,
    calm,
    fill,
    locked,
    may_work,
    moved,
    must_stand,
    next_code,
    note,
    points,
    tell,
)
from governance.risks.rules import next_review, reaches


@dataclass(frozen=True, kw_only=True)
class RaiseEntry:
    """A new entry. ``today`` is the day of whoever raises it."""

    kind: EntryKind
    said: Said
    today: date


@dataclass(frozen=True, kw_only=True)
class ChangeEntry:
    """Other words, another owner, day, body or threshold, and why. How it is judged stays: that is a review."""

    entry: int
    said: Said
    today: date
    reason: str
    seen_version: int | None = None


@dataclass(frozen=True, kw_only=True)
class AssessEntry:
    """A review: how likely and how grave it is now."""

    entry: int
    impact: int
    today: date
    probability: int | None = None
    note: str = ""
    seen_version: int | None = None


@dataclass(frozen=True, kw_only=True)
class MoveEntry:
    """Trigger, stand down, close or open again, and why."""

    entry: int
    move: str
    reason: str
    today: date
    seen_version: int | None = None


@dataclass(frozen=True, kw_only=True)
class TurnEntry:
    """What became of an entry: another one, which says it in its own words and knows where it came from."""

    entry: int
    into: EntryKind
    said: Said
    reason: str
    today: date
    seen_version: int | None = None


def raise_entry(work: UnitOfWork, command: RaiseEntry) -> RaidEntry:
    """An entry with its number. A risk whose score is at its limit is triggered at once. Raises ``RuleBroken`` for what is missing
    or not of its kind, and for a day that is past.
    """
    work.actor.require(RiskPermission.RAISE, site=command.said.site)
    _in_time(command.said.due_on, command.today)
    return _add(work, command.kind, command.said, command.today, None)


def _in_time(due_on: date, today: date) -> None:
    if due_on < today:
        raise RuleBroken("due_in_the_past", field="due_on", due_at=due_on)


def _add(work: UnitOfWork, kind: EntryKind, said: Said, today: date, origin: RaidEntry | None) -> RaidEntry:
    check(kind, said)
    row = RaidEntry(
        id=work.ids.one(), kind=kind, code=next_code(work, kind), state=ENTRY_FLOW.initial, version=1, raised_by=work.actor.id,
        raised_at=work.now, level=0, turned_from=None if origin is None else origin.id,
    )  # fmt: skip
    fill(row, said)
    _judge(row, said.probability, said.impact, today)
    work.session.add(row)
    work.session.flush()  # assessments and links name it
    _keep_assessment(work, row, "")
    add_links(work, row.id, said)
    record_move(work, DOCUMENT, row.id, "raise", None, row.state)
    work.audit("raid.raised", DOCUMENT, row.id, code=row.code, title=row.title, owner=row.owner_id, due_on=row.due_on)
    tell(work, row, "raise")
    _by_score(work, row)
    return row


def _judge(row: RaidEntry, probability: int | None, impact: int, today: date) -> None:
    row.probability, row.impact = probability, impact
    row.next_review_on = next_review(today, row.review_days)


def _keep_assessment(work: UnitOfWork, row: RaidEntry, text: str) -> None:
    work.session.add(
        RaidAssessment(
            id=work.ids.one(), entry_id=row.id, probability=row.probability, impact=row.impact, note=text,
            by=work.actor.id, at=work.now,
        )
    )  # fmt: skip


def _by_score(work: UnitOfWork, row: RaidEntry) -> None:
    """Trigger a risk whose score is at its limit."""
    if row.state == EntryState.OPEN and reaches(points(row), row.score_limit):
        reason = f"Its score of {points(row)} reaches the limit of {row.score_limit}."
        moved(work, row, "trigger", EntryState.TRIGGERED, reason, score=points(row), limit=row.score_limit)


def assess_entry(work: UnitOfWork, command: AssessEntry) -> RaidEntry:
    """Judge an entry anew; its next review is a cadence away. Raises ``NotAllowed`` for who neither owns it nor manages the register."""
    row = locked(work, command.entry, command.seen_version)
    may_work(work, row)
    must_stand(row)
    if len(command.note) > LONGEST_TEXT:
        raise RuleBroken("text_too_long", field="note", longest=LONGEST_TEXT)
    for name, value in (("impact", command.impact), ("probability", command.probability)):
        if value is not None and not 1 <= value <= 5:
            raise RuleBroken("risk_scale", field=name, value=value)
    if (row.kind == EntryKind.RISK) != (command.probability is not None):
        raise RuleBroken("risk_probability", field="probability", kind=row.kind)
    before = [row.probability, row.impact]
    _judge(row, command.probability, command.impact, command.today)
    _keep_assessment(work, row, command.note.strip())
    note(work, row, "review", reason=command.note, before=before, after=[row.probability, row.impact])
    _by_score(work, row)
    return row


def change_entry(work: UnitOfWork, command: ChangeEntry) -> RaidEntry:
    """Write an entry anew, with a reason. Another day may not be past, the one it has may."""
    row = locked(work, command.entry, command.seen_version)
    may_work(work, row)
    must_stand(row)
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="raid entry", move="change")
    said = replace(command.said, probability=row.probability, impact=row.impact)
    check(EntryKind(row.kind), said)
    if said.due_on != row.due_on:
        _in_time(said.due_on, command.today)
    _may_bind(work, row, said)
    before = _shown(row)
    fill(row, said)
    if row.review_days != before["review_days"]:
        row.next_review_on = next_review(command.today, row.review_days)
    work.session.execute(delete(RaidLink).where(RaidLink.entry_id == row.id))
    add_links(work, row.id, said)
    after = _shown(row)
    changed = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    note(work, row, "change", reason=command.reason, **changed)
    _by_score(work, row)
    calm(work, row, command.today)
    return row


def _may_bind(work: UnitOfWork, row: RaidEntry, said: Said) -> None:
    """An owner keeps the site that an entry has, whether or not they see it; another one they must see."""
    work.actor.require(RiskPermission.WORK, site=said.site if said.site != row.site_id else None)


def _shown(row: RaidEntry) -> dict[str, str | int | None]:
    """What of an entry is kept before and after a change; long texts are kept as they were."""
    return {
        "title": row.title, "cause": row.cause, "statement": row.statement, "effect": row.effect, "plan": row.plan,
        "needed_by": row.needed_by, "needed_from": row.needed_from, "layer": row.layer, "response": row.response,
        "score_limit": row.score_limit, "figure": row.figure, "side": row.side,
        "figure_limit": None if row.figure_limit is None else str(row.figure_limit), "owner": row.owner_id, "body": row.body_id,
        "due_on": row.due_on.isoformat(), "review_days": row.review_days, "escalation_hours": row.escalation_hours,
        "wave": row.wave_id, "site": row.site_id, "process": row.process,
    }  # fmt: skip


def move_entry(work: UnitOfWork, command: MoveEntry) -> RaidEntry:
    """Trigger an entry by hand, stand it down, close it or open it again.

    Raises ``RuleBroken`` for standing down a risk whose score is still at its limit; whether a figure is back within its limit the
    caller has read.
    """
    if command.move not in ("trigger", "stand_down", "close", "reopen"):
        raise RuleBroken("choice_unknown", field="move", value=command.move)
    row = locked(work, command.entry, command.seen_version)
    may_work(work, row)
    target = ENTRY_FLOW.target(command.move, row.state, reason=command.reason)
    if command.move == "stand_down" and reaches(points(row), row.score_limit):
        raise RuleBroken("risk_still_over", entry=row.code, value=points(row), limit=row.score_limit)
    moved(work, row, command.move, target, command.reason)
    calm(work, row, command.today)
    if command.move == "reopen":
        _by_score(work, row)
    return row


def turn_entry(work: UnitOfWork, command: TurnEntry) -> RaidEntry:
    """The new entry that this one became. Both know each other, and nothing is left to do about the old one.

    Raises ``NotFound`` for another site than the old one's which the person does not see.
    """
    row = locked(work, command.entry, command.seen_version)
    may_work(work, row)
    _may_bind(work, row, command.said)
    if command.into not in TURNS[EntryKind(row.kind)]:
        raise RuleBroken("risk_turns_not", field="into", kind=row.kind, into=command.into)
    target = ENTRY_FLOW.target("turn", row.state, reason=command.reason)
    _in_time(command.said.due_on, command.today)
    new = _add(work, command.into, command.said, command.today, row)
    row.turned_into = new.id
    moved(work, row, "turn", target, command.reason, into=new.code)
    calm(work, row, command.today)
    return new
