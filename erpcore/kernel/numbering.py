"""Legal numbers without gaps, given in the last short step before the commit; and plain numbers that may have gaps.

A series is an entity, a journal and a year. Its counter row is taken inside the publish section, so that a rollback leaves
no gap and nobody waits longer than one commit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Integer, String, Table, update
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base
from erpcore.kernel.rows import Change, first_row, param, write_rows

if TYPE_CHECKING:
    from erpcore.kernel.work import UnitOfWork


class NumberSeries(Base):
    """The last number given in one series."""

    __tablename__ = "number_series"
    entity_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    journal: Mapped[str] = mapped_column(String(12), primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    prefix: Mapped[str] = mapped_column(String(24))
    last: Mapped[int] = mapped_column(BigInteger)


class PendingNumber:
    """A document that gets its legal number at the commit. ``copies``: rows of other tables that show the same number."""

    __slots__ = ("copies", "document_id", "entity_id", "journal", "prefix", "table", "year")

    def __init__(
        self,
        table: Table,
        document_id: int,
        entity_id: int,
        journal: str,
        year: int,
        prefix: str,
        copies: Sequence[tuple[Table, int]] = (),
    ) -> None:
        self.table = table
        self.document_id = document_id
        self.entity_id = entity_id
        self.journal = journal
        self.year = year
        self.prefix = prefix
        self.copies = copies


_changes: dict[str, Change] = {}


def _set_number(table: Table) -> Change:
    change = _changes.get(table.name)
    if change is None:
        change = _changes[table.name] = Change(
            lambda: (
                update(table)
                .where(table.c.id == param("of", table.c.id), table.c.number.is_(None))
                .values(number=param("given", table.c.number))
            )
        )
    return change


def _copy_number(table: Table) -> Change:
    key = f"copy:{table.name}"
    change = _changes.get(key)
    if change is None:
        change = _changes[key] = Change(
            lambda: (
                update(table).where(table.c.id == param("of", table.c.id)).values(number=param("given", table.c.number))
            )
        )
    return change


#: Moves a series on; nothing comes back for one that has not begun.
_TAKE = (
    "UPDATE number_series SET last = last + ? WHERE entity_id = ? AND journal = ? AND year = ? RETURNING last, prefix"
)


def give_numbers(work: UnitOfWork, pending: Sequence[PendingNumber]) -> None:
    """Number the documents in the order in which they were posted. Called with the publish lock held."""
    series: dict[tuple[int, str, int], list[PendingNumber]] = defaultdict(list)
    for item in pending:
        series[item.entity_id, item.journal, item.year].append(item)
    numbered: dict[Table, list[dict[str, object]]] = defaultdict(list)
    copied: dict[Table, list[dict[str, object]]] = defaultdict(list)
    table = NumberSeries.__table__
    for (entity, journal, year), items in sorted(series.items()):
        given = first_row(work, _TAKE, len(items), entity, journal, year)
        if given is None:
            given = len(items), items[0].prefix
            write_rows(
                work,
                table,
                ("entity_id", "journal", "year", "prefix", "last"),
                [(entity, journal, year, items[0].prefix, len(items))],
            )
        last, prefix = given
        first = last - len(items) + 1
        for offset, item in enumerate(items):
            number = f"{prefix}{first + offset:06d}"
            numbered[item.table].append({"of": item.document_id, "given": number})
            for other, key in item.copies:
                copied[other].append({"of": key, "given": number})
    for target, rows in numbered.items():
        _set_number(target).run(work, rows)
    for target, rows in copied.items():
        _copy_number(target).run(work, rows)
