"""Who has left, or has no role any more, and still answers for something that stands? What nobody would be asked about otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, and_, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from app.identity.models import Account, RoleGrant
from governance.interim.models import InterimInterface
from governance.processes.models import BusinessProcess
from governance.programme.models import Seat
from governance.risks.flow import STANDING, ActionState
from governance.risks.models import RaidAction, RaidEntry
from governance.roadmap.kinds import PhaseState
from governance.roadmap.models import Benefit, BenefitWithdrawal, RoadmapPhase, StageCriterion
from governance.variants.flow import VARIANT_FLOW
from governance.variants.models import Variant
from readiness.waves.flow import WaveState
from readiness.waves.models import Wave

_WITHDRAWN = select(BenefitWithdrawal.benefit_id).where(BenefitWithdrawal.benefit_id == Benefit.id).exists()
_PHASE_OPEN = (
    select(RoadmapPhase.id)
    .where(RoadmapPhase.id == StageCriterion.phase_id, RoadmapPhase.state != PhaseState.CLOSED)
    .exists()
)
#: What one answers for, in the singular and the plural: whose it is, and that it stands.
_HELD: tuple[tuple[str, str, Any, ColumnElement[bool]], ...] = (
    ("variant", "variants", Variant.owner_id, Variant.state.not_in(sorted(VARIANT_FLOW.finals()))),
    ("entry of the RAID register", "entries of the RAID register", RaidEntry.owner_id, RaidEntry.state.in_(STANDING)),
    ("action", "actions", RaidAction.owner_id, RaidAction.state == ActionState.OPEN),
    ("process", "processes", BusinessProcess.owner_id, BusinessProcess.owner_id.is_not(None)),
    ("temporary interface", "temporary interfaces", InterimInterface.owner_id, InterimInterface.ended_at.is_(None)),
    ("stage criterion", "stage criteria", StageCriterion.owner_id, and_(StageCriterion.removed_at.is_(None), _PHASE_OPEN)),
    ("benefit", "benefits", Benefit.owner_id, ~_WITHDRAWN),
    ("seat", "seats", Seat.person_id, and_(Seat.person_id.is_not(None), Seat.ended_at.is_(None))),
    ("wave", "waves", Wave.owner_id, Wave.state != WaveState.CLOSED),
)  # fmt: skip
_PLURALS = {one: many for one, many, _, _ in _HELD}


@dataclass(frozen=True, kw_only=True)
class LeftBehind:
    """Somebody whose last day has passed, and how much of what they still answer for, by what it is."""

    person: int
    name: str
    since: datetime
    is_closed: bool
    held: tuple[tuple[str, int], ...]

    @property
    def words(self) -> str:
        """“2 variants, 1 seat”."""
        return ", ".join(f"{count} {what if count == 1 else _PLURALS[what]}" for what, count in self.held)


def left_behind(session: Session, now: datetime) -> list[LeftBehind]:
    """People who left and still answer for something, the first to leave first. One query.

    Left is whose account is closed, and whose roles have all ended though nobody has closed it.
    """
    held = union_all(
        *(
            select(literal(what, String).label("what"), owner.label("person"), func.count().label("count"))
            .where(stands)
            .group_by(owner)
            for what, _, owner, stands in _HELD
        )
    ).subquery()
    of = RoleGrant.account_id == Account.id
    last = select(func.max(RoleGrant.valid_until)).where(of).correlate(Account).scalar_subquery()
    goes_on = (
        select(RoleGrant.id)
        .where(of, or_(RoleGrant.valid_until.is_(None), RoleGrant.valid_until > now))
        .correlate(Account)
        .exists()
    )
    rows = session.execute(
        select(
            Account.id, Account.name, Account.closed_at, func.coalesce(Account.closed_at, last).label("since"),
            held.c.what, held.c["count"],
        )
        .join(held, held.c.person == Account.id)
        .where(or_(Account.closed_at.is_not(None), and_(last.is_not(None), ~goes_on)))
        .order_by(func.coalesce(Account.closed_at, last), Account.id)
    ).all()  # fmt: skip
    return [_one(list(of_person)) for of_person in _by_person(rows)]


def _by_person(rows: Iterable[Any]) -> list[list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.id, []).append(row)
    return list(found.values())


def _one(rows: list[Any]) -> LeftBehind:
    order = list(_PLURALS)
    held = sorted(((row.what, row.count) for row in rows), key=lambda each: order.index(each[0]))
    first = rows[0]
    return LeftBehind(
        person=first.id, name=first.name, since=first.since, is_closed=first.closed_at is not None, held=tuple(held)
    )
