"""Closing the books: who may, a closing whose tasks are done, and one that is locked."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from app.queries.closing_checks import find
from erpcore.kernel.actor import Actor
from erpcore.ledger.closing.models import ClosingTask
from erpcore.ledger.closing.services import lock_books, start_closing
from erpcore.ledger.closing.tasks import DoTask, do_task

#: The first day after what is closed: the builders trade on the day after it.
MARCH = date(2026, 3, 1)
MAY = frozenset({"ledger:period:close", "ledger:entry:post", "ledger:journal:approve"})
FINANCE, OTHER = (Actor(id=key, role="finance", permissions=MAY) for key in (41, 42))
CLERK = Actor(id=44, role="clerk", permissions=frozenset({"ledger:entry:post"}))


def a_closing(business, until=MARCH, *, done=True):
    """A closing of the days before ``until``; its tasks are done unless told otherwise."""
    with business.work(FINANCE) as work:
        closing = start_closing(work, business.entity, until)
    if done:
        finish_tasks(business, closing)
    return closing


def finish_tasks(business, closing):
    with business.work(FINANCE) as work:
        for task in work.session.scalars(select(ClosingTask.id).where(ClosingTask.closing_id == closing)).all():
            do_task(work, DoTask(task=task, evidence="looked at, nothing to say"))


def locked(business, closing, **options):
    with business.work(FINANCE) as work:
        lock_books(work, closing, find, reason="February is final", **options)
