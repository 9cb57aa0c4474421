"""How is the interim state of a wave said: who masters what, over which temporary interfaces, and when these end?

Waves, steps and people are looked up by the composition (``app/composition/interim_desk.py``). What was said before stays in the
audit trail.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.first import add_first
from erpcore.kernel.work import UnitOfWork
from governance.interim.kinds import Direction, LinkKind, Master
from governance.interim.models import InterimInterface, InterimLink
from governance.programme.permissions import ProgrammePermission


@dataclass(frozen=True, kw_only=True)
class MapLink:
    """Who masters a process, a step or a data domain of a wave. ``seen_version``: of what is said now, ``None`` for nothing."""

    wave_id: int
    kind: LinkKind
    code: str
    master: Master
    rule: str = ""
    evidence: str = ""
    seen_version: int | None = None


@dataclass(frozen=True, kw_only=True)
class PutInterface:
    """A temporary interface of a link; ``owner`` ``None``: nobody looks after it yet, which the list of what is open says."""

    link_id: int
    name: str
    direction: Direction
    frequency: str
    owner: int | None
    ends_on: date
    when_it_stops: str
    today: date


@dataclass(frozen=True, kw_only=True)
class ChangeInterface:
    """Somebody else looks after it, or it ends on another day, with the reason."""

    interface_id: int
    owner: int | None
    ends_on: date
    reason: str
    seen_version: int | None = None


def map_link(work: UnitOfWork, command: MapLink) -> InterimLink:
    """Say who masters it; said again, it replaces what was said. Raises ``Conflict`` when that changed since it was seen."""
    work.actor.require(ProgrammePermission.MANAGE)
    if command.master is Master.BOTH and not command.rule.strip():
        raise RuleBroken("interim_rule_missing", field="rule")
    row = work.session.scalar(
        select(InterimLink)
        .where(
            InterimLink.wave_id == command.wave_id, InterimLink.kind == command.kind, InterimLink.code == command.code
        )
        .with_for_update(key_share=True)
    )
    seen = command.seen_version
    if (row is None and seen is not None) or (row is not None and seen != row.version):
        raise Conflict("changed_meanwhile", document="interim state", seen=seen, now=row.version if row else None)
    before = None if row is None else [row.master, row.rule]
    if row is None:
        row = InterimLink(
            id=work.ids.one(), wave_id=command.wave_id, kind=command.kind, code=command.code, master=command.master,
            rule=command.rule.strip(), evidence=command.evidence.strip(), version=1, mapped_by=work.actor.id,
            mapped_at=work.now,
        )  # fmt: skip
        add_first(work, row, "changed_meanwhile", document="interim state")
    else:
        row.master, row.rule, row.evidence = command.master, command.rule.strip(), command.evidence.strip()
        row.mapped_by, row.mapped_at, row.version = work.actor.id, work.now, row.version + 1
    work.audit(
        "interim_link.mapped", "interim_link", row.id, wave=row.wave_id, of=row.kind, code=row.code, before=before,
        after=[row.master, row.rule], evidence=row.evidence,
    )  # fmt: skip
    return row


def put_interface(work: UnitOfWork, command: PutInterface) -> InterimInterface:
    """Add a temporary interface. Raises ``RuleBroken`` for one that ends in the past, or of which nobody says what follows."""
    work.actor.require(ProgrammePermission.MANAGE)
    link = work.session.get(InterimLink, command.link_id, with_for_update={"key_share": True})
    if link is None:
        raise NotFound("interim_link_not_found", link=command.link_id)
    if not command.name.strip():
        raise RuleBroken("name_missing", field="name")
    if not command.frequency.strip():
        raise RuleBroken("interim_frequency_missing", field="frequency")
    if not command.when_it_stops.strip():
        raise RuleBroken("interim_stop_missing", field="when_it_stops")
    if command.ends_on < command.today:
        raise RuleBroken("interim_end_past", field="ends_on", day=command.ends_on)
    row = InterimInterface(
        id=work.ids.one(), link_id=link.id, name=command.name.strip(), direction=command.direction,
        frequency=command.frequency.strip(), owner_id=command.owner, ends_on=command.ends_on,
        when_it_stops=command.when_it_stops.strip(), version=1,
    )  # fmt: skip
    add_first(work, row, "interim_interface_there", name=row.name)
    work.audit(
        "interim_interface.added", "interim_interface", row.id, wave=link.wave_id, link=link.id, name=row.name,
        direction=row.direction, owner=row.owner_id, ends_on=row.ends_on,
    )  # fmt: skip
    return row


def change_interface(work: UnitOfWork, command: ChangeInterface) -> InterimInterface:
    """Hand it over or give it another end. Raises ``RuleBroken`` once it has ended."""
    row = _running(work, command.interface_id, command.seen_version, command.reason, "change")
    before = [row.owner_id, row.ends_on]
    row.owner_id, row.ends_on, row.version = command.owner, command.ends_on, row.version + 1
    work.audit(
        "interim_interface.changed", "interim_interface", row.id, before=before, after=[row.owner_id, row.ends_on],
        reason=command.reason.strip(),
    )  # fmt: skip
    return row


def end_interface(
    work: UnitOfWork, interface_id: int, *, reason: str, seen_version: int | None = None
) -> InterimInterface:
    """It carries nothing any more; what it was stays to be read."""
    row = _running(work, interface_id, seen_version, reason, "end")
    row.ended_at, row.ended_by, row.version = work.now, work.actor.id, row.version + 1
    work.audit("interim_interface.ended", "interim_interface", row.id, name=row.name, reason=reason.strip())
    return row


def _running(work: UnitOfWork, interface_id: int, seen_version: int | None, reason: str, move: str) -> InterimInterface:
    work.actor.require(ProgrammePermission.MANAGE)
    row = work.session.get(InterimInterface, interface_id, with_for_update={"key_share": True}, populate_existing=True)
    if row is None:
        raise NotFound("interim_interface_not_found", interface=interface_id)
    if seen_version is not None and seen_version != row.version:
        raise Conflict("changed_meanwhile", document="temporary interface", seen=seen_version, now=row.version)
    if row.ended_at is not None:
        raise RuleBroken("interim_interface_over", name=row.name)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="temporary interface", move=move)
    return row
