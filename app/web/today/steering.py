"""What the steering side puts on the home page: votes and the like that wait, the waves, key figures, silent failures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from flask import g, url_for
from sqlalchemy.orm import Session

from app.charts import Blackout, Chart, GateMark, WaveRow, waves_timeline
from app.queries.left_behind import left_behind
from app.queries.measures_pages import Filter
from app.queries.today import KEY_FIGURES, Calendar, CalendarWave, Shared, calendar, silent_failures
from app.queries.waiting import WaitingKind, waits_for
from app.security.permissions import Permission
from app.security.roles import Role
from app.web.chosen import scope
from app.web.context import local
from app.web.figures import counted
from app.web.icons import verdict_look
from app.web.measures.presenters import row as measure_row
from app.web.steering_words import PHASES, days_between, gate_word, short_day, short_moment
from app.web.today.operating import OPERATING
from app.web.today.slots import Panel, Waiting, panel, waits_for_me
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from readiness.waves.flow import WaveState

_MOVES = {
    WaitingKind.VOTE: "Vote", WaitingKind.WAIVER: "Decide", WaitingKind.CONDITION: "Settle", WaitingKind.ATTESTATION: "State",
    WaitingKind.STAGE: "State",
}  # fmt: skip
_TITLES = {
    WaitingKind.VOTE: "Vote", WaitingKind.WAIVER: "Waiver", WaitingKind.CONDITION: "Condition", WaitingKind.ATTESTATION: "Statement",
    WaitingKind.STAGE: "Statement",
}  # fmt: skip


@waits_for_me(Permission.WAVE_VIEW)
def governance(session: Session, actor: Actor, now: datetime) -> Iterable[Waiting]:
    """Votes, waivers to decide, conditions and statements, those of stage gates too."""
    found = waits_for(session, actor.id, now)
    g.votes_waiting = sum(1 for one in found if one.kind is WaitingKind.VOTE)
    for one in found:
        if one.kind is WaitingKind.WAIVER and not actor.may(Permission.WAIVER_APPROVE):
            continue
        if one.kind is WaitingKind.VOTE and not actor.may(Permission.DECISION_VOTE):
            continue
        yield Waiting(
            title=f"{_TITLES[one.kind]}: {one.title}", url=_url(one.kind, one.id), why=f"{one.wave_code} · {one.detail}",
            detail="past its time" if one.is_late else "", due_at=one.due_at, move=_MOVES[one.kind],
            is_primary=one.kind is WaitingKind.VOTE,
        )  # fmt: skip


@waits_for_me(Permission.PROGRAMME_MANAGE)
def left(session: Session, actor: Actor, now: datetime) -> Iterable[Waiting]:
    """People whose last day has passed and who still answer for something: somebody else has to."""
    for one in left_behind(session, now):
        how = "left on" if one.is_closed else "has had no role since"
        yield Waiting(
            title=f"{one.name} {how} {short_day(local(one.since).date())}: hand over what stands",
            url=url_for("impact.show", what="person", thing=one.person), why=one.words, due_at=one.since, move="See",
        )  # fmt: skip


def _shared(session: Session, actor: Actor, now: datetime) -> Shared:
    """What several cards read, once per page."""
    if "today_shared" not in g:
        g.today_shared = Shared(session, actor, now)
    shared: Shared = g.today_shared
    return shared


def _url(kind: WaitingKind, identity: int) -> str:
    if kind is WaitingKind.VOTE:
        return url_for("decisions.vote", decision_id=identity)
    if kind is WaitingKind.WAIVER:
        return url_for("gates.waiver", waiver_id=identity)
    if kind is WaitingKind.CONDITION:
        return url_for("decisions.condition", condition_id=identity)
    if kind is WaitingKind.STAGE:
        return url_for("roadmap.show_phase", phase_id=identity)
    return url_for("gates.show", gate_id=identity)


@panel(Permission.MEASURE_VIEW, order=10)
def figures(session: Session, actor: Actor, now: datetime) -> Panel | None:
    """Key measures of the live sites that the person sees."""
    shared = _shared(session, actor, now)
    found = shared.figures(KEY_FIGURES)
    rows = [measure_row(line, Filter()) for line in found] if any(line.reading.count for line in found) else []
    return Panel(
        title="Key measures, live sites", template="today/_figures.html", meta=f"{shared.where} · read {short_moment(now)}",
        values={"rows": rows},
    )  # fmt: skip


@panel(Permission.WAVE_VIEW, order=20, roles=frozenset(Role) - OPERATING)
def waves(session: Session, actor: Actor, now: datetime) -> Panel | None:
    """The waves on one calendar, and what stands in their way."""
    found = _chosen(calendar(session))
    today = local_day(now, "UTC")
    picture = _timeline(found, today)
    coming = [wave for wave in found.waves if wave.live_on is None and wave.go_live_on >= today]
    meta = f"{coming[0].code} goes live {days_between(today, coming[0].go_live_on)}" if coming else ""
    return Panel(
        title="Waves", template="today/_waves.html", meta=meta, values={"picture": picture, "warnings": _warnings(found)},
    )  # fmt: skip


def _chosen(found: Calendar) -> Calendar:
    """The calendar kept to the programme and wave chosen in the top bar."""
    here = scope()
    if here.wave is None and here.programme is None:
        return found
    kept = {one.id for one in here.picks.waves if here.programme in (None, one.programme_id)}
    kept &= {here.wave.id} if here.wave else kept
    return replace(found, waves=tuple(wave for wave in found.waves if wave.id in kept))


def _timeline(found: Calendar, today: date) -> Chart | None:
    if not found.waves:
        return None
    rows = [_row(wave) for wave in found.waves]
    first = min([today, *(row.prepares_from for row in rows), *(row.live or row.planned for row in rows)])
    last = max([today, *(row.hypercare_until for row in rows)])
    return waves_timeline(
        "Waves over the calendar", rows, key="today-waves", today=today, first=first - timedelta(days=5),
        last=last + timedelta(days=12),
        blackouts=[Blackout(one.starts_on, one.ends_on - timedelta(days=1), one.name) for one in found.windows],
    )  # fmt: skip


def _row(wave: CalendarWave) -> WaveRow:
    return WaveRow(
        name=wave.code, cells=", ".join(wave.sites), prepares_from=wave.prepares_from or wave.go_live_on, planned=wave.go_live_on,
        hypercare_until=wave.hypercare_until, live=wave.live_on,
        gates=tuple(GateMark(one.decides_on, PHASES[one.phase], verdict_look(gate_word(one.word)).kind) for one in wave.gates),
    )  # fmt: skip


def _warnings(found: Calendar) -> list[str]:
    said = []
    for wave in found.waves:
        if wave.live_on is not None or wave.state == WaveState.CLOSED:
            continue
        for code, until, why in wave.waits_for:
            if until > wave.go_live_on:
                said.append(
                    f"{wave.code} waits for the end of {code} on {short_day(until)} ({why}); its planned go-live on "
                    f"{short_day(wave.go_live_on)} is {counted((until - wave.go_live_on).days, 'day')} before that."
                )
    return said


@panel(Permission.MEASURE_VIEW, order=30)
def silent(session: Session, actor: Actor, now: datetime) -> Panel | None:
    """What stands beyond its limit without anybody saying so, by control point."""
    found = silent_failures(_shared(session, actor, now))
    return Panel(
        title="Silent failures", template="today/_silent.html",
        meta=f"{found.total} beyond limit of {found.open_journeys} open journeys", values={"found": found, "at": now},
    )  # fmt: skip
