"""Files for spreadsheets."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from app.reports.cells import cell
from app.web.exports import csv_file, xlsx_file


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", '=HYPERLINK("http://evil.example")']
)
def test_text_that_a_spreadsheet_would_run_is_only_shown(text):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("-12.50"), "-12.50"), (-3, "-3"), (None, ""), (True, "yes"), ("Nord & Co, Bremen", "Nord & Co, Bremen"),
        (datetime(2026, 3, 2, 9, 0, tzinfo=UTC), "2026-03-02 09:00:00+00:00"), (Decimal("1E+3"), "1000"),
    ],
)  # fmt: skip
def test_figures_and_names_stay_what_they_are(value, shown):
    assert cell(value) == shown


def test_a_list_comes_whole_with_its_heads_and_a_harmless_name():
    response = csv_file('orders"\r\nSet-Cookie: x', ["Order", "Net"], ((f"SO-{n}", Decimal(n)) for n in range(5000)))
    assert response.headers["Content-Disposition"] == 'attachment; filename="orders---Set-Cookie--x.csv"'
    rows = list(csv.reader(io.StringIO(response.get_data(as_text=True).removeprefix("\ufeff"))))
    assert rows[0] == ["Order", "Net"]
    assert rows[-1] == ["SO-4999", "4999"]
    assert len(rows) == 5001


def test_a_workbook_holds_numbers_as_numbers_and_runs_nothing():
    from python_calamine import CalamineWorkbook

    rows = [("=1+1", Decimal("12.50"), Decimal("12345678901234567.89"), None), ("https://evil.example", 7, True, "x")]
    data = xlsx_file("orders", ["Order", "Net", "Long", "Note"], rows).get_data()
    assert CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python() == [
        ["Order", "Net", "Long", "Note"],
        ["=1+1", 12.5, "12345678901234567.89", ""],
        ["https://evil.example", 7.0, "yes", "x"],
    ]
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml")
