"""Quotes without typing: one whose last day has passed is over, one transaction each."""

from __future__ import annotations

import structlog
from sqlalchemy import select

from app.composition.uow import Database, reading, unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock, local_day
from erpcore.kernel.errors import DomainError
from erpcore.masterdata.models import Entity, Site
from erpcore.orders.quotes.models import Quote, QuoteState
from erpcore.orders.quotes.services import expire_quotes

log = structlog.get_logger(__name__)
JOB = "quotes"


def expire_old_quotes(database: Database, *, clock: Clock) -> int:
    """Look at the sent quotes whose last day may have passed somewhere; returns how many are over by the day of their site."""
    now = clock.now()
    # No place on earth is further ahead than this.
    latest = local_day(now, "Pacific/Kiritimati")
    with reading(database) as session:
        due = session.execute(
            select(Quote.id, Entity.realm)
            .join(Site, Site.id == Quote.site_id)
            .join(Entity, Entity.id == Site.entity_id)
            .where(Quote.state == QuoteState.SENT, Quote.valid_until <= latest)
            .order_by(Quote.id)
        ).all()
    over = 0
    for quote, realm in due:
        try:
            with unit_of_work(database, actor=Actor.system(JOB), clock=clock, realm=realm) as work:
                over += len(expire_quotes(work, [quote]))
        except DomainError as refusal:
            log.warning("quote not expired", quote=quote, code=refusal.code)
    return over
