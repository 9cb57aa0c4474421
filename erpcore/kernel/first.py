"""Two make the first of something at once: who comes second gets an answer, or what is there, never a broken unit of work.

A row that is there already can be locked before it is changed; one that is not cannot, so its key decides between the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError

from erpcore.kernel.errors import Conflict
from erpcore.kernel.model import Base

if TYPE_CHECKING:
    from erpcore.kernel.work import UnitOfWork


def add_first(work: UnitOfWork, row: Base, code: str, **facts: Any) -> None:
    """Write the row at once; raises ``Conflict`` with this code where somebody else has just made one with its key."""
    work.session.add(row)
    try:
        work.session.flush()
    except IntegrityError as clash:
        if not _is_taken(clash):
            raise
        raise Conflict(code, **facts) from clash


def _is_taken(clash: IntegrityError) -> bool:
    """Whether the key was taken: no other constraint is broken by being second."""
    return getattr(clash.orig, "sqlstate", None) == "23505" or "UNIQUE constraint failed" in str(clash.orig)


def insert_absent(work: UnitOfWork, table: type[Base], values: Mapping[str, Any]) -> bool:
    """Write a row unless one with its key is there, also one that another unit of work is about to commit: that is waited for.

    Says whether it is new. Read the row afterwards, locked: it may be the other one's.
    """
    insert = sqlite_insert if work.dialect.name == "sqlite" else pg_insert
    first = next(iter(table.__table__.primary_key.columns))
    statement = insert(table.__table__).values(dict(values)).on_conflict_do_nothing().returning(first)
    return bool(work.session.execute(statement).all())
