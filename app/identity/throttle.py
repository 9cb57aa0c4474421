"""How often may somebody guess? Failed sign-ins are counted by name and by network address, and slow the next one down.

Nobody is locked out for good: a block ends by itself, so that a stranger cannot keep a person away. Counters stand in the
database, since every worker process must know them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app.identity.models import LoginThrottle
from erpcore.kernel.work import UnitOfWork

#: Failures after which a name and an address have to wait. An office shares one address.
NAME_LIMIT, ADDRESS_LIMIT = 5, 30
#: The first wait; each further failure doubles it, up to the longest.
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(minutes=15)
#: Failures older than this are forgotten.
MEMORY = timedelta(minutes=30)


def throttle_keys(sign_in: str, address: str | None) -> dict[str, int]:
    """The counters that an attempt belongs to, with their limits. Hashes: neither names nor addresses are kept."""
    keys = {sha256(f"name:{sign_in}".encode()).hexdigest(): NAME_LIMIT}
    if address:
        keys[sha256(f"address:{address}".encode()).hexdigest()] = ADDRESS_LIMIT
    return keys


def blocked_until(session: Session, keys: Iterable[str], now: datetime) -> datetime | None:
    """When the next attempt is heard; ``None``: now."""
    found = session.scalars(select(LoginThrottle.blocked_until).where(LoginThrottle.key.in_(list(keys))))
    waits = [at for at in found if at is not None and at > now]
    return max(waits, default=None)


def count_failure(work: UnitOfWork, keys: dict[str, int]) -> None:
    """Remember a failed attempt, and block the name or address that has had too many."""
    insert = sqlite_insert if work.dialect.name == "sqlite" else pg_insert
    for key, limit in sorted(keys.items()):
        # Two first failures at once must both count, so the row is there before it is locked.
        fresh = insert(LoginThrottle).values(key=key, failures=0, last_at=work.now).on_conflict_do_nothing()
        work.session.execute(fresh)
        row = work.session.get_one(LoginThrottle, key, with_for_update={"key_share": True})
        if row.last_at < work.now - MEMORY:
            row.failures, row.blocked_until = 0, None
        row.failures += 1
        row.last_at = work.now
        if row.failures >= limit:
            # Beyond sixteen doublings every wait is the longest.
            row.blocked_until = work.now + min(FIRST_WAIT * 2 ** min(row.failures - limit, 16), LONGEST_WAIT)


def forget_failures(work: UnitOfWork, sign_in: str) -> None:
    """A person who signed in starts afresh; the address keeps its count, or one good account would unlock guessing."""
    work.session.execute(delete(LoginThrottle).where(LoginThrottle.key.in_(throttle_keys(sign_in, None))))


def forget_old_failures(work: UnitOfWork) -> None:
    """Drop counters that no longer matter."""
    work.session.execute(delete(LoginThrottle).where(LoginThrottle.last_at < work.now - MEMORY))
