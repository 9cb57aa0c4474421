"""How do waves, grants, gates and decisions read on a page? A verdict's shape with the words of the state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from app.composition.request import now
from app.reports.wording import PROCESSES, Speech
from app.security.roles import title_of
from app.web.signed_in import own_zone
from erpcore.kernel.clock import local_day, zone
from governance.decisions.flow import ConditionState, DecisionState
from governance.decisions.queries import DecisionRow
from governance.decisions.rules import Choice, Outcome
from governance.decisions.standing import Standing, Validity
from readiness.gates.criteria import Phase
from readiness.gates.rules import GateWord
from readiness.gates.wording import GATE_WORDS
from readiness.waves.flow import GrantState, WaveState
from readiness.waves.queries import GrantView


class Look(NamedTuple):
    """A verdict word, for the shape, and the words beside it."""

    word: str
    text: str


WAVE_STATES: Final[dict[str, Look]] = {
    WaveState.PLANNED: Look("not evaluated", "Planned"),
    WaveState.PREPARING: Look("not evaluated", "Preparing"),
    WaveState.IN_REHEARSAL: Look("not evaluated", "In rehearsal"),
    WaveState.APPROVED: Look("ready", "Approved"),
    WaveState.LIVE: Look("ready", "Live"),
    WaveState.HYPERCARE: Look("ready", "Live, in hypercare"),
    WaveState.CLOSED: Look("ready", "Closed, cells stay open"),
    WaveState.CANCELLED: Look("no evidence", "Cancelled"),
}
GRANT_STATES: Final[dict[str, Look]] = {
    GrantState.OPEN: Look("ready", "Open"),
    GrantState.DRAINING: Look("conditional", "Draining"),
    GrantState.IN_FALLBACK: Look("conditional", "On paper"),
    GrantState.CLOSED: Look("not evaluated", "Closed"),
}
OUTCOMES: Final[dict[str, Look]] = {
    Outcome.GO: Look("ready", "Go"),
    Outcome.CONDITIONAL_GO: Look("conditional", "Conditional go"),
    Outcome.NO_GO: Look("not ready", "No-go"),
    Outcome.POSTPONE: Look("not evaluated", "Postpone"),
    Outcome.NOT_PASSED: Look("no evidence", "Not passed"),
    Outcome.NO_QUORUM: Look("no evidence", "No quorum"),
}
DECISION_STATES: Final[dict[str, Look]] = {
    DecisionState.DRAFT: Look("not evaluated", "Draft"),
    DecisionState.OPEN: Look("not evaluated", "Vote open"),
    DecisionState.LAPSED: Look("no evidence", "Lapsed"),
    DecisionState.SUPERSEDED: Look("no evidence", "Superseded"),
    DecisionState.OUTDATED: Look("conditional", "Outdated"),
    DecisionState.REVOKED: Look("not ready", "Revoked"),
}
CONDITION_STATES: Final[dict[str, Look]] = {
    ConditionState.OPEN: Look("not evaluated", "Open"),
    ConditionState.MET: Look("pass", "Met"),
    ConditionState.MISSED: Look("fail", "Missed"),
    ConditionState.MET_LATE: Look("warn", "Met late"),
    ConditionState.WITHDRAWN: Look("waived", "Withdrawn"),
}
CHOICES: Final[dict[str, str]] = {
    Choice.GO: "Go",
    Choice.CONDITIONAL_GO: "Go with conditions",
    Choice.POSTPONE: "Postpone",
    Choice.NO_GO: "No-go",
}
PHASES: Final[dict[str, str]] = {
    Phase.ENTRY: "Entry gate",
    Phase.STAY_LIVE: "Stay-live gate",
    Phase.EXIT: "Exit gate",
}
DECISION_KINDS: Final[dict[str, str]] = {
    "go_live": "Go-live",
    "exit": "End of hypercare",
    "urgent": "Urgent: stay live",
}
_WORTH: Final[dict[str, str]] = {
    "gate_worse": "a gate reads worse than when the vote was opened on it",
    "gate_gone": "a gate it stands on no longer has an evaluation",
    "no_gate": "it stands on no gate",
    "waiver_lapsed": "a waiver it relied on has ended",
    "criteria_changed": "the criteria of a gate have changed since",
    "condition_missed": "a condition was missed",
    "revoked": "it was taken back",
}


def speech(names: Mapping[str, Any]) -> Speech:
    """The words for these names, with times where the person is."""
    return Speech(names, own_zone())


def decision_look(row: DecisionRow) -> Look:
    """Where a decision stands: its outcome while it stands as decided, or why it no longer does."""
    if row.state is DecisionState.DECIDED and row.outcome is not None:
        return OUTCOMES[row.outcome]
    return DECISION_STATES[row.state]


def gate_word(word: GateWord | str | None) -> str:
    """The gate's verdict in words; "not evaluated" before the first evaluation."""
    return "not evaluated" if word is None else GATE_WORDS[GateWord(word)]


def worth_reasons(worth: Validity | None) -> list[str]:
    """Why a decision no longer stands, in words; empty while it does."""
    if worth is None or worth.standing in {Standing.VALID, Standing.NOT_A_GO}:
        return []
    return list(dict.fromkeys(_WORTH.get(code, code.replace("_", " ")) for code, _ in worth.reasons))


def outdated_texts(reason: str | None) -> list[str]:
    """The reasons kept with the move that outdated a decision, in words."""
    codes = [part.partition(":")[0].strip() for part in (reason or "").split(",") if part.strip()]
    return list(dict.fromkeys(_WORTH.get(code, code.replace("_", " ")) for code in codes))


def cell_look(grant: GrantView | None) -> Look:
    """What a cell admits, by the grant that says so."""
    if grant is None:
        return GRANT_STATES[GrantState.CLOSED]
    if grant.opens_at > now():
        return Look("not evaluated", f"Opens {short_day(grant.opens_at)}")
    return GRANT_STATES[grant.state]


def process_name(process: str) -> str:
    return PROCESSES.get(process, process.replace("_", " ").capitalize())


def short_day(on: date | datetime | None) -> str:
    """A day in a table: ``Thu 14 Jan``, with the year when it is not this one; a dash for none."""
    if on is None:
        return "–"
    day = local_day(on, own_zone()) if isinstance(on, datetime) else on
    today = local_day(now(), own_zone())
    text = f"{day:%a} {day.day} {day:%b}"
    return text if day.year == today.year else f"{text} {day.year}"


def short_moment(at: datetime | None) -> str:
    """An instant in a table: ``Thu 14 Jan 09:40``, in the person's time zone; a dash for none."""
    return "–" if at is None else f"{short_day(at)} {at.astimezone(zone(own_zone())):%H:%M}"


def days_between(today: date, day: date) -> str:
    """``in 18 days``, ``tomorrow``, ``today``, ``3 days ago``."""
    away = (day - today).days
    if away in {0, 1, -1}:
        return {0: "today", 1: "tomorrow", -1: "yesterday"}[away]
    return f"in {away} days" if away > 0 else f"{-away} days ago"


def share(part: tuple[int, int] | None) -> str:
    """A share as people say it in rules: ``two thirds``, ``3 of 5``."""
    if part is None:
        return "–"
    said = {(1, 2): "half", (2, 3): "two thirds", (3, 4): "three quarters", (1, 1): "all"}
    return said.get(part, f"{part[0]} of {part[1]}")


def acting(actor: int, role: str, names: Mapping[str, Any]) -> str:
    """Who took an act of office: by name; a job by what it is."""
    if role.startswith("system:"):
        return f"Job {role.removeprefix('system:')}"
    return str(names["people"].get(str(actor), title_of(role)))


def listed(parts: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    found = list(parts)
    return " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 2 else found)
