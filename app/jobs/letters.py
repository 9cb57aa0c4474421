"""Sending the letters to customers that wait; see ``outbox``."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage

from sqlalchemy.orm import Session

from app.composition.letters import LETTER, Letter, Way
from app.composition.uow import Database
from app.jobs.outbox import Outbox, hand_over, mail
from erpcore.kernel.clock import Clock


def send_letters(database: Database, *, clock: Clock, mail_url: str | None) -> int:
    """Send what is due; returns how many left. Without a mail server nothing is tried: letters wait, and the page says why."""
    return 0 if mail_url is None else hand_over(database, clock, mail_url, _LETTERS)


def _message(_session: Session, letter: Letter, sender: str, at: datetime) -> EmailMessage:
    message = mail(
        subject=letter.subject, sender=sender, to=letter.to_address, message_id=letter.message_id, at=at, body=letter.body
    )  # fmt: skip
    message["Content-Language"] = letter.language
    return message


def _left(letter: Letter, way: Way) -> None:
    letter.way = way


_LETTERS = Outbox(job="letters", model=Letter, flow=LETTER, message=_message, left=_left)
