"""Sending what waits, by SMTP or into a folder: each letter in a transaction of its own, again after a pause, parked in the end.

A letter is claimed and counted, handed over without any transaction open, and then marked. Killed in between it is handed over
again once the claim has run out, with the same Message-ID, by which the receiving side knows it; it is never lost.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog
from sqlalchemy import select

from app.composition.letters import CLAIM, FIRST_PAUSE, LETTER, MOST_ATTEMPTS, Letter, LetterState, Way, way_of
from app.composition.uow import Database, reading, unit_of_work
from app.jobs.mailfolder import MailFolder
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock

log = structlog.get_logger(__name__)
JOB = "letters"
#: As many are sent in one run, over one connection.
_BATCH = 200
_SECONDS = 20
_LENGTH = 500


def send_letters(database: Database, *, clock: Clock, mail_url: str | None) -> int:
    """Send what is due; returns how many left. Without a mail server nothing is tried: letters wait, and the page says why."""
    if mail_url is None:
        return 0
    with reading(database) as session:
        due = list(
            session.scalars(
                select(Letter.id)
                .where(Letter.state == LetterState.WAITING, Letter.next_at <= clock.now())
                .order_by(Letter.next_at, Letter.id)
                .limit(_BATCH)
            )
        )
    claimed = [letter for letter in due if _claim(database, clock, letter)]
    sent = 0
    try:
        if claimed:
            with mail_server(mail_url) as (server, sender):
                while claimed:
                    sent += _send(database, clock, claimed[0], server, sender)
                    claimed.pop(0)
    except (OSError, smtplib.SMTPException) as error:
        log.warning("mail server not reached", error=type(error).__name__)
        for letter in claimed:
            _settle(database, clock, letter, error=f"{type(error).__name__}: {error}")
    return sent


def _claim(database: Database, clock: Clock, letter_id: int) -> bool:
    """Take the letter for a while and count the attempt; ``False`` when somebody else has it or sent it."""
    with unit_of_work(database, actor=Actor.system(JOB), clock=clock) as work:
        letter = work.session.get(Letter, letter_id, with_for_update={"key_share": True})
        if letter is None or letter.state != LetterState.WAITING or letter.next_at > work.now:
            return False
        letter.attempts += 1
        letter.next_at = work.now + CLAIM
    return True


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


#: Refusals of one letter: its address, its content, or letters of its address that this server does not know.
_OF_THIS_LETTER = (
    smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError, smtplib.SMTPNotSupportedError,
)  # fmt: skip


def _send(database: Database, clock: Clock, letter_id: int, server: smtplib.SMTP | MailFolder, sender: str) -> int:
    """Hand one letter over; 1 when it left. A refusal of this letter alone leaves the others to be sent."""
    with reading(database) as session:
        letter = session.get_one(Letter, letter_id)
        message = as_message(letter, sender, clock.now())
    try:
        server.send_message(message)
    except _OF_THIS_LETTER as refusal:
        _settle(database, clock, letter_id, error=str(refusal))
        server.rset()
        return 0
    _settle(database, clock, letter_id, way=Way.FOLDER if isinstance(server, MailFolder) else Way.MAIL)
    return 1


def as_message(letter: Letter, sender: str, at: datetime) -> EmailMessage:
    """The letter as mail. Header values cannot break out: the library refuses line ends in them."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = letter.subject, sender, letter.to_address
    message["Message-ID"], message["Date"] = letter.message_id, format_datetime(at)
    message["Auto-Submitted"], message["Content-Language"] = "auto-generated", letter.language
    message.set_content(letter.body)
    return message


def _settle(database: Database, clock: Clock, letter_id: int, *, error: str = "", way: Way | None = None) -> None:
    """What became of the attempt: sent, to be tried after a pause twice as long as the last, or parked."""
    with unit_of_work(database, actor=Actor.system(JOB), clock=clock) as work:
        letter = work.session.get_one(Letter, letter_id, with_for_update={"key_share": True})
        if letter.state != LetterState.WAITING:
            return
        letter.last_error = error[:_LENGTH] or None
        if not error:
            letter.state, letter.sent_at = LETTER.target("send", letter.state), work.now
            letter.way = way
        elif letter.attempts >= MOST_ATTEMPTS:
            letter.state = LETTER.target("park", letter.state)
        else:
            letter.next_at = work.now + FIRST_PAUSE * 2 ** (letter.attempts - 1)
