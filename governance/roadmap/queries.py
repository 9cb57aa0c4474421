"""Where does the roadmap stand, what closes its phases, and what does the programme cost and bring?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from erpcore.kernel.errors import NotFound
from governance.roadmap.kinds import TITLES, MoneyKind, PhaseCode, PhaseState
from governance.roadmap.models import (
    Benefit,
    BenefitWithdrawal,
    MoneyLine,
    RoadmapPhase,
    StageCriterion,
    StageEvidence,
    StageStatement,
    Tranche,
    TrancheRelease,
    TrancheWithdrawal,
)


@dataclass(frozen=True, kw_only=True)
class CriterionView:
    """What must hold, with the last statement where its owner states it."""

    id: int
    code: str
    title: str
    figure: str | None
    realm: str | None
    pass_mark: Decimal | None
    owner: int
    holds: bool | None
    statement: str
    stated_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class TrancheView:
    """Money with its release; ``released_at`` ``None``: its stage gate has not been decided."""

    id: int
    phase_id: int
    code: str
    title: str
    amount_minor: int
    currency: str
    released_at: datetime | None
    request_id: int | None


@dataclass(frozen=True, kw_only=True)
class PhaseView:
    """A phase with what closes it and the money that this releases."""

    id: int
    programme_id: int
    position: int
    code: PhaseCode
    starts_on: date
    ends_on: date
    state: PhaseState
    version: int
    closed_at: datetime | None
    request_id: int | None
    criteria: tuple[CriterionView, ...]
    tranches: tuple[TrancheView, ...]

    @property
    def title(self) -> str:
        return TITLES[self.code]


@dataclass(frozen=True, kw_only=True)
class MoneySums:
    """What was planned, what was spent, and the newest forecast, in minor units of a currency."""

    budget: int = 0
    spend: int = 0
    forecast: int | None = None


def roadmap(session: Session, programme_id: int) -> list[PhaseView]:
    """The phases of a programme in order; empty where none are laid out. At most four queries."""
    query = select(RoadmapPhase).where(RoadmapPhase.programme_id == programme_id).order_by(RoadmapPhase.position)
    return _phases(session, list(session.scalars(query)))


def phase(session: Session, phase_id: int) -> PhaseView:
    """One phase. Raises ``NotFound``."""
    found = session.get(RoadmapPhase, phase_id)
    if found is None:
        raise NotFound("phase_not_found", phase=phase_id)
    return _phases(session, [found])[0]


def _phases(session: Session, rows: list[RoadmapPhase]) -> list[PhaseView]:
    if not rows:
        return []
    ids = [row.id for row in rows]
    of_phase, money = _criteria(session, ids), _tranches(session, ids)
    return [
        PhaseView(
            id=row.id, programme_id=row.programme_id, position=row.position, code=PhaseCode(row.code), starts_on=row.starts_on,
            ends_on=row.ends_on, state=PhaseState(row.state), version=row.version, closed_at=row.closed_at,
            request_id=row.request_id, criteria=tuple(of_phase[row.id]), tranches=tuple(money[row.id]),
        )
        for row in rows
    ]  # fmt: skip


def _criteria(session: Session, ids: list[int]) -> dict[int, list[CriterionView]]:
    criteria = session.scalars(
        select(StageCriterion)
        .where(StageCriterion.phase_id.in_(ids), StageCriterion.removed_at.is_(None))
        .order_by(StageCriterion.id)
    ).all()
    said = {
        row.criterion_id: row
        for row in session.scalars(
            select(StageStatement)
            .where(StageStatement.criterion_id.in_([one.id for one in criteria]))
            .order_by(StageStatement.id)
        )
    }
    of_phase: dict[int, list[CriterionView]] = defaultdict(list)
    for one in criteria:
        last = said.get(one.id)
        of_phase[one.phase_id].append(
            CriterionView(
                id=one.id, code=one.code, title=one.title, figure=one.figure, realm=one.realm, pass_mark=one.pass_mark,
                owner=one.owner_id, holds=None if last is None else last.holds, statement="" if last is None else last.statement,
                stated_at=None if last is None else last.at,
            )
        )  # fmt: skip
    return of_phase


def _tranches(session: Session, ids: list[int]) -> dict[int, list[TrancheView]]:
    money: dict[int, list[TrancheView]] = defaultdict(list)
    released = session.execute(
        select(Tranche, TrancheRelease.released_at, TrancheRelease.request_id)
        .outerjoin(TrancheRelease, TrancheRelease.tranche_id == Tranche.id)
        .outerjoin(TrancheWithdrawal, TrancheWithdrawal.tranche_id == Tranche.id)
        .where(Tranche.phase_id.in_(ids), TrancheWithdrawal.tranche_id.is_(None))
        .order_by(Tranche.id)
    )
    for tranche, released_at, request_id in released:
        money[tranche.phase_id].append(
            TrancheView(
                id=tranche.id, phase_id=tranche.phase_id, code=tranche.code, title=tranche.title,
                amount_minor=tranche.amount_minor, currency=tranche.currency,
                released_at=released_at, request_id=request_id,
            )
        )  # fmt: skip
    return money


def version_of(session: Session, phase_id: int) -> int | None:
    """The present version of a phase; ``None`` where there is none."""
    return session.scalar(select(RoadmapPhase.version).where(RoadmapPhase.id == phase_id))


def evidence_of(session: Session, request_id: int) -> StageEvidence | None:
    """What the body was shown with this request. One query."""
    return session.get(StageEvidence, request_id)


def money_by_wave(session: Session, programme_id: int) -> dict[tuple[int | None, str], MoneySums]:
    """Budget, spend and newest forecast by wave (``None``: the programme's own) and currency. One query."""
    rows = session.scalars(select(MoneyLine).where(MoneyLine.programme_id == programme_id).order_by(MoneyLine.id))
    found: dict[tuple[int | None, str], MoneySums] = defaultdict(MoneySums)
    for row in rows:
        key = (row.wave_id, row.currency)
        sums = found[key]
        if row.kind == MoneyKind.FORECAST:
            found[key] = MoneySums(budget=sums.budget, spend=sums.spend, forecast=row.amount_minor)
        elif row.kind == MoneyKind.SPEND:
            found[key] = MoneySums(budget=sums.budget, spend=sums.spend + row.amount_minor, forecast=sums.forecast)
        else:
            found[key] = MoneySums(budget=sums.budget + row.amount_minor, spend=sums.spend, forecast=sums.forecast)
    return dict(found)


def benefits(session: Session, programme_id: int) -> list[Benefit]:
    """The benefits that a programme is expected to bring, by the day of their proof. One query."""
    query = (
        select(Benefit)
        .outerjoin(BenefitWithdrawal, BenefitWithdrawal.benefit_id == Benefit.id)
        .where(Benefit.programme_id == programme_id, BenefitWithdrawal.benefit_id.is_(None))
        .order_by(Benefit.proof_on, Benefit.id)
    )
    return list(session.scalars(query))


def money_lines(session: Session, programme_id: int, *, most: int) -> list[MoneyLine]:
    """The newest lines of the business case, the newest first. One query."""
    query = select(MoneyLine).where(MoneyLine.programme_id == programme_id).order_by(MoneyLine.id.desc()).limit(most)
    return list(session.scalars(query))


def phase_of(session: Session, criterion_id: int) -> int:
    """The phase that a criterion belongs to. Raises ``NotFound``."""
    found = session.scalar(select(StageCriterion.phase_id).where(StageCriterion.id == criterion_id))
    if found is None:
        raise NotFound("stage_criterion_not_found", criterion=criterion_id)
    return found
