"""How do waves look: the calendar, the scope with what is open, and the next moves with the reasons of those that are not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from flask import url_for

from app.charts import Blackout, Chart, GateMark, WaveRow, waves_timeline
from app.queries.steer import WaveLine, WavePage, WavesPage
from app.reports.wording import Speech
from app.security.permissions import Permission
from app.web.areas import paper_desk_address
from app.web.figures import counted
from app.web.icons import verdict_look
from app.web.steering_words import PHASES, days_between, gate_word, listed, short_day
from erpcore.kernel.actor import Actor
from erpcore.kernel.flow import Closed
from governance.decisions.flow import DecisionState
from readiness.waves.flow import WAVE_FLOW, WaveState
from readiness.waves.queries import WaveView
from readiness.waves.services import DATABLE, REPLANNABLE

_LABELS: Final = {
    "prepare": "Start preparing",
    "rehearse": "Start the rehearsal",
    "end_rehearsal": "End the rehearsal…",
    "start_hypercare": "Start hypercare",
    "cancel": "Cancel the wave…",
}
_STATE_SAID: Final = {
    WaveState.PLANNED: "planned",
    WaveState.PREPARING: "being prepared",
    WaveState.IN_REHEARSAL: "in rehearsal",
    WaveState.APPROVED: "approved and not live yet",
    WaveState.LIVE: "live",
    WaveState.HYPERCARE: "in hypercare",
    WaveState.CLOSED: "closed",
    WaveState.CANCELLED: "cancelled",
}


def sites_of(wave: WaveView, speech: Speech) -> str:
    """The sites of a wave by name."""
    return ", ".join(dict.fromkeys(speech.site(site) for site, _ in wave.cells))


def channels_of(wave: WaveView, speech: Speech) -> str:
    return ", ".join(dict.fromkeys(speech.channel(channel) for _, channel in wave.cells)).lower()


def timeline(page: WavesPage, speech: Speech, today: date, *, key: str = "waves") -> Chart | None:
    """The calendar of all waves; ``None`` without any."""
    shown = [line for line in page.lines if line.wave.state is not WaveState.CANCELLED]
    if not shown:
        return None
    rows = [_row(line, speech) for line in shown]
    first = min(today, *(row.prepares_from for row in rows), *(row.live or row.planned for row in rows))
    last = max(today, *(row.hypercare_until for row in rows))
    return waves_timeline(
        "Waves", rows, key=key, today=today, first=first - timedelta(days=5), last=last + timedelta(days=12),
        blackouts=[
            Blackout(window.starts_on, window.ends_on - timedelta(days=1), window.name) for window in page.windows
        ],
    )  # fmt: skip


def _row(line: WaveLine, speech: Speech) -> WaveRow:
    wave = line.wave
    return WaveRow(
        name=wave.code, cells=sites_of(wave, speech), prepares_from=line.prepares_from or wave.go_live_on,
        planned=wave.go_live_on, hypercare_until=wave.hypercare_until, live=line.live_on,
        gates=tuple(
            GateMark(gate.decides_on, PHASES[gate.phase], verdict_look(gate_word(gate.word)).kind) for gate in line.gates
        ),
    )  # fmt: skip


def warnings(lines: Sequence[WaveLine]) -> list[str]:
    """What stands in the way of the dates as planned, in whole sentences."""
    by_id = {line.wave.id: line.wave for line in lines}
    found = []
    for line in lines:
        wave = line.wave
        if line.live_on is not None or wave.state in {WaveState.CLOSED, WaveState.CANCELLED}:
            continue
        for other, why in wave.depends_on:
            if other in wave.late_dependencies and other in by_id:
                before = (by_id[other].hypercare_until - wave.go_live_on).days
                found.append(
                    f"{wave.code} waits for the end of {by_id[other].code} on {short_day(by_id[other].hypercare_until)} "
                    f"({why}); its planned go-live on {short_day(wave.go_live_on)} is {counted(before, 'day')} before that."
                )
        if wave.in_blackout:
            found.append(
                f"The go-live of {wave.code} on {short_day(wave.go_live_on)} lies in {listed(wave.in_blackout)}."
            )
    return found


def papers(page: WavePage, actor: Actor, speech: Speech) -> list[dict[str, Any]]:
    """The sites of the wave that work on paper, with since when, why and by whom, and where this person enters the papers;
    one line for each.
    """
    found: dict[int, dict[str, Any]] = {}
    for cell in page.cells:
        for state in cell.states:
            step = page.on_paper.get(state.grant.id) if state.grant is not None else None
            if step is not None:
                line = found.setdefault(
                    cell.site,
                    {
                        "site": speech.site(cell.site),
                        "href": paper_desk_address(actor, cell.site),
                        "channels": [],
                        "at": step.at,
                        "reason": step.reason,
                        "step": step,
                    },
                )
                line["channels"].append(speech.channel(cell.channel).lower())
    return [{**line, "channels": listed(dict.fromkeys(line["channels"]))} for line in found.values()]


def may_fall_back(page: WavePage, actor: Actor, speech: Speech) -> list[dict[str, str]]:
    """Where this person may declare or end a fallback: live sites of the wave that are theirs."""
    if not actor.may(Permission.GRANT_FALLBACK):
        return []
    sites = dict.fromkeys(cell.site for cell in page.cells if any(state.grant is not None for state in cell.states))
    return [
        {"label": speech.site(site), "href": url_for("waves.fallback", site_id=site)}
        for site in sites if actor.sites is None or site in actor.sites
    ]  # fmt: skip


def when(line: WaveLine, today: date) -> str:
    """``live since Mon 5 Oct``, ``go-live Mon 1 Feb, in 18 days``."""
    if line.live_on is not None:
        return f"live since {short_day(line.live_on)}"
    if line.wave.state is WaveState.CANCELLED:
        return "will not go live"
    return f"go-live {short_day(line.wave.go_live_on)}, {days_between(today, line.wave.go_live_on)}"


def moves(page: WavePage, actor: Actor) -> list[dict[str, Any]]:
    """Everything that may come next; what is closed says why."""
    wave = page.line.wave
    steps = [_step(wave, name, actor) for name in _LABELS if _is_near(wave, name)]
    return [*steps, *_plan(wave, actor), _dates(wave, actor), *_decisions(page, actor), *_back(wave, actor)]


def _is_near(wave: WaveView, name: str) -> bool:
    """Steps that the wave has behind it, or that need another one first, would only be noise."""
    if WAVE_FLOW.leads(name, wave.state):
        return True
    near = {WaveState.PLANNED: "rehearse", WaveState.APPROVED: "start_hypercare"}
    return near.get(wave.state) == name


def _step(wave: WaveView, name: str, actor: Actor) -> dict[str, Any]:
    move = WAVE_FLOW.moves[name]
    item: dict[str, Any] = {"label": _LABELS[name], "permitted": True, "danger": name == "cancel"}
    address = url_for("waves.step", wave_id=wave.id, move=name)
    why = WAVE_FLOW.why_not(name, wave.state, actor)
    if why is Closed.STATE:
        needs = listed(_STATE_SAID[WaveState(state)] for state in move.sources)
        return {
            **item,
            "permitted": False,
            "reason": f"the wave is {_STATE_SAID[wave.state]}; this needs one that is {needs}",
        }
    if why is Closed.PERMISSION:
        return {**item, "permitted": False, "reason": _missing(move.permission)}
    if move.reason_required:
        return {**item, "href": address}
    return {**item, "action": address, "name": "version", "value": wave.version}


def _missing(permission: str) -> str:
    return f"your role may not {next(one.sentence for one in Permission if one == permission)}"


def _plan(wave: WaveView, actor: Actor) -> list[dict[str, Any]]:
    """Changing the plan is offered while it may still be changed."""
    if wave.state not in REPLANNABLE or not actor.may(Permission.WAVE_PLAN):
        return []
    return [{"label": "Change the plan…", "permitted": True, "href": url_for("waves.replan", wave_id=wave.id)}]


def _dates(wave: WaveView, actor: Actor) -> dict[str, Any]:
    item = {"label": "Change the dates…", "permitted": True, "href": url_for("waves.dates", wave_id=wave.id)}
    if wave.state not in DATABLE:
        return {**item, "permitted": False, "reason": f"the wave is {_STATE_SAID[wave.state]}, so its dates stand"}
    if not actor.may(Permission.WAVE_PLAN):
        return {**item, "permitted": False, "reason": _missing(Permission.WAVE_PLAN)}
    return item


def _decisions(page: WavePage, actor: Actor) -> list[dict[str, Any]]:
    wave = page.line.wave
    running = next((row for row in page.decisions if row.state in {DecisionState.DRAFT, DecisionState.OPEN}), None)
    if running is not None:
        label = "Open the vote" if running.state is DecisionState.OPEN else "Open the draft decision"
        if actor.may(Permission.DECISION_VIEW):
            return [{"label": label, "permitted": True, "href": url_for("decisions.show", decision_id=running.id)}]
        return [{"label": label, "permitted": False, "reason": _missing(Permission.DECISION_VIEW)}]
    kind, label = ("exit", "Put the end of hypercare to the vote…") if wave.state is WaveState.HYPERCARE else (
        "go_live", "Put the go-live to the vote…")  # fmt: skip
    item = {"label": label, "permitted": True, "href": url_for("decisions.create", wave=wave.id, kind=kind)}
    if wave.state in {WaveState.CLOSED, WaveState.CANCELLED}:
        return []
    if wave.state in {WaveState.APPROVED, WaveState.LIVE}:
        return [{**item, "permitted": False, "reason": f"the wave is {_STATE_SAID[wave.state]} already"}]
    if not actor.may(Permission.DECISION_DRAFT):
        return [{**item, "permitted": False, "reason": _missing(Permission.DECISION_DRAFT)}]
    return [item]


def _back(wave: WaveView, actor: Actor) -> list[dict[str, Any]]:
    if wave.state not in {WaveState.LIVE, WaveState.HYPERCARE, WaveState.APPROVED}:
        return []
    item = {"label": "Roll the wave back…", "danger": True, "permitted": True,
            "href": url_for("waves.roll_back", wave_id=wave.id)}  # fmt: skip
    if not actor.may(Permission.WAVE_ROLL_BACK):
        return [{**item, "permitted": False, "reason": _missing(Permission.WAVE_ROLL_BACK)}]
    return [item]
