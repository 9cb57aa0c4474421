"""What is known now of the days a gate was decided on? The same windows read again, with what came in late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from app.composition.calendars import SiteCalendars
from app.composition.evidence import asked_for
from app.queries.steer import decisions_of_gate
from erpcore.kernel.errors import NotFound
from readiness.gates.queries import GateRow, SnapshotView, gates, snapshot, snapshots
from readiness.gates.services import own_cells, standing_criteria
from readiness.gates.specs import facts_of, requests_of
from readiness.measures.flows import flow_reading
from readiness.measures.live import window_reading
from readiness.measures.measure import Kind
from readiness.measures.plans import Asked, Plan, Sources, plan_for
from readiness.measures.reading import Reading
from readiness.measures.scopes import SiteDays, load_slices

#: What a criterion must still ask for its earlier window to be read again.
_ASKED = ("measure", "statistic", "measure_version", "dimension", "customer_group", "evidence", "cells", "grain")


@dataclass(frozen=True, kw_only=True)
class Line:
    """A criterion then and now. ``then`` is its stored reading, ``again`` the same window read now, ``None`` where a state or
    statement has no window to read again; ``word_now`` is its verdict at the latest evaluation.
    """

    code: str
    title: str
    word_then: str
    word_now: str | None
    waived_then: bool
    waived_now: bool
    then: Mapping[str, Any] | None
    again: Reading | None

    @property
    def moved(self) -> bool:
        """Whether the earlier window reads differently now."""
        if self.then is None or self.again is None:
            return False
        before = None if self.then["value"] is None else Decimal(self.then["value"])
        return (before, self.then["count"]) != (self.again.value, self.again.count)


@dataclass(frozen=True, kw_only=True)
class LateTruth:
    """``then`` is the evaluation that was decided on (or the one asked for), ``latest`` the newest."""

    gate: GateRow
    then: SnapshotView | None
    latest: SnapshotView | None
    decision_id: int | None
    lines: tuple[Line, ...]


def late_truth(session: Session, gate_id: int, now: datetime, *, number: int | None = None) -> LateTruth:
    """The figures of an evaluation beside what the same days show now. Raises ``NotFound``."""
    found = gates(session, gate_id=gate_id)
    if not found:
        raise NotFound("gate_not_found", gate=gate_id)
    gate = found[0]
    if gate.snapshot_id is None:
        return LateTruth(gate=gate, then=None, latest=None, decision_id=None, lines=())
    bound = next(iter(decisions_of_gate(session, gate_id)), None)
    chosen = bound.snapshot_id if bound else gate.snapshot_id
    if number is not None:
        known = {row[1]: row[0] for row in snapshots(session, gate_id, limit=10_000)}
        if number not in known:
            raise NotFound("snapshot_not_found", snapshot=number)
        chosen = known[number]
    then, latest = snapshot(session, chosen), snapshot(session, gate.snapshot_id)
    again = _read_again(session, gate, then, now)
    return LateTruth(
        gate=gate, then=then, latest=latest,
        decision_id=bound.decision_id if bound and bound.snapshot_id == chosen else None,
        lines=tuple(_line(one, latest.content, again) for one in then.content["criteria"]),
    )  # fmt: skip


def worst_reading(line: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The reading that the verdict was given on."""
    readings: Sequence[Mapping[str, Any]] = line["readings"]
    cell = line["verdict_facts"].get("cell")
    return next((one for one in readings if one["scope"] == cell), readings[0] if readings else None)


def _line(line: Mapping[str, Any], latest: Mapping[str, Any], again: Mapping[str, Reading]) -> Line:
    current = next((one for one in latest["criteria"] if one["code"] == line["code"]), None)
    return Line(
        code=line["code"], title=line["title"], word_then=line["word"], word_now=current and current["word"],
        waived_then=line["waiver"] is not None, waived_now=bool(current and current["waiver"] is not None),
        then=worst_reading(line), again=again.get(line["code"]),
    )  # fmt: skip


def _read_again(session: Session, gate: GateRow, then: SnapshotView, now: datetime) -> dict[str, Reading]:
    """One reading per criterion with a window of days, for the scope that its verdict was given on."""
    stored = {line["code"]: line for line in then.content["criteria"]}
    requests = {}
    own = own_cells(session, gate.wave_id)
    for row in standing_criteria(session, gate.id):
        line = stored.get(row.code)
        worst = worst_reading(line) if line else None
        if line is None or worst is None or worst["window"]["start"] is None:
            continue
        if {key: facts_of(row)[key] for key in _ASKED} != {key: line[key] for key in _ASKED}:
            continue
        for request in requests_of(row, own):
            if request.scope == worst["scope"]:
                requests[row.code] = request
    asked = asked_for(session, list(requests.values())) if requests else {}
    wanted = {code: asked[request] for code, request in requests.items() if request in asked}
    return _windows(session, wanted, {code: worst_reading(stored[code]) or {} for code in wanted}, now)


def _windows(
    session: Session, wanted: Mapping[str, Asked], readings: Mapping[str, Mapping[str, Any]], now: datetime
) -> dict[str, Reading]:
    if not wanted:
        return {}
    connection = session.connection()
    slices = load_slices(connection, {one.scope.realm for one in wanted.values()})
    days = SiteDays(now, SiteCalendars(session), sorted({one.site for one in slices if one.site is not None}))
    plans: dict[str, Plan] = {}
    for tag, (code, one) in enumerate(wanted.items()):
        window = readings[code]["window"]
        start, end = date.fromisoformat(window["start"][:10]), date.fromisoformat(window["end"][:10])
        plan = plan_for(tag, one, slices, days)
        plans[code] = replace(plan, start=start, end=end, days=(end - start).days)
    sources = Sources(connection, list(plans.values()))
    return {
        code: (window_reading if plan.measure.kind is Kind.STATE else flow_reading)(plan, sources, now)
        for code, plan in plans.items()
    }
