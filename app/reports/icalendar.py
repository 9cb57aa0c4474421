"""How do meetings stand in a calendar program? Text by RFC 5545: folded lines, escaped text, instants in UTC.

Each meeting of a series is an event of its own, in UTC: no rule of recurrence and no time zone that a program could read in its
own way. What was called off stays as CANCELLED, so that it leaves calendars instead of staying there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

#: Bytes of a line without its break (RFC 5545, 3.1).
_LONGEST = 75
#: How often a program should read again.
_REFRESH = "PT1H"


@dataclass(frozen=True, kw_only=True)
class CalendarEvent:
    """One meeting. ``uid`` stays the same for good; ``sequence`` grows with each change."""

    uid: str
    sequence: int
    changed_at: datetime
    starts_at: datetime
    ends_at: datetime
    summary: str
    description: str = ""
    place: str = ""
    address: str = ""
    is_cancelled: bool = False


def calendar_text(name: str, events: Iterable[CalendarEvent]) -> str:
    """A whole calendar. The same events give the same text."""
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Wavegate//Meetings//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH",
        f"NAME:{_escaped(name)}", f"X-WR-CALNAME:{_escaped(name)}", f"REFRESH-INTERVAL;VALUE=DURATION:{_REFRESH}",
        f"X-PUBLISHED-TTL:{_REFRESH}",
    ]  # fmt: skip
    for event in events:
        lines += _event(event)
    return "".join(f"{folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _event(event: CalendarEvent) -> list[str]:
    lines = [
        "BEGIN:VEVENT", f"UID:{event.uid}@wavegate", f"SEQUENCE:{event.sequence}", f"DTSTAMP:{_instant(event.changed_at)}",
        f"LAST-MODIFIED:{_instant(event.changed_at)}", f"DTSTART:{_instant(event.starts_at)}", f"DTEND:{_instant(event.ends_at)}",
        f"SUMMARY:{_escaped(event.summary)}",
    ]  # fmt: skip
    if event.description:
        lines.append(f"DESCRIPTION:{_escaped(event.description)}")
    if event.place:
        lines.append(f"LOCATION:{_escaped(event.place)}")
    if event.address:
        lines.append(f"URL:{event.address}")
    return [*lines, f"STATUS:{'CANCELLED' if event.is_cancelled else 'CONFIRMED'}", "TRANSP:OPAQUE", "END:VEVENT"]


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    """Text as a value: what separates is escaped, a break is an n behind a backslash, and other control characters are left out."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(sign for sign in text if sign in "\n\t" or (sign >= " " and sign != "\x7f"))
    return kept.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def folded(line: str) -> str:
    """A line of at most 75 bytes, and what is longer on lines that begin with a space; no character is torn apart."""
    parts, part, size = [], "", 0
    for sign in line:
        width = len(sign.encode())
        if size + width > _LONGEST:
            parts.append(part)
            part, size = "", 1  # the space that it will begin with
        part, size = part + sign, size + width
    return "\r\n ".join([*parts, part])
