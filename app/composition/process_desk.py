"""What may steps of processes refer to, and who may own a process? What governance asks of its neighbours, answered here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from app.identity.models import Account
from app.security.roles import Role
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.ports import POLICY_POINTS
from governance.processes.bundled import take_over
from governance.processes.content import Known
from governance.processes.models import BusinessProcess, ProcessVersion
from governance.processes.services import CreateProcess, create_process, set_owner
from readiness.measures.catalogue import MEASURES


def known() -> Known:
    """The measures of the catalogue, the roles people act in, and the core's policy points."""
    return Known(
        measures=frozenset(MEASURES), roles=frozenset(role.value for role in Role), points=frozenset(POLICY_POINTS)
    )


def check_person(work: UnitOfWork, person: int | None, *, field: str) -> None:
    """Raise ``RuleBroken`` for somebody who is not here, or is here no longer."""
    if person is None:
        return
    row = work.session.execute(select(Account.id, Account.closed_at).where(Account.id == person)).one_or_none()
    if row is None or row.closed_at is not None:
        raise RuleBroken("person_unknown", field=field, person=person)


def begin_process(work: UnitOfWork, command: CreateProcess) -> BusinessProcess:
    """A process whose owner is somebody who is here."""
    check_person(work, command.owner, field="owner")
    return create_process(work, command)


def give_owner(work: UnitOfWork, process_id: int, person: int | None, *, reason: str) -> BusinessProcess:
    """Say who answers for a process."""
    check_person(work, person, field="owner")
    return set_owner(work, process_id, person, reason=reason)


def take_set_over(work: UnitOfWork, owners: Mapping[str, int] | None = None) -> Sequence[ProcessVersion]:
    """Begin with the distributor's set."""
    for person in sorted(set((owners or {}).values())):
        check_person(work, person, field="owner")
    return take_over(work, known=known(), owners=dict(owners or {}))
