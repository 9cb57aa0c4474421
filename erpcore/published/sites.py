"""What the core tells of its sites: when people work there, so that times can be counted in working hours."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import msgspec

from erpcore.kernel.events import Event


class SiteCalendarSet(Event, frozen=True, kw_only=True):
    """The hours of a site from ``valid_from`` on, in its own time; of two that hold on a day, the one told later does.

    ``week`` has Monday to Sunday, each as minutes after midnight of opening and closing, ``None`` for a day of rest. A
    closing not after the opening lies on the next day; equal ones mean round the clock. ``closed`` are single days of rest.
    """

    type: ClassVar[str] = "site.calendar_set"
    valid_from: date
    time_zone: str
    week: list[tuple[int, int] | None]
    closed: list[date] = msgspec.field(default_factory=list)
