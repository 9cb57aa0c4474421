"""After a test: the books must prove themselves."""

from __future__ import annotations

from app.composition.uow import reading
from app.queries.controls import compare_controls


def assert_books_agree(database, *, but=()) -> None:
    """Every control of the core agrees, key by key; ``but`` names those that a test's builder goes past."""
    with reading(database, snapshot=True) as session:
        wrong = [row for row in compare_controls(session) if row.difference and row.control not in but]
    assert not wrong, "\n".join(str(row) for row in wrong)
