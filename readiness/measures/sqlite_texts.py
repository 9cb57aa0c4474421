"""How does SQLite keep instants and days? Texts read and made once for the many rows of a batch that share them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

#: The documents of a batch share their days and most of their instants.
_KNOWN = 65_536


@lru_cache(maxsize=_KNOWN)
def instant_of(stored: str) -> datetime:
    """The instant that such a text says."""
    return datetime.fromisoformat(stored + "+00:00")


day_of = lru_cache(maxsize=_KNOWN)(date.fromisoformat)
day_text = lru_cache(maxsize=_KNOWN)(date.isoformat)


class DayTexts(dict[date | None, str | None]):
    """Days as SQLite keeps them; the lines of a batch share a few."""

    def __missing__(self, day: date | None) -> str | None:
        found = self[day] = None if day is None else day.isoformat()
        return found


@lru_cache(maxsize=_KNOWN)
def text_of(at: datetime) -> str:
    """An aware instant as SQLite keeps it (``kernel.model.UtcDateTime``)."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return at.isoformat(" ", "microseconds")[:26]


def typed_row(
    row: Sequence[Any], instants: tuple[int, ...], days: tuple[int, ...], booleans: tuple[int, ...]
) -> list[Any]:
    """A row of an SQLite file with the types that PostgreSQL takes."""
    values = list(row)
    for positions, read in ((instants, instant_of), (days, day_of), (booleans, bool)):
        for i in positions:
            if values[i] is not None:
                values[i] = read(values[i])
    return values
