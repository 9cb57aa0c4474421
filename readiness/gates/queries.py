"""What does a gate say, why, what changed, and when will it pass? All from stored snapshots; no event is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from erpcore.kernel.errors import NotFound
from readiness.gates.comparison import Change, changes_between
from readiness.gates.criteria import Phase
from readiness.gates.flow import GateState, WaiverState
from readiness.gates.forecast import Forecast, Point, Question, forecast
from readiness.gates.models import Gate, GateCriterion, GateSnapshot, SnapshotLine, WaiverRecord
from readiness.gates.rules import GateWord
from readiness.gates.specs import facts_of
from readiness.measures.reading import Direction
from readiness.waves.models import Wave


@dataclass(frozen=True, kw_only=True)
class LatestWord:
    """What a gate said last, and the version of its criteria as they stand."""

    gate_id: int
    word: str
    snapshot_id: int
    number: int
    evaluated_at: datetime
    criteria_version: int
    state: str


@dataclass(frozen=True, kw_only=True)
class GateRow:
    """A gate in a list. Word and score are ``None`` before the first evaluation."""

    id: int
    wave_id: int
    wave_code: str
    wave_name: str
    phase: Phase
    state: GateState
    decides_on: date
    word: GateWord | None
    score: Decimal | None
    snapshot_id: int | None
    sha256: str | None
    evaluated_at: datetime | None
    sentence: str | None
    counts: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class SnapshotView:
    """A stored evaluation. ``content`` is what its fingerprint was made of."""

    id: int
    gate_id: int
    number: int
    evaluated_at: datetime
    day: date
    is_counted: bool
    criteria_version: int
    word: GateWord
    score: Decimal
    read_to: int
    sha256: str
    content: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class TrendPoint:
    """A criterion's figure on a day: the last evaluation of that day."""

    day: date
    word: str
    value: Decimal | None
    low: Decimal | None
    high: Decimal | None
    count: int | None


@dataclass(frozen=True, kw_only=True)
class WaiverView:
    """A waiver, with whether it is in force now."""

    id: int
    gate_id: int
    criterion: str
    state: WaiverState
    is_in_force: bool
    rationale: str
    mitigation: str
    owner: int
    requested_by: int
    requested_at: datetime
    granted_by: int | None
    granted_at: datetime | None
    body: str | None
    until: datetime
    ended_at: datetime | None
    outcome_reason: str | None


@dataclass(frozen=True, kw_only=True)
class GateView:
    """Everything a gate's page shows. ``snapshot`` is ``None`` before the first evaluation; ``criteria`` then come from the
    gate itself, without verdicts.
    """

    gate: GateRow
    version: int
    criteria_version: int
    pass_mark: Decimal
    warn_mark: Decimal
    waiver_body: str
    frozen_at: datetime | None
    hold_needed: int | None
    snapshot: SnapshotView | None
    changes: tuple[Change, ...]
    changed_since: datetime | None
    trends: dict[str, tuple[TrendPoint, ...]]
    forecasts: tuple[Forecast, ...]
    waivers: tuple[WaiverView, ...]
    draft_criteria: tuple[Mapping[str, Any], ...]


def latest_words(session: Session, gate_ids: Collection[int]) -> dict[int, LatestWord]:
    """What each of these gates said last. One query; gates without evaluation are left out."""
    if not gate_ids:
        return {}
    last = _last_numbers()
    rows = session.execute(
        select(
            Gate.id, Gate.state, Gate.criteria_version, GateSnapshot.id.label("snapshot_id"), GateSnapshot.number,
            GateSnapshot.word, GateSnapshot.evaluated_at,
        )
        .join(GateSnapshot, GateSnapshot.gate_id == Gate.id)
        .join(last, (last.c.gate_id == GateSnapshot.gate_id) & (last.c.number == GateSnapshot.number))
        .where(Gate.id.in_(gate_ids))
    )  # fmt: skip
    return {
        row.id: LatestWord(
            gate_id=row.id, word=row.word, snapshot_id=row.snapshot_id, number=row.number,
            evaluated_at=row.evaluated_at, criteria_version=row.criteria_version, state=row.state,
        )
        for row in rows
    }  # fmt: skip


def open_gates(session: Session) -> list[int]:
    """The gates to be evaluated, in the order their waves go live. One query."""
    return list(
        session.scalars(
            select(Gate.id)
            .join(Wave, Wave.id == Gate.wave_id)
            .where(Gate.state == GateState.FROZEN)
            .order_by(Wave.go_live_on, Gate.id)
        )
    )


def _last_numbers() -> Any:
    return (
        select(GateSnapshot.gate_id, func.max(GateSnapshot.number).label("number"))
        .group_by(GateSnapshot.gate_id)
        .subquery()
    )


def gates(session: Session, *, wave_id: int | None = None, gate_id: int | None = None) -> list[GateRow]:
    """Gates with what they said last, in the order their waves go live. Two queries."""
    last = _last_numbers()
    query = (
        select(Gate, Wave.code, Wave.name, GateSnapshot)
        .join(Wave, Wave.id == Gate.wave_id)
        .outerjoin(last, last.c.gate_id == Gate.id)
        .outerjoin(GateSnapshot, (GateSnapshot.gate_id == Gate.id) & (GateSnapshot.number == last.c.number))
        .order_by(Wave.go_live_on, Wave.id, Gate.id)
    )
    if wave_id is not None:
        query = query.where(Gate.wave_id == wave_id)
    if gate_id is not None:
        query = query.where(Gate.id == gate_id)
    rows: list[Any] = list(session.execute(query))
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    snapshots = [snapshot.id for _, _, _, snapshot in rows if snapshot is not None]
    for found in session.execute(
        select(SnapshotLine.snapshot_id, SnapshotLine.word, func.count())
        .where(SnapshotLine.snapshot_id.in_(snapshots))
        .group_by(SnapshotLine.snapshot_id, SnapshotLine.word)
    ):
        counts[found[0]][found[1]] = found[2]
    return [_row(gate, code, name, snapshot, counts) for gate, code, name, snapshot in rows]


def _row(
    gate: Gate, code: str, name: str, snapshot: GateSnapshot | None, counts: Mapping[int, dict[str, int]]
) -> GateRow:
    return GateRow(
        id=gate.id, wave_id=gate.wave_id, wave_code=code, wave_name=name, phase=Phase(gate.phase),
        state=GateState(gate.state), decides_on=gate.decides_on,
        word=GateWord(snapshot.word) if snapshot else None, score=snapshot.score if snapshot else None,
        snapshot_id=snapshot.id if snapshot else None, sha256=snapshot.sha256 if snapshot else None,
        evaluated_at=snapshot.evaluated_at if snapshot else None,
        sentence=orjson.loads(snapshot.content)["sentence"] if snapshot else None,
        counts=counts.get(snapshot.id, {}) if snapshot else {},
    )  # fmt: skip


def view_of(snapshot: GateSnapshot) -> SnapshotView:
    """A snapshot as pages and papers take it."""
    return SnapshotView(
        id=snapshot.id, gate_id=snapshot.gate_id, number=snapshot.number, evaluated_at=snapshot.evaluated_at,
        day=snapshot.day, is_counted=snapshot.is_counted, criteria_version=snapshot.criteria_version,
        word=GateWord(snapshot.word), score=snapshot.score, read_to=snapshot.read_to, sha256=snapshot.sha256,
        content=orjson.loads(snapshot.content),
    )  # fmt: skip


def snapshot(session: Session, snapshot_id: int) -> SnapshotView:
    """A stored evaluation. Raises ``NotFound``."""
    found = session.get(GateSnapshot, snapshot_id)
    if found is None:
        raise NotFound("snapshot_not_found", snapshot=snapshot_id)
    return view_of(found)


def snapshots(
    session: Session, gate_id: int, *, limit: int = 100
) -> list[tuple[int, int, datetime, str, Decimal, str, bool]]:
    """The gate's evaluations, newest first: id, number, when, word, score, fingerprint, counted. One query."""
    rows = session.execute(
        select(
            GateSnapshot.id, GateSnapshot.number, GateSnapshot.evaluated_at, GateSnapshot.word, GateSnapshot.score,
            GateSnapshot.sha256, GateSnapshot.is_counted,
        )
        .where(GateSnapshot.gate_id == gate_id)
        .order_by(GateSnapshot.number.desc())
        .limit(limit)
    )  # fmt: skip
    return [(row.id, row.number, row.evaluated_at, row.word, row.score, row.sha256, row.is_counted) for row in rows]


def snapshot_before(session: Session, gate_id: int, number: int) -> SnapshotView | None:
    """The gate's evaluation before the one of this number. One query."""
    found = session.scalar(
        select(GateSnapshot)
        .where(GateSnapshot.gate_id == gate_id, GateSnapshot.number < number)
        .order_by(GateSnapshot.number.desc())
        .limit(1)
    )
    return None if found is None else view_of(found)


def gate_view(session: Session, gate_id: int, *, now: datetime, snapshot_id: int | None = None) -> GateView:
    """A gate with its latest evaluation (or ``snapshot_id``), what changed before it, trends, forecasts and waivers.

    Six queries, however many criteria. Raises ``NotFound``.
    """
    found = gates(session, gate_id=gate_id)
    if not found:
        raise NotFound("gate_not_found", gate=gate_id)
    gate = session.get_one(Gate, gate_id)
    query = select(GateSnapshot).where(GateSnapshot.gate_id == gate_id).order_by(GateSnapshot.number.desc()).limit(2)
    if snapshot_id is not None:
        top = select(GateSnapshot.number).where(GateSnapshot.id == snapshot_id).scalar_subquery()
        query = query.where(GateSnapshot.number <= top)
    latest = [view_of(each) for each in session.scalars(query)]
    current = latest[0] if latest else None
    trends = trends_of(session, gate_id)
    draft = () if current else tuple(facts_of(row) for row in _standing(session, gate_id))
    return GateView(
        gate=found[0], version=gate.version, criteria_version=gate.criteria_version, pass_mark=gate.pass_mark,
        warn_mark=gate.warn_mark, waiver_body=gate.waiver_body, frozen_at=gate.frozen_at, hold_needed=gate.hold_needed,
        snapshot=current,
        changes=changes_between(latest[1].content, latest[0].content) if len(latest) == 2 else (),
        changed_since=latest[1].evaluated_at if len(latest) == 2 else None,
        trends=trends,
        forecasts=forecasts_of(current.content, trends) if current else (),
        waivers=tuple(waivers(session, now, gate_id=gate_id)),
        draft_criteria=draft,
    )  # fmt: skip


def _standing(session: Session, gate_id: int) -> list[GateCriterion]:
    return list(
        session.scalars(
            select(GateCriterion)
            .where(GateCriterion.gate_id == gate_id, GateCriterion.removed_in.is_(None))
            .order_by(GateCriterion.position, GateCriterion.id)
        )
    )


def trends_of(
    session: Session, gate_id: int, *, days: int = 60, until: int | None = None
) -> dict[str, tuple[TrendPoint, ...]]:
    """Each criterion's figure by day, the last of every day, oldest first, on its present terms. One query.

    ``until``: up to the gate's evaluation of this number, as they stood then.
    """
    latest = (
        select(func.max(GateSnapshot.number).label("number"))
        .where(GateSnapshot.gate_id == gate_id)
        .group_by(GateSnapshot.day)
        .order_by(GateSnapshot.day.desc())
        .limit(days)
    )
    if until is not None:
        latest = latest.where(GateSnapshot.number <= until)
    rows = session.execute(
        select(SnapshotLine)
        .join(GateSnapshot, GateSnapshot.id == SnapshotLine.snapshot_id)
        .where(GateSnapshot.gate_id == gate_id, GateSnapshot.number.in_(latest))
        .order_by(SnapshotLine.criterion, SnapshotLine.day)
    ).scalars()
    found: dict[str, list[SnapshotLine]] = defaultdict(list)
    for row in rows:
        found[row.criterion].append(row)
    trends = {}
    for criterion, lines in found.items():
        trends[criterion] = tuple(
            TrendPoint(day=line.day, word=line.word, value=line.value, low=line.low, high=line.high, count=line.count)
            for line in lines
            if line.terms == lines[-1].terms
        )
    return trends


def forecasts_of(content: Mapping[str, Any], trends: Mapping[str, tuple[TrendPoint, ...]]) -> tuple[Forecast, ...]:
    """When each measured criterion of a snapshot passes at its present trend, those that hold back most first."""
    today = date.fromisoformat(content["day"])
    order = {each["criterion"]: place for place, each in enumerate(content["holds_back"])}
    found = []
    for line in content["criteria"]:
        if not line["readings"] or line["pass_mark"] is None or line["baseline"] is not None:
            continue
        points = [
            Point(point.day, point.value, point.count or 0)
            for point in trends.get(line["code"], ())
            if point.value is not None and point.day <= today
        ]
        facts = line["verdict_facts"]
        found.append(
            forecast(
                Question(
                    criterion=line["code"], today=today, word=line["word"], is_met=line["met"],
                    direction=Direction(line["readings"][0]["direction"]), pass_mark=Decimal(line["pass_mark"]),
                    points=points, more=facts.get("more"), held=line["held"] or 0, needed=line["needed"],
                )
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda each: order.get(each.criterion, len(order))))


def waivers(
    session: Session, now: datetime, *, gate_id: int | None = None, state: WaiverState | None = None
) -> list[WaiverView]:
    """Waivers, newest first. One query."""
    query = select(WaiverRecord).order_by(WaiverRecord.id.desc())
    if gate_id is not None:
        query = query.where(WaiverRecord.gate_id == gate_id)
    if state is not None:
        query = query.where(WaiverRecord.state == state)
    return [
        WaiverView(
            id=row.id, gate_id=row.gate_id, criterion=row.criterion, state=WaiverState(row.state),
            is_in_force=row.state == WaiverState.GRANTED and now < row.until, rationale=row.rationale,
            mitigation=row.mitigation, owner=row.owner_id, requested_by=row.requested_by, requested_at=row.requested_at,
            granted_by=row.granted_by, granted_at=row.granted_at, body=row.body, until=row.until, ended_at=row.ended_at,
            outcome_reason=row.outcome_reason,
        )
        for row in session.scalars(query)
    ]  # fmt: skip


def latest_snapshots(session: Session, gate_ids: Collection[int]) -> dict[int, SnapshotView]:
    """The last evaluation of each of these gates. One query."""
    last = _last_numbers()
    rows = session.scalars(
        select(GateSnapshot)
        .join(last, (last.c.gate_id == GateSnapshot.gate_id) & (last.c.number == GateSnapshot.number))
        .where(GateSnapshot.gate_id.in_(gate_ids))
    )
    return {row.gate_id: view_of(row) for row in rows}
