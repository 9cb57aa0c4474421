"""How is a list declared? Its columns, its filters, where its rows come from, and what stands on its page.

A declaration is all that an area writes; reading the address, chips, sorting, pages, files and saved views follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter
from typing import Any

from markupsafe import Markup

from app.composition.request import reader
from app.queries.listing import Asked, Source
from app.queries.places import entities_seen
from app.security.permissions import Permission
from app.security.require import actor
from app.web.areas import MOST_KEY
from app.web.figures import amount, heading
from erpcore.kernel.money import from_minor

#: As long as a text filter may be.
_TEXT = 120


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell of the page: text, a smaller line under it, where it leads; ``kind`` draws a verdict. ``post``: the
    text is a button, and this is where it sends to.
    """

    text: str | Markup
    sub: str | Markup = ""
    href: str = ""
    kind: str = ""
    muted: bool = False
    sub_kind: str = ""
    post: str = ""


def step(text: str, about: str, *, href: str = "", post: str = "") -> Cell:
    """A step of a row in one word, to ``href`` or ``post``, with what it is about for who does not see the row."""
    return Cell(Markup('{}<span class="visually-hidden"> {}</span>').format(text, about), href=href, post=post)


Shown = Callable[[Any], Cell | str]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: ``value`` is what a file gets, ``cell`` what the page shows (from the value when none is given)."""

    key: str
    label: str
    value: Callable[[Any], Any]
    cell: Shown | None = None
    num: bool = False
    file_only: bool = False
    page_only: bool = False
    #: What one must be allowed besides the list.
    permission: Permission | None = None


def column(
    key: str,
    label: str,
    value: Callable[[Any], Any] | str | None = None,
    *,
    cell: Shown | None = None,
    num: bool = False,
    file_only: bool = False,
    page_only: bool = False,
    permission: Permission | None = None,
) -> Column:
    """A column; ``value`` is a function of the row or the name of its attribute, which is ``key`` when nothing is said."""
    read = value if callable(value) else attrgetter(value or key)
    return Column(
        key=key, label=label, value=read, cell=cell, num=num, file_only=file_only, page_only=page_only, permission=permission
    )  # fmt: skip


def money(key: str, label: str, minor: str, *, currency: str = "currency") -> Column:
    """A column of amounts: an exact number in the file, written with its currency on the page."""

    def value(row: Any) -> Decimal | None:
        found = getattr(row, minor)
        return None if found is None else from_minor(found, getattr(row, currency))

    def cell(row: Any) -> Cell:
        found = getattr(row, minor)
        return Cell(amount(found, getattr(row, currency)), sub="" if found is None else getattr(row, currency))

    return Column(key=key, label=label, value=value, cell=cell, num=True)


class Kind(StrEnum):
    """How a filter is shown and read."""

    TEXT = "text"
    CHOICE = "choice"  # chips, each with how many it would show
    PICK = "pick"  # a select
    FLAG = "flag"  # a chip that is on or off
    KEY = "key"  # an id that only a link sets; shown as a chip to take away
    DAY = "day"
    SITE = "site"
    CHANNEL = "channel"


Options = Callable[[Asked], Sequence[tuple[Any, str]]]


@dataclass(frozen=True, kw_only=True)
class Filter:
    """One filter; its name is its place in the address and in the list's source. ``options`` are values with their labels."""

    name: str
    label: str
    kind: Kind
    options: Options | None = None
    #: The words of an id that a link has set.
    named: Callable[[Any], str] | None = None
    #: Chips without any row are left out.
    hide_empty: bool = False

    def read(self, text: str) -> Any:
        """The value that the address holds as ``text``; ``None`` when it makes no sense."""
        text = text.strip()
        if not text:
            return None
        if self.kind is Kind.FLAG:
            return True if text == "1" else None
        if self.kind in (Kind.KEY, Kind.SITE, Kind.CHANNEL):
            return int(text) if text.isascii() and text.isdecimal() and int(text) < MOST_KEY else -1
        if self.kind is Kind.DAY:
            return _day(text)
        if self.kind is Kind.PICK and text.isascii() and text.isdecimal():
            return int(text) if int(text) < MOST_KEY else -1
        return text[:_TEXT]

    def written(self, value: Any) -> str:
        """The value as the address holds it."""
        return "1" if value is True else value.isoformat() if isinstance(value, date | datetime) else str(value)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def text_filter(label: str) -> Filter:
    """Anywhere in the texts that the list's source names."""
    return Filter(name="text", label=label, kind=Kind.TEXT)


def site_filter(name: str = "site") -> Filter:
    """One of the sites that the person sees."""
    return Filter(name=name, label="Site", kind=Kind.SITE)


def channel_filter() -> Filter:
    """One channel."""
    return Filter(name="channel", label="Channel", kind=Kind.CHANNEL)


def company_filter() -> Filter:
    """One of the companies that the person sees, of the realm that is shown."""
    return pick("entity", "Company", _companies)


def _companies(asked: Asked) -> list[tuple[int, str]]:
    return [(one.id, one.name) for one in entities_seen(reader(), actor()) if one.realm == asked.realm]


def choice(
    name: str,
    values: Sequence[str],
    *,
    said: Mapping[Any, str] | None = None,
    label: str = "",
    hide_empty: bool = False,
) -> Filter:
    """Chips, one for each of these codes; in the words of ``said`` where it is given."""
    options = [(str(value), heading(value) if said is None else said[value]) for value in values]
    return Filter(
        name=name, label=label or heading(name), kind=Kind.CHOICE, options=lambda _asked: options, hide_empty=hide_empty
    )


def flag(name: str, label: str) -> Filter:
    """A chip that is on or off."""
    return Filter(name=name, label=label, kind=Kind.FLAG)


def pick(name: str, label: str, options: Options) -> Filter:
    """A choice among many, in a select; values that are ids come back as numbers."""
    return Filter(name=name, label=label, kind=Kind.PICK, options=options)


def key_filter(name: str, label: str, named: Callable[[Any], str] | None = None) -> Filter:
    """An id that links set; the page offers to take it away."""
    return Filter(name=name, label=label, kind=Kind.KEY, named=named)


def day_filter(name: str, label: str) -> Filter:
    """A day."""
    return Filter(name=name, label=label, kind=Kind.DAY)


@dataclass(frozen=True, kw_only=True)
class Empty:
    """What a list says when nothing fits."""

    title: str
    text: str
    sign: str = "list"


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A list page. ``name`` is its place in saved views and the name of its files; ``endpoint`` its page; ``path`` its address.

    ``template`` may fill the blocks of ``lists/list.html``. ``realms``: the list shows one realm at a time. ``wide``: kept to the
    sites chosen in the top bar. ``also``: what the template needs besides.
    """

    name: str
    endpoint: str
    path: str
    permission: Permission
    title: str
    lead: str
    unit: str
    source: Source
    columns: Sequence[Column]
    filters: Sequence[Filter] = ()
    sort: str = ""
    empty: Empty
    template: str = "lists/list.html"
    realms: bool = True
    also: Callable[[], dict[str, Any]] = dict
    dense: bool = False
    #: Filters that are set when the address says nothing of them.
    usual: dict[str, Any] = field(default_factory=dict)

    def filter_named(self, name: str) -> Filter | None:
        return next((one for one in self.filters if one.name == name), None)

    @property
    def open_columns(self) -> list[Column]:
        """The columns that this person may see."""
        return [one for one in self.columns if one.permission is None or actor().may(one.permission)]

    @property
    def page_columns(self) -> list[Column]:
        return [one for one in self.open_columns if not one.file_only]

    @property
    def is_whole(self) -> bool:
        """Whether this person may see all columns; who may not gets no sums and no order by what is left out."""
        return len(self.open_columns) == len(self.columns)

    def sorts(self) -> set[str]:
        """What this person may sort by."""
        return set(self.source.sorts) - {one.key for one in self.columns if one not in self.open_columns}


#: Every list there is, by name.
LISTINGS: dict[str, Listing] = {}
