"""People are told again of a request that waits for them, before its time is over and others are asked: in its history, and by mail.

Who may decide on it now is written to in every role that they have, delegates too. Without a mail server the history and the page
Today say it alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.approval_words import group_of
from app.composition.approving import AROUND
from app.composition.digests import DigestChoice
from app.composition.reminders import REMINDER, ApprovalReminder, message_id_of
from app.composition.uow import Database, reading, unit_of_work
from app.identity.models import Account
from app.identity.queries import roles_of_people
from app.jobs.outbox import Outbox, hand_over, mail
from app.security.scopes import actor_for
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock, zone
from erpcore.kernel.work import UnitOfWork
from governance.approvals.flow import RequestState
from governance.approvals.models import ApprovalNeed, ApprovalRequest
from governance.approvals.offices import Offices
from governance.approvals.permissions import ApprovalPermission
from governance.approvals.queries import may_approve, ways_of
from governance.approvals.records import Case
from governance.approvals.reminding import due_for_reminding, hold_for_reminding, keep_reminder

log = structlog.get_logger(__name__)
JOB = "reminders"
_LONGEST_SUBJECT = 180


def remind_of_approvals(database: Database, *, clock: Clock, mail_url: str | None, address: str | None = None) -> int:
    """Of how many requests people were reminded, each in a transaction of its own; then the mails leave.

    ``address``: how people reach the site; without it a mail has no link.
    """
    with reading(database) as session:
        due = due_for_reminding(session, clock.now())
        people = _people(session, clock.now()) if due and mail_url else []
    made = 0
    for request in due:
        try:
            with unit_of_work(database, actor=Actor.system(JOB), clock=clock) as work:
                made += _remind(work, request, people, mails=mail_url is not None, address=address)
        except Exception:
            # The others wait for it too; this one is tried again by the next run.
            log.exception("approval_not_reminded", request=request)
    if mail_url is not None:
        hand_over(database, clock, mail_url, _REMINDERS)
    return made


@dataclass(frozen=True, kw_only=True)
class _Person:
    """Somebody who wants mails of what waits, as they act in each of their roles."""

    id: int
    time_zone: str
    actors: tuple[Actor, ...]


def _people(session: Session, now: datetime) -> list[_Person]:
    """All of them. Two queries, and one more for each role that somebody has at sites alone."""
    accounts = session.execute(
        select(Account.id, Account.time_zone)
        .outerjoin(DigestChoice, DigestChoice.account_id == Account.id)
        .where(
            Account.closed_at.is_(None), Account.email.is_not(None), Account.password_hash.is_not(None),
            DigestChoice.wants_none.is_not(True),
        )
        .order_by(Account.id)
    ).all()  # fmt: skip
    grants = roles_of_people(session, [one.id for one in accounts], now)
    return [
        _Person(
            id=one.id, time_zone=one.time_zone,
            actors=tuple(
                actor_for(session, one.id, role, [grant for grant in grants[one.id] if grant.role == role])
                for role in sorted({grant.role for grant in grants.get(one.id, ())})
            ),
        )
        for one in accounts
    ]  # fmt: skip


def _remind(work: UnitOfWork, request: int, people: Sequence[_Person], *, mails: bool, address: str | None) -> bool:
    case, needs = hold_for_reminding(work, request)
    if not needs:
        return False
    offices = Offices(work.session, AROUND, work.now)
    told = [(person, need) for person in people if (need := _asked(case, person, needs, offices)) is not None]
    work.session.add_all(_mail(work, case, person, need, address) for person, need in told)
    count = f"{len(told)} {'person' if len(told) == 1 else 'people'}"
    keep_reminder(
        work, case, needs, said=f"told {count} by mail" if mails else "on the page Today, there is no mail server"
    )
    return True


def _asked(case: Case, person: _Person, needs: Collection[int], offices: Offices) -> int | None:
    """For which of these needs an approval of theirs is still lacking, in any role."""
    for actor in person.actors:
        if not actor.may(ApprovalPermission.ANSWER):
            continue
        way = next((way for way in ways_of(case, actor, offices) if way.need in needs), None)
        if way is not None and may_approve(case, actor, offices):
            return way.need
    return None


def _mail(work: UnitOfWork, case: Case, person: _Person, position: int, address: str | None) -> ApprovalReminder:
    request = case.request
    need = next(each for each in case.needs if each.position == position)
    summary = " ".join(request.summary.split())
    return ApprovalReminder(
        id=work.ids.one(), request_id=request.id, need=position, account_id=person.id,
        subject=f"Still waiting for you: {summary}"[:_LONGEST_SUBJECT], body=_body(request, need, person.time_zone, address),
        message_id=message_id_of(request.id, position, person.id), state=REMINDER.initial, attempts=0, next_at=work.now,
        made_at=work.now,
    )  # fmt: skip


def _body(request: ApprovalRequest, need: ApprovalNeed, time_zone: str, address: str | None) -> str:
    """What waits, until when, what happens then, and where to answer."""
    until = "" if need.due_at is None else f"{need.due_at.astimezone(zone(time_zone)):%a %d %b %Y %H:%M}"
    then = f" Then {group_of(need.escalate_to)} may decide too." if need.escalate_to else ""
    parts: Iterable[str] = (
        request.summary, f"Its time is over on {until}.{then}", request.rule_text,
        f"{address.rstrip('/')}/approvals/{request.id}" if address else "",
        "You find it on your page Today. On your account page you can stop mails of what waits.",
    )  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _message(session: Session, row: ApprovalReminder, sender: str, at: datetime) -> EmailMessage | None:
    """The mail; ``None`` for somebody who left or has no address any more, and once nobody is asked any more."""
    account, request = session.get_one(Account, row.account_id), session.get_one(ApprovalRequest, row.request_id)
    if account.email is None or account.closed_at is not None or request.state != RequestState.WAITING:
        return None
    return mail(subject=row.subject, sender=sender, to=account.email, message_id=row.message_id, at=at, body=row.body)


_REMINDERS = Outbox(job=JOB, model=ApprovalReminder, flow=REMINDER, message=_message)
