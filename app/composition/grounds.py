"""What does a vote stand on, and who may speak for which body? The wave's latest evidence, and the seats of governance."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from erpcore.kernel.errors import RuleBroken
from governance.decisions.kinds import DecisionKind
from governance.decisions.records import GateBasis
from governance.programme.kinds import BodyKind
from governance.programme.queries import bodies_of_person
from readiness.gates.criteria import Phase
from readiness.gates.flow import GateState
from readiness.gates.models import Gate, GateSnapshot
from readiness.gates.ports import Authority

#: A vote is opened on evidence of this age at most.
FRESH = timedelta(hours=24)
_PHASES = {
    DecisionKind.GO_LIVE: (Phase.ENTRY,),
    DecisionKind.EXIT: (Phase.EXIT,),
    DecisionKind.URGENT: (Phase.STAY_LIVE, Phase.ENTRY),
}


class Seats(Authority):
    """On which bodies a person sits, as governance has it."""

    def bodies(self, session: Session, person: int, programme_id: int, now: datetime) -> Mapping[str, bool]:
        """By code; true for the steering committee."""
        found = bodies_of_person(session, person, programme_id, now)
        return {code: kind is BodyKind.STEERING for code, kind in found.items()}


def bases_for(session: Session, wave_id: int, kind: DecisionKind, now: datetime) -> list[GateBasis]:
    """The evidence that a decision of this kind stands on: the latest snapshot of the wave's gate.

    Raises ``RuleBroken`` without a frozen gate, without a snapshot, or with one that is older than a day or than the criteria.
    """
    rows = session.execute(
        select(Gate, GateSnapshot)
        .outerjoin(GateSnapshot, GateSnapshot.gate_id == Gate.id)
        .where(Gate.wave_id == wave_id, Gate.phase.in_(_PHASES[kind]))
        .order_by(Gate.id, GateSnapshot.number.desc())
    ).all()
    latest: dict[str, tuple[Gate, GateSnapshot | None]] = {}
    for gate, snapshot in rows:
        latest.setdefault(gate.phase, (gate, snapshot))
    for phase in _PHASES[kind]:
        if phase in latest:
            return [_basis(*latest[phase], now, needs_frozen=kind is not DecisionKind.URGENT)]
    raise RuleBroken("gate_missing", wave=wave_id, phase=_PHASES[kind][0])


def _basis(gate: Gate, snapshot: GateSnapshot | None, now: datetime, *, needs_frozen: bool) -> GateBasis:
    if needs_frozen and gate.state != GateState.FROZEN:
        raise RuleBroken("gate_not_frozen", gate=gate.id, state=gate.state)
    if snapshot is None:
        raise RuleBroken("gate_not_evaluated", gate=gate.id)
    if needs_frozen and (snapshot.criteria_version != gate.criteria_version or now - snapshot.evaluated_at > FRESH):
        raise RuleBroken("evidence_too_old", gate=gate.id, evaluated_at=snapshot.evaluated_at)
    return basis_of(snapshot)


def basis_of(snapshot: GateSnapshot) -> GateBasis:
    """A stored snapshot as a vote takes it."""
    content = orjson.loads(snapshot.content)
    return GateBasis(
        gate_id=snapshot.gate_id,
        snapshot_id=snapshot.id,
        sha256=snapshot.sha256,
        criteria_version=snapshot.criteria_version,
        word=snapshot.word,
        allowed=frozenset(content["allowed"]),
        waivers=tuple(
            (waiver["id"], waiver["criterion"], datetime.fromisoformat(waiver["until"]))
            for waiver in content["waivers"]
            if waiver["is_used"]
        ),
    )
