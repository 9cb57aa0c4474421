"""How the money of a programme is planned and spent, and what the programme is to bring.

Nothing here releases money: only a stage gate does, when it closes its phase. What was recorded stays; what was wrong is withdrawn with
its reason, or corrected by a further line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select

from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.first import add_first
from erpcore.kernel.work import UnitOfWork
from governance import published
from governance.programme.models import Programme
from governance.programme.permissions import ProgrammePermission
from governance.roadmap.kinds import MoneyKind
from governance.roadmap.models import Benefit, BenefitWithdrawal, MoneyLine, RoadmapPhase, Tranche, TrancheWithdrawal
from governance.roadmap.phases import named, open_phase, tell_tranche

MOST_MINOR = 10**15


@dataclass(frozen=True, kw_only=True)
class PlanTranche:
    """Money that the stage gate of a phase releases."""

    phase_id: int
    code: str
    title: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class RecordMoney:
    """Budget, spend or forecast of a wave, or (``None``) of the programme; less than nothing corrects what was too much.

    ``today``: the day where it is recorded, since nothing is spent on a day to come.
    """

    programme_id: int
    wave_id: int | None
    kind: MoneyKind
    amount_minor: int
    currency: str
    on: date
    note: str
    today: date


@dataclass(frozen=True, kw_only=True)
class PlanBenefit:
    """A figure that is to reach a target, in base units, by a day, and what that is worth a year."""

    programme_id: int
    code: str
    title: str
    figure: str
    target: Decimal
    proof_on: date
    worth_minor: int
    currency: str
    owner: int


def plan_tranche(work: UnitOfWork, command: PlanTranche) -> Tranche:
    """Money that a stage gate to come releases. Raises ``RuleBroken`` for a phase that is closed: nothing would release it.

    It is another version of the phase: a body that was asked before releases nothing it has not seen.
    """
    work.actor.require(ProgrammePermission.MANAGE)
    phase = open_phase(work, command.phase_id)
    named(command.code, command.title)
    _money(command.amount_minor, command.currency, above_nothing=True)
    if work.session.scalar(select(Tranche.id).where(Tranche.phase_id == phase.id, Tranche.code == command.code)):
        raise RuleBroken("code_taken", field="code", code=command.code)
    tranche = Tranche(
        id=work.ids.one(), phase_id=phase.id, code=command.code, title=command.title.strip(), amount_minor=command.amount_minor,
        currency=command.currency, planned_by=work.actor.id, planned_at=work.now,
    )  # fmt: skip
    work.session.add(tranche)
    phase.version += 1
    work.audit(
        "tranche.planned", "tranche", tranche.id, phase=phase.code, amount=command.amount_minor, currency=command.currency
    )  # fmt: skip
    tell_tranche(work, phase, tranche, published.TranchePlanned)
    return tranche


def withdraw_tranche(work: UnitOfWork, tranche_id: int, *, reason: str) -> RoadmapPhase:
    """No stage gate releases it any more. Raises ``RuleBroken`` once its phase is closed: what is released stays released."""
    work.actor.require(ProgrammePermission.MANAGE)
    tranche = work.session.get(Tranche, tranche_id)
    if tranche is None:
        raise NotFound("tranche_not_found", tranche=tranche_id)
    phase = open_phase(work, tranche.phase_id)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="tranche", move="withdraw")
    if work.session.get(TrancheWithdrawal, tranche_id) is not None:
        raise Conflict("tranche_withdrawn", tranche=tranche.title)
    work.session.add(
        TrancheWithdrawal(
            tranche_id=tranche.id, reason=reason.strip(), withdrawn_by=work.actor.id, withdrawn_at=work.now
        )
    )
    phase.version += 1
    tell_tranche(work, phase, tranche, published.TrancheWithdrawn)
    work.audit("tranche.withdrawn", "tranche", tranche.id, phase=phase.code, reason=reason.strip())
    return phase


def record_money(work: UnitOfWork, commands: Sequence[RecordMoney]) -> list[MoneyLine]:
    """Lines of the business case. Raises ``RuleBroken`` for spend in the future, or a line that says nothing."""
    work.actor.require(ProgrammePermission.MANAGE)
    lines = []
    for command in commands:
        if work.session.get(Programme, command.programme_id) is None:
            raise NotFound("programme_not_found", programme=command.programme_id)
        _money(command.amount_minor, command.currency, above_nothing=False)
        if not command.note.strip():
            raise RuleBroken("note_missing", field="note")
        if command.kind is MoneyKind.FORECAST and command.amount_minor < 0:
            raise RuleBroken("business_amount", field="amount")
        if command.kind is MoneyKind.SPEND and command.on > command.today:
            raise RuleBroken("spend_ahead", field="on", day=command.on)
        line = MoneyLine(
            id=work.ids.one(), programme_id=command.programme_id, wave_id=command.wave_id, kind=command.kind,
            amount_minor=command.amount_minor, currency=command.currency, on=command.on, note=command.note.strip(),
            recorded_by=work.actor.id, recorded_at=work.now,
        )  # fmt: skip
        work.session.add(line)
        work.audit(
            "business_money.recorded", "business_money", line.id, wave=command.wave_id, of=command.kind,
            amount=command.amount_minor, currency=command.currency,
        )  # fmt: skip
        lines.append(line)
    return lines


def plan_benefit(work: UnitOfWork, command: PlanBenefit) -> Benefit:
    """What the programme is to bring, held against a figure on a day."""
    work.actor.require(ProgrammePermission.MANAGE)
    if work.session.get(Programme, command.programme_id) is None:
        raise NotFound("programme_not_found", programme=command.programme_id)
    named(command.code, command.title)
    _money(command.worth_minor, command.currency, above_nothing=True, field="worth")
    taken = select(Benefit.id).where(Benefit.programme_id == command.programme_id, Benefit.code == command.code)
    if work.session.scalar(taken) is not None:
        raise RuleBroken("code_taken", field="code", code=command.code)
    benefit = Benefit(
        id=work.ids.one(), programme_id=command.programme_id, code=command.code, title=command.title.strip(),
        figure=command.figure, target=command.target, proof_on=command.proof_on, worth_minor=command.worth_minor,
        currency=command.currency, owner_id=command.owner, planned_by=work.actor.id, planned_at=work.now,
    )  # fmt: skip
    add_first(work, benefit, "benefit_taken", benefit=command.code)
    work.audit(
        "benefit.planned", "benefit", benefit.id, figure=command.figure, target=command.target,
        proof_on=command.proof_on, owner=command.owner,
    )  # fmt: skip
    return benefit


def withdraw_benefit(work: UnitOfWork, benefit_id: int, *, reason: str) -> Benefit:
    """It is no longer expected; what it was, and why it went, stays to be read."""
    work.actor.require(ProgrammePermission.MANAGE)
    benefit = work.session.get(Benefit, benefit_id)
    if benefit is None:
        raise NotFound("benefit_not_found", benefit=benefit_id)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="benefit", move="withdraw")
    row = BenefitWithdrawal(
        benefit_id=benefit.id, reason=reason.strip(), withdrawn_by=work.actor.id, withdrawn_at=work.now
    )
    add_first(work, row, "benefit_withdrawn", benefit=benefit.title)
    work.audit("benefit.withdrawn", "benefit", benefit.id, reason=reason.strip())
    return benefit


def _money(amount: int, currency: str, *, above_nothing: bool, field: str = "amount") -> None:
    if amount == 0 or abs(amount) > MOST_MINOR or (above_nothing and amount < 0):
        raise RuleBroken("business_amount", field=field)
    if len(currency) != len("EUR") or not currency.isascii() or not currency.isupper():
        raise RuleBroken("business_currency", field="currency", currency=currency)
