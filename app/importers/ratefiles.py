"""Which exchange rates does a file tell? CSV or XLSX in the columns of the export, taken whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from app.importers.sheets import ENDINGS, MOST_BYTES, Layout, ReadSheet, read_day, read_sheet
from app.messages import sentence
from erpcore.kernel.errors import DomainError, RuleBroken
from erpcore.kernel.quantity import parse_quantity
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.rate_models import RATE_PLACES
from erpcore.masterdata.rates import MOST_RATES, USUAL_DAYS, NewRate, in_turn, keep_rates

__all__ = ["COLUMNS", "ENDINGS", "MOST_BYTES", "keep_file", "read_rates"]

COLUMNS = ("day", "currency", "against", "rate", "source", "holds_days", "reason")
LAYOUT = Layout(
    columns=COLUMNS,
    required=frozenset({"day", "currency", "against", "rate", "source"}),
    model="export",
    most_rows=MOST_RATES,
)


def read_rates(file_name: str, stream: IO[bytes]) -> ReadSheet:
    """The file's rows. Raises ``RuleBroken`` for one that is too large, damaged, packed to do harm, or has other columns."""
    return read_sheet(file_name, stream, LAYOUT)


def keep_file(work: UnitOfWork, read: ReadSheet) -> list[int]:
    """Tell every rate of a file; returns their ids, those of rates that were told already as well.

    Raises ``RuleBroken("rate_row")`` naming a row that cannot be taken.
    """
    rows = []
    for number, *cells in read.content:
        with _naming(number):
            rows.append((number, _rate(cells)))
    kept = []
    for at in in_turn([rate for _, rate in rows]):
        number, rate = rows[at]
        with _naming(number):
            kept += [one.id for one in keep_rates(work, [rate])]
    return kept


@contextmanager
def _naming(row: str) -> Iterator[None]:
    try:
        yield
    except DomainError as refusal:
        raise RuleBroken("rate_row", field="file", row=row, why=sentence(refusal)) from refusal


def _rate(cells: Sequence[str]) -> NewRate:
    if len(cells) != len(COLUMNS):
        raise RuleBroken("price_row_unreadable", why=cells[0])
    row = dict(zip(COLUMNS, cells, strict=True))
    days = parse_quantity(row["holds_days"], places=0, field="holds_days") if row["holds_days"] else USUAL_DAYS
    return NewRate(
        currency=row["currency"], against=row["against"], day=read_day(row["day"], "day"), source=row["source"],
        rate=parse_quantity(row["rate"], places=RATE_PLACES, field="rate"), holds_days=int(days), reason=row["reason"] or None,
    )  # fmt: skip
