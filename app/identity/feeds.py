"""The secret address of a person's calendar: made once, shown once, kept as a hash, ended at once."""

from __future__ import annotations

import secrets
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.identity.models import Account, CalendarFeed
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork

#: Begins every secret, so that scanners of code and logs can recognise one that was left lying about.
PREFIX = "wgc1_"


def make_feed(work: UnitOfWork, account: int) -> tuple[CalendarFeed, str]:
    """A new address for one's calendar; the second value is its secret, which cannot be had again. The old one ends at once."""
    found = work.session.get(Account, account, with_for_update={"key_share": True}, populate_existing=True)
    if found is None or found.closed_at is not None:
        raise NotFound("account_unknown")
    old = _open(work, account)
    if old is not None:
        old.revoked_at = work.now
        work.session.flush()  # one is open at a time
    secret = PREFIX + secrets.token_urlsafe(32)
    feed = CalendarFeed(id=work.ids.one(), account_id=account, token_hash=_digest(secret), made_at=work.now)
    work.session.add(feed)
    work.audit("calendar_feed.made", "calendar_feed", feed.id, account=account, ended=old.id if old else None)
    return feed, secret


def revoke_feed(work: UnitOfWork, account: int) -> None:
    """Nobody reads the calendar at its address any more. Raises ``NotFound`` where there is none."""
    work.session.get(Account, account, with_for_update={"key_share": True})
    feed = _open(work, account)
    if feed is None:
        raise NotFound("calendar_feed_unknown")
    feed.revoked_at = work.now
    work.audit("calendar_feed.revoked", "calendar_feed", feed.id, account=account)


def feed_since(session: Session, account: int) -> datetime | None:
    """Since when the person's calendar has an address; ``None``: it has none. One query."""
    return session.scalar(
        select(CalendarFeed.made_at).where(CalendarFeed.account_id == account, CalendarFeed.revoked_at.is_(None))
    )


def reader_of(session: Session, secret: str) -> int:
    """Whose calendar the address is. Raises ``NotFound`` for an address that is unknown, ended, or of a closed account."""
    found = None
    if secret.startswith(PREFIX):
        found = session.scalar(
            select(CalendarFeed.account_id)
            .join(Account, Account.id == CalendarFeed.account_id)
            .where(
                CalendarFeed.token_hash == _digest(secret),
                CalendarFeed.revoked_at.is_(None),
                Account.closed_at.is_(None),
            )
        )
    if found is None:
        raise NotFound("calendar_feed_unknown")
    return found


def _open(work: UnitOfWork, account: int) -> CalendarFeed | None:
    return work.session.scalar(
        select(CalendarFeed).where(CalendarFeed.account_id == account, CalendarFeed.revoked_at.is_(None))
    )


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
