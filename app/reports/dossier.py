"""What is a decision pack made from? An evaluation as it was stored, and what a committee has done with it so far.

A dossier is two JSON documents. The first is the evaluation, byte for byte what its fingerprint was made of. The second holds
everything else a pack says: names, trends up to that evaluation, what changed before it, votes and conditions. A pack is a
pure function of the two, and both travel inside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.identity.queries import names_of
from app.reports.votes import Bound, decision_facts, decisions_on
from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.masterdata.models import Channel, CustomerGroup, Site
from governance.programme.models import Body, Programme
from readiness.gates.comparison import changes_between
from readiness.gates.criteria import Phase
from readiness.gates.models import Gate, GateSnapshot
from readiness.gates.queries import forecasts_of, snapshot_before, trends_of
from readiness.waves.models import Wave, WaveDependency, WaveScope
from readiness.waves.queries import blackouts

FORMAT = "wavegate.decision-pack/1"


@dataclass(frozen=True)
class Dossier:
    """``evidence`` is the stored evaluation, ``rest`` everything else; both canonical JSON in UTF-8."""

    snapshot_id: int
    evidence: bytes
    rest: bytes

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the evaluation, as 64 hexadecimal digits: the same as the gate keeps."""
        return sha256(self.evidence).hexdigest()

    @property
    def file_stem(self) -> str:
        """A file name without its ending: ``wavegate-W2-entry-17``."""
        content = orjson.loads(self.evidence)
        code = "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in content["wave"]["code"])
        return f"wavegate-{code}-{content['gate']['phase']}-{content['number']}"


@dataclass(frozen=True, kw_only=True)
class GateKey:
    """A gate as people name it: its wave's code, and the phase."""

    id: int
    wave_id: int
    wave_code: str
    phase: Phase


def find_gate(session: Session, gate_id: int) -> GateKey:
    """The gate of this id. Raises ``NotFound``. One query."""
    row = session.execute(
        select(Gate.id, Gate.wave_id, Gate.phase, Wave.code)
        .join(Wave, Wave.id == Gate.wave_id)
        .where(Gate.id == gate_id)
    ).one_or_none()
    if row is None:
        raise NotFound("gate_not_found", gate=gate_id)
    return GateKey(id=row.id, wave_id=row.wave_id, wave_code=row.code, phase=Phase(row.phase))


def gather(session: Session, wave_code: str, phase: Phase, *, decision_id: int | None = None) -> Dossier:
    """Everything that a pack on a wave's gate says, read on one session that should see one moment.

    The evidence is that of the decision which is open or in force, or else the gate's latest evaluation; ``decision_id`` asks
    for an earlier decision's. Raises ``NotFound`` for an unknown wave or decision, ``RuleBroken`` where the wave has no such
    gate or the gate was never evaluated.
    """
    found = session.execute(
        select(Wave, Programme).join(Programme, Programme.id == Wave.programme_id).where(Wave.code == wave_code)
    ).one_or_none()
    if found is None:
        raise NotFound("wave_not_found", wave=wave_code)
    wave, programme = found
    latest = session.scalar(
        select(GateSnapshot)
        .join(Gate, Gate.id == GateSnapshot.gate_id)
        .where(Gate.wave_id == wave.id, Gate.phase == phase)
        .order_by(GateSnapshot.number.desc())
        .limit(1)
    )
    if latest is None:
        gate = session.scalar(select(Gate.id).where(Gate.wave_id == wave.id, Gate.phase == phase))
        if gate is None:
            raise RuleBroken("gate_missing", wave=wave.code, phase=phase)
        raise RuleBroken("gate_not_evaluated", gate=gate)
    bound = decisions_on(session, latest.gate_id)
    chosen = _chosen(bound, latest.id, decision_id)
    evidence = latest if chosen is None else session.get_one(GateSnapshot, chosen.snapshot_id)
    content = orjson.loads(evidence.content)
    rest = _rest(session, wave, programme, evidence, content)
    bodies = session.execute(select(Body.id, Body.code, Body.name).where(Body.programme_id == wave.programme_id)).all()
    rest["decision"] = None if chosen is None else decision_facts(session, chosen, {row.id: row.name for row in bodies})
    rest["earlier_decisions"] = [each.line() for each in (bound if chosen is None else bound[: bound.index(chosen)])]
    rest["names"] = {"bodies": {row.code: row.name for row in bodies}, **_names(session, content, rest)}
    return Dossier(evidence.id, evidence.content.encode(), canonical_json(rest))


def _chosen(bound: list[Bound], latest: int, decision_id: int | None) -> Bound | None:
    """The decision that a pack is about; ``bound`` is in the order in which decisions were drafted."""
    if decision_id is not None:
        for each in bound:
            if each.decision.id == decision_id:
                return each
        raise NotFound("decision_not_found", decision=decision_id)
    if not bound:
        return None
    last = bound[-1]
    return last if last.stands or last.snapshot_id == latest else None


def _rest(
    session: Session, wave: Wave, programme: Programme, evidence: GateSnapshot, content: Mapping[str, Any]
) -> dict[str, Any]:
    trends = trends_of(session, evidence.gate_id, until=evidence.number)
    before = snapshot_before(session, evidence.gate_id, evidence.number)
    return {
        "format": FORMAT,
        "fingerprint": evidence.sha256,
        "programme": {"code": programme.code, "name": programme.name, "purpose": programme.purpose},
        "wave": _wave(session, wave),
        "before": None if before is None else {
            "number": before.number, "sha256": before.sha256, "evaluated_at": before.evaluated_at, "word": before.word,
            "score": before.score,
        },
        "changes": [] if before is None else [asdict(each) for each in changes_between(before.content, content)],
        "trends": {code: [asdict(point) for point in points] for code, points in trends.items()},
        "forecasts": [asdict(each) for each in forecasts_of(content, trends)],
    }  # fmt: skip


def _wave(session: Session, wave: Wave) -> dict[str, Any]:
    scopes = session.execute(
        select(WaveScope.process, WaveScope.customer_group_id).where(WaveScope.wave_id == wave.id).distinct()
    ).all()
    groups = {row.customer_group_id for row in scopes}
    depends = session.execute(
        select(Wave.code, Wave.name, WaveDependency.why)
        .join(WaveDependency, WaveDependency.depends_on_id == Wave.id)
        .where(WaveDependency.wave_id == wave.id)
        .order_by(Wave.go_live_on, Wave.code)
    )
    return {
        "processes": sorted({row.process for row in scopes}),
        "customer_groups": None if None in groups else sorted(groups),
        "owner": wave.owner_id,
        "depends_on": [{"code": row.code, "name": row.name, "why": row.why} for row in depends],
        "blackouts": [
            asdict(window) for window in blackouts(session, wave.programme_id) if window.wave_id in {None, wave.id}
        ],
    }


def _names(session: Session, content: Mapping[str, Any], rest: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Names of everybody and everything the two documents know by number."""
    cells = [tuple(cell) for cell in content["wave"]["cells"]]
    cells += [tuple(cell) for line in content["criteria"] for cell in line["cells"]]
    groups = {*(rest["wave"]["customer_groups"] or ()), *(line["customer_group"] for line in content["criteria"])} - {
        None
    }
    sites = session.execute(
        select(Site.id, Site.name, Site.kind, Site.country).where(Site.id.in_({site for site, _ in cells}))
    )
    channels = session.execute(
        select(Channel.id, Channel.name).where(Channel.id.in_({channel for _, channel in cells if channel is not None}))
    )
    named = (
        session.execute(select(CustomerGroup.id, CustomerGroup.name).where(CustomerGroup.id.in_(groups)))
        if groups
        else ()
    )
    people = {*_people(content), *_people(rest)} - {0}
    return {
        "people": {str(key): name for key, name in names_of(session, people).items()},
        "sites": {str(row.id): {"name": row.name, "kind": row.kind, "country": row.country} for row in sites},
        "channels": {str(row.id): row.name for row in channels},
        "customer_groups": {str(row.id): row.name for row in named},
    }


#: Names under which the documents hold a person's id.
_PERSON = {
    "by", "owner", "owner_id", "requested_by", "granted_by", "frozen_by", "person", "delegate", "cast_by", "settled_by",
    "drafted_by",
}  # fmt: skip


def _people(value: Any) -> Iterable[int]:
    """The ids of all people in a document."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key in _PERSON and type(item) is int:
                yield item
            yield from _people(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _people(item)
