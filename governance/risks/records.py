"""How is an entry found, locked, written and moved? What all that is done with entries shares."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Any

from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.events import Event, Place
from erpcore.kernel.first import insert_absent
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from governance import published
from governance.risks.content import Said
from governance.risks.flow import STANDING, EntryKind, EntryState
from governance.risks.models import RaidEntry, RaidLink, RaidNumber
from governance.risks.permissions import RiskPermission
from governance.risks.rules import concern, score

DOCUMENT = "raid_entry"


def next_code(work: UnitOfWork, kind: EntryKind) -> str:
    """``R-12``; two who raise one at once get two numbers, the second waits for the first."""
    insert_absent(work, RaidNumber, {"kind": kind.value, "last": 0})
    row = work.session.get_one(RaidNumber, kind.value, with_for_update={"key_share": True}, populate_existing=True)
    row.last += 1
    return f"{kind.value[0].upper()}-{row.last}"


def locked(work: UnitOfWork, entry: int, seen_version: int | None) -> RaidEntry:
    """The entry, locked. Raises ``NotFound``, also for another site's, and ``Conflict`` when it changed since it was seen."""
    row = work.session.get(RaidEntry, entry, with_for_update={"key_share": True}, populate_existing=True)
    if row is None or not is_seen(work, row):
        raise NotFound("risk_not_found", entry=entry)
    if seen_version is not None and seen_version != row.version:
        raise Conflict("changed_meanwhile", document=row.code)
    return row


def is_seen(work: UnitOfWork, row: RaidEntry) -> bool:
    """Whether this person may see it: bound to no site, to one of theirs, or their own."""
    sites = work.actor.sites
    return sites is None or row.site_id is None or row.site_id in sites or row.owner_id == work.actor.id


def may_work(work: UnitOfWork, row: RaidEntry) -> None:
    """Raise ``NotAllowed`` unless the person owns the entry or manages the register."""
    work.actor.require(RiskPermission.WORK)
    if row.owner_id != work.actor.id and not work.actor.may(RiskPermission.MANAGE):
        raise NotAllowed("risk_of_another", entry=row.code)


def must_stand(row: RaidEntry) -> None:
    """Raise ``RuleBroken`` for an entry that nobody answers for any more."""
    if row.state not in STANDING:
        raise RuleBroken("risk_not_standing", entry=row.code, state=row.state)


def points(row: RaidEntry) -> int | None:
    """The score of a risk."""
    return None if row.probability is None else score(row.probability, row.impact)


def fill(row: RaidEntry, said: Said) -> None:
    """Write what was said into the row; how it is judged is written elsewhere."""
    for name in ("title", "cause", "statement", "effect", "plan", "needed_by", "needed_from"):
        setattr(row, name, getattr(said, name).strip())
    row.layer, row.response = said.layer, said.response
    row.score_limit = said.score_limit
    row.figure = said.watched.figure if said.watched else None
    row.side = said.watched.side if said.watched else None
    row.figure_limit = said.watched.limit if said.watched else None
    row.owner_id, row.body_id, row.due_on = said.owner, said.body, said.due_on
    row.review_days, row.escalation_hours = said.review_days, said.escalation_hours
    row.wave_id, row.site_id, row.process = said.wave, said.site, said.process


def add_links(work: UnitOfWork, entry: int, said: Said) -> None:
    """What it touches, each once."""
    for kind, target in sorted(set(said.links)):
        work.session.add(RaidLink(id=work.ids.one(), entry_id=entry, kind=kind, target=target))


#: What is told of which step, and what each says beside the entry; changed words and actions are read in the register.
_TOLD: dict[str, Callable[..., Event]] = {
    "raise": published.RaidRaised, "review": published.RaidReviewed, "trigger": published.RaidTriggered,
    "stand_down": published.RaidStoodDown, "close": published.RaidClosed, "reopen": published.RaidReopened,
    "turn": published.RaidTurned, "escalate": published.RaidEscalated, "calm": published.RaidCalmed,
}  # fmt: skip


def tell(work: UnitOfWork, row: RaidEntry, move: str) -> None:
    """Publish what became of an entry, at the site that it is bound to."""
    if move not in _TOLD:
        return
    more: dict[str, dict[str, Any]] = {
        "raise": {"turned_from": row.turned_from}, "review": {"probability": row.probability, "impact": row.impact},
        "turn": {"into": row.turned_into}, "escalate": {"to": row.escalated_to, "level": row.level},
    }  # fmt: skip
    work.publish(
        _TOLD[move](kind=row.kind, wave=row.wave_id, due_on=row.due_on, **more.get(move, {})),
        Place(realm="live", entity=0, site=row.site_id), step="governance.raid", subject=(DOCUMENT, row.id, row.version),
        journey=row.id,
    )  # fmt: skip


def note(work: UnitOfWork, row: RaidEntry, move: str, *, reason: str = "", **facts: Any) -> None:
    """Keep in the history what was done to an entry without moving it."""
    record_move(work, DOCUMENT, row.id, move, row.state, row.state, reason=reason.strip() or None, facts=facts or None)
    row.version += 1
    work.session.flush()
    work.audit(f"raid.{move}", DOCUMENT, row.id, code=row.code, reason=reason.strip() or None, **facts)
    tell(work, row, move)


def moved(work: UnitOfWork, row: RaidEntry, move: str, target: StrEnum, reason: str, **facts: Any) -> None:
    """Put an entry into another state, with its history."""
    record_move(work, DOCUMENT, row.id, move, row.state, target, reason=reason.strip() or None, facts=facts or None)
    row.state, row.version = target, row.version + 1
    row.triggered_at = work.now if target is EntryState.TRIGGERED else None
    row.closed_at = work.now if target not in STANDING else None
    work.session.flush()
    work.audit(f"raid.{move}", DOCUMENT, row.id, code=row.code, reason=reason.strip(), **facts)
    tell(work, row, move)


def calm(work: UnitOfWork, row: RaidEntry, today: date) -> None:
    """Take an entry back from those who heard of it once nothing keeps it from being its owner's alone."""
    if row.concern_since is None or concern(EntryState(row.state), row.due_on, today) is not None:
        return
    had = row.level
    row.concern_since, row.escalates_at, row.level, row.escalated_to = None, None, 0, None
    if had:
        note(work, row, "calm")
