"""Which lists are there besides those of one select? Short ones that are worked out in Python, and those whose queries are written out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy.orm import Session

from app.queries.listing import MOST_ROWS, Asked, Eyes, Found, Position, last_page
from erpcore.kernel.actor import Actor

R = TypeVar("R")

#: The value of a flag that is set.
_ON: Any = True


@dataclass(frozen=True, kw_only=True)
class MemoryList(Generic[R]):
    """A short list that is worked out in Python: ``rows`` gives all that the person may see.

    ``sorts``: by name, what a row is sorted by; without a ``usual`` one the order of ``rows`` stays. ``by``: the filter whose
    values are counted, and the value of a row. ``key``: what programs read on by.
    """

    rows: Callable[[Session, Actor, Asked, datetime], Sequence[R]]
    sorts: Mapping[str, Callable[[R], Any]] = field(default_factory=dict)
    usual: str = ""
    text: Callable[[R], str] | None = None
    wanted: Mapping[str, Callable[[R, Any, Eyes], bool]] = field(default_factory=dict)
    by: tuple[str, Callable[[R], Any]] | None = None
    flags: tuple[str, ...] = ()
    key: Callable[[R], int] = attrgetter("id")
    kinds: ClassVar[tuple[type, ...]] = (int,)

    def page(self, session: Session, actor: Actor, asked: Asked, now: datetime) -> Found[R]:
        """The page that is asked for."""
        name, value_of = self.by or ("", None)
        before = self._fitting(session, actor, asked, now, but=name)
        counts: dict[str, dict[Any, int]] = {
            flag: {True: sum(self.wanted[flag](row, _ON, Eyes(actor, now)) for row in before)} for flag in self.flags
        }
        if value_of is not None:
            counts[name] = dict(Counter(value_of(row) for row in before))
        rows = self._sorted(self._also(before, asked, Eyes(actor, now), name), asked)
        start = (last_page(asked, len(rows)) - 1) * asked.size
        return Found(rows=rows[start : start + asked.size], total=len(rows), counts=counts)

    def every(self, session: Session, actor: Actor, asked: Asked, now: datetime) -> Iterator[R]:
        """All rows that fit."""
        yield from self._sorted(self._fitting(session, actor, asked, now), asked)[:MOST_ROWS]

    def after(
        self, session: Session, actor: Actor, asked: Asked, now: datetime, *, after: Position, limit: int
    ) -> list[R]:
        """Rows by their key, those behind ``after``."""
        rows = sorted(self._fitting(session, actor, asked, now), key=self.key)
        return [row for row in rows if after is None or self.key(row) > after[0]][:limit]

    def _fitting(self, session: Session, actor: Actor, asked: Asked, now: datetime, *, but: str = "") -> list[R]:
        rows = list(self.rows(session, actor, asked, now))
        for name, value in asked.values.items():
            if name != but:
                rows = [row for row in rows if self._fits(row, name, value, Eyes(actor, now))]
        return rows

    def _also(self, rows: list[R], asked: Asked, eyes: Eyes, name: str) -> list[R]:
        if not name or name not in asked.values:
            return rows
        return [row for row in rows if self._fits(row, name, asked.values[name], eyes)]

    def _fits(self, row: R, name: str, value: Any, eyes: Eyes) -> bool:
        if name == "text" and self.text is not None:
            return value.lower() in self.text(row).lower()
        return self.wanted[name](row, value, eyes)

    def _sorted(self, rows: list[R], asked: Asked) -> list[R]:
        name = asked.sort.removeprefix("-")
        sort = asked.sort if name in self.sorts else self.usual
        if not sort:
            return rows
        key = self.sorts[sort.removeprefix("-")]
        known = [row for row in rows if key(row) is not None]
        known.sort(key=key, reverse=sort.startswith("-"))
        return known + [row for row in rows if key(row) is None]


@dataclass(frozen=True, kw_only=True)
class AskedList(Generic[R]):
    """A list whose queries are written out, since one select would not do: these functions answer. ``behind``: the rows after a
    key of these ``kinds``, at most so many.
    """

    sorts: Mapping[str, Any]
    one_page: Callable[[Session, Actor, Asked, datetime], Found[R]]
    all_rows: Callable[[Session, Actor, Asked, datetime], Iterator[R]]
    behind: Callable[[Session, Actor, Asked, datetime, Position, int], list[R]]
    kinds: tuple[type, ...] = (int,)

    def page(self, session: Session, actor: Actor, asked: Asked, now: datetime) -> Found[R]:
        """The page that is asked for."""
        return self.one_page(session, actor, asked, now)

    def every(self, session: Session, actor: Actor, asked: Asked, now: datetime) -> Iterator[R]:
        """All rows that fit."""
        return self.all_rows(session, actor, asked, now)

    def after(
        self, session: Session, actor: Actor, asked: Asked, now: datetime, *, after: Position, limit: int
    ) -> list[R]:
        """Rows by their key, those behind ``after``."""
        return self.behind(session, actor, asked, now, after, limit)
