"""Builders: a programme whose bodies hear of entries, people who answer for them, and entries of every kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.composition.risk_desk import put_entry
from app.composition.uow import reading
from erpcore.kernel.actor import Actor
from governance.programme.kinds import BodyKind
from governance.programme.services import CreateBody, CreateProgramme, NewSeat, create_body, create_programme
from governance.risks.content import Said
from governance.risks.flow import EntryKind
from governance.risks.queries import entry
from governance.risks.services import RaiseEntry
from tests.support.core import a_business
from tests.support.processes import acting, work_as
from tests.support.web import a_person

TODAY = date(2026, 3, 2)
WEEK = timedelta(days=7)


@dataclass
class Register:
    """Who answers, who sits where, and the bodies by kind."""

    database: Any
    clock: Any
    office: Actor
    owner: Actor
    colleague: Actor
    council: int
    steering: int
    site: int

    def said(self, kind: EntryKind = EntryKind.RISK, **changes: Any) -> Said:
        """A complete entry of this kind."""
        usual: dict[str, Any] = {
            "title": "The carrier cannot take the volume", "statement": "Parcels stay behind on the ramp.",
            "effect": "On time in full falls below the gate.", "owner": self.owner.id, "body": self.council,
            "due_on": TODAY + WEEK, "impact": 4,
        }  # fmt: skip
        if kind is EntryKind.RISK:
            usual |= {"cause": "The carrier lost a depot.", "probability": 3}
        if kind is EntryKind.DEPENDENCY:
            usual |= {"needed_by": "Warehouse team", "needed_from": "Label printer supplier"}
        return Said(**(usual | changes))

    def raised(self, kind: EntryKind = EntryKind.RISK, *, by: Actor | None = None, **changes: Any) -> int:
        """The id of a new entry."""
        with work_as(self.database, self.clock, by or self.office) as work:
            command = RaiseEntry(kind=kind, said=self.said(kind, **changes), today=self.clock.now().date())
            return put_entry(work, command).id

    def read(self, key: int) -> Any:
        """The row as it stands."""
        with reading(self.database) as session:
            row = entry(session, key)
            session.expunge(row)
            return row


def a_register(database: Any, clock: Any) -> Register:
    """A programme office, an owner, a colleague; a process council and a steering committee above it."""
    business = a_business(database)
    owner = a_person(database, "process_owner", clock=clock, name="Ines Keller")
    colleague = a_person(database, "customer_service", clock=clock, name="Jonas Roth")
    office = acting(a_person(database, "pmo", clock=clock, name="Paul Nowak").id, "pmo")
    with work_as(database, clock, Actor.system("test")) as work:
        programme = create_programme(
            work,
            CreateProgramme(
                code="ONE", name="One Core", purpose="One ERP.", starts_on=date(2026, 1, 1),
                cells=((business.site, business.channel),),
            ),
        )  # fmt: skip
        seats = (NewSeat(function="Sponsor", person=colleague.id, chair=True),)
        steering = create_body(
            work,
            CreateBody(
                programme_id=programme.id, code="SC", name="Steering committee", kind=BodyKind.STEERING, mandate="Decides.",
                seats=seats,
            ),
        ).id  # fmt: skip
        council = create_body(
            work,
            CreateBody(
                programme_id=programme.id, code="PC", name="Process council", kind=BodyKind.PROCESS_COUNCIL, quorum=(1, 2),
                mandate="Decides.", seats=(NewSeat(function="Owner", person=owner.id, chair=True),),
            ),
        ).id  # fmt: skip
    return Register(
        database, clock, office, acting(owner.id, "process_owner"), acting(colleague.id, "customer_service"), council,
        steering, business.site,
    )  # fmt: skip
