"""What does a request have at hand? The database to read, a unit of work to change, who acts, what time it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from flask import current_app, g, request
from sqlalchemy.orm import Session

from app.composition.curing import cure_after
from app.composition.uow import Database, alone, unit_of_work
from app.config import Settings
from app.extensions import db
from app.identity.tokens import find_token
from app.security.permissions import Permission
from app.security.require import actor
from app.security.scopes import actor_for
from erpcore.credit.services import relieved
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from erpcore.kernel.errors import NotAllowed
from erpcore.kernel.work import UnitOfWork


@dataclass(frozen=True)
class Installation:
    """What ``create_app`` was given, kept with the application."""

    settings: Settings
    database: Database
    clock: Clock


def installation() -> Installation:
    """The settings, database and clock of this application."""
    found: Installation = current_app.extensions["wavegate"]
    return found


def now() -> datetime:
    """The instant of this request: read once, so that one page shows one moment."""
    if "now" not in g:
        g.now = installation().clock.now()
    moment: datetime = g.now
    return moment


def reader() -> Session:
    """The session that reads for this request; it cannot write, and is closed when the answer is made."""
    return db.session()


@contextmanager
def change(*, realm: str = "live", source: str = "screen", by: Actor | None = None) -> Iterator[UnitOfWork]:
    """Open the unit of work of a POST. ``by`` is for sign-in, where nobody acts yet.

    What was read before is read again afterwards, so that the answer shows the change. Orders that were held for what the
    change has mended go on at once.
    """
    with unit_of_work(
        installation().database,
        actor=by or actor(),
        clock=installation().clock,
        realm=realm,
        source=source,
        request_id=g.get("request_id"),
    ) as work:
        yield work
    if eased := relieved(work):
        cure_after(installation().database, clock=installation().clock, customers=eased)
    db.session.rollback()


def bearer() -> Actor | None:
    """The actor behind the token that came with the request; ``None`` when no token came.

    Raises ``NotAllowed("token_refused")`` for a token that is unknown, expired or revoked: it must not pass as no token.
    """
    header = request.headers.get("Authorization", "")
    kind, _, secret = header.partition(" ")
    if not header:
        return None
    holder = None
    if kind.lower() == "bearer":
        # Asked alone, before the transaction of the call: it needs none of its own.
        with alone(installation().database) as connection:
            holder = find_token(connection, secret.strip(), now())
    if holder is None:
        raise NotAllowed("token_refused")
    # Every token may ask for whom it speaks.
    permissions = holder.permissions | {Permission.SELF_READ}
    return actor_for(
        reader(), holder.account_id, holder.role, holder.acting, permissions=permissions, sites=holder.sites
    )
