"""What does a gate say now, and how is that kept? Read at one moment, then stored as a snapshot that nobody can change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from erpcore.kernel.canonical import canonical_json, fingerprint
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, DomainError, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from readiness.gates import peeking
from readiness.gates.criteria import Criterion, Evidence, Phase
from readiness.gates.flow import GateState, WaiverState
from readiness.gates.models import (
    AttestationRecord,
    CriterionChange,
    Gate,
    GateCriterion,
    GateSnapshot,
    SnapshotLine,
    WaiverRecord,
)
from readiness.gates.permissions import GatePermission
from readiness.gates.ports import ReadingRequest, Readings, Readout
from readiness.gates.rules import WAIVER_CAP, GateResult, GateWord, Line, evaluate
from readiness.gates.services import lock_gate, own_cells, standing_criteria, tell
from readiness.gates.specs import Cells, criterion_of, facts_of, requests_of, terms_of
from readiness.gates.verdicts import Attestation, Verdict, judge, judge_attestation
from readiness.gates.waiving import as_rules
from readiness.gates.wording import gate_sentence, reason_sentence, sentence
from readiness.measures.baselines import BaselineView, baselines, nearest
from readiness.measures.reading import Reading, rounded
from readiness.published import GateEvaluated
from readiness.waves.models import Wave

FORMAT = "wavegate.gate-snapshot/1"
#: Decimal places of points and scores in a snapshot.
_POINTS = 6


@dataclass(frozen=True, kw_only=True)
class LineFacts:
    """One criterion of an evaluation, with what trends and counts are made from."""

    criterion: str
    terms: str
    verdict: Verdict
    counts_as: str


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What a gate says at one moment, not stored yet. ``content`` lacks only its number and whether it counts."""

    gate_id: int
    wave_id: int
    criteria_version: int
    at: datetime
    day: date
    word: GateWord
    score: Decimal
    read_to: int
    lines: tuple[LineFacts, ...]
    content: dict[str, Any]


def evaluate_gate(session: Session, gate_id: int, *, readings: Readings, now: datetime) -> Evaluation:
    """Judge every criterion of a frozen gate on one session, which should see one moment (a snapshot transaction).

    A source that cannot be read is no evidence, never the last figure. Raises ``RuleBroken`` for a gate that is not frozen.
    """
    gate = session.get(Gate, gate_id)
    if gate is None:
        raise NotFound("gate_not_found", gate=gate_id)
    if gate.state != GateState.FROZEN or gate.opened_on is None or gate.hold_needed is None or gate.hold_level is None:
        raise RuleBroken("gate_not_frozen", gate=gate.id, state=gate.state)
    wave = session.get_one(Wave, gate.wave_id)
    own = own_cells(session, gate.wave_id)
    rows = standing_criteria(session, gate.id)
    criteria = [criterion_of(row, Phase(gate.phase), own) for row in rows]
    waivers = list(
        session.scalars(
            select(WaiverRecord)
            .where(WaiverRecord.gate_id == gate.id, WaiverRecord.state.in_((WaiverState.GRANTED, WaiverState.ENDED)))
            .order_by(WaiverRecord.id)
        )
    )
    attested = _attestations(session, gate.id)
    counted = _counted(session, gate)
    changes = _changes_after_freeze(session, gate)
    readout, requests = _read(session, rows, own, readings, now)
    rule = peeking.HoldRule(
        gate.hold_needed, float(gate.hold_level), gate.opened_on,
        tuple(date.fromisoformat(day) for day in orjson.loads(gate.fixed_dates)),
    )  # fmt: skip
    day = local_day(now, gate.time_zone)
    verdicts = {}
    held = {}
    for row, criterion in zip(rows, criteria, strict=True):
        found = [readout.readings[request] for request in requests[row.code] if request in readout.readings]
        verdict, days = _judge(
            criterion, found, attested.get(row.code), counted[row.code, terms_of(row)], rule, day, now
        )
        verdicts[row.code], held[row.code] = verdict, days
    result = evaluate(
        criteria, verdicts, as_rules(waivers), now=now, pass_mark=gate.pass_mark, warn_mark=gate.warn_mark
    )
    content = _content(gate, wave, own, result, now, day, readout, rule)
    sites = {site for site, _ in own}
    known = baselines(session, [None, *sites] if len(sites) == 1 else [None])
    content["criteria"] = [
        {
            **facts_of(row),
            **_line(line),
            "held": held[row.code],
            "needed": rule.needed if line.criterion.must_hold else 1,
            "readings": [readout.readings[each].facts() for each in requests[row.code] if each in readout.readings],
            "attestation": _attested(attested.get(row.code)),
            "before": _before(row, known, sites),
        }
        for row, line in zip(rows, result.lines, strict=True)
    ]
    content["waivers"] = [_waiver(record, result, now) for record in waivers]
    content["changed_after_freeze"] = changes
    return Evaluation(
        gate_id=gate.id, wave_id=gate.wave_id, criteria_version=gate.criteria_version, at=now, day=day, word=result.word,
        score=rounded(result.score, _POINTS), read_to=readout.read_to,
        lines=tuple(
            LineFacts(criterion=row.code, terms=terms_of(row), verdict=line.verdict, counts_as=line.counts_as)
            for row, line in zip(rows, result.lines, strict=True)
        ),
        content=content,
    )  # fmt: skip


def _attestations(session: Session, gate_id: int) -> dict[str, AttestationRecord]:
    rows = session.scalars(
        select(AttestationRecord).where(AttestationRecord.gate_id == gate_id).order_by(AttestationRecord.ordinal)
    )
    return {row.criterion: row for row in rows}


def _counted(session: Session, gate: Gate) -> dict[tuple[str, str], list[peeking.Counted]]:
    """The counted evaluations since the gate opened, by criterion and what was asked."""
    found: dict[tuple[str, str], list[peeking.Counted]] = defaultdict(list)
    rows = session.execute(
        select(SnapshotLine.criterion, SnapshotLine.terms, SnapshotLine.day, SnapshotLine.is_met).where(
            SnapshotLine.gate_id == gate.id, SnapshotLine.day >= gate.opened_on, SnapshotLine.is_counted
        )
    )
    for row in rows:
        found[row.criterion, row.terms].append(peeking.Counted(row.day, row.is_met))
    return found


def _changes_after_freeze(session: Session, gate: Gate) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(CriterionChange)
        .where(
            CriterionChange.gate_id == gate.id, CriterionChange.is_after_freeze, CriterionChange.at >= gate.frozen_at
        )
        .order_by(CriterionChange.criteria_version)
    )
    return [
        {
            "version": row.criteria_version, "criterion": row.criterion, "change": row.change, "by": row.changed_by,
            "body": row.body, "reason": row.reason, "at": row.at,
            "before": orjson.loads(row.before) if row.before else None,
            "after": orjson.loads(row.after) if row.after else None,
        }
        for row in rows
    ]  # fmt: skip


def _read(
    session: Session, rows: Sequence[GateCriterion], own: Cells, readings: Readings, now: datetime
) -> tuple[Readout, dict[str, list[ReadingRequest]]]:
    requests = {row.code: requests_of(row, own) for row in rows}
    wanted = list(dict.fromkeys(request for each in requests.values() for request in each))
    try:
        return readings.read_many(session, wanted, now=now), requests
    except (DomainError, SQLAlchemyError):
        # An unreadable source proves nothing; every criterion on it then says so.
        return Readout(readings={}, read_to=0), requests


def _judge(
    criterion: Criterion, found: Sequence[Reading], attestation: AttestationRecord | None,
    counted: Sequence[peeking.Counted], rule: peeking.HoldRule, day: date, now: datetime,
) -> tuple[Verdict, int | None]:  # fmt: skip
    if criterion.evidence is Evidence.ATTESTATION:
        statement = None
        if attestation is not None:
            statement = Attestation(
                criterion=criterion.id,
                holds=attestation.holds,
                by=criterion.owner,
                at=attestation.at,
                until=attestation.until,
            )
        return judge_attestation(criterion, statement, now), None
    if not criterion.must_hold:
        return judge(criterion, found, level=rule.level), None
    met = judge(criterion, found, held=rule.needed, needed=rule.needed, level=rule.level).met
    row = peeking.held(counted, rule, day, met)
    return judge(criterion, found, held=row, needed=rule.needed, level=rule.level), row


def _line(line: Line) -> dict[str, Any]:
    verdict = line.verdict
    return {
        "word": verdict.word,
        "counts_as": line.counts_as,
        "verdict_code": verdict.code,
        "verdict_facts": {key: _plain(value) for key, value in verdict.facts.items()},
        "sentence": sentence(verdict),
        "met": verdict.met,
        "judged_on": verdict.basis,
        "waiver": int(line.waiver.id) if line.waiver else None,
        "points": rounded(line.points, _POINTS),
    }


def _plain(value: Any) -> Any:
    return rounded(value, _POINTS) if isinstance(value, Fraction) else value


def _before(
    row: GateCriterion, known: dict[tuple[str, int | None], BaselineView], sites: Collection[int]
) -> dict[str, Any] | None:
    """What the figure read before the programme, to stand beside the reading; no verdict depends on it."""
    if row.measure is None or row.dimension is not None or row.customer_group_id is not None:
        return None
    found = nearest(known, f"{row.measure}.{row.statistic}" if row.statistic else row.measure, sites)
    if found is None:
        return None
    return {
        "value": found.value, "site": found.site, "from": found.period_from, "until": found.period_until,
        "comparable": found.is_comparable, "kind": found.kind.value,
    }  # fmt: skip


def _attested(record: AttestationRecord | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {
        "by": record.attested_by, "at": record.at, "until": record.until, "holds": record.holds,
        "statement": record.statement, "document": record.document,
    }  # fmt: skip


def _waiver(record: WaiverRecord, result: GateResult, now: datetime) -> dict[str, Any]:
    used = {waiver.id for waiver in result.waivers_used}
    return {
        "id": record.id, "criterion": record.criterion, "rationale": record.rationale, "mitigation": record.mitigation,
        "owner": record.owner_id, "requested_by": record.requested_by, "requested_at": record.requested_at,
        "granted_by": record.granted_by, "granted_at": record.granted_at, "body": record.body,
        "by_steering": record.by_steering, "until": record.until, "ended_at": record.ended_at,
        "is_used": str(record.id) in used, "is_in_force": record.ended_at is None and now < record.until,
    }  # fmt: skip


def _content(
    gate: Gate,
    wave: Wave,
    own: Cells,
    result: GateResult,
    now: datetime,
    day: date,
    readout: Readout,
    rule: peeking.HoldRule,
) -> dict[str, Any]:
    titles = {line.criterion.id: line.criterion.title for line in result.lines}
    return {
        "format": FORMAT,
        "wave": {
            "id": wave.id, "code": wave.code, "name": wave.name, "go_live_on": wave.go_live_on,
            "hypercare_until": wave.hypercare_until, "cells": [list(cell) for cell in own],
        },
        "gate": {
            "id": gate.id, "phase": gate.phase, "template": gate.template, "criteria_version": gate.criteria_version,
            "pass_mark": gate.pass_mark, "warn_mark": gate.warn_mark, "waiver_body": gate.waiver_body,
            "frozen_at": gate.frozen_at, "frozen_by": gate.frozen_by, "frozen_by_body": gate.frozen_by_body,
            "opened_on": rule.opened, "decides_on": gate.decides_on, "hold": rule.needed, "level": gate.hold_level,
            "dates": list(rule.dates), "time_zone": gate.time_zone,
        },
        "evaluated_at": now,
        "day": day,
        "read_to": readout.read_to,
        "behind_seconds": readout.behind_seconds,
        "word": result.word,
        "sentence": gate_sentence(result, titles),
        "score": rounded(result.score, _POINTS),
        "score_by_layer": {
            layer: None if score is None else rounded(score, _POINTS) for layer, score in result.score_by_layer.items()
        },
        "reasons": [
            {
                "code": reason.code, "criteria": list(reason.criteria), "facts": dict(reason.facts),
                "sentence": reason_sentence(reason, titles),
            }
            for reason in result.reasons
        ],
        "holds_back": [
            {"criterion": each.criterion, "lost": rounded(each.lost, _POINTS), "blocks": each.blocks}
            for each in result.holds_back
        ],
        "waived_share": rounded(result.waived_share, _POINTS),
        "waiver_cap": WAIVER_CAP,
        "allowed": sorted(result.allowed),
    }  # fmt: skip


def store_evaluation(work: UnitOfWork, evaluation: Evaluation) -> GateSnapshot:
    """Keep an evaluation as the gate's next snapshot.

    Raises ``Conflict`` when the criteria have changed since it was read, or a later evaluation is kept already.
    """
    work.actor.require(GatePermission.EVALUATE)
    gate = lock_gate(work, evaluation.gate_id)
    if gate.state != GateState.FROZEN or gate.criteria_version != evaluation.criteria_version:
        raise Conflict("criteria_changed", gate=gate.id, seen=evaluation.criteria_version, now=gate.criteria_version)
    last = work.session.execute(
        select(GateSnapshot.number, GateSnapshot.evaluated_at)
        .where(GateSnapshot.gate_id == gate.id)
        .order_by(GateSnapshot.number.desc())
        .limit(1)
    ).one_or_none()
    if last is not None and last.evaluated_at > evaluation.at:
        raise Conflict("evaluated_meanwhile", gate=gate.id, at=last.evaluated_at)
    is_counted = not work.session.scalar(
        select(func.count()).where(
            GateSnapshot.gate_id == gate.id, GateSnapshot.day == evaluation.day, GateSnapshot.is_counted
        )
    )
    content = {**evaluation.content, "number": last.number + 1 if last else 1, "is_counted": is_counted}
    sha256 = fingerprint(content)
    snapshot = GateSnapshot(
        id=work.ids.one(), gate_id=gate.id, number=content["number"], evaluated_at=evaluation.at, day=evaluation.day,
        is_counted=is_counted, criteria_version=evaluation.criteria_version, word=evaluation.word, score=evaluation.score,
        read_to=evaluation.read_to, sha256=sha256, content=canonical_json(content).decode(),
    )  # fmt: skip
    work.session.add(snapshot)
    work.session.flush()  # its lines name it
    for line in evaluation.lines:
        reading = line.verdict.reading
        interval = reading.interval if reading else None
        work.session.add(
            SnapshotLine(
                snapshot_id=snapshot.id, criterion=line.criterion, gate_id=gate.id, day=evaluation.day,
                is_counted=is_counted, terms=line.terms, word=line.verdict.word, counts_as=line.counts_as,
                is_met=line.verdict.met, value=_six(reading.value if reading else None),
                low=_six(interval.low if interval else None), high=_six(interval.high if interval else None),
                count=reading.count if reading else None,
            )
        )  # fmt: skip
    tell(
        work, gate,
        GateEvaluated(
            wave=gate.wave_id, snapshot=snapshot.id, sha256=sha256, word=snapshot.word,
            score=int(evaluation.score.scaleb(6)), read_to=snapshot.read_to,
        ),
    )  # fmt: skip
    return snapshot


def _six(value: Decimal | None) -> Decimal | None:
    return None if value is None else rounded(Fraction(value), _POINTS)
