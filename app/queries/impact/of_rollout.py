"""What do waves, gates, measures, the interim state and whoever answers touch?"""

from __future__ import annotations

from typing import Any

from sqlalchemy import String, and_, case, cast, func, select

from app.queries.impact.kinds import Kind
from app.queries.impact.shelves import cell_id
from app.queries.impact.touches import Touches
from governance.approvals.models import ApprovalRule
from governance.approvals.offices import BODY, ROLE
from governance.interim.kinds import Domain, LinkKind
from governance.interim.models import InterimInterface, InterimLink
from governance.processes.models import BusinessProcess
from governance.programme.models import Body, ProgrammeCell, Seat
from governance.raci.models import RaciDuty
from governance.raci.rules import HolderKind, SubjectKind
from governance.risks.models import RaidEntry
from governance.roadmap.models import Benefit, StageCriterion
from readiness.gates.models import Gate, GateCriterion
from readiness.measures.catalogue import figures
from readiness.measures.models import ControlLimit, MeasureOwnerRow
from readiness.waves.models import Wave, WaveDependency, WaveScope

#: Data that two systems hold at once, where duties call it otherwise.
INTERIM_DOMAINS = {Domain.CUSTOMERS: "customer", Domain.ITEMS: "item", Domain.PRICES: "price"}


def domain_code(domain: str) -> str:
    """A domain of the interim state by the code that duties know it by."""
    return next((code for one, code in INTERIM_DOMAINS.items() if one == domain), domain)


def _measure_of(figure: Any) -> Any:
    """The measure of a figure's key: ``order_cycle_time.p90`` → ``order_cycle_time``."""
    return case({one.key: one.measure.key for one in figures() if one.statistic}, value=figure, else_=figure)


def _of_scope(source: Kind, target: Kind, says: str, source_id: Any, target_id: Any) -> Touches:
    return Touches(source=source, target=target, says=says, source_id=source_id, target_id=target_id)


_CELL = cell_id(WaveScope.site_id, WaveScope.channel_id)
_OTHER_CELL = cell_id(ProgrammeCell.site_id, ProgrammeCell.channel_id)

WAVES = (
    _of_scope(Kind.CELL, Kind.WAVE, "goes live with {target}", _CELL, WaveScope.wave_id),
    _of_scope(Kind.PROCESS, Kind.WAVE, "goes live with {target}", WaveScope.process, WaveScope.wave_id),
    _of_scope(Kind.CUSTOMER_GROUP, Kind.WAVE, "goes live with {target}", WaveScope.customer_group_id, WaveScope.wave_id),
    _of_scope(Kind.WAVE, Kind.SITE, "brings {target} live", WaveScope.wave_id, WaveScope.site_id),
    _of_scope(Kind.SITE, Kind.CELL, "has the cell {target}", ProgrammeCell.site_id, _OTHER_CELL),
    _of_scope(Kind.CHANNEL, Kind.CELL, "has the cell {target}", ProgrammeCell.channel_id, _OTHER_CELL),
    Touches(
        source=Kind.WAVE, target=Kind.WAVE, says="is waited for by {target}: {what}", source_id=WaveDependency.depends_on_id,
        target_id=WaveDependency.wave_id, what=WaveDependency.why,
    ),
    Touches(source=Kind.WAVE, target=Kind.PERSON, says="is led by {target}", source_id=Wave.id, target_id=Wave.owner_id),
)  # fmt: skip

GATES = (
    Touches(source=Kind.GATE, target=Kind.WAVE, says="decides on {target}", source_id=Gate.id, target_id=Gate.wave_id),
    Touches(
        source=Kind.GATE, target=Kind.BODY, says="has its waivers granted by {target}", source_id=Gate.id, target_id=Body.id,
        base=Gate, joins=((Wave, Wave.id == Gate.wave_id), (Body, and_(Body.code == Gate.waiver_body, Body.programme_id == Wave.programme_id))),
    ),
    Touches(
        source=Kind.CRITERION, target=Kind.GATE, says="counts in {target}", source_id=GateCriterion.id, target_id=GateCriterion.gate_id,
    ),
    Touches(
        source=Kind.CRITERION, target=Kind.PERSON, says="is answered for by {target}", source_id=GateCriterion.id,
        target_id=GateCriterion.owner_id,
    ),
    Touches(
        source=Kind.MEASURE, target=Kind.CRITERION, says="is read by {target}", source_id=GateCriterion.measure,
        target_id=GateCriterion.id,
    ),
    Touches(
        source=Kind.CUSTOMER_GROUP, target=Kind.CRITERION, says="narrows {target}", source_id=GateCriterion.customer_group_id,
        target_id=GateCriterion.id,
    ),
)  # fmt: skip

_last = select(func.max(MeasureOwnerRow.id)).group_by(MeasureOwnerRow.measure)

MEASURES = (
    Touches(
        source=Kind.MEASURE, target=Kind.BENEFIT, says="proves {target}", source_id=_measure_of(Benefit.figure), target_id=Benefit.id,
    ),
    Touches(
        source=Kind.MEASURE, target=Kind.STAGE_CRITERION, says="is read by {target}", source_id=_measure_of(StageCriterion.figure),
        target_id=StageCriterion.id,
    ),
    Touches(
        source=Kind.MEASURE, target=Kind.RISK, says="may trigger {target}", source_id=_measure_of(RaidEntry.figure),
        target_id=RaidEntry.id,
    ),
    Touches(
        source=Kind.MEASURE, target=Kind.PERSON, says="is answered for by {target}", source_id=MeasureOwnerRow.measure,
        target_id=MeasureOwnerRow.person_id, where=(MeasureOwnerRow.id.in_(_last),),
    ),
    Touches(
        source=Kind.CONTROL_POINT, target=Kind.SITE, says="has a limit of its own at {target}: {what} working minutes",
        source_id=func.replace(ControlLimit.point, " ", "-", type_=String), target_id=ControlLimit.site_id, what=cast(ControlLimit.minutes, String),
    ),
    Touches(
        source=Kind.BENEFIT, target=Kind.PERSON, says="is answered for by {target}", source_id=Benefit.id, target_id=Benefit.owner_id,
    ),
    Touches(
        source=Kind.STAGE_CRITERION, target=Kind.PERSON, says="is answered for by {target}", source_id=StageCriterion.id,
        target_id=StageCriterion.owner_id,
    ),
)  # fmt: skip

_IS_STEP = InterimLink.code.contains(".", autoescape=True)
_IS_PROCESS = InterimLink.kind == LinkKind.PROCESS
_DOMAIN = case(
    {one.value: code for one, code in INTERIM_DOMAINS.items()}, value=InterimLink.code, else_=InterimLink.code
)


def _mastered(source: Kind, code: Any, *where: Any) -> Touches:
    return Touches(
        source=source, target=Kind.INTERIM, says="has a master named meanwhile: {target}", source_id=code, target_id=InterimLink.id,
        where=where,
    )  # fmt: skip


INTERIM = (
    _mastered(Kind.PROCESS, InterimLink.code, _IS_PROCESS, ~_IS_STEP),
    _mastered(Kind.STEP, InterimLink.code, _IS_PROCESS, _IS_STEP),
    _mastered(Kind.DOMAIN, _DOMAIN, InterimLink.kind == LinkKind.DATUM),
    Touches(
        source=Kind.INTERIM, target=Kind.WAVE, says="holds while {target} is under way", source_id=InterimLink.id,
        target_id=InterimLink.wave_id,
    ),
    Touches(
        source=Kind.INTERIM, target=Kind.PERSON, says="has the interface “{what}”, looked after by {target}",
        source_id=InterimInterface.link_id, target_id=InterimInterface.owner_id, what=InterimInterface.name,
        where=(InterimInterface.ended_at.is_(None),),
    ),
)  # fmt: skip


def _duty(source: Kind, kind: SubjectKind) -> tuple[Touches, Touches]:
    stands = (RaciDuty.subject_kind == kind, RaciDuty.ended_at.is_(None))
    seat = and_(RaciDuty.holder_kind == HolderKind.SEAT, Seat.id == RaciDuty.holder_id, Seat.ended_at.is_(None))
    says = "has {target} as {what}"
    return (
        Touches(
            source=source, target=Kind.PERSON, says=says, source_id=RaciDuty.subject, target_id=RaciDuty.holder_id,
            what=RaciDuty.duty, where=(*stands, RaciDuty.holder_kind == HolderKind.PERSON),
        ),
        Touches(
            source=source, target=Kind.PERSON, says=f"{says}, by the seat they hold", source_id=RaciDuty.subject,
            target_id=Seat.person_id, what=RaciDuty.duty, base=RaciDuty, joins=((Seat, seat),), where=stands,
        ),
    )  # fmt: skip


def _of_rule(target: Kind, says: str, prefix: str, target_id: Any, joins: tuple[tuple[Any, Any], ...] = ()) -> Touches:
    return Touches(
        source=Kind.APPROVAL_RULE, target=target, says=says, source_id=ApprovalRule.id, target_id=target_id, base=ApprovalRule,
        joins=joins,
        where=(ApprovalRule.capacity.startswith(f"{prefix}:", autoescape=True),),
    )  # fmt: skip


_CAPACITY = func.substr(ApprovalRule.capacity, len(ROLE) + 2, type_=String)
_BODY_KIND = func.substr(ApprovalRule.capacity, len(BODY) + 2, type_=String)

ANSWERS = (
    Touches(
        source=Kind.PROCESS, target=Kind.PERSON, says="is owned by {target}", source_id=BusinessProcess.code,
        target_id=BusinessProcess.owner_id,
    ),
    *_duty(Kind.PROCESS, SubjectKind.PROCESS),
    *_duty(Kind.DOMAIN, SubjectKind.DOMAIN),
    *_duty(Kind.WAVE, SubjectKind.WAVE),
    Touches(
        source=Kind.BODY, target=Kind.PERSON, says="has {target} on the seat {what}", source_id=Seat.body_id,
        target_id=Seat.person_id, what=Seat.function, where=(Seat.ended_at.is_(None),),
    ),
    _of_rule(Kind.ROLE, "asks people of {target}", ROLE, _CAPACITY),
    _of_rule(Kind.BODY, "asks {target}", BODY, Body.id, ((Body, Body.kind == _BODY_KIND),)),
)  # fmt: skip
