"""Which prices does a file list? CSV or XLSX in the columns of the export, read whole and never trusted.

The rows are kept as text and given a meaning whenever they are looked at, so that a list kept yesterday is compared with today.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import IO

from python_calamine import CalamineError, CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.model import PRICE_PLACES
from erpcore.kernel.quantity import parse_quantity
from erpcore.masterdata.models import Channel, Customer, CustomerGroup, Item, ItemGroup
from erpcore.masterdata.queries import find_by_code
from erpcore.pricing.lists import MOST_ROWS, ListedRow
from erpcore.pricing.newprice import NewPrice

COLUMNS = (
    "kind", "item", "item_group", "customer", "customer_group", "channel", "minimum_quantity", "unit_price",
    "discount_percent", "currency", "valid_from", "valid_until", "reference",
)  # fmt: skip
_REQUIRED = frozenset({"kind", "item", "currency", "valid_from"})
ENDINGS = (".csv", ".xlsx")
MOST_BYTES = 5_000_000
#: What a workbook may unpack to, and how much better than this nothing honest packs.
_MOST_UNPACKED, _MOST_RATIO = 60_000_000, 200
_LONGEST_CELL = 300
_FORMULA_SIGNS = tuple("=+-@")


@dataclass(frozen=True)
class ReadList:
    """The rows of a file, each its number and its cells in the order of ``COLUMNS``; one that is none has two cells, the second
    saying why. ``digest`` is of the file.
    """

    file_name: str
    content: list[list[str]]
    digest: str


def read_list(file_name: str, stream: IO[bytes]) -> ReadList:
    """The file's rows. Raises ``RuleBroken`` for one that is too large, damaged, packed to do harm, or has other columns."""
    name = Path(file_name.replace("\\", "/")).name or "prices"
    ending = Path(name).suffix.lower()
    if ending not in ENDINGS:
        raise RuleBroken("price_file_kind", field="file", file=name, may=ENDINGS)
    data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise RuleBroken("import_file_too_large", field="file", file=name, limit=MOST_BYTES)
    rows = _workbook(name, data) if ending == ".xlsx" else _text(name, data)
    header = next(rows, None)
    if header is None:
        raise RuleBroken("import_file_empty", field="file", file=name)
    places = _places(name, header)
    content: list[list[str]] = []
    for number, cells in enumerate(rows, 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(content) == MOST_ROWS:
            raise RuleBroken("price_list_too_long", field="file", rows=f"more than {MOST_ROWS}", most=MOST_ROWS)
        content.append([str(number), *_ordered(cells, places, len(header))])
    if not content:
        raise RuleBroken("import_file_empty", field="file", file=name)
    return ReadList(name, content, sha256(data).hexdigest())


def _places(name: str, header: Sequence[str]) -> dict[str, int]:
    names = [cell.strip().lstrip("\ufeff").lower() for cell in header]
    doubled = sorted({one for one in names if names.count(one) > 1})
    if doubled:
        raise RuleBroken("import_columns_doubled", field="file", file=name, columns=doubled)
    missing, unknown = sorted(_REQUIRED - set(names)), sorted(set(names) - set(COLUMNS))
    if missing or unknown:
        raise RuleBroken(
            "price_file_columns", field="file", file=name, missing=missing or "none", unknown=unknown or "none"
        )
    return {one: place for place, one in enumerate(names)}


def _ordered(cells: Sequence[str], places: Mapping[str, int], width: int) -> list[str]:
    if len(cells) > width and any(cell.strip() for cell in cells[width:]):
        return [f"{len(cells)} cells instead of {width}"]
    padded = [*cells, *([""] * (width - len(cells)))]
    if any(len(cell) > _LONGEST_CELL or "\0" in cell for cell in padded):
        return ["a cell is too long or holds a zero byte"]
    return [_bare(padded[places[name]]) if name in places else "" for name in COLUMNS]


def _bare(text: str) -> str:
    """The cell without the apostrophe with which the export keeps spreadsheets from running it."""
    text = text.strip()
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA_SIGNS) else text


def _text(name: str, data: bytes) -> Iterator[list[str]]:
    if data.startswith(b"PK\x03\x04"):
        raise RuleBroken("import_file_damaged", field="file", file=name, why="it is a packed file, not CSV")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RuleBroken("import_file_damaged", field="file", file=name, why="it is not UTF-8") from error
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",")
    try:
        yield from reader
    except csv.Error as error:
        raise RuleBroken("import_file_damaged", field="file", file=name, why=str(error)) from error


def _workbook(name: str, data: bytes) -> Iterator[list[str]]:
    """The first sheet. A formula is refused: what a price is must stand in the file, not follow from another cell."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            size, packed = sum(part.file_size for part in parts), sum(part.compress_size for part in parts)
            if size > _MOST_UNPACKED or size > _MOST_RATIO * max(packed, 10_000):
                raise RuleBroken("import_file_too_large", field="file", file=name, limit=_MOST_UNPACKED)
            for part in parts:
                if part.filename.startswith("xl/worksheets/") and _has_formula(archive, part):
                    raise RuleBroken("price_file_formula", field="file", file=name)
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
        cells = sheet.to_python(skip_empty_area=False)
    except (zipfile.BadZipFile, CalamineError, OSError, IndexError) as error:
        raise RuleBroken("import_file_damaged", field="file", file=name, why=str(error)) from error
    for row in cells:
        yield [_cell(cell) for cell in row]


def _has_formula(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    """Whether a sheet has an ``f`` element. It is read to the size it declares at most, which was checked."""
    with archive.open(part) as sheet:
        text = sheet.read(part.file_size)
    return b"<f>" in text or b"<f " in text or b"<f/>" in text


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float | int):
        number = Decimal(repr(value))
        whole = number.to_integral_value()
        return format(whole if number == whole else number, "f")
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)


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
        discount=None if discount is None else discount / 100, valid_from=_day(row["valid_from"], "valid_from"),
        valid_until=_day(row["valid_until"], "valid_until") if row["valid_until"] else None,
    )  # fmt: skip


def _code(text: str, what: str, known: Mapping[str, int]) -> int | None:
    if not text:
        return None
    if text not in known:
        raise NotFound("price_code_unknown", field=what, what=what.replace("_", " "), code=text)
    return known[text]


def _number(text: str, field: str, places: int) -> Decimal | None:
    return parse_quantity(text, places=places, field=field) if text else None


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RuleBroken("not_a_day", field=field, value=text) from None
