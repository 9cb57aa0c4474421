"""What does the database hold? Rows as they are stored, for a test to compare."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import text

from app.composition.uow import Database, reading


def rows(database: Database, query: str, **values: Any) -> list[tuple[Any, ...]]:
    """All rows of the query, in its order."""
    with reading(database) as session:
        return [tuple(row) for row in session.execute(text(query), values)]


def a_day(value: Any) -> date:
    """A day as either database answers with it to a bare query."""
    return value if isinstance(value, date) else date.fromisoformat(value)


def an_instant(value: Any) -> Any:
    """An instant as either database answers with it to a bare query; nothing stays nothing."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)
