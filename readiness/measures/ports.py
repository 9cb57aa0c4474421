"""What figures need from records of the core that are not in the events: opening hours, and what the stock is worth."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import time, timedelta
from types import MappingProxyType
from typing import NamedTuple, Protocol


class SiteCalendar(NamedTuple):
    """When people work at a site: Monday to Friday, from ``opens_at`` to ``closes_at`` of its own time.

    A closing time not after the opening time lies on the next day; equal times mean round the clock.
    """

    time_zone: str
    opens_at: time
    closes_at: time
    #: The site's own limits of control points, by point; a point that is missing has the usual one.
    limits: Mapping[str, timedelta] = MappingProxyType({})


#: For documents that name no site.
NO_SITE = SiteCalendar("UTC", time(0), time(0))


class Calendars(Protocol):
    """The calendars of sites."""

    def of_sites(self, sites: Collection[int]) -> Mapping[int, SiteCalendar]: ...


class StockValue(Protocol):
    """What the stock of a site is worth now, in minor units of its entity's currency."""

    def stock_value(self, site: int) -> tuple[int | None, int]:
        """The value, ``None`` where nothing is valued, and how many stocked items have no cost."""
