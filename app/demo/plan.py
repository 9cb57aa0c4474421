"""The shape of the demo: entities, sites, streams of orders, habits of each site, and when what happens.

Everything a story hangs on stands here as data; nothing here knows a database.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

#: The whole demo: so many orders in so many weeks. Smaller worlds keep the proportions.
ORDERS, WEEKS = 3600, 10
SEED = 20_610


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """What to build. ``until`` is the moment the demo ends at; trading begins so many weeks before."""

    until: datetime
    orders: int = ORDERS
    weeks: int = WEEKS
    seed: int = SEED

    @property
    def days(self) -> int:
        return self.weeks * 7

    @property
    def first(self) -> date:
        """The first day of trading."""
        return self.until.date() - timedelta(days=self.days)

    @property
    def go_live(self) -> int:
        """On which day of the demo wave 1 goes live: a Monday to Thursday about a quarter in."""
        day = self.days // 4
        while (self.first + timedelta(days=day)).weekday() > 3:
            day += 1
        return day

    @property
    def rehearsal(self) -> int:
        """On which day wave 2 begins to rehearse."""
        return self.days - min(30, self.days // 2)

    @property
    def late_rehearsal(self) -> int:
        """On which day wave 3 begins to rehearse."""
        return self.days - min(20, self.days // 2)

    @property
    def open_gates(self) -> int:
        """On which day the gates of today are frozen; from then on they are evaluated every day."""
        return self.days - 15 if self.days > 40 else self.days - 8

    def date_of(self, day: int) -> date:
        return self.first + timedelta(days=day)


@dataclass(frozen=True)
class EntityPlan:
    """A legal entity. ``factor`` turns the catalogue's cost into its currency."""

    code: str
    name: str
    country: str
    currency: str
    zone: str
    factor: Decimal
    tax: Decimal
    customers: int
    items: int
    abroad: str
    """A country it delivers to without a tax rate on record."""
    holidays: tuple[tuple[int, int], ...] = ()
    """Month and day of public holidays that fall on the same date each year."""

    def closed(self, years: Iterable[int]) -> tuple[date, ...]:
        """The public holidays of these years."""
        return tuple(date(year, month, day) for year in years for month, day in self.holidays)


@dataclass(frozen=True)
class Habits:
    """How a site works, as probabilities per document unless named otherwise."""

    safety: float = 1.9
    """Stock held as a multiple of the demand until the next receipt."""
    supplier_late: float = 0.08
    short_pick: float = 0.006
    pick_late: float = 0.025
    deliver_late: float = 0.03
    damage: float = 0.012
    override: float = 0.02
    amend: float = 0.012
    price_credit: float = 0.012
    returns: float = 0.06
    credit_days: int = 1
    cancel: float = 0.012
    give_up_days: int = 99
    """After so many days without stock the site cancels what is missing."""
    counts: int = 3
    """Items counted a day."""
    count_wrong: float = 0.06
    adjust: float = 0.05
    """Adjustments a day."""
    abroad: float = 0.01
    """Orders for the country without a tax rate."""
    forgets: float = 0.0
    """Documents of the last days that nobody takes further."""


@dataclass(frozen=True)
class SitePlan:
    """A site with its staff hours and habits; ``rehearsal`` habits are those of its twin."""

    code: str
    name: str
    kind: str
    entity: str
    region: str
    habits: Habits = Habits()
    rehearsal: Habits = Habits()
    opens: time = time(7)
    closes: time = time(18)


@dataclass(frozen=True)
class Stream:
    """Orders of a channel at a site: how many on a working day, how long, how large, and from when until when.

    ``weekend``: customers order on Saturday and Sunday too, half as much.
    """

    site: str
    channel: str
    per_day: float
    lines: float
    size: float
    realm: str = "live"
    since: str = "first"
    until: str = "end"
    by_person: bool = True
    weekend: bool = False
    drop_ship: bool = False


@dataclass(frozen=True)
class Terms:
    """What a channel promises its customers, at every site."""

    code: str
    name: str
    lead_days: int
    transit_days: int
    basis: str
    cut_off: time
    early_days: int
    late_days: int
    payment_days: int
    markup: Decimal


ENTITIES = (
    EntityPlan("AHD", "Aldenhoff Baubedarf GmbH", "Germany", "EUR", "Europe/Berlin", Decimal("1.00"), Decimal("0.19"), 80, 250,
               "Austria", ((1, 1), (5, 1), (10, 3), (11, 1), (12, 25), (12, 26))),
    EntityPlan("AHS", "Aldenhoff Baubedarf AG", "Switzerland", "CHF", "Europe/Zurich", Decimal("1.08"), Decimal("0.081"), 36, 150,
               "Liechtenstein", ((1, 1), (8, 1), (12, 25), (12, 26))),
    EntityPlan("AHU", "Aldenhoff Building Supplies Ltd", "United Kingdom", "GBP", "Europe/London", Decimal("0.86"),
               Decimal("0.20"), 34, 150, "Ireland", ((1, 1), (12, 25), (12, 26))),
)  # fmt: skip

_GOOD = Habits()
_WEAK = Habits(
    safety=0.95, supplier_late=0.35, short_pick=0.03, pick_late=0.12, deliver_late=0.10, damage=0.03, override=0.12, amend=0.08,
    price_credit=0.05, returns=0.05, credit_days=5, cancel=0.03, give_up_days=9, count_wrong=0.22, adjust=0.8, abroad=0.07,
    forgets=0.10,
)  # fmt: skip

SITES = (
    SitePlan("DUI", "Duisburg distribution centre", "distribution_centre", "AHD", "Rhine-Ruhr", _GOOD, _GOOD),
    SitePlan("WKD", "Westerkamp Tileworks, direct", "drop_ship", "AHD", "Westerwald",
             Habits(returns=0.03, counts=0, adjust=0.0), Habits(returns=0.03, counts=0, adjust=0.0)),
    SitePlan("KOL", "Cologne branch", "branch", "AHD", "Rhine-Ruhr", Habits(safety=1.7, short_pick=0.01, credit_days=2)),
    SitePlan("KAS", "Kassel third-party warehouse", "third_party", "AHD", "Hesse",
             rehearsal=Habits(safety=2.3, short_pick=0.005, pick_late=0.185, damage=0.008, returns=0.09)),
    SitePlan("PRA", "Pratteln distribution centre", "distribution_centre", "AHS", "North-west Switzerland",
             rehearsal=Habits(safety=2.5, short_pick=0.005, override=0.05, pick_late=0.015, deliver_late=0.015, credit_days=2,
                              returns=0.08)),
    SitePlan("LDS", "Leeds distribution centre", "distribution_centre", "AHU", "Yorkshire", _WEAK, _WEAK),
)  # fmt: skip

CHANNELS = (
    Terms("wholesale", "Wholesale", 1, 1, "delivery", time(15), 1, 0, 30, Decimal("1.42")),
    Terms("ecommerce", "E-commerce", 1, 0, "ship", time(14), 1, 0, 0, Decimal("1.55")),
    Terms("marketplace", "Marketplace", 1, 0, "ship", time(12), 1, 0, 14, Decimal("1.60")),
    Terms("branch", "Branch counter", 0, 0, "ship", time(17), 0, 0, 14, Decimal("1.50")),
)

GROUPS = (("trade", "Trade accounts"), ("key", "Key accounts"), ("consumer", "Consumers"), ("public", "Public bodies"))

STREAMS = (
    Stream("DUI", "wholesale", 22.0, 5.7, 9.0, since="go_live"),
    Stream("DUI", "ecommerce", 12.0, 2.8, 2.5, since="go_live", by_person=False, weekend=True),
    Stream("WKD", "wholesale", 2.8, 2.4, 6.0, since="go_live", drop_ship=True),
    Stream("KOL", "branch", 12.5, 4.0, 4.0),
    Stream("LDS", "branch", 8.5, 4.3, 4.0),
    Stream("DUI", "wholesale", 13.0, 5.6, 9.0, "rehearsal", until="go_live"),
    Stream("DUI", "ecommerce", 6.0, 2.6, 2.5, "rehearsal", until="go_live", by_person=False),
    Stream("WKD", "wholesale", 3.0, 2.4, 6.0, "rehearsal", until="go_live", drop_ship=True),
    Stream("KAS", "ecommerce", 7.0, 2.8, 2.5, "rehearsal", "rehearsal", by_person=False, weekend=True),
    Stream("KAS", "marketplace", 6.0, 2.2, 2.0, "rehearsal", "rehearsal", by_person=False, weekend=True),
    Stream("PRA", "wholesale", 12.0, 5.8, 9.0, "rehearsal", "rehearsal"),
    Stream("PRA", "ecommerce", 5.0, 2.8, 2.5, "rehearsal", "rehearsal", by_person=False),
    Stream("LDS", "wholesale", 6.5, 5.8, 9.0, "rehearsal", "late_rehearsal"),
    Stream("LDS", "marketplace", 0.4, 2.0, 2.0, "rehearsal", "late_rehearsal", by_person=False),
)

#: Wave code → its cells as (site, channel).
WAVE_CELLS: dict[str, tuple[tuple[str, str], ...]] = {
    "W1": (("DUI", "wholesale"), ("DUI", "ecommerce"), ("DUI", "branch"), ("WKD", "wholesale")),
    "W2": (("KAS", "ecommerce"), ("KAS", "marketplace"), ("PRA", "wholesale"), ("PRA", "ecommerce")),
    "W3": (("LDS", "wholesale"), ("LDS", "marketplace")),
}
#: What ran on the core before there was a programme.
ALREADY_LIVE = (("KOL", "branch"), ("LDS", "branch"))

#: Local hours at which a site does something, with the share of a day's orders that has arrived since the one before.
HOURS = ((7, 20, 0.10), (9, 5, 0.20), (10, 50, 0.22), (13, 10, 0.18), (15, 20, 0.18), (16, 30, 0.12), (17, 40, 0.0))
#: Orders by weekday, Monday first, against an average working day.
WEEKDAYS = (1.15, 1.08, 1.02, 0.98, 0.77, 0.5, 0.4)
