"""What stands in a file that a person made: CSV or the first sheet of a workbook, in known columns, read whole, never trusted."""

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

from erpcore.kernel.errors import RuleBroken

ENDINGS = (".csv", ".xlsx")
MOST_BYTES = 5_000_000
#: What a workbook may unpack to, and how much better than this nothing honest packs.
_MOST_UNPACKED, _MOST_RATIO = 60_000_000, 200
_LONGEST_CELL = 300
_FORMULA_SIGNS = tuple("=+-@")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The columns that a file may have, those it must have, and what people call the model of it."""

    columns: tuple[str, ...]
    required: frozenset[str]
    model: str
    most_rows: int


@dataclass(frozen=True)
class ReadSheet:
    """The rows of a file, each its number and its cells in the order of the layout; one that is none has two cells, the second
    saying why. ``digest`` is of the file.
    """

    file_name: str
    content: list[list[str]]
    digest: str


def read_sheet(file_name: str, stream: IO[bytes], layout: Layout) -> ReadSheet:
    """The file's rows. Raises ``RuleBroken`` for one that is too large, damaged, packed to do harm, or has other columns."""
    name = Path(file_name.replace("\\", "/")).name or "file"
    ending = Path(name).suffix.lower()
    if ending not in ENDINGS:
        raise RuleBroken("sheet_kind", field="file", file=name, may=ENDINGS)
    data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise RuleBroken("import_file_too_large", field="file", file=name, limit=MOST_BYTES)
    rows = workbook_rows(name, data) if ending == ".xlsx" else _text(name, data)
    header = next(rows, None)
    if header is None:
        raise RuleBroken("import_file_empty", field="file", file=name)
    places = _places(name, header, layout)
    content: list[list[str]] = []
    for number, cells in enumerate(rows, 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(content) == layout.most_rows:
            raise RuleBroken(
                "sheet_too_long", field="file", rows=f"more than {layout.most_rows}", most=layout.most_rows
            )
        content.append([str(number), *_ordered(cells, places, len(header), layout)])
    if not content:
        raise RuleBroken("import_file_empty", field="file", file=name)
    return ReadSheet(name, content, sha256(data).hexdigest())


def _places(name: str, header: Sequence[str], layout: Layout) -> dict[str, int]:
    names = [cell.strip().lstrip("\ufeff").lower() for cell in header]
    doubled = sorted({one for one in names if names.count(one) > 1})
    if doubled:
        raise RuleBroken("import_columns_doubled", field="file", file=name, columns=doubled)
    missing, unknown = sorted(layout.required - set(names)), sorted(set(names) - set(layout.columns))
    if missing or unknown:
        raise RuleBroken(
            "sheet_columns",
            field="file",
            file=name,
            model=layout.model,
            missing=missing or "none",
            unknown=unknown or "none",
        )
    return {one: place for place, one in enumerate(names)}


def _ordered(cells: Sequence[str], places: Mapping[str, int], width: int, layout: Layout) -> list[str]:
    if len(cells) > width and any(cell.strip() for cell in cells[width:]):
        return [f"{len(cells)} cells instead of {width}"]
    padded = [*cells, *([""] * (width - len(cells)))]
    if any(len(cell) > _LONGEST_CELL or "\0" in cell for cell in padded):
        return ["a cell is too long or holds a zero byte"]
    return [_bare(padded[places[name]]) if name in places else "" for name in layout.columns]


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


def workbook_rows(name: str, data: bytes) -> Iterator[list[str]]:
    """The first sheet. A formula is refused: what is meant must stand in the file, not follow from another cell."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            size, packed = sum(part.file_size for part in parts), sum(part.compress_size for part in parts)
            if size > _MOST_UNPACKED or size > _MOST_RATIO * max(packed, 10_000):
                raise RuleBroken("import_file_too_large", field="file", file=name, limit=_MOST_UNPACKED)
            for part in parts:
                if part.filename.startswith("xl/worksheets/") and _has_formula(archive, part):
                    raise RuleBroken("sheet_formula", field="file", file=name)
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


def read_day(text: str, field: str) -> date:
    """The day that a cell names; raises ``RuleBroken("not_a_day")`` for what names none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RuleBroken("not_a_day", field=field, value=text) from None
