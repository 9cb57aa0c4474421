"""What changes about people: accounts, passwords, and the roles they are given for a time and a site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import available_timezones

from sqlalchemy import select, update

from app.identity.models import Account, ApiToken, RoleGrant, SignIn
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork


@dataclass(frozen=True, kw_only=True)
class CreateUser:
    """A new person. ``password_hash`` comes from ``passwords.hash_password``; ``None``: signs in only with tokens."""

    sign_in: str
    name: str
    email: str | None = None
    password_hash: str | None = None
    must_change: bool = False
    time_zone: str = "UTC"
    locale: str = "en_GB"


@dataclass(frozen=True, kw_only=True)
class GrantRole:
    """A role for a person. ``site`` is a live site's id, ``None`` all sites; ``since`` ``None``: from now on."""

    account: int
    role: str
    reason: str
    site: int | None = None
    since: datetime | None = None
    until: datetime | None = None


def create_user(work: UnitOfWork, command: CreateUser) -> Account:
    """Open an account. Raises ``Conflict`` when the sign-in name is taken, ``RuleBroken`` when something is not usable."""
    sign_in = command.sign_in.strip().lower()
    if not sign_in or any(sign.isspace() for sign in sign_in):
        raise RuleBroken("sign_in_unusable", field="sign_in")
    if not command.name.strip():
        raise RuleBroken("name_missing", field="name")
    if command.time_zone not in available_timezones():
        raise RuleBroken("time_zone_unknown", field="time_zone", time_zone=command.time_zone)
    if work.session.scalar(select(Account.id).where(Account.sign_in == sign_in)):
        raise Conflict("sign_in_taken", field="sign_in", sign_in=sign_in)
    account = Account(
        id=work.ids.one(),
        sign_in=sign_in,
        name=command.name.strip(),
        email=(command.email or "").strip() or None,
        time_zone=command.time_zone,
        locale=command.locale,
        password_hash=command.password_hash,
        must_change=command.must_change,
        created_at=work.now,
    )
    work.session.add(account)
    work.audit("account.created", "account", account.id)
    return account


def grant_role(work: UnitOfWork, command: GrantRole) -> RoleGrant:
    """Give a role; overlapping grants of the same role and site are refused, so that revoking one means what it says."""
    account = _open_account(work, command.account)
    since = command.since or work.now
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="account", move="grant_role")
    if command.until is not None and command.until <= since:
        raise RuleBroken("grant_ends_before_start", field="until")
    same = select(RoleGrant.id).where(
        RoleGrant.account_id == account.id,
        RoleGrant.role == command.role,
        RoleGrant.site_id.is_(None) if command.site is None else RoleGrant.site_id == command.site,
        (RoleGrant.valid_until.is_(None)) | (RoleGrant.valid_until > since),
    )
    if command.until is not None:
        same = same.where(RoleGrant.valid_from < command.until)
    if work.session.scalar(same.limit(1)):
        raise Conflict("role_already_granted", field="role", role=command.role)
    grant = RoleGrant(
        id=work.ids.one(),
        account_id=account.id,
        role=command.role,
        site_id=command.site,
        valid_from=since,
        valid_until=command.until,
        reason=command.reason.strip(),
    )
    work.session.add(grant)
    work.audit(
        "role.granted", "account", account.id,
        role=command.role, site=command.site, since=since, until=command.until, reason=grant.reason,
    )  # fmt: skip
    return grant


def revoke_role(work: UnitOfWork, grant_id: int, *, reason: str) -> None:
    """End a role now. Who acts in it at this moment is signed out, and tokens of the role stop with the next call."""
    grant = work.session.get(RoleGrant, grant_id, with_for_update={"key_share": True})
    if grant is None or (grant.valid_until is not None and grant.valid_until <= work.now):
        raise NotFound("role_grant_unknown")
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="account", move="revoke_role")
    if grant.account_id == work.actor.id and grant.role == "administrator":
        raise RuleBroken("own_administration", field="grant")
    grant.valid_until = max(work.now, grant.valid_from)
    _end_sign_ins(work, grant.account_id, role=grant.role)
    work.audit("role.revoked", "account", grant.account_id, role=grant.role, site=grant.site_id, reason=reason.strip())


def set_password(work: UnitOfWork, account_id: int, password_hash: str) -> None:
    """Replace a password. Chosen by somebody else, it must be changed at the next sign-in; every open sign-in ends."""
    account = _open_account(work, account_id)
    account.password_hash = password_hash
    account.must_change = work.actor.id != account.id
    _end_sign_ins(work, account.id)
    work.audit("password.set", "account", account.id, by_self=work.actor.id == account.id)


def close_account(work: UnitOfWork, account_id: int, *, reason: str) -> None:
    """A person leaves: roles, sign-ins and tokens end, the record of what they did stays."""
    account = _open_account(work, account_id)
    if account.id == work.actor.id:
        raise RuleBroken("own_account", field="account")
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="account", move="close")
    account.closed_at = work.now
    grants = work.session.scalars(
        select(RoleGrant).where(
            RoleGrant.account_id == account.id,
            RoleGrant.valid_until.is_(None) | (RoleGrant.valid_until > work.now),
        )
    )
    for grant in grants:
        grant.valid_until = max(work.now, grant.valid_from)
    work.session.execute(
        update(ApiToken)
        .where(ApiToken.account_id == account.id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=work.now)
    )
    _end_sign_ins(work, account.id)
    work.audit("account.closed", "account", account.id, reason=reason.strip())


def _open_account(work: UnitOfWork, account_id: int) -> Account:
    account = work.session.get(Account, account_id, with_for_update={"key_share": True})
    if account is None or account.closed_at is not None:
        raise NotFound("account_unknown")
    return account


def _end_sign_ins(work: UnitOfWork, account_id: int, *, role: str | None = None) -> None:
    ending = update(SignIn).where(SignIn.account_id == account_id, SignIn.ended_at.is_(None)).values(ended_at=work.now)
    work.session.execute(ending if role is None else ending.where(SignIn.role == role))
