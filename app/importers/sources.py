"""Which rows does a file have? CSV, CSV.gz and XLSX, read as a stream and never trusted.

Every row comes as text with its place in the file; what cannot be read as a row of this file comes with the reason instead.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from python_calamine import CalamineError, CalamineWorkbook

from app.importers.profiles import Profile
from erpcore.kernel.errors import RuleBroken

#: A file that unpacks to more than this is refused: no order file of a year is larger.
MOST_BYTES = 2_000_000_000
#: XLSX is unpacked in memory, so its limit is lower; and no spreadsheet packs better than this.
MOST_XLSX_BYTES = 400_000_000
MOST_RATIO = 200
#: Characters in one cell; what is longer is an open quote that swallows the rest of the file.
_LONGEST_CELL = 10_000
_BLOCK = 1 << 20


class Row(NamedTuple):
    """One row: its number in the file (the header is 1), its cells, and why it is none when ``broken``."""

    number: int
    cells: Sequence[str]
    broken: str | None = None


@dataclass(frozen=True)
class Header:
    """Where each column of the profile stands, and how many columns a row has."""

    names: tuple[str, ...]
    position: dict[str, int]


class _Bytes(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


def fingerprint_of(path: Path) -> str:
    """SHA-256 of the file as it lies there."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def rows(path: Path, profile: Profile) -> tuple[Header, Iterator[Row]]:
    """The header and the rows after it. Raises ``RuleBroken`` for a file that is none of this profile's."""
    if not path.is_file():
        raise RuleBroken("import_file_missing", field="file", file=path.name or str(path))
    stream = _xlsx(path, profile) if _is_workbook(path) else _csv(path, profile)
    first = next(stream, None)
    if first is None:
        raise RuleBroken("import_file_empty", field="file", file=path.name)
    if first.broken:
        raise RuleBroken("import_header_unreadable", field="file", file=path.name, why=first.broken)
    header = _header(first, profile, path)
    return header, _checked(stream, header, first.cells)


def check_file(path: Path, profile: Profile) -> None:
    """Look at a file before it is taken: its header, or for XLSX what it unpacks to. Raises as ``rows`` does.

    Reads a few kilobytes at most, since somebody waits for the answer; the rest is found when it is read.
    """
    if _is_workbook(path):
        _check_packing(path)
        return
    with path.open("rb") as file:
        if file.read(4) == b"PK\x03\x04":
            raise RuleBroken("import_file_damaged", field="file", file=path.name, why="it is a packed file, not CSV")
    rows(path, profile)


def _is_workbook(path: Path) -> bool:
    return path.suffix.lower() in (".xlsx", ".xlsm")


def _check_packing(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise RuleBroken("import_file_damaged", field="file", file=path.name, why=str(error)) from error
    size, packed = sum(part.file_size for part in parts), sum(part.compress_size for part in parts)
    if size > MOST_XLSX_BYTES or size > MOST_RATIO * max(packed, 10_000):
        raise RuleBroken("import_file_too_large", field="file", file=path.name, limit=MOST_XLSX_BYTES)


def _header(first: Row, profile: Profile, path: Path) -> Header:
    names = tuple(cell.strip().lstrip("\ufeff") for cell in first.cells)
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise RuleBroken("import_columns_doubled", field="file", file=path.name, columns=doubled)
    wanted = wanted_columns(profile)
    missing = sorted(wanted - set(names))
    if missing:
        raise RuleBroken("import_columns_missing", field="file", file=path.name, columns=missing, profile=profile.name)
    unknown = sorted(name or "(without a name)" for name in set(names) - wanted - set(profile.file.ignore))
    if unknown and "*" not in profile.file.ignore:
        raise RuleBroken("import_columns_unknown", field="file", file=path.name, columns=unknown, profile=profile.name)
    return Header(names, {name: position for position, name in enumerate(names)})


def wanted_columns(profile: Profile) -> set[str]:
    """The columns that a profile reads."""
    c = profile.columns
    named = (
        c.document, c.item, c.quantity, *c.at, c.item_name, c.price, c.amount, c.customer, c.customer_name, c.country,
        c.promised, c.delivered, c.shipment, c.supply, c.freight, c.weight, c.insurance, *profile.keep.values(),
    )  # fmt: skip
    return {name for name in named if name is not None}


def _checked(stream: Iterator[Row], header: Header, first: Sequence[str]) -> Iterator[Row]:
    width, again = len(header.names), list(first)
    for row in stream:
        if row.broken is not None or (len(row.cells) == width and row.cells != again):
            yield row
        elif not any(cell.strip() for cell in row.cells):
            continue
        elif row.cells == again:
            yield Row(row.number, row.cells, "the header stands here again")
        else:
            what = "is cut off" if len(row.cells) < width else "has more cells than the header"
            yield Row(row.number, row.cells, f"the line {what}: {len(row.cells)} cells instead of {width}")


class _Limited(io.RawIOBase):
    """A stream that refuses to go on beyond a limit: what unpacks to more was packed to do harm."""

    def __init__(self, inner: _Bytes, limit: int, name: str) -> None:
        self._inner = inner
        self._left = limit
        self._name = name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            block = self._inner.read(len(buffer))
        except (EOFError, gzip.BadGzipFile, zlib.error, OSError) as error:
            raise RuleBroken("import_file_damaged", field="file", file=self._name, why=str(error)) from error
        self._left -= len(block)
        if self._left < 0:
            raise RuleBroken("import_file_too_large", field="file", file=self._name, limit=MOST_BYTES)
        buffer[: len(block)] = block
        return len(block)


@contextmanager
def _text(path: Path, encoding: str) -> Iterator[io.TextIOWrapper]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        inner: _Bytes = gzip.GzipFile(fileobj=file) if packed else file
        buffered = io.BufferedReader(_Limited(inner, MOST_BYTES, path.name), _BLOCK)
        # What is not of this encoding survives as lone surrogates and is found in its line.
        yield io.TextIOWrapper(buffered, encoding=encoding, errors="surrogateescape", newline="")


def _csv(path: Path, profile: Profile) -> Iterator[Row]:
    csv.field_size_limit(_LONGEST_CELL)
    with _text(path, profile.file.encoding) as text:
        reader = csv.reader(text, delimiter=profile.file.delimiter)
        number = 0
        while True:
            number += 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(number, (), f"the line cannot be read: {error}")
                continue
            line = "".join(cells)
            if line.isascii():
                if "\0" not in line:
                    yield Row(number, cells)
                    continue
                yield Row(number, cells, "the line holds a zero byte")
            elif any("\ud800" <= sign <= "\udfff" for sign in line):
                yield Row(number, cells, f"the line is not {profile.file.encoding}")
            else:
                yield Row(number, cells)


def _xlsx(path: Path, profile: Profile) -> Iterator[Row]:
    _check_packing(path)
    try:
        book = CalamineWorkbook.from_path(path)
        names = book.sheet_names
        sheet = profile.file.sheet or (names[0] if names else "")
        if sheet not in names:
            raise RuleBroken("import_sheet_missing", field="file", file=path.name, sheet=sheet, sheets=names)
        cells = book.get_sheet_by_name(sheet).to_python(skip_empty_area=True)
    except (CalamineError, OSError) as error:
        raise RuleBroken("import_file_damaged", field="file", file=path.name, why=str(error)) from error
    formats: list[str] = []
    for number, row in enumerate(cells, 1):
        if not formats:
            formats = [profile.date_format(str(cell)) for cell in row]
        yield Row(number, [_as_text(cell, formats[i]) for i, cell in enumerate(row)])


def _as_text(cell: object, date_format: str) -> str:
    """A typed cell as the profile's CSV would write it; a float by its shortest digits, never by its binary value."""
    if isinstance(cell, float):
        number = Decimal(repr(cell))
        whole = number.to_integral_value()
        return format(whole if number == whole else number, "f")
    if isinstance(cell, datetime | date):
        return cell.strftime(date_format)
    return "" if cell is None else str(cell)
