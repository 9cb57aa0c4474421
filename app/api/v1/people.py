"""Who am I to the API, who has an account, and which tokens are there?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from app.api.framework import operation
from app.api.lists import listed, only, part_of, which
from app.api.values import Answer, Body, Page, PageQuery
from app.composition.request import now, reader
from app.composition.variants import person_leaves
from app.identity.queries import GrantedRole, Person, TokenEntry, list_tokens, person
from app.identity.services import CreateUser, GrantRole, create_user, grant_role, revoke_role
from app.identity.tokens import CreateToken, create_token, revoke_token
from app.queries.left_behind import left_behind
from app.queries.people import PEOPLE, TOKENS
from app.security.permissions import Permission
from app.security.require import actor
from app.security.roles import Role, permissions_of
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork


class Me(Answer):
    """For whom the token speaks, and how far."""

    account: int
    role: str
    permissions: list[str]
    sites: list[int] | None = Field(description="Ids of the sites in reach; null: all.")


class RoleAnswer(Answer):
    """A role somebody has now."""

    id: int
    role: str
    site: int | None
    valid_from: datetime
    valid_until: datetime | None
    reason: str


class UserAnswer(Answer):
    """An account and its roles."""

    id: int
    sign_in: str
    name: str
    email: str | None
    time_zone: str
    is_closed: bool
    roles: list[RoleAnswer]


class HeldAnswer(Answer):
    """So many of something that still stands."""

    what: str
    count: int


class LeftBehindAnswer(Answer):
    """Somebody whose last day has passed. `is_closed` false: their roles have all ended, and nobody closed the account."""

    person: int
    name: str
    since: datetime
    is_closed: bool
    held: list[HeldAnswer]


class LeftBehindList(Answer):
    """The first to leave first."""

    items: list[LeftBehindAnswer]


class UserQuery(PageQuery):
    """Which accounts."""

    account: Literal["open", "closed"] | None = None
    present: bool = only("those that are signed in now")
    text: str = part_of("the name or the sign-in name")
    role: Role | None = which("Only those that have this role now.")


class UserBody(Body):
    """A new account."""

    sign_in: str = Field(min_length=1, max_length=120, pattern=r"^\S+$")
    name: str = Field(min_length=1, max_length=200)
    email: str | None = Field(None, max_length=200)
    time_zone: str = Field("UTC", max_length=48)


class RoleBody(Body):
    """A role to give."""

    role: Role
    site: int | None = Field(None, ge=1, le=2**63 - 1, description="A live site's id; null: all sites.")
    until: datetime | None = None
    reason: str = Field(min_length=1, max_length=500)


class ReasonBody(Body):
    """Why something ends; kept in the audit trail."""

    reason: str = Field(min_length=1, max_length=500)


class TokenAnswer(Answer):
    """A token without its secret."""

    id: int
    account: int
    name: str
    shown: str
    role: str
    permissions: list[str]
    sites: list[int] | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class TokenQuery(PageQuery):
    """Which tokens."""

    ended: bool = only("those that were revoked or have expired")
    text: str = part_of("the name")


class NewToken(TokenAnswer):
    """A token with its secret."""

    secret: str | None = Field(description="Shown this once; null when a call is repeated.")


class TokenBody(Body):
    """A new token."""

    name: str = Field(min_length=1, max_length=200)
    role: Role
    permissions: list[Permission] = Field(min_length=1)
    sites: list[int] | None = Field(None, description="null: all sites of the role.")
    days: int = Field(90, ge=1, le=366)


def _role(granted: GrantedRole) -> RoleAnswer:
    return RoleAnswer.model_validate(granted)


def _user(found: Person) -> UserAnswer:
    return UserAnswer(
        id=found.id,
        sign_in=found.sign_in,
        name=found.name,
        email=found.email,
        time_zone=found.time_zone,
        is_closed=found.is_closed,
        roles=[_role(granted) for granted in found.roles],
    )


def _token(found: TokenEntry) -> TokenAnswer:
    return TokenAnswer(
        account=found.account_id,
        **{name: getattr(found, name) for name in TokenAnswer.model_fields if name != "account"},
    )


@operation("GET", "/me", permission=Permission.SELF_READ, summary="For whom this token speaks", tag="People", answer=Me)
def me() -> Me:
    who = actor()
    return Me(
        account=who.id,
        role=who.role,
        permissions=sorted(who.permissions),
        sites=None if who.sites is None else sorted(who.sites),
    )


@operation(
    "GET", "/users", permission=Permission.USER_READ, summary="List accounts", tag="People", query=UserQuery,
    answer=Page[UserAnswer],
)  # fmt: skip
def list_users(query: UserQuery) -> Page[UserAnswer]:
    return listed(PEOPLE, query, _user)


@operation(
    "GET", "/users/left-behind", permission=Permission.PROGRAMME_MANAGE,
    summary="Who left and still answers for something that stands", tag="People", answer=LeftBehindList,
)  # fmt: skip
def list_left_behind() -> LeftBehindList:
    found = left_behind(reader(), now())
    return LeftBehindList(
        items=[
            LeftBehindAnswer(
                person=one.person, name=one.name, since=one.since, is_closed=one.is_closed,
                held=[HeldAnswer(what=what, count=count) for what, count in one.held],
            )
            for one in found
        ]
    )  # fmt: skip


@operation(
    "GET", "/users/{user_id}", permission=Permission.USER_READ, summary="One account", tag="People", answer=UserAnswer
)
def show_user(user_id: int) -> UserAnswer:
    found = person(reader(), user_id, now())
    if found is None:
        raise NotFound("account_unknown")
    return _user(found)


@operation(
    "POST", "/users", permission=Permission.USER_MANAGE, summary="Open an account without password", tag="People",
    body=UserBody, answer=UserAnswer, status=201,
    example={"sign_in": "feed@example.com", "name": "Order feed", "time_zone": "Europe/Berlin"},
)  # fmt: skip
def open_account(work: UnitOfWork, body: UserBody) -> UserAnswer:
    account = create_user(work, CreateUser(**body.model_dump()))
    work.session.flush()  # the answer is read back with a query
    made = person(work.session, account.id, work.now)
    if made is None:
        raise NotFound("account_unknown")
    return _user(made)


@operation(
    "POST", "/users/{user_id}/roles", permission=Permission.USER_MANAGE, summary="Give a role", tag="People",
    body=RoleBody, answer=RoleAnswer, status=201, example={"role": "customer_service", "reason": "order desk"},
)  # fmt: skip
def give_role(work: UnitOfWork, user_id: int, body: RoleBody) -> RoleAnswer:
    grant = grant_role(
        work,
        GrantRole(account=user_id, role=body.role.value, site=body.site, until=body.until, reason=body.reason),
    )
    return RoleAnswer(
        id=grant.id,
        role=grant.role,
        site=grant.site_id,
        valid_from=grant.valid_from,
        valid_until=grant.valid_until,
        reason=grant.reason,
    )


@operation(
    "POST", "/roles/{grant_id}/revoke", permission=Permission.USER_MANAGE, summary="End a role now", tag="People",
    body=ReasonBody, answer=None, example={"reason": "moved to another team"},
)  # fmt: skip
def end_role(work: UnitOfWork, grant_id: int, body: ReasonBody) -> None:
    revoke_role(work, grant_id, reason=body.reason)


@operation(
    "POST", "/users/{user_id}/close", permission=Permission.USER_MANAGE, summary="Close an account", tag="People",
    body=ReasonBody, answer=None, example={"reason": "left the company"},
)  # fmt: skip
def close_user(work: UnitOfWork, user_id: int, body: ReasonBody) -> None:
    person_leaves(work, user_id, reason=body.reason)


@operation(
    "GET", "/tokens", permission=Permission.TOKEN_READ, summary="List tokens", tag="Tokens", query=TokenQuery,
    answer=Page[TokenAnswer],
)  # fmt: skip
def list_all_tokens(query: TokenQuery) -> Page[TokenAnswer]:
    return listed(TOKENS, query, _token)


@operation(
    "POST", "/users/{user_id}/tokens", permission=Permission.TOKEN_MANAGE, summary="Make a token", tag="Tokens",
    body=TokenBody, answer=NewToken, status=201,
    example={"name": "order feed", "role": "customer_service", "permissions": ["orders:order:capture"], "days": 90},
)  # fmt: skip
def make_token(work: UnitOfWork, user_id: int, body: TokenBody) -> NewToken:
    beyond = {permission.value for permission in body.permissions} - permissions_of(body.role)
    if beyond:
        raise RuleBroken("token_beyond_role", field="permissions", role=body.role.value, permissions=sorted(beyond))
    token, secret = create_token(
        work,
        CreateToken(
            account=user_id,
            name=body.name,
            role=body.role.value,
            permissions=frozenset(permission.value for permission in body.permissions),
            sites=None if body.sites is None else frozenset(body.sites),
            lasting=timedelta(days=body.days),
        ),
    )
    work.session.flush()  # the answer is read back with a query
    made = next(one for one in list_tokens(work.session, account=user_id) if one.id == token.id)
    return NewToken(secret=secret, **_token(made).model_dump())


@operation(
    "POST", "/tokens/{token_id}/revoke", permission=Permission.TOKEN_MANAGE, summary="End a token now", tag="Tokens",
    body=ReasonBody, answer=None, example={"reason": "no longer used"},
)  # fmt: skip
def end_token(work: UnitOfWork, token_id: int, body: ReasonBody) -> None:
    revoke_token(work, token_id, reason=body.reason)
