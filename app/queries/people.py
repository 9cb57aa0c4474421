"""Who has an account, and which tokens are there? The lists of people and of programs' secrets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, exists, func, literal_column, or_, select
from sqlalchemy.orm import Session

from app.identity.models import Account, ApiToken, RoleGrant, SignIn
from app.identity.queries import Person, TokenEntry, in_force, list_people, token_entry
from app.queries.listing import Eyes, SqlList
from app.queries.worked_out import AskedList

_SORTS: dict[str, Any] = {"name": func.lower(Account.name), "zone": Account.time_zone}
#: Written out, since what is counted by it must be the same expression twice.
_STANDING = case((Account.closed_at.is_(None), literal_column("'open'")), else_=literal_column("'closed'"))


def _people(now: datetime) -> SqlList[Any]:
    """The accounts as of now: roles and sign-ins are those of this moment."""

    def filled(session: Session, rows: list[Any]) -> list[Any]:
        found = {one.id: one for one in list_people(session, now, ids=[row.id for row in rows])}
        return [found[row.id] for row in rows]

    def has_role(value: Any, _eyes: Eyes) -> ColumnElement[bool]:
        return exists().where(RoleGrant.account_id == Account.id, RoleGrant.role == value, in_force(now))

    def is_present(_value: Any, _eyes: Eyes) -> ColumnElement[bool]:
        return exists().where(SignIn.account_id == Account.id, SignIn.ended_at.is_(None), SignIn.expires_at > now)

    return SqlList(
        select=lambda: select(Account.id).select_from(Account), row=lambda row: row, finish=filled, tie=(Account.id,),
        usual="name", text=(Account.name, Account.sign_in), by=("account", _STANDING), flags=("present",), sorts=_SORTS,
        wanted={
            "role": has_role, "present": is_present,
            "account": lambda value, _: Account.closed_at.is_not(None) if value == "closed" else Account.closed_at.is_(None),
        },
    )  # fmt: skip


PEOPLE: AskedList[Person] = AskedList(
    sorts=_SORTS,
    one_page=lambda session, actor, asked, now: _people(now).page(session, actor, asked, now),
    all_rows=lambda session, actor, asked, now: _people(now).every(session, actor, asked, now),
    behind=lambda session, actor, asked, now, after, limit: _people(now).after(
        session, actor, asked, now, after=after, limit=limit
    ),
)


@dataclass(frozen=True, kw_only=True)
class TokenRow(TokenEntry):
    """A token with the name of the account that it acts as."""

    holder: str


def _token(row: Any) -> TokenRow:
    entry = token_entry(row.ApiToken)
    return TokenRow(holder=row.holder, **{name: getattr(entry, name) for name in TokenEntry.__dataclass_fields__})


TOKENS: SqlList[TokenRow] = SqlList(
    select=lambda: (
        select(ApiToken, Account.name.label("holder")).select_from(ApiToken).join(Account, Account.id == ApiToken.account_id)
    ),
    row=_token, tie=(ApiToken.id,), usual="made", text=(ApiToken.name,), flags=("ended",),
    sorts={"made": ApiToken.id, "name": func.lower(ApiToken.name), "until": ApiToken.expires_at},
    wanted={"ended": lambda _value, eyes: or_(ApiToken.revoked_at.is_not(None), ApiToken.expires_at <= eyes.now)},
)  # fmt: skip
