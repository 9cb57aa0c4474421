"""A list as a file, CSV or XLSX, that opens in a spreadsheet without running anything."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import xlsxwriter
from flask import Response, has_request_context, stream_with_context

from app.reports.cells import cell


def csv_file(name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """``rows`` as a CSV file to be saved as ``name``, in UTF-8 with a mark that spreadsheets know; sent as it is read."""

    def lines() -> Iterator[str]:
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        buffer.write("\ufeff")
        writer.writerow([cell(head) for head in heads])
        for row in rows:
            writer.writerow([cell(value) for value in row])
            if buffer.tell() > 65_536:
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()
        yield buffer.getvalue()

    body = stream_with_context(lines()) if has_request_context() else lines()
    return Response(body, content_type="text/csv; charset=utf-8", headers=_saved_as(name, "csv"))


def xlsx_file(name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """``rows`` as a workbook with one sheet. Amounts are numbers there as far as a spreadsheet can hold them: fifteen digits;
    longer ones stay text, and so does everything that begins like a formula.
    """
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, list(heads), book.add_format({"bold": True}))
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                if isinstance(value, int | Decimal) and not isinstance(value, bool) and _fits(value):
                    sheet.write_number(number, column, value)
                else:
                    sheet.write_string(number, column, "" if value is None else _text(value))
    return Response(buffer.getvalue(), content_type=_XLSX, headers=_saved_as(name, "xlsx"))


_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _fits(value: int | Decimal) -> bool:
    return len(Decimal(value).normalize().as_tuple().digits) <= 15


def _text(value: Any) -> str:
    # A text cell is never run; the apostrophe of CSV would only show.
    return value if isinstance(value, str) else cell(value)


def safe_name(name: str) -> str:
    """A name that any header and any disk takes: a number or code of people may hold signs that neither does."""
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_.") else "-" for sign in name)


def _saved_as(name: str, ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{safe_name(name)}.{ending}"'}
