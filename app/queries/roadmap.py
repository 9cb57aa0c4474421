"""What do the pages of the roadmap show: where the phases stand, what closes them, and what the programme costs and brings?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.calendars import SiteCalendars
from app.composition.stage_gates import KIND, StageLine, judge, meets
from app.identity.queries import names_of
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from governance.approvals.models import ApprovalAnswer, ApprovalNeed, ApprovalRequest
from governance.programme.queries import ProgrammeView, programmes
from governance.roadmap.models import Benefit, MoneyLine, StageEvidence
from governance.roadmap.queries import (
    MoneySums,
    PhaseView,
    benefits,
    evidence_of,
    money_by_wave,
    money_lines,
    phase,
    roadmap,
)
from readiness.measures.baselines import BaselineView, baselines, nearest
from readiness.measures.catalogue import Figure, find_figure
from readiness.measures.queries import Asked, Scope, read_many
from readiness.measures.reading import Reading
from readiness.waves.models import Wave

#: How many of the newest lines the page of the business case shows.
_MOST_LINES = 20


@dataclass(frozen=True, kw_only=True)
class RoadmapPage:
    """The phases of a programme, with the gate of the current one judged now."""

    programme: ProgrammeView
    phases: tuple[PhaseView, ...]
    current: PhaseView | None
    lines: tuple[StageLine, ...]


@dataclass(frozen=True, kw_only=True)
class PhasePage:
    """A phase with its stage gate, what the body was asked, and who has answered."""

    programme: ProgrammeView
    phase: PhaseView
    lines: tuple[StageLine, ...]
    request: ApprovalRequest | None
    answers: tuple[ApprovalAnswer, ...]
    needed: int
    evidence: StageEvidence | None
    names: dict[int, str]


@dataclass(frozen=True, kw_only=True)
class BenefitLine:
    """A benefit with its figure before, now and as planned. ``word``: proven, missed, not due, no evidence.

    ``before`` is of all sites; one that is not comparable is shown as such.
    """

    benefit: Benefit
    figure: Figure
    before: BaselineView | None
    reading: Reading
    word: str


@dataclass(frozen=True, kw_only=True)
class MoneyRow:
    """Budget, spend and forecast of a wave in a currency; ``left``: budget less forecast, or less spend where there is none."""

    name: str
    currency: str
    sums: MoneySums

    @property
    def left(self) -> int:
        return self.sums.budget - (self.sums.spend if self.sums.forecast is None else self.sums.forecast)


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What a programme has, has been released and has spent in one currency, in minor units."""

    currency: str
    budget: int
    spent: int
    planned: int
    released: int

    @property
    def beyond(self) -> int:
        """How much more is spent than decided stage gates have released."""
        return max(0, self.spent - self.released)


@dataclass(frozen=True, kw_only=True)
class BusinessCase:
    """What the programme costs, what stage gates have released, and what it brings."""

    programme: ProgrammeView
    rows: tuple[MoneyRow, ...]
    phases: tuple[PhaseView, ...]
    benefits: tuple[BenefitLine, ...]
    waves: tuple[tuple[int, str], ...]
    lines: tuple[MoneyLine, ...]
    names: dict[int, str]

    @property
    def totals(self) -> list[Totals]:
        """By currency: amounts of two currencies are never added."""
        tranches = [one for each in self.phases for one in each.tranches]
        currencies = sorted({row.currency for row in self.rows} | {one.currency for one in tranches})
        return [
            Totals(
                currency=currency,
                budget=sum(row.sums.budget for row in self.rows if row.currency == currency),
                spent=sum(row.sums.spend for row in self.rows if row.currency == currency),
                planned=sum(one.amount_minor for one in tranches if one.currency == currency),
                released=sum(one.amount_minor for one in tranches if one.currency == currency and one.released_at),
            )
            for currency in currencies
        ]  # fmt: skip


def _programme(session: Session, programme_id: int) -> ProgrammeView:
    found = next((one for one in programmes(session) if one.id == programme_id), None)
    if found is None:
        raise NotFound("programme_not_found", programme=programme_id)
    return found


def roadmap_page(session: Session, programme_id: int, now: datetime) -> RoadmapPage:
    """The roadmap. About fourteen queries."""
    phases = roadmap(session, programme_id)
    current = next((one for one in phases if one.state == "current"), None)
    return RoadmapPage(
        programme=_programme(session, programme_id), phases=tuple(phases), current=current,
        lines=tuple(judge(session, current, now)) if current else (),
    )  # fmt: skip


def phase_page(session: Session, phase_id: int, now: datetime) -> PhasePage:
    """One phase. About twenty queries."""
    shown = phase(session, phase_id)
    request = session.scalar(
        select(ApprovalRequest)
        .where(ApprovalRequest.kind == KIND, ApprovalRequest.subject_id == phase_id)
        .order_by(ApprovalRequest.id.desc())
        .limit(1)
    )
    answers: tuple[ApprovalAnswer, ...] = ()
    needed = 0
    if request is not None:
        answers = tuple(
            session.scalars(
                select(ApprovalAnswer).where(ApprovalAnswer.request_id == request.id).order_by(ApprovalAnswer.id)
            )
        )
        needed = sum(session.scalars(select(ApprovalNeed.people).where(ApprovalNeed.request_id == request.id)))
    people = {one.owner for one in shown.criteria} | {one.person_id for one in answers}
    if request is not None:
        people.add(request.asked_by)
    return PhasePage(
        programme=_programme(session, shown.programme_id), phase=shown, lines=tuple(judge(session, shown, now)), request=request,
        answers=answers, needed=needed, evidence=evidence_of(session, request.id) if request else None,
        names=names_of(session, sorted(people)),
    )  # fmt: skip


def business_case(session: Session, programme_id: int, now: datetime) -> BusinessCase:
    """The business case. About eighteen queries."""
    waves = [
        (row.id, f"{row.code} · {row.name}")
        for row in session.execute(
            select(Wave.id, Wave.code, Wave.name).where(Wave.programme_id == programme_id).order_by(Wave.code)
        )
    ]
    named = dict(waves)
    rows = [
        MoneyRow(name="Programme and optimisation" if wave is None else named.get(wave, f"Wave {wave}"), currency=currency, sums=sums)
        for (wave, currency), sums in sorted(money_by_wave(session, programme_id).items(), key=lambda one: (one[0][0] or 0, one[0][1]))
    ]  # fmt: skip
    planned = benefits(session, programme_id)
    lines = money_lines(session, programme_id, most=_MOST_LINES)
    people = {one.owner_id for one in planned} | {one.recorded_by for one in lines}
    return BusinessCase(
        programme=_programme(session, programme_id), rows=tuple(rows), phases=tuple(roadmap(session, programme_id)),
        benefits=tuple(_benefits(session, planned, now)), waves=tuple(waves),
        lines=tuple(lines), names=names_of(session, sorted(people)),
    )  # fmt: skip


def _benefits(session: Session, planned: list[Benefit], now: datetime) -> list[BenefitLine]:
    if not planned:
        return []
    asked = [Asked(key=one.figure, scope=Scope(realm="live", name=one.code)) for one in planned]
    readings = read_many(session, asked, as_of=now, calendars=SiteCalendars(session))
    known = baselines(session, [None])
    return [
        BenefitLine(
            benefit=one, figure=find_figure(one.figure), before=nearest(known, one.figure, ()), reading=reading,
            word=proven(one.proof_on, one.target, reading, local_day(now, "UTC")),
        )
        for one, reading in zip(planned, readings, strict=True)
    ]  # fmt: skip


def proven(proof_on: date, target: Decimal, reading: Reading, today: date) -> str:
    """Whether the benefit is there: judged from the day of its proof on, by the figure's own formula."""
    if today < proof_on:
        return "not due"
    if reading.stale is not None or reading.nothing_measured or reading.provisional or not reading.reached:
        return "no evidence"
    return "proven" if meets(reading, target) else "missed"
