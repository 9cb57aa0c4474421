"""Bad files of partners: each is refused or kept refused with its reason, and nothing else moves."""

from __future__ import annotations

import io

import pytest
import xlsxwriter

from app.importers.payoutfiles import PayoutMapping, kinds_written
from erpcore.billing.settling.models import PayoutLineKind
from erpcore.kernel.errors import DomainError, RuleBroken
from tests.support.controls import assert_books_agree
from tests.support.settlement import HEAD, KINDS, a_market, hand_in, payout_file, rows, sold, sums
from tests.support.trader import fingerprint_of

_COUNTED = ("journal_entry", "receipt", "receipt_application", "event_log", "settlement_posting", "receivable")


def standing(business):
    return {name: rows(business, f"SELECT COUNT(*) FROM {name}") for name in _COUNTED}


def workbook(*lines):
    """A workbook whose cells hold numbers, as partners send it."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([HEAD.split(";"), *lines]):
            for column, cell in enumerate(row):
                sheet.write(at, column, cell)
    return content.getvalue()


def test_a_workbook_of_numbers_is_read_as_the_table_is(database):
    business = a_market(database)
    sold(business, "B-1")
    content = workbook(
        ["2026-03-02", "Order", "B-1", 120, "", "EUR", ""], ["2026-03-02", "Commission", "B-1", -14.4, 2.4, "EUR", "12 %"]
    )  # fmt: skip
    _, fault = hand_in(business, content, total=10_560, name="payout.xlsx")
    assert fault == ""
    assert rows(business, "SELECT kind, amount_minor, tax_minor, result FROM settlement_line ORDER BY line_no") == [
        ("sale", 12_000, 0, "matched"), ("fee", -1_440, -240, "matched"),
    ]  # fmt: skip
    assert_books_agree(database)


GOOD = payout_file(("Order", "B-1", "120,00"), ("Commission", "", "-14,40"))


@pytest.mark.parametrize(
    ("content", "total", "why", "lines"),
    [
        (payout_file(("Order", "B-1", "120,00"), ("Order", "B-2", "1,00"), day="2026-02-30"), 12_100, "is no day", 2),
        (payout_file(("Order", "B-1", "120,00001")), 12_000, "more decimals than EUR has", 1),
        (payout_file(("Order", "B-1", "120.00")), 12_000, "written with a point where a comma is due", 1),
        (GOOD, 10_000, "the total says 100.00, the lines make 105.60", 2),
        (payout_file(("Order", "B-1", "120,00"), ("Transfer", "", "-119,00")), None, "the total says 119.00", 2),
        (GOOD, None, "it has no transfer, and no total was entered", 2),
        (payout_file(("Bonus", "B-1", "120,00")), 12_000, "“Bonus” is no kind of line that was named", 1),
        (GOOD[:-20], 10_560, "the row is cut off", 2),
        (payout_file(("Order", "B-1", '"120,00')), 12_000, "is cut off", 0),
        (GOOD.decode().encode("utf-16")[:-1], 10_560, "cut off in the middle of a character", 0),
        (GOOD.decode().encode("utf-16-be"), 10_560, "in a character set that it does not name", 0),
        (GOOD.replace(b"EUR", b"USD"), 10_560, "line 1 is in USD, the partner pays in EUR", 2),
        (payout_file(("Order", "B-1", "0,00")), 0, "moves nothing", 1),
        (payout_file(("Commission", "", "-1,00", "-2,00")), -100, "more tax than amount", 1),
        (payout_file(head="Datum;Art;Betrag"), 1, "no row of the file has the columns Date, Type, Order, Amount", 0),
        (payout_file(), 1, "it has no lines", 0),
        (workbook(["2026-03-02", "Order", "B-1", 1])[:900], 100, "the workbook cannot be read", 0),
    ],
    ids=[
        "30 February", "five decimals", "a point for a comma", "wrong total", "wrong transfer", "no total", "unknown kind",
        "truncated", "open quote", "half a character", "other charset", "other currency", "nothing moved", "too much tax",
        "other columns", "no lines", "damaged workbook",
    ],
)  # fmt: skip
def test_a_faulty_payout_is_kept_with_its_reason_and_nothing_else_moves(sqlite_database, content, total, why, lines):
    business = a_market(sqlite_database)
    sold(business, "B-1")
    before = standing(business)
    _, fault = hand_in(business, content, total=total)
    assert why in fault
    assert rows(business, "SELECT state, fault, gross_minor, transfer_minor FROM settlement_payout") == [
        ("refused", fault, 0, 0)
    ]
    assert rows(business, "SELECT COUNT(*), COUNT(result), SUM(open_minor) FROM settlement_line") == [
        (lines, 0, 0 if lines else None)
    ]
    assert standing(business) == before
    assert sums(business) == {"receivable": 12_000}
    _, again = hand_in(business, GOOD, total=10_560)
    assert again == "", "a refused payout may come again mended, under its number"
    assert_books_agree(sqlite_database)


def test_a_file_in_the_character_set_of_windows_is_read(sqlite_database):
    business = a_market(sqlite_database)
    content = payout_file(("Correction", "", "1,00")).replace(b"EUR;", "EUR;Rückbuchung".encode("cp1252"))
    assert hand_in(business, content, total=100)[1] == ""
    assert rows(business, "SELECT text FROM settlement_line") == [("Rückbuchung",)]


@pytest.mark.parametrize(
    ("content", "reference", "code"),
    [
        (GOOD, "P-2", "payout_file_twice"),
        (payout_file(("Order", "B-3", "1,00")), "P-1", "payout_twice"),
        (payout_file(("Order", "B-4", "1,00")), "  ", "payout_reference_missing"),
        (b" \n", "P-3", "payout_file_empty"),
    ],
)
def test_what_cannot_be_a_new_payout_is_refused_and_nothing_moves(database, content, reference, code):
    business = a_market(database)
    assert hand_in(business, GOOD, total=10_560)[1] == ""
    before = fingerprint_of(database)
    with pytest.raises(DomainError) as error:
        hand_in(business, content, reference, total=100)
    assert error.value.code == code
    assert fingerprint_of(database) == before


def test_the_kinds_of_lines_are_said_in_the_partners_words():
    assert kinds_written("Order = sale\n\nA=B = reserve held\n") == {"Order": "sale", "A=B": "reserve_held"}
    with pytest.raises(RuleBroken, match="payout_kinds_unclear"):
        kinds_written("Order")
    for kinds in ({"Order": "sold"}, {"Refund": PayoutLineKind.REFUND}):
        mapping = PayoutMapping(
            delimiter=";", decimal=",", day_form="2026-02-28", day="a", kind="b", order="c", amount="d", kinds=kinds
        )
        with pytest.raises(RuleBroken, match="payout_kinds_unclear"):
            mapping.check()
    assert set(KINDS.values()) == set(PayoutLineKind)
