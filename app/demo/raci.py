"""Who answers for what in the demo: most processes, domains and waves have their people, and a few gaps are still to be closed."""

from __future__ import annotations

from sqlalchemy import select

from app.composition.raci_desk import give
from app.composition.uow import Database, reading, unit_of_work
from app.demo.people import Staff
from erpcore.kernel.clock import Clock
from governance.processes.models import BusinessProcess
from governance.programme.models import Body, Seat
from governance.raci.rules import DOMAINS, Duty, HolderKind, SubjectKind
from governance.raci.services import GiveDuty
from readiness.waves.models import Wave

_A, _R, _C, _I = Duty.ACCOUNTABLE, Duty.RESPONSIBLE, Duty.CONSULTED, Duty.INFORMED
#: By process: who is accountable, responsible, consulted.
_PROCESSES = {
    "quote_to_order": ("process", "dui.desk", "sales"), "order_to_cash": ("process", "dui.lead", "finance"),
    "warehouse": ("process", "dui.supervisor", "design"), "procure_to_pay": ("process", "buyer", "finance"),
    "returns_to_credit": ("process.billing", "billing", "process"), "record_to_report": ("finance", "billing.two", "auditor"),
    "channel_settlement": ("process.billing", "", "finance"),
}  # fmt: skip
_DOMAINS = {
    "customer": ("data", "dui.desk", "sales"), "item": ("data", "buyer", "process"), "price": ("data", "sales", "finance"),
    "supplier": ("data", "buyer", ""), "location": ("data", "dui.supervisor", ""), "tax": ("finance", "billing", ""),
    "chart_of_accounts": ("finance", "billing.two", "auditor"), "carrier": ("", "dui.supervisor", ""),
}  # fmt: skip


def say_who_answers(database: Database, staff: Staff, clock: Clock) -> None:
    """Give the duties of processes, domains and waves that are known."""
    with reading(database) as session:
        processes = set(session.scalars(select(BusinessProcess.code)))
        waves = {row.code: str(row.id) for row in session.execute(select(Wave.code, Wave.id))}
        sponsor = session.scalar(
            select(Seat.id).join(Body, Body.id == Seat.body_id).where(Body.code == "steering", Seat.is_chair, Seat.ended_at.is_(None))
        )  # fmt: skip
    commands = []
    for kind, table, known in (
        (SubjectKind.PROCESS, _PROCESSES, processes),
        (SubjectKind.DOMAIN, _DOMAINS, set(DOMAINS)),
    ):
        for subject, people in table.items():
            if subject in known:
                commands += [
                    _person(kind, subject, duty, staff.ids[who])
                    for duty, who in zip((_A, _R, _C), people, strict=True)
                    if who
                ]
    for code, wave in sorted(waves.items()):
        commands += [
            _person(SubjectKind.WAVE, wave, _R, staff.ids["deployment"]), _person(SubjectKind.WAVE, wave, _C, staff.ids["finance"])
        ]  # fmt: skip
        if sponsor is not None and code != "W3":
            commands.append(
                GiveDuty(
                    kind=SubjectKind.WAVE, subject=wave, duty=_A, holder_kind=HolderKind.SEAT, holder=sponsor,
                    reason="The sponsor answers for every go-live.",
                )
            )  # fmt: skip
        commands.append(_person(SubjectKind.WAVE, wave, _I, staff.ids["auditor"]))
    with unit_of_work(database, actor=staff["pmo"], clock=clock) as work:
        give(work, commands)


def _person(kind: SubjectKind, subject: str, duty: Duty, person: int) -> GiveDuty:
    return GiveDuty(kind=kind, subject=subject, duty=duty, holder_kind=HolderKind.PERSON, holder=person)
