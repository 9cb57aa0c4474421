"""A person's sign-in in one browser: opened with a password, seen with every request, ended by leaving or by time.

The cookie holds a random token and when it was last used, signed; the database holds the token's hash, the role in which
the person acts, and when it ends at the latest. So a page that is only read writes nothing, an old copy of a cookie is
worthless after the idle time, and ending the row ends the sign-in everywhere at once.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.identity.models import Account, RoleGrant, SignIn
from app.identity.queries import GrantedRole, granted, in_force, roles_of
from erpcore.kernel.errors import NotAllowed
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Site


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """Who is behind a request: the person, and the roles they may act in; ``role`` is the one they act in now."""

    sign_in_id: int
    account_id: int
    name: str
    role: str
    roles: tuple[GrantedRole, ...]
    must_change: bool
    time_zone: str
    locale: str

    @property
    def acting(self) -> tuple[GrantedRole, ...]:
        """The grants of the role the person acts in."""
        return tuple(granted for granted in self.roles if granted.role == self.role)


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def open_sign_in(work: UnitOfWork, account_id: int, *, role: str | None, lasting: timedelta) -> str:
    """Start a sign-in and return its token, which nobody can read again. ``role`` ``None``: the first the person has.

    Raises ``NotAllowed`` for a person without a role, or without this one.
    """
    roles = roles_of(work.session, account_id, work.now)
    if not roles or (role is not None and role not in {granted.role for granted in roles}):
        raise NotAllowed("no_role")
    token = secrets.token_urlsafe(32)
    work.session.add(
        SignIn(
            id=work.ids.one(),
            account_id=account_id,
            token_hash=_digest(token),
            role=role or roles[0].role,
            created_at=work.now,
            expires_at=work.now + lasting,
        )
    )
    return token


def find_sign_in(session: Session, token: str, now: datetime) -> SignedIn | None:
    """Whose token this is; ``None`` when it is unknown, ended or too old, or its role was taken away."""
    # One query with the roles, since every page asks it.
    found = session.execute(
        select(SignIn, Account, RoleGrant, Site.name)
        .join(Account, Account.id == SignIn.account_id)
        .join(RoleGrant, (RoleGrant.account_id == Account.id) & in_force(now))
        .outerjoin(Site, Site.id == RoleGrant.site_id)
        .where(
            SignIn.token_hash == _digest(token), SignIn.ended_at.is_(None), SignIn.expires_at > now,
            Account.closed_at.is_(None),
        )
        .order_by(RoleGrant.valid_from, RoleGrant.id)
    ).all()  # fmt: skip
    roles = [granted(grant, site_name) for _, _, grant, site_name in found]
    if not found or found[0].SignIn.role not in {one.role for one in roles}:
        return None
    row, account = found[0].SignIn, found[0].Account
    return SignedIn(
        sign_in_id=row.id,
        account_id=account.id,
        name=account.name,
        role=row.role,
        roles=tuple(roles),
        must_change=account.must_change,
        time_zone=account.time_zone,
        locale=account.locale,
    )


def end_sign_in(work: UnitOfWork, sign_in_id: int) -> None:
    """Sign this browser out."""
    work.session.execute(
        update(SignIn).where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None)).values(ended_at=work.now)
    )


def end_all_sign_ins(work: UnitOfWork, account_id: int) -> int:
    """Sign a person out everywhere; returns in how many browsers."""
    ending = update(SignIn).where(
        SignIn.account_id == account_id, SignIn.ended_at.is_(None), SignIn.expires_at > work.now
    )
    ended = int(work.session.execute(ending.values(ended_at=work.now)).rowcount)  # type: ignore[attr-defined]  # of a cursor
    work.audit("sign_in.ended_everywhere", "account", account_id, browsers=ended)
    return ended


def forget_old_sign_ins(work: UnitOfWork, *, kept: timedelta = timedelta(days=30)) -> int:
    """Delete sign-ins that ended or expired long ago; returns how many."""
    gone = delete(SignIn).where(SignIn.expires_at < work.now - kept)
    return int(work.session.execute(gone).rowcount)  # type: ignore[attr-defined]  # of a cursor
