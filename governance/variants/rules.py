"""When is a variant looked at again?"""

from __future__ import annotations

import calendar
from datetime import date


def next_review(day: date, months: int | None) -> date | None:
    """The same day so many months later, or the last of a month that is shorter; ``None`` without a cadence."""
    if months is None:
        return None
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    month += 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
