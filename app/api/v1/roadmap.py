"""The roadmap, its stage gates and the business case, as programs see and change them."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from app.api.framework import operation
from app.api.v1.numbers import Key
from app.api.values import Answer, Body, Mark
from app.composition import business_case as desk
from app.composition import stage_gates
from app.composition.request import now, reader
from app.queries.roadmap import business_case, phase_page, roadmap_page
from app.security.permissions import Permission
from erpcore.kernel.work import UnitOfWork
from governance.roadmap import funding, phases, queries
from governance.roadmap.kinds import MoneyKind

_CODE = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
_CURRENCY = r"^[A-Z]{3}$"


class DaysBody(Body):
    """From when to when a phase goes."""

    starts_on: date
    ends_on: date


class LayOutBody(Body):
    """The six phases in order."""

    phases: list[DaysBody] = Field(min_length=6, max_length=6)


class CriterionBody(Body):
    """A figure against a mark in base units, or, without a figure, what its owner states."""

    code: str = Field(min_length=1, max_length=40, pattern=_CODE)
    title: str = Field(min_length=1, max_length=200)
    owner: Key
    figure: str | None = Field(None, max_length=80)
    realm: str | None = Field(None, pattern="^(live|rehearsal|legacy)$")
    pass_mark: Mark | None = None


class StatementBody(Body):
    """What the owner of a criterion states."""

    holds: bool
    statement: str = Field(min_length=1, max_length=2000)


class ScheduleBody(Body):
    """Other days for a phase, and why."""

    starts_on: date
    ends_on: date
    reason: str = Field(min_length=1, max_length=1000)


class ReasonBody(Body):
    """Why something goes."""

    reason: str = Field(min_length=1, max_length=1000)


class TrancheBody(Body):
    """Money in minor units that the stage gate of a phase releases."""

    code: str = Field(min_length=1, max_length=40, pattern=_CODE)
    title: str = Field(min_length=1, max_length=200)
    amount_minor: int = Field(ge=1, le=10**15)
    currency: str = Field(pattern=_CURRENCY)


class MoneyBody(Body):
    """A line of the business case, in minor units."""

    wave: Key | None = None
    kind: MoneyKind
    amount_minor: int = Field(ge=-(10**15), le=10**15)
    currency: str = Field(pattern=_CURRENCY)
    on: date
    note: str = Field(min_length=1, max_length=500)


class BenefitBody(Body):
    """What the programme is to bring; the target in base units."""

    code: str = Field(min_length=1, max_length=40, pattern=_CODE)
    title: str = Field(min_length=1, max_length=200)
    figure: str = Field(min_length=1, max_length=80)
    target: Mark
    proof_on: date
    worth_minor: int = Field(ge=1, le=10**15)
    currency: str = Field(pattern=_CURRENCY)
    owner: Key


class StageCriterionAnswer(Answer):
    """A criterion with its word as it reads now: pass, fail, no evidence."""

    id: int
    code: str
    title: str
    figure: str | None
    pass_mark: Mark | None
    value: Mark | None
    count: int | None
    word: str
    why: str


class TrancheAnswer(Answer):
    """Money with its release; null: no decided stage gate has released it."""

    id: int
    code: str
    amount_minor: int
    currency: str
    released_at: datetime | None


class PhaseAnswer(Answer):
    """A phase; its criteria are judged for the one asked for, and for the current one of a roadmap."""

    id: int
    position: int
    code: str
    state: str
    starts_on: date
    ends_on: date
    version: int
    request: int | None
    criteria: list[StageCriterionAnswer]
    tranches: list[TrancheAnswer]


class RoadmapAnswer(Answer):
    """The phases of a programme, in order."""

    phases: list[PhaseAnswer]


class MoneyAnswer(Answer):
    """What is planned, spent and forecast for a wave, or for the programme itself, in minor units."""

    name: str
    currency: str
    budget: int
    spend: int
    forecast: int | None


class BenefitAnswer(Answer):
    """A benefit with its figure before and now, and of how many documents; the word is proven, missed, not due or no evidence."""

    id: int
    code: str
    figure: str
    before: Mark | None
    before_is_comparable: bool | None
    count: int
    value: Mark | None
    target: Mark
    proof_on: date
    word: str


class CaseAnswer(Answer):
    """The business case of a programme."""

    money: list[MoneyAnswer]
    tranches: list[TrancheAnswer]
    benefits: list[BenefitAnswer]


def _tranche(one: queries.TrancheView) -> TrancheAnswer:
    return TrancheAnswer(
        id=one.id, code=one.code, amount_minor=one.amount_minor, currency=one.currency, released_at=one.released_at
    )


def _phase(one: queries.PhaseView, lines: tuple[stage_gates.StageLine, ...], request: int | None) -> PhaseAnswer:
    return PhaseAnswer(
        id=one.id, position=one.position, code=one.code.value, state=one.state.value, starts_on=one.starts_on, ends_on=one.ends_on,
        version=one.version, request=request,
        criteria=[
            StageCriterionAnswer(
                id=line.criterion.id, code=line.criterion.code, title=line.criterion.title, figure=line.criterion.figure,
                pass_mark=line.criterion.pass_mark, value=line.value, count=line.reading.count if line.reading else None,
                word=line.word, why=line.why,
            )
            for line in lines
        ],
        tranches=[_tranche(each) for each in one.tranches],
    )  # fmt: skip


def _read_back(work: UnitOfWork, phase_id: int) -> PhaseAnswer:
    work.session.flush()  # the answer is read back with queries
    page = phase_page(work.session, phase_id, work.now)
    return _phase(page.phase, page.lines, page.request.id if page.request else None)


@operation(
    "GET", "/programmes/{programme_id}/roadmap", permission=Permission.PROGRAMME_VIEW, summary="The phases of a programme",
    tag="Programme", answer=RoadmapAnswer,
)  # fmt: skip
def show_roadmap(programme_id: int) -> RoadmapAnswer:
    page = roadmap_page(reader(), programme_id, now())
    return RoadmapAnswer(
        phases=[_phase(one, page.lines if one == page.current else (), one.request_id) for one in page.phases]
    )


@operation(
    "POST", "/programmes/{programme_id}/roadmap", permission=Permission.PROGRAMME_MANAGE, summary="Lay out the six phases",
    tag="Programme", body=LayOutBody, answer=RoadmapAnswer, status=201,
    example={"phases": [{"starts_on": f"2027-{month:02d}-01", "ends_on": f"2027-{month:02d}-28"} for month in range(1, 7)]},
)  # fmt: skip
def lay_out_roadmap(work: UnitOfWork, programme_id: int, body: LayOutBody) -> RoadmapAnswer:
    days = tuple((one.starts_on, one.ends_on) for one in body.phases)
    phases.lay_out(work, phases.LayOut(programme_id=programme_id, days=days))
    work.session.flush()
    return RoadmapAnswer(phases=[_phase(one, (), None) for one in queries.roadmap(work.session, programme_id)])


@operation(
    "GET", "/roadmap-phases/{phase_id}", permission=Permission.PROGRAMME_VIEW, summary="One phase with its stage gate",
    tag="Programme", answer=PhaseAnswer,
)  # fmt: skip
def show_phase(phase_id: int) -> PhaseAnswer:
    page = phase_page(reader(), phase_id, now())
    return _phase(page.phase, page.lines, page.request.id if page.request else None)


@operation(
    "POST", "/roadmap-phases/{phase_id}/criteria", permission=Permission.PROGRAMME_MANAGE, summary="Add a criterion to a stage gate",
    tag="Programme", body=CriterionBody, answer=PhaseAnswer, status=201,
    example={"code": "baseline", "title": "Every headline figure has a baseline", "owner": 7},
)  # fmt: skip
def add_stage_criterion(work: UnitOfWork, phase_id: int, body: CriterionBody) -> PhaseAnswer:
    stage_gates.add_criterion(work, phases.AddCriterion(phase_id=phase_id, **dict(body)))
    return _read_back(work, phase_id)


@operation(
    "POST", "/stage-criteria/{criterion_id}/state", permission=Permission.PROGRAMME_VIEW, summary="State that a criterion holds",
    tag="Programme", body=StatementBody, answer=PhaseAnswer, example={"holds": True, "statement": "Signed on 12 January."},
)  # fmt: skip
def state_criterion(work: UnitOfWork, criterion_id: int, body: StatementBody) -> PhaseAnswer:
    """Only the criterion's owner does; the service asks."""
    stage_gates.state(work, phases.State(criterion_id=criterion_id, **dict(body)))
    return _read_back(work, queries.phase_of(work.session, criterion_id))


@operation(
    "POST", "/roadmap-phases/{phase_id}/ask", permission=Permission.PROGRAMME_MANAGE, summary="Ask the body to close a phase",
    tag="Programme", answer=PhaseAnswer, versioned=True,
)  # fmt: skip
def ask_to_close(work: UnitOfWork, phase_id: int, version: int) -> PhaseAnswer:
    """Answered as every request for approval; the last yes closes the phase and releases its tranches."""
    stage_gates.ask_the_body(work, phase_id, seen_version=version)
    return _read_back(work, phase_id)


@operation(
    "POST", "/roadmap-phases/{phase_id}/days", permission=Permission.PROGRAMME_MANAGE, summary="Give a phase other days",
    tag="Programme", body=ScheduleBody, answer=PhaseAnswer, versioned=True,
    example={"starts_on": "2027-02-01", "ends_on": "2027-04-30", "reason": "The data take a month longer."},
)  # fmt: skip
def reschedule_phase(work: UnitOfWork, phase_id: int, version: int, body: ScheduleBody) -> PhaseAnswer:
    stage_gates.reschedule(work, phases.Reschedule(phase_id=phase_id, seen_version=version, **dict(body)))
    return _read_back(work, phase_id)


@operation(
    "POST", "/stage-criteria/{criterion_id}/remove", permission=Permission.PROGRAMME_MANAGE, summary="Take a criterion out of a stage gate",
    tag="Programme", body=ReasonBody, answer=PhaseAnswer, example={"reason": "Covered by the rehearsal."},
)  # fmt: skip
def remove_stage_criterion(work: UnitOfWork, criterion_id: int, body: ReasonBody) -> PhaseAnswer:
    return _read_back(work, stage_gates.remove_criterion(work, criterion_id, reason=body.reason).id)


@operation(
    "POST", "/roadmap-phases/{phase_id}/tranches", permission=Permission.PROGRAMME_MANAGE, summary="Plan a tranche", tag="Programme",
    body=TrancheBody, answer=PhaseAnswer, status=201,
    example={"code": "T2", "title": "Design and data", "amount_minor": 40000000, "currency": "EUR"},
)  # fmt: skip
def plan_a_tranche(work: UnitOfWork, phase_id: int, body: TrancheBody) -> PhaseAnswer:
    stage_gates.plan_tranche(work, funding.PlanTranche(phase_id=phase_id, **dict(body)))
    return _read_back(work, phase_id)


@operation(
    "POST", "/tranches/{tranche_id}/withdraw", permission=Permission.PROGRAMME_MANAGE, summary="Withdraw a tranche that is not released",
    tag="Programme", body=ReasonBody, answer=PhaseAnswer, example={"reason": "Planned twice."},
)  # fmt: skip
def withdraw_a_tranche(work: UnitOfWork, tranche_id: int, body: ReasonBody) -> PhaseAnswer:
    return _read_back(work, stage_gates.withdraw_tranche(work, tranche_id, reason=body.reason).id)


def _case(work: UnitOfWork | None, programme_id: int) -> CaseAnswer:
    if work is not None:
        work.session.flush()  # the answer is read back with queries
    page = business_case(work.session if work else reader(), programme_id, work.now if work else now())
    return CaseAnswer(
        money=[
            MoneyAnswer(
                name=row.name, currency=row.currency, budget=row.sums.budget, spend=row.sums.spend, forecast=row.sums.forecast
            )
            for row in page.rows
        ],
        tranches=[_tranche(one) for phase in page.phases for one in phase.tranches],
        benefits=[
            BenefitAnswer(
                id=line.benefit.id, code=line.benefit.code, figure=line.benefit.figure,
                before=line.before.value if line.before else None, count=line.reading.count,
                before_is_comparable=line.before.is_comparable if line.before else None,
                value=line.reading.value, target=line.benefit.target, proof_on=line.benefit.proof_on, word=line.word,
            )
            for line in page.benefits
        ],
    )  # fmt: skip


@operation(
    "GET", "/programmes/{programme_id}/business-case", permission=Permission.PROGRAMME_VIEW, summary="What a programme costs and brings",
    tag="Programme", answer=CaseAnswer,
)  # fmt: skip
def show_business_case(programme_id: int) -> CaseAnswer:
    return _case(None, programme_id)


@operation(
    "POST", "/programmes/{programme_id}/money", permission=Permission.PROGRAMME_MANAGE, summary="Record budget, spend or forecast",
    tag="Programme", body=MoneyBody, answer=CaseAnswer, status=201,
    example={"kind": "spend", "amount_minor": 1250000, "currency": "EUR", "on": "2026-11-30", "note": "Integration partner, November"},
)  # fmt: skip
def record_some_money(work: UnitOfWork, programme_id: int, body: MoneyBody) -> CaseAnswer:
    booking = desk.Booking(
        programme_id=programme_id, wave_id=body.wave, kind=body.kind, amount_minor=body.amount_minor, currency=body.currency,
        on=body.on, note=body.note,
    )  # fmt: skip
    desk.record_money(work, [booking])
    return _case(work, programme_id)


@operation(
    "POST", "/programmes/{programme_id}/benefits", permission=Permission.PROGRAMME_MANAGE, summary="Plan a benefit", tag="Programme",
    body=BenefitBody, answer=CaseAnswer, status=201,
    example={"code": "fill", "title": "Fewer lines come later", "figure": "fill_rate_lines", "target": "0.95",
             "proof_on": "2027-12-31", "worth_minor": 60000000, "currency": "EUR", "owner": 7},
)  # fmt: skip
def plan_a_benefit(work: UnitOfWork, programme_id: int, body: BenefitBody) -> CaseAnswer:
    desk.plan_benefit(work, funding.PlanBenefit(programme_id=programme_id, **dict(body)))
    return _case(work, programme_id)


@operation(
    "POST", "/benefits/{benefit_id}/withdraw", permission=Permission.PROGRAMME_MANAGE, summary="Withdraw a benefit", tag="Programme",
    body=ReasonBody, answer=CaseAnswer, example={"reason": "The channel is sold."},
)  # fmt: skip
def withdraw_a_benefit(work: UnitOfWork, benefit_id: int, body: ReasonBody) -> CaseAnswer:
    return _case(work, funding.withdraw_benefit(work, benefit_id, reason=body.reason).programme_id)
