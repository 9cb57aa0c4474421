"""May this duty be given? What it is for and who would have it are looked up where they are kept."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.process_desk import check_person
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from governance.processes.models import BusinessProcess
from governance.programme.models import Seat
from governance.raci.models import RaciDuty
from governance.raci.rules import DOMAINS, HolderKind, SubjectKind
from governance.raci.services import GiveDuty, give_duties
from readiness.waves.models import Wave


def give(work: UnitOfWork, commands: Sequence[GiveDuty]) -> list[RaciDuty]:
    """Give duties. Raises ``RuleBroken`` for a subject, person or seat that is not there."""
    for command in commands:
        if not is_subject(work.session, command.kind, command.subject):
            raise RuleBroken("raci_subject", field="subject", subject=command.subject[:40])
        if command.holder_kind is HolderKind.PERSON:
            check_person(work, command.holder, field="holder")
        elif work.session.scalar(select(Seat.id).where(Seat.id == command.holder, Seat.ended_at.is_(None))) is None:
            raise RuleBroken("raci_seat", field="holder")
    return give_duties(work, commands)


def is_subject(session: Session, kind: SubjectKind, subject: str) -> bool:
    """Whether there is such a process, domain or wave."""
    if kind is SubjectKind.DOMAIN:
        return subject in DOMAINS
    if kind is SubjectKind.PROCESS:
        return session.scalar(select(BusinessProcess.id).where(BusinessProcess.code == subject)) is not None
    return (
        subject.isascii() and subject.isdecimal() and len(subject) < 19 and session.get(Wave, int(subject)) is not None
    )
