"""What stands in a person's calendar: the meetings of the bodies on which they sit or stand in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.reports.icalendar import CalendarEvent, calendar_text
from governance.programme.calendar import calendar
from governance.programme.queries import bodies_met_by

#: A calendar program keeps what it was once given, so what was long ago need not be told again.
PAST, AHEAD = timedelta(days=90), timedelta(days=400)


def person_calendar(session: Session, person: int, now: datetime, address: Callable[[int], str]) -> str:
    """The feed of a person as text; ``address`` gives the page of a body. Three queries."""
    bodies = bodies_met_by(session, person, now)
    found = calendar(session, since=now - PAST, until=now + AHEAD, bodies=set(bodies)) if bodies else []
    events = [
        CalendarEvent(
            uid=one.uid, sequence=one.sequence, changed_at=one.changed_at, starts_at=one.starts_at, ends_at=one.ends_at,
            summary=one.title, place=one.place, is_cancelled=one.is_cancelled, address=address(one.body_id),
            description="\n".join(
                text for text in (bodies[one.body_id], one.agenda, f"Changed: {one.reason}" if one.reason else "") if text
            ),
        )
        for one in found
    ]  # fmt: skip
    return calendar_text("Wavegate", events)
