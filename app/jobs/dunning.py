"""Issuing what was confirmed to be asked for, and sending its letters; see ``outbox``."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.dunning_letters import DunningLetter, issue
from app.composition.letters import LETTER, Way
from app.composition.uow import Database, reading, unit_of_work
from app.jobs.outbox import Outbox, hand_over, mail
from app.queries.dunning import notice_of
from app.reports.dunning import notice_paper
from erpcore.billing.dunning.models import DunningNotice
from erpcore.billing.dunning.runs import waiting_notices
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from erpcore.kernel.errors import Conflict, RuleBroken
from erpcore.masterdata.models import Entity

log = structlog.get_logger(__name__)
JOB = "dunning"


def issue_confirmed(database: Database, *, clock: Clock | None = None, run: int | None = None) -> int:
    """Issue the notices of confirmed runs, each in a transaction of its own; returns how many were.

    Killed half-way the rest is issued by the next, and what two try at once is issued by one. A notice that is refused, as by books
    that were closed meanwhile, waits.
    """
    with reading(database) as session:
        found = waiting_notices(session, run)
        realms = dict(
            session.execute(
                select(DunningNotice.id, Entity.realm)
                .join(Entity, Entity.id == DunningNotice.entity_id)
                .where(DunningNotice.id.in_(found))
            ).all()
        )
    done = 0
    for notice in found:
        try:
            with unit_of_work(database, actor=Actor.system(JOB), clock=clock, realm=realms[notice]) as work:
                done += issue(work, notice)
        except (RuleBroken, Conflict) as refusal:
            log.warning("notice not issued", notice=notice, code=refusal.code)
    return done


def send_dunning_letters(database: Database, *, clock: Clock, mail_url: str | None) -> int:
    """Send what is due; returns how many left. Without a mail server nothing is tried."""
    return 0 if mail_url is None else hand_over(database, clock, mail_url, _LETTERS)


def _message(session: Session, letter: DunningLetter, sender: str, at: datetime) -> EmailMessage:
    message = mail(
        subject=letter.subject, sender=sender, to=letter.to_address or "", message_id=letter.message_id, at=at, body=letter.body
    )  # fmt: skip
    message["Content-Language"] = letter.language
    paper = notice_paper(notice_of(session, letter.notice_id))
    message.add_attachment(paper.content, maintype="application", subtype="pdf", filename=paper.file_name)
    return message


def _left(letter: DunningLetter, way: Way) -> None:
    letter.way = way


_LETTERS = Outbox(job="dunning-letters", model=DunningLetter, flow=LETTER, message=_message, left=_left)
