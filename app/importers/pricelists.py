"""Which prices does a file list? CSV or XLSX in the columns of the export, read whole and never trusted.

The rows are kept as text and given a meaning whenever they are looked at, so that a list kept yesterday is compared with today.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import IO

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.importers.sheets import ENDINGS, MOST_BYTES, Layout, ReadSheet, read_day, read_sheet
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.model import PRICE_PLACES
from erpcore.kernel.quantity import parse_quantity
from erpcore.masterdata.models import Channel, Customer, CustomerGroup, Item, ItemGroup
from erpcore.masterdata.queries import find_by_code
from erpcore.pricing.lists import MOST_ROWS, ListedRow, kept_rows
from erpcore.pricing.models import PriceList
from erpcore.pricing.newprice import NewPrice

__all__ = ["COLUMNS", "ENDINGS", "MOST_BYTES", "ReadSheet", "meaning", "read_list", "rows_of"]

COLUMNS = (
    "kind", "item", "item_group", "customer", "customer_group", "channel", "minimum_quantity", "unit_price",
    "discount_percent", "currency", "valid_from", "valid_until", "reference",
)  # fmt: skip
LAYOUT = Layout(
    columns=COLUMNS, required=frozenset({"kind", "item", "currency", "valid_from"}), model="export", most_rows=MOST_ROWS
)


def read_list(file_name: str, stream: IO[bytes]) -> ReadSheet:
    """The file's rows. Raises ``RuleBroken`` for one that is too large, damaged, packed to do harm, or has other columns."""
    return read_sheet(file_name, stream, LAYOUT)


def rows_of(session: Session, list_id: int) -> tuple[int, list[ListedRow]]:
    """The entity of a kept list, and what its rows mean now; raises ``NotFound`` for an unknown one."""
    found = session.execute(select(PriceList.entity_id, PriceList.content).where(PriceList.id == list_id)).one_or_none()
    if found is None:
        raise NotFound("price_list_unknown", list=list_id)
    return found.entity_id, meaning(session, found.entity_id, kept_rows(found.content))


@dataclass(frozen=True)
class _Codes:
    items: Mapping[str, int]
    customers: Mapping[str, int]
    others: Mapping[str, Mapping[str, int]]


def meaning(session: Session, entity: int, content: Sequence[Sequence[str]]) -> list[ListedRow]:
    """The rule that each row means, or why it means none. Codes are looked up for all rows at once."""
    whole = [dict(zip(COLUMNS, cells[1:], strict=True)) for cells in content if len(cells) == len(COLUMNS) + 1]
    tables = (("item_group", ItemGroup), ("customer_group", CustomerGroup), ("channel", Channel))
    codes = _Codes(
        find_by_code(session, Item, entity, {row["item"] for row in whole} - {""}),
        find_by_code(session, Customer, entity, {row["customer"] for row in whole} - {""}),
        {name: {row.code: row.id for row in session.execute(select(table.code, table.id))} for name, table in tables},
    )
    out = []
    for number, *cells in content:
        price, why = None, None
        try:
            price = _rule(entity, cells, codes)
        except (RuleBroken, NotFound) as refusal:
            why = refusal
        out.append(ListedRow(number=int(number), cells=tuple(cells), price=price, why=why))
    return out


def _rule(entity: int, cells: Sequence[str], codes: _Codes) -> NewPrice:
    if len(cells) != len(COLUMNS):
        raise RuleBroken("price_row_unreadable", why=cells[0])
    row = dict(zip(COLUMNS, cells, strict=True))
    discount = _number(row["discount_percent"], "discount_percent", PRICE_PLACES - 2)
    return NewPrice(
        entity=entity, kind=row["kind"].lower(), currency=row["currency"].upper(), reference=row["reference"] or None,
        item=_code(row["item"], "item", codes.items), customer=_code(row["customer"], "customer", codes.customers),
        **{name: _code(row[name], name, known) for name, known in codes.others.items()},
        minimum_quantity=_number(row["minimum_quantity"], "minimum_quantity", 3) or Decimal(0),
        unit_price=_number(row["unit_price"], "unit_price", PRICE_PLACES),
        discount=None if discount is None else discount / 100, valid_from=read_day(row["valid_from"], "valid_from"),
        valid_until=read_day(row["valid_until"], "valid_until") if row["valid_until"] else None,
    )  # fmt: skip


def _code(text: str, what: str, known: Mapping[str, int]) -> int | None:
    if not text:
        return None
    if text not in known:
        raise NotFound("price_code_unknown", field=what, what=what.replace("_", " "), code=text)
    return known[text]


def _number(text: str, field: str, places: int) -> Decimal | None:
    return parse_quantity(text, places=places, field=field) if text else None
