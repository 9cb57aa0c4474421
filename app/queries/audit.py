"""Who did what to which object, and when? The audit trail as a list, by object, person and time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import BigInteger, ColumnElement, Text, cast, false, func, literal, select
from sqlalchemy.orm import Session

from app.identity.models import Account
from app.identity.queries import names_of
from app.queries.audit_words import codes_of, in_words
from app.queries.listing import Eyes, Position, SqlList
from app.security.permissions import Permission
from app.security.roles import title_of
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import AuditEntry, AuditLink

#: More acts than this are in no transaction.
_ACTS = 1_000_000
#: The number of an act: its link's, then its place in it.
KEY = cast(AuditEntry.position, BigInteger) * _ACTS + AuditEntry.ordinal


@dataclass(frozen=True, kw_only=True)
class AuditRow:
    """One act. ``who`` reads as the viewer may know them; ``code`` is what its object is called, ``said`` its facts in words."""

    id: int
    position: int
    at: datetime
    kind: str
    subject_type: str
    subject_id: int | None
    actor: int
    role: str
    facts: dict[str, Any]
    who: str = ""
    code: str = ""
    said: str = ""


def _acts() -> Any:
    return (
        select(AuditEntry, AuditLink.at)
        .select_from(AuditEntry)
        .join(AuditLink, AuditLink.position == AuditEntry.position)
    )


def _row(row: Any) -> AuditRow:
    one: AuditEntry = row.AuditEntry
    return AuditRow(
        id=one.position * _ACTS + one.ordinal, position=one.position, at=row.at, kind=one.kind,
        subject_type=one.subject_type, subject_id=one.subject_id, actor=one.actor, role=one.role,
        facts=orjson.loads(one.content)["facts"],
    )  # fmt: skip


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _end(day: date) -> datetime:
    """The instant from which on it is another day; the calendar's last day has none after it."""
    return datetime.max.replace(tzinfo=UTC) if day == date.max else _start(day + timedelta(days=1))


def _by(person: int, eyes: Eyes) -> ColumnElement[bool]:
    """What a person did; nothing for who may not know who did it."""
    return AuditEntry.actor == person if eyes.actor.may(Permission.USER_READ) else false()


#: What an act says, but for the number of who did it.
_SAID = func.replace(AuditEntry.content, literal('"actor":').concat(cast(AuditEntry.actor, Text)), "", type_=Text)


_LIST: SqlList[AuditRow] = SqlList(
    select=_acts, row=_row, tie=(AuditEntry.position, AuditEntry.ordinal, KEY), usual="-at", is_long=True,
    sorts={"at": AuditEntry.position, "kind": AuditEntry.kind, "object": AuditEntry.subject_type},
    scope=lambda query, _actor: query,
    text=(AuditEntry.kind, _SAID),
    wanted={
        "object": lambda value, _: AuditEntry.subject_type == value,
        "number": lambda value, _: AuditEntry.subject_id == value,
        "person": _by,
        "since": lambda value, _: AuditLink.at >= _start(value),
        "until": lambda value, _: AuditLink.at < _end(value),
    },
)  # fmt: skip


def named(session: Session, actor: Actor, rows: list[AuditRow]) -> list[AuditRow]:
    """With names for who may see people, with roles for everybody else: that somebody did it is no secret, who it was is.

    At most two queries.
    """
    names = names_of(session, {row.actor for row in rows}) if actor.may(Permission.USER_READ) else {}
    codes = codes_of(session, [(row.subject_type, row.subject_id, row.facts) for row in rows])
    return [
        replace(
            row, who=names.get(row.actor, title_of(row.role.removeprefix("system:"))),
            code=codes.get((row.subject_type, row.subject_id or 0), ("", ""))[0],
            said=in_words(row.subject_type, row.subject_id, row.facts, codes),
        )
        for row in rows
    ]  # fmt: skip


class AuditList:
    """The trail as lists, files and programs read it."""

    sorts = _LIST.sorts
    kinds: tuple[type, ...] = (int,)

    def page(self, session: Session, actor: Actor, asked: Any, now: datetime) -> Any:
        found = _LIST.page(session, actor, asked, now)
        return replace(found, rows=named(session, actor, list(found.rows)))

    def every(self, session: Session, actor: Actor, asked: Any, now: datetime) -> Iterator[AuditRow]:
        part: list[AuditRow] = []
        for row in _LIST.every(session, actor, asked, now):
            part.append(row)
            if len(part) == _PART:
                yield from named(session, actor, part)
                part = []
        yield from named(session, actor, part)

    def after(
        self, session: Session, actor: Actor, asked: Any, now: datetime, *, after: Position, limit: int
    ) -> list[AuditRow]:
        """Acts in their order, those after ``after``."""
        return named(session, actor, _LIST.after(session, actor, asked, now, after=after, limit=limit))


_PART = 500
AUDIT = AuditList()


def kinds_of_objects(session: Session) -> list[str]:
    """What the trail speaks of."""
    return sorted(session.scalars(select(AuditEntry.subject_type).distinct()))


def people_who_acted(session: Session) -> list[tuple[int, str]]:
    """Everybody who stands in the trail, by name."""
    acted = select(AuditEntry.actor).distinct()
    rows = session.execute(select(Account.id, Account.name).where(Account.id.in_(acted)).order_by(Account.name))
    return [(row.id, row.name) for row in rows]
