"""Handing over what waits, by SMTP or into a folder: each in a transaction of its own, again after a pause, parked in the end.

What waits is claimed and counted, handed over without any transaction open, and then marked. Killed in between it is handed over
again once the claim has run out, with the same Message-ID, by which the receiving side knows it; it is never lost.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.letters import CLAIM, FIRST_PAUSE, MOST_ATTEMPTS, Way, way_of
from app.composition.uow import Database, reading, unit_of_work
from app.jobs.mailfolder import MailFolder
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from erpcore.kernel.flow import Flow

log = structlog.get_logger(__name__)
#: As many are sent in one run, over one connection.
_BATCH = 200
_SECONDS = 20
_LENGTH = 500
#: Refusals of one message: its addresses, its content, or letters of its address that this server does not know.
_OF_THIS_ONE = (
    smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError, smtplib.SMTPNotSupportedError,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Outbox:
    """A table of mail. ``flow`` starts in the state of what waits and has the moves *send* and *park*.

    ``message`` makes the mail of a row, ``None`` where there is nobody to send it to any more. ``left`` notes further on the row
    which way it went.
    """

    job: str
    model: Any
    flow: Flow
    message: Callable[[Session, Any, str, datetime], EmailMessage | None]
    left: Callable[[Any, Way], None] = lambda _row, _way: None


def hand_over(database: Database, clock: Clock, mail_url: str, box: Outbox) -> int:
    """Send what is due; returns how many left."""
    model = box.model
    with reading(database) as session:
        due = list(
            session.scalars(
                select(model.id)
                .where(model.state == box.flow.initial, model.next_at <= clock.now())
                .order_by(model.next_at, model.id)
                .limit(_BATCH)
            )
        )
    claimed = [one for one in due if _claim(database, clock, box, one)]
    sent = 0
    try:
        if claimed:
            with mail_server(mail_url) as (server, sender):
                while claimed:
                    sent += _send(database, clock, box, claimed[0], server, sender)
                    claimed.pop(0)
    except (OSError, smtplib.SMTPException) as error:
        log.warning("mail server not reached", error=type(error).__name__)
        for one in claimed:
            _settle(database, clock, box, one, error=f"{type(error).__name__}: {error}")
    return sent


@contextmanager
def mail_server(mail_url: str) -> Iterator[tuple[smtplib.SMTP | MailFolder, str]]:
    """A connection to ``smtp://USER:PASSWORD@HOST:PORT?from=ADDRESS`` (``smtps``: encrypted from the start), or a folder's ``file://``."""
    parts = urlsplit(mail_url)
    sender = unquote(parts.query.partition("from=")[2]) or f"orders@{parts.hostname or 'wavegate.invalid'}"
    if way_of(mail_url) == Way.FOLDER:
        yield MailFolder(Path(unquote(parts.path))), sender
        return
    context = ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            parts.hostname or "", parts.port or 465, timeout=_SECONDS, context=context
        )
    else:
        server = smtplib.SMTP(parts.hostname or "", parts.port or 25, timeout=_SECONDS)
    try:
        server.ehlo()
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        yield server, sender
    finally:
        server.close()


def mail(*, subject: str, sender: str, to: str, message_id: str, at: datetime, body: str) -> EmailMessage:
    """A mail that a machine wrote. Header values cannot break out: the library refuses line ends in them."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, sender, to
    message["Message-ID"], message["Date"] = message_id, format_datetime(at)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    return message


def _claim(database: Database, clock: Clock, box: Outbox, key: int) -> bool:
    """Take one for a while and count the attempt; ``False`` when somebody else has it or sent it."""
    with unit_of_work(database, actor=Actor.system(box.job), clock=clock) as work:
        row = work.session.get(box.model, key, with_for_update={"key_share": True})
        if row is None or row.state != box.flow.initial or row.next_at > work.now:
            return False
        row.attempts += 1
        row.next_at = work.now + CLAIM
    return True


def _send(
    database: Database, clock: Clock, box: Outbox, key: int, server: smtplib.SMTP | MailFolder, sender: str
) -> int:
    """Hand one over; 1 when it left. A refusal of this one alone leaves the others to be sent."""
    with reading(database) as session:
        message = box.message(session, session.get_one(box.model, key), sender, clock.now())
    if message is None:
        _settle(database, clock, box, key, error="nobody to send it to any more", ends=True)
        return 0
    try:
        server.send_message(message)
    except _OF_THIS_ONE as refusal:
        _settle(database, clock, box, key, error=str(refusal))
        server.rset()
        return 0
    _settle(database, clock, box, key, way=Way.FOLDER if isinstance(server, MailFolder) else Way.MAIL)
    return 1


def _settle(
    database: Database, clock: Clock, box: Outbox, key: int, *, error: str = "", way: Way | None = None, ends: bool = False
) -> None:  # fmt: skip
    """What became of the attempt: sent, to be tried after a pause twice as long as the last, or parked."""
    with unit_of_work(database, actor=Actor.system(box.job), clock=clock) as work:
        row = work.session.get_one(box.model, key, with_for_update={"key_share": True})
        if row.state != box.flow.initial:
            return
        row.last_error = error[:_LENGTH] or None
        if way is not None:
            row.state, row.sent_at = box.flow.target("send", row.state), work.now
            box.left(row, way)
        elif ends or row.attempts >= MOST_ATTEMPTS:
            row.state = box.flow.target("park", row.state)
        else:
            row.next_at = work.now + FIRST_PAUSE * 2 ** (row.attempts - 1)
