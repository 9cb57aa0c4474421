"""What figures need from records of the core that are not in the events: opening hours, and what the stock is worth."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import NamedTuple, Protocol, runtime_checkable


class Told(NamedTuple):
    """A calendar of a site as it was told: it holds from ``valid_from`` on, and of two that hold the one told later does.

    ``week`` has Monday to Sunday in minutes after midnight, ``None`` for a day of rest. Of two with ``seq`` the higher was
    told later: the place of its event in the log, or its number at the site.
    """

    valid_from: date
    time_zone: str
    week: tuple[tuple[int, int] | None, ...]
    closed: frozenset[date] = frozenset()
    seq: int = 0

    def hours(self, day: date) -> tuple[int, int] | None:
        """Opening and closing of a day, ``None`` for one of rest."""
        return None if day in self.closed else self.week[day.weekday()]


class SiteCalendar(NamedTuple):
    """When people work at a site: as its calendars say, in the order they were told.

    Before any of them, Monday to Friday from ``opens_at`` to ``closes_at`` of its own time. A closing time not after the
    opening time lies on the next day; equal times mean round the clock.
    """

    time_zone: str
    opens_at: time
    closes_at: time
    #: The site's own limits of control points, by point; a point that is missing has the usual one.
    limits: Mapping[str, timedelta] = MappingProxyType({})
    told: tuple[Told, ...] = ()
    #: When the last carrier collects, by weekday (0 is Monday), in the site's time; a weekday without: nobody does.
    collections: Mapping[int, time] = MappingProxyType({})

    def hours(self, day: date) -> tuple[int, int] | None:
        """Opening and closing of a day in minutes after midnight, ``None`` for one of rest."""
        for one in reversed(self.told):
            if one.valid_from <= day:
                return one.hours(day)
        return None if day.weekday() >= _SATURDAY else (_minutes(self.opens_at), _minutes(self.closes_at))


_SATURDAY = 5


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


#: For documents that name no site.
NO_SITE = SiteCalendar("UTC", time(0), time(0))


class Calendars(Protocol):
    """The calendars of sites."""

    def of_sites(self, sites: Collection[int]) -> Mapping[int, SiteCalendar]: ...


class RegisterEntry(NamedTuple):
    """An entry of a register. ``of``: the figures that it is one of the documents of; ``counts``: those that it counts in.

    ``None`` is what it does not name: it holds for all of them. ``sites`` has the twins of other realms too, and so has ``cells``,
    which narrows sites and channels down to these pairs. From ``since`` until ``until``, where that is over; days are those of ``zone``.
    ``days``: the working days of that time, where these are what it is judged by.
    """

    register: str
    id: int
    title: str
    kind: str
    of: frozenset[str]
    counts: frozenset[str]
    since: datetime
    until: datetime | None = None
    zone: str = "UTC"
    realm: str | None = None
    entities: frozenset[int] | None = None
    sites: frozenset[int] | None = None
    channel: int | None = None
    customer_group: int | None = None
    process: str | None = None
    cells: frozenset[tuple[int, int]] | None = None
    days: int | None = None


@runtime_checkable
class Registers(Protocol):
    """What stands in the registers of governance."""

    def entries(self, since: datetime | None, at: datetime, figures: Collection[str]) -> Sequence[RegisterEntry]:
        """All that these figures are counted from as of ``at``; of what people were asked those asked from ``since`` on, none
        without. One query.
        """


class Owed(NamedTuple):
    """What the customers of one group of a company owed at the end of a day, ``None``: owe now, in minor units.

    What they have on account and credits that settle nothing yet are taken off what each of them owes, first off what is longest
    due. ``documents``: how many of theirs are open; ``sites``: those of the company.
    """

    realm: str
    entity: int
    sites: frozenset[int]
    currency: str
    customer_group: int | None
    on: date | None
    not_due: int
    overdue: int
    documents: int


class Sold(NamedTuple):
    """What was invoiced to the customers of one group of a company in a month, tax in; ``month`` is its first day.

    ``days``: on so many days. ``today``: the company's.
    """

    realm: str
    entity: int
    sites: frozenset[int]
    currency: str
    customer_group: int | None
    month: date
    minor: int
    invoices: int
    days: int
    today: date


class OpenDebt(NamedTuple):
    """A document that a customer had not paid at the end of a day; ``minor`` is what was open of it."""

    kind: str
    id: int
    number: str
    sites: frozenset[int]
    customer_group: int | None
    currency: str
    since: datetime
    days_over: int
    minor: int


@runtime_checkable
class Receivables(Protocol):
    """What customers owe, and what was sold to them."""

    def owed(
        self, realms: Collection[str], days: Collection[date | None], sold_since: date, at: datetime
    ) -> tuple[Sequence[Owed], Sequence[Sold]]:
        """Of each company and group at the end of each day, and each month from this first one on. Two queries at most."""

    def debts(
        self, realm: str, entities: Collection[int], sites: Collection[int], on: date | None, at: datetime, limit: int,
        *, customer_group: int | None, is_due: bool,
    ) -> Sequence[OpenDebt]:  # fmt: skip
        """The largest that were open, of those that were due where ``is_due``; empty entities and sites: of all."""


class DisputeTold(NamedTuple):
    """A dispute of an invoice that was posted on the day ``on`` of its company; ``minor`` was disputed, ``open_minor`` is still."""

    realm: str
    entity: int
    site: int
    channel: int
    customer_group: int | None
    on: date
    invoice: int
    number: str
    posted_at: datetime
    begun_at: datetime
    reason: str
    currency: str
    minor: int
    open_minor: int


class Posted(NamedTuple):
    """So many invoices were posted on a day."""

    realm: str
    entity: int
    site: int
    channel: int
    customer_group: int | None
    on: date
    invoices: int


class Settled(NamedTuple):
    """Invoices of which on this day nothing but what customers deduct was open any more: what they cost, and what became of what was
    deducted of them. One alone (``invoice``) where something was.
    """

    realm: str
    entity: int
    site: int
    channel: int
    customer_group: int | None
    on: date
    settled_at: datetime
    currency: str
    invoices: int
    gross: int
    valid: int
    invalid: int
    recovered: int
    open: int
    invoice: int | None
    number: str


class PaidOut(NamedTuple):
    """A payout of a partner that came on this day: what was sold, and what of it nobody has explained by now, without signs."""

    realm: str
    entity: int
    site: int
    channel: int
    customer_group: int | None
    on: date
    taken_at: datetime
    currency: str
    gross: int
    unexplained: int
    partner: str
    payout: int
    number: str


class Contested(NamedTuple):
    """What others see differently than our invoices do."""

    disputes: Sequence[DisputeTold] = ()
    posted: Sequence[Posted] = ()
    settled: Sequence[Settled] = ()
    paid_out: Sequence[PaidOut] = ()


@runtime_checkable
class Disputes(Protocol):
    """What customers dispute and deduct, and what partners pay out."""

    def disputed(self, realms: Collection[str], since: date, at: datetime) -> Contested:
        """Disputes of invoices posted from the day on, and all that are open; the invoices posted and settled, and the payouts that
        came, from the day on. One query.
        """


class StockValue(Protocol):
    """What the stock of a site is worth now, in minor units of its entity's currency."""

    def stock_value(self, site: int) -> tuple[int | None, int]:
        """The value, ``None`` where nothing is valued, and how many stocked items have no cost."""
