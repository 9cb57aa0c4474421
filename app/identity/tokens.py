"""Secrets of programs: made once, shown once, kept as a hash, for some permissions at some sites, until a day."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import orjson
from sqlalchemy import Connection, bindparam, select

from app.identity.models import Account, ApiToken, RoleGrant
from app.identity.queries import GrantedRole, granted_columns, granted_role, holds_at_now, roles_of
from erpcore.kernel.errors import NotAllowed, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Site

#: Begins every token, so that scanners of code and logs can recognise one that was left lying about.
PREFIX = "wg1_"
LONGEST = timedelta(days=366)


@dataclass(frozen=True, kw_only=True)
class CreateToken:
    """``permissions`` are those of ``role`` that the program needs; ``sites`` ``None``: all that the role covers."""

    account: int
    name: str
    role: str
    permissions: frozenset[str]
    lasting: timedelta
    sites: frozenset[int] | None = None


@dataclass(frozen=True, kw_only=True)
class TokenHolder:
    """For whom a token speaks, and how far: never further than the account's role still reaches."""

    token_id: int
    account_id: int
    role: str
    permissions: frozenset[str]
    sites: frozenset[int] | None
    acting: tuple[GrantedRole, ...]


def create_token(work: UnitOfWork, command: CreateToken) -> tuple[ApiToken, str]:
    """Make a token; the second value is the secret, which cannot be had again.

    Raises ``NotAllowed`` when the account has no such role, ``RuleBroken`` for no name, no permission or too long a life.
    """
    if not command.name.strip():
        raise RuleBroken("name_missing", field="name")
    if not command.permissions:
        raise RuleBroken("token_without_permission", field="permissions")
    if not timedelta(0) < command.lasting <= LONGEST:
        raise RuleBroken("token_life", field="days", most=LONGEST.days)
    if command.role not in {granted.role for granted in roles_of(work.session, command.account, work.now)}:
        raise NotAllowed("role_not_held", field="role", role=command.role)
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        id=work.ids.one(),
        account_id=command.account,
        name=command.name.strip(),
        shown=secret[:10],
        token_hash=sha256(secret.encode()).hexdigest(),
        role=command.role,
        permissions=orjson.dumps(sorted(command.permissions)).decode(),
        sites=None if command.sites is None else orjson.dumps(sorted(command.sites)).decode(),
        created_at=work.now,
        expires_at=work.now + command.lasting,
    )
    work.session.add(token)
    work.audit(
        "token.created", "api_token", token.id,
        account=command.account, role=command.role, permissions=command.permissions, sites=command.sites,
        expires_at=token.expires_at,
    )  # fmt: skip
    return token, secret


def revoke_token(work: UnitOfWork, token_id: int, *, reason: str, account: int | None = None) -> None:
    """End a token with the next call. With ``account``, only one of that account's tokens is found."""
    token = work.session.get(ApiToken, token_id, with_for_update={"key_share": True})
    if token is None or token.revoked_at is not None or (account is not None and token.account_id != account):
        raise NotFound("token_unknown")
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="token", move="revoke")
    token.revoked_at = work.now
    work.audit("token.revoked", "api_token", token.id, account=token.account_id, reason=reason.strip())


_token, _account = ApiToken.__table__, Account.__table__
_grant, _site = RoleGrant.__table__, Site.__table__
#: Asked at every call of a program, so made once: the token with the grants of its role that hold now, oldest first.
_HOLDER = (
    select(
        _token.c.id, _token.c.account_id, _token.c.role, _token.c.permissions, _token.c.sites, *granted_columns(),
    )
    .join(_account, _account.c.id == _token.c.account_id)
    .join(_grant, (_grant.c.account_id == _token.c.account_id) & (_grant.c.role == _token.c.role))
    .outerjoin(_site, _site.c.id == _grant.c.site_id)
    .where(
        _token.c.token_hash == bindparam("digest"), _token.c.revoked_at.is_(None),
        _token.c.expires_at > bindparam("now", type_=_token.c.expires_at.type), _account.c.closed_at.is_(None),
        holds_at_now(),
    )
    .order_by(_grant.c.valid_from, _grant.c.id)
)  # fmt: skip


def find_token(connection: Connection, secret: str, now: datetime) -> TokenHolder | None:
    """For whom this secret speaks; ``None`` when it is unknown, revoked, expired, or its role is no longer held."""
    if not secret.startswith(PREFIX):
        return None
    rows = connection.execute(_HOLDER, {"digest": sha256(secret.encode()).hexdigest(), "now": now}).all()
    if not rows:
        return None
    token = rows[0]
    return TokenHolder(
        token_id=token.id,
        account_id=token.account_id,
        role=token.role,
        permissions=frozenset(orjson.loads(token.permissions)),
        sites=None if token.sites is None else frozenset(orjson.loads(token.sites)),
        acting=tuple(granted_role(row) for row in rows),
    )
