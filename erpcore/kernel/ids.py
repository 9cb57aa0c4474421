"""Keys that are known before the row is written: 64-bit integers reserved in blocks, and UUIDv7 for events.

Ids are unique over all tables. On PostgreSQL a block comes from a sequence, outside the transaction; on SQLite from a
counter row, so what a rolled-back unit of work took is given out again.
"""

from __future__ import annotations

import os
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Connection, Integer, Sequence, text
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 1000


class IdHead(Base):
    """SQLite's counter: the first id that has not been reserved. Always one row."""

    __tablename__ = "id_head"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    next_id: Mapped[int] = mapped_column(BigInteger)


#: PostgreSQL's source of blocks: one value is a block of ``BLOCK`` ids.
ID_BLOCKS = Sequence("wavegate_id_block", metadata=Base.metadata)


class IdPool:
    """Blocks that a process has reserved in one database and not used yet."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._spans: list[tuple[int, int]] = []

    def take(self) -> list[tuple[int, int]]:
        with self._lock:
            spans, self._spans = self._spans, []
        return spans

    def give_back(self, spans: list[tuple[int, int]]) -> None:
        with self._lock:
            self._spans += spans


class Ids:
    """The ids of one unit of work, out of the process's pool or a fresh block."""

    def __init__(self, connection: Connection, pool: IdPool) -> None:
        self._connection = connection
        self._pool = pool
        self._spans = pool.take()

    def reserve(self, count: int) -> Iterator[int]:
        """``count`` new ids, ascending within a block."""
        out: list[int] = []
        while len(out) < count:
            if not self._spans:
                self._spans.append(self._block(count - len(out)))
            start, end = self._spans.pop()
            take = min(end - start, count - len(out))
            out += range(start, start + take)
            if start + take < end:
                self._spans.append((start + take, end))
        return iter(out)

    def one(self) -> int:
        return next(self.reserve(1))

    def _block(self, wanted: int) -> tuple[int, int]:
        if self._connection.dialect.name == "sqlite":
            size = max(BLOCK, wanted)
            end = self._connection.exec_driver_sql(
                "UPDATE id_head SET next_id = next_id + ? WHERE id = 1 RETURNING next_id", (size,)
            ).scalar_one()
            return end - size, end
        block = self._connection.execute(text("SELECT nextval('wavegate_id_block')")).scalar_one()
        return block * BLOCK, (block + 1) * BLOCK

    def close(self, *, committed: bool) -> None:
        """Return what is left. SQLite forgets it after a rollback, since the counter went back too."""
        if committed or self._connection.dialect.name != "sqlite":
            self._pool.give_back(self._spans)
        self._spans = []


class PassingIds(Ids):
    """Ids for what is taken back in any case: far above those ever given out, and not taken from anybody."""

    _next = 2**62

    def reserve(self, count: int) -> Iterator[int]:
        first, self._next = self._next, self._next + count
        return iter(range(first, first + count))


def uuid7s(at: datetime, count: int) -> list[str]:
    """``count`` UUIDs of version 7 for one instant (RFC 9562, 48 bits of milliseconds, then random bits)."""
    stamp = f"{int(at.timestamp() * 1000):012x}"
    head = f"{stamp[:8]}-{stamp[8:]}-7"
    noise = os.urandom(10 * count).hex()
    out = []
    for i in range(0, 20 * count, 20):
        n = noise[i : i + 20]
        out.append(f"{head}{n[:3]}-{'89ab'[int(n[3], 16) & 3]}{n[4:7]}-{n[7:19]}")
    return out
