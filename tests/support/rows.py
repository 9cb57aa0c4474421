"""What does the database hold? Rows as they are stored, for a test to compare."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from app.composition.uow import Database, reading


def rows(database: Database, query: str, **values: Any) -> list[tuple[Any, ...]]:
    """All rows of the query, in its order."""
    with reading(database) as session:
        return [tuple(row) for row in session.execute(text(query), values)]
