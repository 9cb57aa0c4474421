"""Who is there, in which roles, with which tokens?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from app.identity.models import Account, ApiToken, RoleGrant, SignIn
from erpcore.masterdata.models import Entity, Realm, Site


@dataclass(frozen=True, kw_only=True)
class GrantedRole:
    """A role a person has at this moment. ``site`` and ``site_name`` ``None``: at all sites."""

    id: int
    role: str
    site: int | None
    site_name: str | None
    valid_from: datetime
    valid_until: datetime | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Person:
    """An account as lists show it."""

    id: int
    sign_in: str
    name: str
    email: str | None
    time_zone: str
    is_closed: bool
    may_sign_in: bool
    must_change: bool
    created_at: datetime
    roles: tuple[GrantedRole, ...]
    open_sign_ins: int
    password_hash: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class TokenEntry:
    """A token as lists show it: everything but the secret."""

    id: int
    account_id: int
    name: str
    shown: str
    role: str
    permissions: tuple[str, ...]
    sites: tuple[int, ...] | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


def in_force(now: datetime) -> ColumnElement[bool]:
    """Whether a grant holds at this moment."""
    return (RoleGrant.valid_from <= now) & or_(RoleGrant.valid_until.is_(None), RoleGrant.valid_until > now)


def granted(grant: RoleGrant, site_name: str | None) -> GrantedRole:
    """A grant as its readers know it."""
    return GrantedRole(
        id=grant.id,
        role=grant.role,
        site=grant.site_id,
        site_name=site_name,
        valid_from=grant.valid_from,
        valid_until=grant.valid_until,
        reason=grant.reason,
    )


_grant = RoleGrant.__table__
_NOW = bindparam("now", type_=_grant.c.valid_from.type)


def granted_columns() -> list[ColumnElement[Any]]:
    """What ``granted_role`` reads of a grant and its site."""
    return [
        _grant.c.id.label("grant_id"), _grant.c.role.label("granted"), _grant.c.site_id.label("site"),
        Site.__table__.c.name.label("site_name"), _grant.c.valid_from, _grant.c.valid_until, _grant.c.reason,
    ]  # fmt: skip


def holds_at_now() -> ColumnElement[bool]:
    """Whether a grant holds at the parameter ``now``."""
    return and_(_grant.c.valid_from <= _NOW, _grant.c.valid_until.is_(None) | (_grant.c.valid_until > _NOW))


def granted_role(row: Any) -> GrantedRole:
    """The grant in a row of ``granted_columns``."""
    return GrantedRole(
        id=row.grant_id, role=row.granted, site=row.site, site_name=row.site_name, valid_from=row.valid_from,
        valid_until=row.valid_until, reason=row.reason,
    )  # fmt: skip


#: Asked at every request, so made once.
_IN_FORCE = (
    select(*granted_columns(), _grant.c.account_id)
    .outerjoin(Site.__table__, Site.__table__.c.id == _grant.c.site_id)
    .where(_grant.c.account_id.in_(bindparam("accounts", expanding=True)), holds_at_now())
    .order_by(_grant.c.valid_from, _grant.c.id)
)


def _grants(session: Session, accounts: Iterable[int], now: datetime) -> dict[int, list[GrantedRole]]:
    found: dict[int, list[GrantedRole]] = {}
    for row in session.execute(_IN_FORCE, {"accounts": list(accounts), "now": now}):
        found.setdefault(row.account_id, []).append(granted_role(row))
    return found


def roles_of(session: Session, account_id: int, now: datetime) -> list[GrantedRole]:
    """The roles a person has at ``now``, oldest first."""
    return _grants(session, [account_id], now).get(account_id, [])


def roles_of_people(session: Session, accounts: Iterable[int], now: datetime) -> dict[int, list[GrantedRole]]:
    """The roles that people have at ``now``, oldest first; who has none is left out. One query."""
    return _grants(session, accounts, now)


def account_by_sign_in(session: Session, sign_in: str) -> Account | None:
    """The account behind a sign-in name that is still open."""
    return session.scalar(
        select(Account).where(Account.sign_in == sign_in.strip().lower(), Account.closed_at.is_(None))
    )


def list_people(session: Session, now: datetime, *, ids: Sequence[int] | None = None) -> list[Person]:
    """Accounts by id, with the roles they have now."""
    query = select(Account).order_by(Account.id)
    accounts = list(session.scalars(query if ids is None else query.where(Account.id.in_(ids))))
    keys = [account.id for account in accounts]
    grants = _grants(session, keys, now)
    counted = session.execute(
        select(SignIn.account_id, func.count())
        .where(SignIn.account_id.in_(keys), SignIn.ended_at.is_(None), SignIn.expires_at > now)
        .group_by(SignIn.account_id)
    )
    open_sign_ins = {row[0]: row[1] for row in counted}
    return [
        Person(
            id=account.id,
            sign_in=account.sign_in,
            name=account.name,
            email=account.email,
            time_zone=account.time_zone,
            is_closed=account.closed_at is not None,
            may_sign_in=account.password_hash is not None and account.closed_at is None,
            must_change=account.must_change,
            created_at=account.created_at,
            roles=tuple(grants.get(account.id, ())),
            open_sign_ins=open_sign_ins.get(account.id, 0),
            password_hash=account.password_hash,
        )
        for account in accounts
    ]


def person(session: Session, account_id: int, now: datetime) -> Person | None:
    """One account, open or closed."""
    return next(iter(list_people(session, now, ids=[account_id])), None)


def names_of(session: Session, accounts: Iterable[int]) -> dict[int, str]:
    """Names by account id, for histories that know people by id alone; ids of jobs are missing."""
    wanted = sorted(set(accounts))
    if not wanted:
        return {}
    return {row.id: row.name for row in session.execute(select(Account.id, Account.name).where(Account.id.in_(wanted)))}


def roles_there(session: Session, accounts: Iterable[int], site: int, now: datetime) -> dict[int, str]:
    """In which role people work at a site, by account id: what everybody may read of them. One of them where they have several."""
    live = select(Site.twin_id).where(Site.id == site).scalar_subquery()
    rows = session.execute(
        select(RoleGrant.account_id, RoleGrant.role)
        .where(
            RoleGrant.account_id.in_(sorted(set(accounts))), in_force(now),
            (RoleGrant.site_id.is_(None)) | (RoleGrant.site_id == site) | (RoleGrant.site_id == live),
        )
        .order_by(RoleGrant.id)
    )  # fmt: skip
    return {row.account_id: row.role for row in rows}


def list_tokens(session: Session, *, account: int | None = None) -> list[TokenEntry]:
    """Tokens by id, also those that ended."""
    query = select(ApiToken).order_by(ApiToken.id)
    if account is not None:
        query = query.where(ApiToken.account_id == account)
    return [token_entry(token) for token in session.scalars(query)]


def token_entry(token: ApiToken) -> TokenEntry:
    """A token without its secret."""
    return TokenEntry(
        id=token.id,
        account_id=token.account_id,
        name=token.name,
        shown=token.shown,
        role=token.role,
        permissions=tuple(orjson.loads(token.permissions)),
        sites=None if token.sites is None else tuple(orjson.loads(token.sites)),
        created_at=token.created_at,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
    )


def live_sites(session: Session) -> list[tuple[int, str]]:
    """The sites a role can be given for, by name: live ones; their rehearsal twins follow them."""
    query = select(Site.id, Site.name).join(Entity, Entity.id == Site.entity_id).where(Entity.realm == Realm.LIVE)
    return [(row.id, row.name) for row in session.execute(query.order_by(Site.name))]
