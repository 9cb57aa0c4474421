"""Files and profiles that are refused before anything is written, each naming what is wrong with which thing."""

from __future__ import annotations

import gzip
import zipfile
from datetime import datetime

import pytest
import xlsxwriter

from app.importers import profiles, sources
from app.importers.runs import Importer
from app.messages import sentence
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import DomainError, RuleBroken
from tests.support.orderfiles import HEAD, SALE, content, counts, importer, on_hand, written

SHIPPED = (profiles.SHIPPED / "online-retail.toml").read_text()


def refused(database, path, profile="online-retail"):
    before = counts(database)
    with pytest.raises(RuleBroken) as caught:
        importer(database, profile).run(path)
    assert counts(database) == before
    assert "–" not in sentence(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("text", "code", "columns"),
    [
        ("", "import_file_empty", None),
        (HEAD.replace("Quantity", "Qty"), "import_columns_missing", ["Quantity"]),
        (HEAD.replace("Country", "Country,Colour"), "import_columns_unknown", ["Colour"]),
        (HEAD.replace("Country", "Country,Quantity"), "import_columns_doubled", ["Quantity"]),
    ],
)
def test_a_file_with_other_columns_is_refused_by_their_names(sqlite_database, tmp_path, text, code, columns):
    path = tmp_path / "orders.csv"
    path.write_text(text + SALE, encoding="utf-8") if text else path.write_text("")
    refusal = refused(sqlite_database, path)
    assert (refusal.code, refusal.facts.get("columns")) == (code, columns)


def test_a_file_of_another_profile_is_refused(sqlite_database, tmp_path):
    assert refused(sqlite_database, written(tmp_path, SALE), "scms").code == "import_columns_missing"


def test_a_missing_file_is_named(sqlite_database, tmp_path):
    assert refused(sqlite_database, tmp_path / "nowhere.csv").facts["file"] == "nowhere.csv"


def test_a_packed_file_that_was_cut_off_is_refused_whole(sqlite_database, tmp_path):
    path = tmp_path / "orders.csv.gz"
    path.write_bytes(gzip.compress((HEAD + SALE * 1000).encode())[:-20])
    assert refused(sqlite_database, path).code == "import_file_damaged"


def test_a_packed_file_with_a_changed_byte_is_refused_wherever_it_lies(sqlite_database, tmp_path):
    packed = gzip.compress((HEAD + "".join(SALE.replace("100", f"{n}", 1) for n in range(300))).encode())
    path = tmp_path / "orders.csv.gz"
    for place in (12, len(packed) // 4, len(packed) // 2, len(packed) - 6):
        changed = bytearray(packed)
        changed[place] ^= 0xFF
        path.write_bytes(changed)
        assert refused(sqlite_database, path).code in ("import_file_damaged", "import_header_unreadable")


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (HEAD.encode("utf-16"), "the line is not utf-8"),
        (HEAD.replace("Country", "Länder").encode("latin-1"), "the line is not utf-8"),
        (HEAD.replace("Country", "Coun\0try").encode(), "the line holds a zero byte"),
    ],
)
def test_a_header_that_cannot_be_read_is_not_called_empty(sqlite_database, tmp_path, header, why):
    path = tmp_path / "orders.csv"
    path.write_bytes(header)
    refusal = refused(sqlite_database, path)
    assert (refusal.code, refusal.facts["why"]) == ("import_header_unreadable", why)
    assert "Save it in the encoding" in sentence(refusal)


def test_a_column_without_a_name_is_said_to_have_none(sqlite_database, tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(HEAD.replace("Country", "Country,") + SALE.replace("France", "France,x"))
    assert "does not know: (without a name)." in sentence(refused(sqlite_database, path))


def test_a_folder_is_no_file(sqlite_database, tmp_path):
    assert refused(sqlite_database, tmp_path).facts["file"] == tmp_path.name


def test_a_file_that_unpacks_without_end_is_refused(sqlite_database, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MOST_BYTES", 1_000_000)
    path = tmp_path / "orders.csv.gz"
    path.write_bytes(gzip.compress((HEAD + SALE * 100_000).encode()))
    assert refused(sqlite_database, path).code == "import_file_too_large"


def test_a_spreadsheet_that_is_packed_too_well_is_refused_unopened(sqlite_database, tmp_path):
    path = tmp_path / "orders.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 50_000_000)
    assert refused(sqlite_database, path).code == "import_file_too_large"


def test_a_spreadsheet_that_is_none_is_refused(sqlite_database, tmp_path):
    path = tmp_path / "orders.xlsx"
    path.write_bytes(b"PK\x03\x04 no more")
    assert refused(sqlite_database, path).code == "import_file_damaged"


def test_an_open_quote_swallows_one_line_and_not_the_file(sqlite_database, tmp_path):
    report = importer(sqlite_database).run(written(tmp_path, SALE + '101,"' + "x" * 20_000 + "\n" + SALE))
    assert report.lines_posted >= 1
    assert report.lines_posted + report.lines_rejected == report.lines
    assert any(str(one["reason"]).startswith("the line cannot be read") for one in report.rejected)


def test_a_spreadsheet_says_the_same_as_the_text_file(sqlite_database, fresh_database, tmp_path):
    path = tmp_path / "orders.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Orders")
        for column, name in enumerate(HEAD.strip().split(",")):
            sheet.write(0, column, name)
        when = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for row, price in enumerate((2.55, 0.1, 0.29), 1):
            cells = (100, 85123, "RED PIPE", 6, datetime(2011, 3, 1, 10, 0), price, 17850.0, "France")  # noqa: DTZ001 - as a sheet has it
            for column, value in enumerate(cells):
                if column == 4:
                    sheet.write_datetime(row, column, value, when)
                else:
                    sheet.write(row, column, value)
    importer(sqlite_database).run(path)
    lines = "".join(
        f"100,85123,RED PIPE,6,2011-03-01 10:00:00,{price},17850.0,France\n" for price in ("2.55", "0.1", "0.29")
    )
    before = content(sqlite_database)
    assert [row[8] for row in before["orders"]] == [15_300_000, 600_000, 1_740_000]
    report = importer(sqlite_database).run(written(tmp_path, lines))
    assert (report.lines_posted, report.lines_rejected, report.lines_known) == (0, 0, 3)
    assert content(sqlite_database) == before
    assert on_hand(sqlite_database) == {"85123": 0}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("[sale]", "[sails]"), "unknown field `sails`"),
        (('quantity = "Quantity"', ""), "missing required field `quantity`"),
        (('posts = "return"', 'posts = "refund"'), "Invalid enum value 'refund'"),
        (('price = "UnitPrice"', ""), "neither price nor amount has a column"),
        (("[file]", "[file"), "Expected ']'"),
        (('encoding = "utf-8"', 'encoding = "klingon"'), "“klingon” is no encoding"),
        (('delimiter = ","', 'delimiter = ";;"'), "is not one character"),
        (('at = ["InvoiceDate"]', "at = []"), "names no column"),
        (("%Y-%m-%d", "%Q-%m-%d"), "does not give day, month and year"),
        (("%Y-%m-%d", "%d"), "does not give day, month and year"),
        (("[formats]", '[formats]\ndecimal_mark = ""'), "the decimal mark is empty"),
        (('"Europe/London"', '"Mars/Olympus"'), "“Mars/Olympus” is no time zone"),
        (('currency = "GBP"', 'currency = "Doubloons"'), "“Doubloons” is no currency"),
        (('tax_rate = "0"', 'tax_rate = "a fifth"'), "“a fifth” is no share"),
        (('tax_rate = "0"', 'tax_rate = "-0.2"'), "“-0.2” is no share"),
        (("lead_days = 0", "lead_days = -1"), "below zero"),
    ],
)
def test_a_profile_with_a_mistake_says_which(change, said):
    with pytest.raises(DomainError) as caught:
        profiles.parse(SHIPPED.replace(*change, 1))
    assert said in str(caught.value.facts["why"])


@pytest.mark.parametrize(
    "change", [('currency = "GBP"', 'currency = "EUR"'), ('"OR-UK"', '"OR-DE"'), ('"OR-LON"', '"OR-HAM"')]
)
def test_a_changed_profile_never_moves_to_another_business(database, tmp_path, change):
    path = written(tmp_path, SALE)
    importer(database).run(path)
    before = content(database)
    changed = Importer(database, profiles.parse(SHIPPED.replace(*change, 1)), Actor.system("test"))
    with pytest.raises(RuleBroken) as caught:
        changed.run(written(tmp_path, SALE.replace("100", "101", 1)))
    assert sentence(caught.value) == (
        "Files of profile online-retail were imported for company OR-UK, site OR-LON, in GBP, and it names others now. "
        "Give the changed profile a name of its own."
    )
    assert content(database) == before


def test_the_shipped_profiles_are_known_by_name_and_others_by_path(tmp_path):
    assert profiles.shipped() == ["online-retail", "scms"]
    own = tmp_path / "own.toml"
    own.write_text(SHIPPED.replace('name = "online-retail"', 'name = "own"'))
    assert profiles.load(str(own)).name == "own"
    with pytest.raises(RuleBroken) as caught:
        profiles.load("nothing")
    assert caught.value.facts["known"] == ["online-retail", "scms"]
