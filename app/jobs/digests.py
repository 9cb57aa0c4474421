"""The daily mail of what waits: made in the morning of each person's own day, and handed over like letters to customers.

What stands on somebody's home page stands in the mail, in every role that they have. Without a mail server none is made, since one
of yesterday helps nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from email.message import EmailMessage

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.digests import DIGEST, Digest, DigestChoice, DigestState, message_id_of
from app.composition.uow import Database, reading, unit_of_work
from app.identity.models import Account
from app.identity.queries import GrantedRole, roles_of
from app.jobs.outbox import Outbox, hand_over, mail
from app.security.scopes import actor_for
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import last_link
from erpcore.kernel.clock import Clock, zone
from erpcore.kernel.first import insert_absent

log = structlog.get_logger(__name__)
JOB = "digests"
#: Between these hours of a person's own clock the mail of the day is made; who was not reached by then waits for tomorrow.
FROM, UNTIL = time(6, 30), time(12)
#: More lines than this are said as a number.
_MOST_LINES = 60


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing that waits, as the mail has it; ``address`` is empty where nobody said how the site is reached."""

    title: str
    why: str
    due_at: datetime | None = None
    address: str = ""


#: What waits for somebody in a role: the same as on the home page.
Waiting = Callable[[Actor, datetime], Sequence[Line]]


def send_digests(database: Database, *, clock: Clock, mail_url: str | None, waiting: Waiting | None) -> int:
    """Make what is due and hand it over; returns how many left."""
    if mail_url is None or waiting is None:
        return 0
    for person in _due(database, clock.now()):
        try:
            _make(database, clock, person, waiting)
        except Exception:
            # One person's page that cannot be read is no reason for the others to get no mail; tried again by the next run.
            log.exception("digest_not_made", account=person.id)
    return hand_over(database, clock, mail_url, _DIGESTS)


@dataclass(frozen=True, kw_only=True)
class _Person:
    id: int
    time_zone: str
    roles: tuple[GrantedRole, ...]


def _due(database: Database, now: datetime) -> list[_Person]:
    """People with an address and an open account whose morning it is and whose mail of the day is not made."""
    with reading(database) as session:
        rows = session.execute(
            select(Account.id, Account.time_zone)
            .outerjoin(DigestChoice, DigestChoice.account_id == Account.id)
            .where(
                Account.closed_at.is_(None), Account.email.is_not(None), Account.password_hash.is_not(None),
                DigestChoice.wants_none.is_not(True),
            )
            .order_by(Account.id)
        ).all()  # fmt: skip
        morning = [row for row in rows if FROM <= now.astimezone(zone(row.time_zone)).time() < UNTIL]
        earliest = min((now.astimezone(zone(row.time_zone)).date() for row in morning), default=now.date())
        made = {
            (row.account_id, row.day)
            for row in session.execute(select(Digest.account_id, Digest.day).where(Digest.day >= earliest))
        }
        return [
            _Person(id=row.id, time_zone=row.time_zone, roles=tuple(roles_of(session, row.id, now)))
            for row in morning
            if (row.id, now.astimezone(zone(row.time_zone)).date()) not in made
        ]


def _make(database: Database, clock: Clock, person: _Person, waiting: Waiting) -> None:
    """Write the mail of the day; of two that do so at once one writes it."""
    now = clock.now()
    with reading(database) as session:
        actors = [
            actor_for(session, person.id, role, [one for one in person.roles if one.role == role])
            for role in sorted({one.role for one in person.roles})
        ]
        trail = last_link(session)
    lines = {(line.title, line.why): line for actor in actors for line in waiting(actor, now)}
    found = list(lines.values())
    day = now.astimezone(zone(person.time_zone)).date()
    with unit_of_work(database, actor=Actor.system(JOB), clock=clock) as work:
        insert_absent(
            work, Digest,
            {
                "id": work.ids.one(), "account_id": person.id, "day": day, "subject": subject_of(found),
                "body": body_of(found, trail, person.time_zone), "message_id": message_id_of(person.id, day),
                "state": DigestState.WAITING if found else DigestState.NOTHING, "attempts": 0, "next_at": work.now,
                "made_at": work.now,
            },
        )  # fmt: skip


def subject_of(lines: Sequence[Line]) -> str:
    """“3 things wait for you”."""
    return "1 thing waits for you" if len(lines) == 1 else f"{len(lines)} things wait for you"


def body_of(lines: Sequence[Line], trail: tuple[int, str] | None, time_zone: str = "UTC") -> str:
    """The text of the mail: a paragraph for each thing, how to get no more, and the last link of the audit trail.

    Whoever keeps the mail can prove later that links up to that one have neither been cut off nor rewritten.
    """
    shown = [
        "\n".join(part for part in (line.title, line.why, _due_at(line.due_at, time_zone), line.address) if part)
        for line in lines[:_MOST_LINES]
    ]
    if len(lines) > _MOST_LINES:
        shown.append(f"And {len(lines) - _MOST_LINES} more on your page Today.")
    shown.append("You find all of it on your page Today. On your account page you can stop this mail.")
    if trail is not None:
        shown.append(f"Audit trail: link {trail[0]}, {trail[1]}")
    return "\n\n".join(shown) + "\n"


def _due_at(at: datetime | None, time_zone: str) -> str:
    return "" if at is None else f"due {at.astimezone(zone(time_zone)):%a %d %b %Y %H:%M}"


def _message(session: Session, digest: Digest, sender: str, at: datetime) -> EmailMessage | None:
    """The mail; ``None`` for somebody who left, or has no address any more."""
    account = session.get_one(Account, digest.account_id)
    if account.email is None or account.closed_at is not None:
        return None
    return mail(
        subject=digest.subject, sender=sender, to=account.email, message_id=digest.message_id, at=at, body=digest.body
    )


_DIGESTS = Outbox(job=JOB, model=Digest, flow=DIGEST, message=_message)
