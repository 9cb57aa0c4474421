"""What is a list asked, and what does it answer? Rows of one page with what all that fit come to, or every row for a file.

A list of the database is a ``SqlList``: one select with its joins, and by name what narrows, sorts, counts and sums it. A short
list that is worked out in Python, or one whose queries are written out, has the same face (``worked_out``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import ColumnElement, func, or_, tuple_
from sqlalchemy.orm import Session

from app.queries.bounded import bound_of, counted_up_to, of_realm
from app.security.scopes import within_sites
from erpcore.kernel.actor import Actor

R = TypeVar("R")

#: Rows on one page of a list, unless its address says another of these.
PAGE = 50
SIZES = (25, 50, 100, 200)
#: The most rows a file holds: beyond that a filter is the better way.
MOST_ROWS = 100_000
#: Pages are turned through so far: to skip more rows than this costs more than to say what one looks for.
MOST_TURNED = 10_000
#: For programs: no realm is asked for, so that rows of every one are read.
EVERY_REALM = ""
#: The key of the last row that a program has read, part by part; ``None`` before the first.
Position = tuple[Any, ...] | None
#: The value of a flag that is set.
_ON: Any = True


def like(text: str) -> str:
    """A pattern for ``text`` anywhere; what it holds of pattern signs counts as written."""
    plain = text.strip().replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{plain}%"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the address of a list asks for. ``values`` holds the filters that are set; ``sort`` with a minus is descending.

    ``columns`` are those to be shown, all when it is empty; ``view`` is the saved view that the address came from. ``whole``: all
    rows are counted and summed, however many there are. ``realm`` is ``EVERY_REALM`` for programs that name none.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    realm: str = "live"
    sort: str = ""
    page: int = 1
    size: int = PAGE
    columns: tuple[str, ...] = ()
    view: int | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Eyes:
    """Who looks and when: what the condition of a filter may depend on besides its value."""

    actor: Actor
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Found(Generic[R]):
    """One page of a list. ``counts``: how many a filter would show, by filter and value (flags under ``True``); ``sums``: a
    label, minor units, currency; ``more``: other totals, a label and a number. Where there is a ``bound``, a number beyond it stands
    for all that are larger, and what has more rows has no sums.
    """

    rows: Sequence[R]
    total: int
    counts: Mapping[str, Mapping[Any, int]] = field(default_factory=dict)
    sums: Sequence[tuple[str, int, str]] = ()
    more: Sequence[tuple[str, int]] = ()
    bound: int | None = None

    @property
    def is_beyond(self) -> bool:
        """Whether there are more rows than were counted."""
        return self.bound is not None and self.total > self.bound


class Source(Protocol):
    """Where a list's rows come from."""

    @property
    def sorts(self) -> Mapping[str, Any]:
        """What the list may be sorted by, by name."""

    def page(self, session: Session, actor: Actor, asked: Asked, now: datetime) -> Found[Any]:
        """The page that is asked for; one beyond the last is the last."""

    def every(self, session: Session, actor: Actor, asked: Asked, now: datetime) -> Iterator[Any]:
        """All rows that fit, for a file; at most ``MOST_ROWS``."""


class Readable(Protocol[R]):
    """What a program reads on in, by a key that stays: ``kinds`` are the types of the key's parts."""

    @property
    def kinds(self) -> tuple[type, ...]:
        """The types of the key's parts."""

    def after(
        self, session: Session, actor: Actor, asked: Asked, now: datetime, *, after: Position, limit: int
    ) -> list[R]:
        """Rows in the order of their keys, those behind ``after``."""


def pages_of(asked: Asked, total: int) -> int:
    """How many pages there are to turn: at least one, and none that begins beyond ``MOST_TURNED`` rows."""
    return max(1, min(-(-total // asked.size), MOST_TURNED // asked.size))


def last_page(asked: Asked, total: int) -> int:
    """The page to show: the one asked for, or the last when there are not so many."""
    return min(max(asked.page, 1), pages_of(asked, total))


def ends_at(asked: Asked, total: int) -> int | None:
    """The row at which pages end, on the last of them, where there are more rows."""
    seen = last_page(asked, total) * asked.size
    return seen if last_page(asked, total) == MOST_TURNED // asked.size and total > seen else None


def _bound(asked: Asked) -> int:
    """How far a long list is counted for the page that is asked for."""
    return bound_of(min(asked.page, MOST_TURNED // asked.size), asked.size)


@dataclass(frozen=True, kw_only=True)
class SqlList(Generic[R]):
    """A list of the database.

    ``select``: all columns with their joins, its first table named by ``select_from``. ``row``: makes what the page shows.
    ``wanted``: a condition for each filter by its name, from the value and who looks when. ``by``: the filter whose values are
    counted, and its column. ``flags``: filters that are on or off and counted too. ``sums``: columns of minor units by label,
    with ``currency``. ``count_from``: the select without the joins that only name things, for counting. ``scope``: how rows are kept to the person's sites, where no ``site`` column says it. ``finish``: what a
    page of rows needs besides, in queries of its own. ``tie``: what decides between equals; its last is the row's key, and when it
    is ``steady`` the first of equals is the first whichever way the list is sorted. ``groups``: values
    of the filter ``by`` that stand for several of its column. ``company``: the column of the company, by which a long list is kept to
    a realm instead of ``realm``. ``words``: the values of ``by`` of a long list, which is then counted up to a bound (``is_long``
    without any). ``key``: what programs read on by, of these ``kinds``, where it is not the last of ``tie``.
    """

    select: Callable[[], Any]
    row: Callable[[Any], R]
    count_from: Callable[[], Any] | None = None
    tie: tuple[Any, ...]
    steady: bool = False
    sorts: Mapping[str, Any]
    usual: str
    site: Any = None
    scope: Callable[[Any, Actor], Any] | None = None
    realm: Any = None
    text: tuple[Any, ...] = ()
    wanted: Mapping[str, Callable[[Any, Eyes], ColumnElement[bool]]] = field(default_factory=dict)
    by: tuple[str, Any] | None = None
    groups: Mapping[Any, Sequence[Any]] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    sums: Mapping[str, Any] = field(default_factory=dict)
    currency: Any = None
    finish: Callable[[Session, list[R]], list[R]] | None = None
    company: Any = None
    words: Sequence[str] = ()
    is_long: bool = False
    key: tuple[Any, ...] = ()
    kinds: tuple[type, ...] = (int,)

    def page(self, session: Session, actor: Actor, asked: Asked, now: datetime) -> Found[R]:
        """The page that is asked for, in two queries and those of ``finish``; a long list is summed in a third."""
        counts, total, sums = self.counted(session, actor, asked, now)
        query = self._sorted(self.narrowed(actor, asked, now), asked)
        query = query.limit(asked.size).offset((last_page(asked, total) - 1) * asked.size)
        rows = [self.row(found) for found in session.execute(query)]
        return Found(
            rows=self._finished(session, rows), total=total, counts=counts, sums=sums,
            bound=_bound(asked) if self._is_bounded(asked) else None,
        )  # fmt: skip

    def every(self, session: Session, actor: Actor, asked: Asked, now: datetime) -> Iterator[R]:
        """All rows that fit, read in parts."""
        query = self._sorted(self.narrowed(actor, asked, now), asked).limit(MOST_ROWS)
        part: list[R] = []
        for found in session.execute(query, execution_options={"yield_per": 500}):
            part.append(self.row(found))
            if len(part) == 500:
                yield from self._finished(session, part)
                part = []
        yield from self._finished(session, part)

    def after(
        self, session: Session, actor: Actor, asked: Asked, now: datetime, *, after: Position, limit: int
    ) -> list[R]:
        """Rows by their key, those behind ``after``: for programs, which read on while rows are added."""
        query = self.behind(self.narrowed(actor, asked, now), after).limit(limit)
        return self._finished(session, [self.row(found) for found in session.execute(query)])

    def behind(self, query: Any, after: Position) -> Any:
        """What of a narrowed select comes behind this key, in the order of keys."""
        key = self.key or self.tie[-1:]
        if after is not None and len(key) > 1:
            # The first parts are said once more without the last, which may be of another table: for them there is an index.
            query = query.where(tuple_(*key[:-1]) >= after[:-1], tuple_(*key) > after)
        elif after is not None:
            query = query.where(key[0] > after[0])
        return query.order_by(*key)

    def one(self, session: Session, actor: Actor, key: int | None) -> R | None:
        """The row with this key, of whatever realm; ``None`` for an unknown one and one that the person may not see."""
        found = session.execute(self._seen(self.select(), actor).where(self.tie[-1] == key)).one_or_none()
        return None if found is None else self._finished(session, [self.row(found)])[0]

    def _seen(self, query: Any, actor: Actor) -> Any:
        """Kept to what the person may see."""
        if self.scope is not None:
            return self.scope(query, actor)
        return query if self.site is None else within_sites(query, actor, self.site)

    def _finished(self, session: Session, rows: list[R]) -> list[R]:
        return self.finish(session, rows) if self.finish and rows else rows

    def narrowed(self, actor: Actor, asked: Asked, now: datetime, *, counting: bool = False) -> Any:
        """The select kept to what is asked for, in no order."""
        query = self.count_from() if counting and self.count_from else self.select()
        but = self.by[0] if counting and self.by else ""
        if asked.realm == EVERY_REALM:
            pass
        elif self.company is not None:
            query = query.where(of_realm(self.company, asked.realm))
        elif self.realm is not None:
            query = query.where(self.realm == asked.realm)
        query = self._seen(query, actor)
        for name, value in asked.values.items():
            if name == but:
                continue
            if name == "text" and self.text:
                query = query.where(or_(*(column.ilike(like(value), escape="\\") for column in self.text)))
            elif name == "site" and "site" not in self.wanted:
                query = query.where(self.site == value)
            else:
                query = query.where(self.wanted[name](value, Eyes(actor, now)))
        return query

    def counted(
        self, session: Session, actor: Actor, asked: Asked, now: datetime
    ) -> tuple[dict[str, dict[Any, int]], int, list[tuple[str, int, str]]]:
        """What each filter would show, how many rows fit, and what they come to, in one query; of a long list as far as its
        bound, and what they come to only where all are within.
        """
        if self._is_bounded(asked):
            return self._counted_up_to(session, actor, asked, now)
        by, column = self.by or ("", None)
        groups = [one for one in (column, self.currency) if one is not None]
        flags = [func.count().filter(self.wanted[name](_ON, Eyes(actor, now))) for name in self.flags]
        query = self.narrowed(actor, asked, now, counting=True).with_only_columns(
            func.count(), *(func.sum(one) for one in self.sums.values()), *flags, *groups, maintain_column_froms=True
        )
        counts: dict[str, dict[Any, int]] = {name: {True: 0} for name in self.flags} | ({by: {}} if self.groups else {})
        total, sums = 0, Counter[tuple[str, str]]()
        for row in session.execute(query.order_by(None).group_by(*groups)):
            values = row[1 : 1 + len(self.sums)]
            for name, count in zip(self.flags, row[1 + len(self.sums) :], strict=False):
                counts[name][True] += count
            word = row[-len(groups)] if column is not None else None
            if by:
                known = counts.setdefault(by, {})
                known[word] = known.get(word, 0) + row[0]
            if by in asked.values and word not in self.groups.get(asked.values[by], (asked.values[by],)):
                continue
            total += row[0]
            for label, value in zip(self.sums, values, strict=True):
                sums[label, row[-1]] += int(value or 0)
        for group, words in self.groups.items():
            counts[by][group] = sum(counts[by].get(word, 0) for word in words)
        return counts, total, [(label, minor, currency) for (label, currency), minor in sums.items() if currency]

    def _is_bounded(self, asked: Asked) -> bool:
        return (self.is_long or bool(self.words)) and not asked.whole

    def _counted_up_to(
        self, session: Session, actor: Actor, asked: Asked, now: datetime
    ) -> tuple[dict[str, dict[Any, int]], int, list[tuple[str, int, str]]]:
        by, column = self.by or ("", None)
        bound, before = _bound(asked), self.narrowed(actor, asked, now, counting=True)
        fitting = before.where(column == asked.values[by]) if by in asked.values else before
        queries: dict[tuple[str, Any], Any] = {("", None): fitting}
        queries |= {(by, word): before.where(column == word) for word in self.words}
        queries |= {(name, True): before.where(self.wanted[name](_ON, Eyes(actor, now))) for name in self.flags}
        counts: dict[str, dict[Any, int]] = {}
        for (name, word), count in counted_up_to(session, queries, bound).items():
            counts.setdefault(name, {})[word] = count
        total = counts.pop("")[None]
        if total > bound or not self.sums:
            return counts, total, []
        summed = fitting.with_only_columns(
            self.currency, *(func.sum(one) for one in self.sums.values()), maintain_column_froms=True
        )
        rows = session.execute(summed.order_by(None).group_by(self.currency)).all()
        sums = [(label, int(row[at] or 0), row[0]) for row in rows if row[0] for at, label in enumerate(self.sums, 1)]
        return counts, total, sums

    def _sorted(self, query: Any, asked: Asked) -> Any:
        name = asked.sort.removeprefix("-")
        sort = asked.sort if name in self.sorts else self.usual
        column, down = self.sorts[sort.removeprefix("-")], sort.startswith("-")
        by = [column.desc() if down else column.asc()]
        by += [one.desc() if down and not self.steady else one.asc() for one in self.tie]
        if getattr(getattr(column, "expression", column), "nullable", True):
            # Said only where there can be none: an index keeps its use.
            by[0] = by[0].nulls_last()
        return query.order_by(*by)
