"""Builders: rules of approval in force, people of roles and bodies, requests and answers about a thing that tells what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.composition.approving import AROUND, OUTCOMES, Answer, Ask, Subject, answer, ask
from app.security.roles import permissions_of
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import AuditEntry
from erpcore.kernel.errors import DomainError
from erpcore.kernel.events import EventLog
from governance.approvals.delegations import Delegate, delegate
from governance.approvals.models import ApprovalAnswer, ApprovalRequest, ApprovalRule
from governance.approvals.rules import NO_FACTS
from governance.programme.kinds import BodyKind
from governance.programme.services import CreateBody, CreateProgramme, NewSeat, create_body, create_programme
from tests.support.web import a_person

KIND = "tested_thing"


@dataclass
class Things:
    """Subjects of a kind made for tests: in which version each is, and what was decided about it."""

    versions: dict[int, int | None] = field(default_factory=dict)
    told: list[tuple[int, str, bool]] = field(default_factory=list)

    def settled(self, work, request: ApprovalRequest) -> None:
        self.told.append((request.subject_id, request.state, request.is_automatic))


def things() -> Things:
    """A fresh kind ``tested_thing``; subject 1 is in version 1."""
    made = Things({1: 1})
    OUTCOMES[KIND] = Subject(
        kind=KIND, title="Tested thing", version_of=lambda _session, key: made.versions.get(key), settled=made.settled
    )
    return made


def a_rule(business, code="rule", *, kind=KIND, capacity="role:finance", people=1, **fields) -> int:
    """The id of a rule in force, as if it had come with the product."""
    with business.work() as work:
        automatic = fields.pop("automatic", False)
        row = ApprovalRule(
            id=work.ids.one(), kind=kind, code=code, version=1, is_automatic=automatic,
            capacity=None if automatic else capacity, people=None if automatic else people, ends_rule=False,
            state="in_force", reason="for this test", proposed_by=0, proposed_at=work.now, **fields,
        )  # fmt: skip
        work.session.add(row)
        return row.id


def person(business, role="finance", *, site=None) -> Actor:
    """Somebody with an account and the role, acting in it."""
    made = a_person(business.database, role, site=site, clock=business.clock)
    return acting(made.id, role, sites=None if site is None else frozenset({site}))


def acting(identity: int, role: str, *, sites=None) -> Actor:
    """Somebody acting in a role."""
    return Actor(id=identity, role=role, permissions=permissions_of(role), sites=sites)


def asked(business, by: Actor, *, subject=1, version=1, facts=NO_FACTS, **fields) -> int:
    """The id of a request about a thing."""
    with business.work(by) as work:
        command = Ask(
            kind=fields.pop("kind", KIND), subject_type="thing", subject_id=subject, subject_version=version,
            summary=f"Thing {subject} as it is now", facts=facts, **fields,
        )  # fmt: skip
        return ask(work, command).id


def answered(business, by: Actor, request: int, verdict="approve", reason="it fits", **fields) -> str:
    """The state of the request after an answer."""
    with business.work(by) as work:
        return answer(work, Answer(request=request, verdict=verdict, reason=reason, **fields)).state


def state_of(business, request: int) -> str:
    with business.work() as work:
        return work.session.scalar(select(ApprovalRequest.state).where(ApprovalRequest.id == request))


def a_body(business, kind=BodyKind.STEERING, people=(), *, quorum=(2, 3)) -> int:
    """A body in a programme of its own, with a seat for each of these people."""
    with business.work() as work:
        programme = create_programme(
            work,
            CreateProgramme(
                code=f"P-{kind}", name="Programme", purpose="one way of working", starts_on=date(2026, 1, 5)
            ),
        )
        return create_body(
            work,
            CreateBody(
                programme_id=programme.id, code=kind.value, name=kind.value, kind=kind, mandate="decides", quorum=quorum,
                seats=tuple(NewSeat(function=f"Seat {i}", person=each.id) for i, each in enumerate(people)),
            ),
        ).id  # fmt: skip


def delegated(
    business, giver: Actor, taker: Actor, *, since: datetime | None = None, until: datetime | None = None
) -> int:
    """The id of a delegation for approvals."""
    with business.work(giver) as work:
        return delegate(
            work,
            Delegate(
                delegate=taker.id, valid_from=since or work.now, valid_until=until or work.now + timedelta(days=7),
                reason="on leave",
            ),
            AROUND,
        ).id  # fmt: skip


def written(business):
    """How much there is of what answers write: what a refusal must not change."""
    with business.work() as work:
        return (
            *[work.session.scalar(select(func.count()).select_from(table)) for table in (ApprovalAnswer, AuditEntry)],
            work.session.execute(
                select(ApprovalRequest.id, ApprovalRequest.state, ApprovalRequest.version).order_by(ApprovalRequest.id)
            ).all(),
        )


def recent_events(session, count):
    """The last events, the last first."""
    return session.scalars(select(EventLog).order_by(EventLog.seq.desc()).limit(count)).all()


def refused(business, code, by, request, **fields):
    """The answer is refused for that reason and leaves nothing; the refusal."""
    before = written(business)
    with pytest.raises(DomainError) as refusal:
        answered(business, by, request, **fields)
    assert refusal.value.code == code
    assert written(business) == before
    return refusal.value
