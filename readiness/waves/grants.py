"""How cells are opened, drained, closed, and run on paper for a while. Whoever calls this has asked whether the go is valid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select

from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.events import Event, Place
from erpcore.kernel.work import UnitOfWork
from erpcore.ports import Process
from readiness.published import (
    FallbackDeclared,
    FallbackEnded,
    GrantClosed,
    GrantDrained,
    GrantDrainStarted,
    GrantOpened,
)
from readiness.waves import register
from readiness.waves.flow import GrantState, WaveState, move_grant
from readiness.waves.models import Grant, GrantSource, Wave, WaveScope
from readiness.waves.permissions import WavePermission
from readiness.waves.services import lock_wave, take_step


@dataclass(frozen=True, kw_only=True)
class RecordAlreadyLive:
    """What ran before the programme: cells (live site, channel) × processes, with the reason why no go was needed."""

    cells: tuple[tuple[int, int], ...]
    processes: tuple[Process, ...]
    reason: str
    customer_group: int | None = None
    opens_at: datetime | None = None
    wave_id: int | None = None


def open_grants(work: UnitOfWork, wave: Wave, *, decision: int, opens_at: datetime) -> list[Grant]:
    """Open the wave's whole scope under a decision, from ``opens_at`` on; the wave is live then, approved before.

    The wave is locked by the caller, who has made sure that the decision is a valid go; that is the permission. Raises
    ``IllegalMove`` for a wave that is live, closed or cancelled already.
    """
    take_step(work, wave, "approve", decision=decision)
    scopes = work.session.scalars(
        select(WaveScope)
        .where(WaveScope.wave_id == wave.id)
        .order_by(WaveScope.site_id, WaveScope.channel_id, WaveScope.process, WaveScope.customer_group_id)
    ).all()
    if not scopes:
        raise RuleBroken("wave_without_scope", wave=wave.code)
    grants = [
        _open(
            work, scope.site_id, scope.channel_id, scope.process, scope.customer_group_id, opens_at,
            source=GrantSource.DECISION, wave=wave.id, decision=decision, reason=None,
        )
        for scope in scopes
    ]  # fmt: skip
    if opens_at <= work.now:
        take_step(work, wave, "go_live", decision=decision)
    register.touch(work)
    return grants


def go_live_when_due(work: UnitOfWork, wave: Wave) -> bool:
    """Let an approved wave be live once its grants are open; says whether it is."""
    if wave.state != WaveState.APPROVED:
        return False
    due = work.session.scalar(
        select(Grant.id)
        .where(Grant.wave_id == wave.id, Grant.state == GrantState.OPEN, Grant.opens_at <= work.now)
        .limit(1)
    )
    if due is None:
        return False
    take_step(work, wave, "go_live")
    return True


def record_already_live(work: UnitOfWork, command: RecordAlreadyLive) -> list[Grant]:
    """Open cells that were live before the programme, by a person and with the reason; cells that are open stay as they are.

    With ``wave_id`` the wave they form is recorded as live too.
    """
    work.actor.require(WavePermission.ALREADY_LIVE)
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="grant", move="record_already_live")
    if not command.cells or not command.processes:
        raise RuleBroken("grant_without_cell", field="cells")
    opens_at = command.opens_at or work.now
    if opens_at > work.now:
        raise RuleBroken("already_live_in_future", field="opens_at", opens_at=opens_at)
    open_now = {
        (row.site_id, row.channel_id, row.process)
        for row in work.session.execute(
            select(Grant.site_id, Grant.channel_id, Grant.process).where(
                Grant.state != GrantState.CLOSED, Grant.customer_group_id.is_(None)
                if command.customer_group is None
                else Grant.customer_group_id == command.customer_group,
            )
        )
    }  # fmt: skip
    grants = [
        _open(
            work, site, channel, process, command.customer_group, opens_at,
            source=GrantSource.ALREADY_LIVE, wave=command.wave_id, decision=None, reason=command.reason,
        )
        for site, channel in sorted(set(command.cells))
        for process in sorted(set(command.processes))
        if (site, channel, process) not in open_now
    ]  # fmt: skip
    if command.wave_id is not None:
        wave = lock_wave(work, command.wave_id)
        take_step(work, wave, "record_live", reason=command.reason)
        wave.live_at = opens_at
    register.touch(work)
    return grants


def _open(
    work: UnitOfWork, site: int, channel: int, process: str, group: int | None, opens_at: datetime, *,
    source: GrantSource, wave: int | None, decision: int | None, reason: str | None,
) -> Grant:  # fmt: skip
    grant = Grant(
        id=work.ids.one(), wave_id=wave, decision_id=decision, site_id=site, channel_id=channel, process=process,
        customer_group_id=group, state=GrantState.OPEN, version=1, source=source, reason=reason,
        opened_by=work.actor.id, opened_at=work.now, opens_at=opens_at,
    )  # fmt: skip
    work.session.add(grant)
    _tell(work, grant, GrantOpened(process=process, opens_at=opens_at, decision=decision, reason=reason))
    work.audit(
        "grant.opened", "grant", grant.id, wave=wave, decision=decision, site=site, channel=channel, process=process,
        customer_group=group, opens_at=opens_at, reason=reason,
    )  # fmt: skip
    return grant


def _tell(work: UnitOfWork, grant: Grant, event: Event) -> None:
    work.publish(
        event,
        Place("live", 0, grant.site_id, grant.channel_id, grant.customer_group_id, grant.id),
        step="readiness.grant",
        subject=("grant", grant.id, grant.version),
        journey=grant.wave_id or grant.id,
    )


def _locked(work: UnitOfWork, query: Select[Grant]) -> list[Grant]:
    """Grants locked in the order of their ids."""
    return list(work.session.scalars(query.order_by(Grant.id).with_for_update(key_share=True)))


def take_back_grants(work: UnitOfWork, wave: Wave, *, reason: str) -> list[Grant]:
    """Take back what this wave's go opened, and nothing else: open grants drain, those not yet in effect close.

    A consequence of a decision or a rollback, whose caller has asked who may.
    """
    grants = _locked(
        work, select(Grant).where(Grant.wave_id == wave.id, Grant.state.in_((GrantState.OPEN, GrantState.IN_FALLBACK)))
    )
    for grant in grants:
        if grant.opens_at > work.now:
            move_grant(work, grant, "close_unused", reason=reason)
            grant.closed_at = work.now
            _tell(work, grant, GrantClosed(process=grant.process, reason=reason))
        else:
            move_grant(work, grant, "drain", reason=reason)
            grant.drain_started_at = work.now
            _tell(work, grant, GrantDrainStarted(process=grant.process, reason=reason))
        work.audit(f"grant.{grant.state}", "grant", grant.id, wave=wave.id, reason=reason)
    register.touch(work)
    return grants


def close_drained(work: UnitOfWork, grants: Sequence[int], in_flight: Callable[[Grant], int]) -> list[Grant]:
    """Close draining grants under which nothing is under way any more; returns those closed."""
    work.actor.require(WavePermission.GRANT)
    closed = []
    for grant in _locked(work, select(Grant).where(Grant.id.in_(grants), Grant.state == GrantState.DRAINING)):
        if in_flight(grant):
            continue
        move_grant(work, grant, "close_drained")
        grant.closed_at = work.now
        _tell(work, grant, GrantDrained(process=grant.process))
        work.audit("grant.closed", "grant", grant.id, wave=grant.wave_id)
        closed.append(grant)
    if closed:
        register.touch(work)
    return closed


def declare_fallback(work: UnitOfWork, site: int, *, reason: str, channel: int | None = None) -> list[Grant]:
    """The site (or one channel of it) works on paper: its open grants admit back-entry only."""
    return _fallback(work, site, channel, "declare_fallback", GrantState.OPEN, reason)


def end_fallback(work: UnitOfWork, site: int, *, reason: str, channel: int | None = None) -> list[Grant]:
    """The site works in the core again."""
    return _fallback(work, site, channel, "end_fallback", GrantState.IN_FALLBACK, reason)


def _fallback(
    work: UnitOfWork, site: int, channel: int | None, move: str, state: GrantState, reason: str
) -> list[Grant]:
    work.actor.require(WavePermission.FALLBACK, site=site)
    query = select(Grant).where(Grant.site_id == site, Grant.state == state, Grant.opens_at <= work.now)
    if channel is not None:
        query = query.where(Grant.channel_id == channel)
    grants = _locked(work, query)
    if not grants:
        raise NotFound("no_grant_to_move", site=site, channel=channel, move=move)
    for grant in grants:
        move_grant(work, grant, move, reason=reason)
        event: Event = (
            FallbackDeclared(process=grant.process, reason=reason)
            if move == "declare_fallback"
            else FallbackEnded(process=grant.process, reason=reason)
        )
        _tell(work, grant, event)
        work.audit(f"grant.{move}", "grant", grant.id, wave=grant.wave_id, reason=reason)
    register.touch(work)
    return grants
