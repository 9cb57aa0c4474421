"""What does a person see who writes a gate? Its definition with names, the bodies, the cells to refer to, and what a figure reads now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.composition.evidence import MeasuredReadings
from app.composition.golive import Seats
from app.queries.steer import NameTables, name_tables, people_picks
from erpcore.kernel.actor import Actor
from governance.programme.queries import BodyView, bodies
from readiness.gates.criteria import REALM_OF, Evidence, Phase
from readiness.gates.definition import GateDefinition, definition
from readiness.gates.ports import ReadingRequest
from readiness.gates.specs import Cells
from readiness.measures.catalogue import Figure
from readiness.measures.reading import Reading
from readiness.waves.queries import wave

#: Which evidence each phase may read, in the order in which people think of it.
EVIDENCE_OF: dict[Phase, tuple[Evidence, ...]] = {
    Phase.ENTRY: (Evidence.OWN_REHEARSAL, Evidence.REFERENCE, Evidence.LEGACY),
    Phase.STAY_LIVE: (Evidence.OWN_LIVE, Evidence.REFERENCE, Evidence.LEGACY, Evidence.OWN_REHEARSAL),
    Phase.EXIT: (Evidence.OWN_LIVE, Evidence.REFERENCE, Evidence.LEGACY, Evidence.OWN_REHEARSAL),
}


@dataclass(frozen=True, kw_only=True)
class GateDesk:
    """A gate that is being written. ``mine`` are the codes of the bodies on which the person sits; true for steering."""

    gate: GateDefinition
    bodies: tuple[BodyView, ...]
    mine: dict[str, bool]
    own: Cells
    earlier: Cells
    people: tuple[tuple[int, str], ...]
    names: NameTables

    def may_change(self) -> bool:
        """Whether the person sits on the body that changes this gate: the one that froze it, or the steering committee."""
        body = self.gate.frozen_by_body or self.gate.waiver_body
        return body in self.mine or any(self.mine.values())


def gate_desk(session: Session, gate_id: int, actor: Actor, now: datetime) -> GateDesk:
    """A gate with everything its forms offer. About thirteen queries. Raises ``NotFound``."""
    gate = definition(session, gate_id)
    people = tuple(people_picks(session))
    owners = [one.facts["owner_id"] for one in gate.criteria]
    named = {key for key in [*owners, gate.frozen_by, *(change.by for change in gate.changes)] if key}
    names = name_tables(session, named - {key for key, _ in people})
    names["people"] |= {str(key): name for key, name in people if key in named}
    return GateDesk(
        gate=gate,
        bodies=tuple(bodies(session, now, programme_id=gate.programme_id)),
        mine=dict(Seats().bodies(session, actor.id, gate.programme_id, now)),
        own=gate.own,
        earlier=gate.earlier,
        people=people,
        names=names,
    )


def wave_bodies(session: Session, wave_id: int, now: datetime) -> list[BodyView]:
    """The bodies of the wave's programme. Raises ``NotFound``."""
    return bodies(session, now, programme_id=wave(session, wave_id).programme_id)


@dataclass(frozen=True, kw_only=True)
class ReadNow:
    """What a figure reads now where a criterion would look; ``reading`` ``None``: nothing can be read there."""

    evidence: Evidence
    reading: Reading | None


def reads_now(
    session: Session, figure: Figure, phase: Phase, own: Cells, earlier: Cells, now: datetime
) -> Sequence[ReadNow]:
    """The figure over all cells together, from every kind of evidence that the phase may read."""
    asked: dict[Evidence, ReadingRequest] = {}
    for evidence in EVIDENCE_OF[phase]:
        cells: Any = earlier if evidence is Evidence.REFERENCE else own
        if not figure.measure.by_channel:
            cells = sorted({(site, None) for site, _ in cells})
        if cells:
            asked[evidence] = ReadingRequest(
                scope="all", measure=figure.measure.key, statistic=figure.statistic, version=figure.measure.version,
                realm=REALM_OF[evidence], cells=tuple(cells),
            )  # fmt: skip
    found = MeasuredReadings().read_many(session, list(asked.values()), now=now).readings
    return [ReadNow(evidence=evidence, reading=found.get(request)) for evidence, request in asked.items()]
