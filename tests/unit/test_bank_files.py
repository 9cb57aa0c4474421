"""Files of banks as they come: right ones in every form, and the faults that banks and lines between have made."""

from __future__ import annotations

from datetime import date

import pytest

from app.importers.bankfiles.reading import kind_of, read_bank_file
from app.importers.bankfiles.table import Mapping
from erpcore.billing.bank import BankAccountFacts, fault_of
from erpcore.kernel.errors import RuleBroken
from tests.support.bankfiles import IBAN, camt, entry, mt940

ACCOUNT = BankAccountFacts(1, 1, IBAN, "House bank", "EUR", None, 1)
MAPPING = Mapping(
    delimiter=";", decimal=",", day_form="28.02.2026", day="Buchung", amount="Betrag", text="Zweck", name="Name",
    payer="Konto", reference="Ref",
)  # fmt: skip
TABLE = (
    "Konto;DE1\n\nBuchung;Betrag;Zweck;Name;Konto;Ref\n02.03.2026;1.200,50;INV-2026-000001;Müller GmbH;DE22;E 1\n"
    "03.03.2026;-4,50;Entgelt;;;\n"
)


def read(content, mapping=None, **sums):
    return read_bank_file(content, ACCOUNT, mapping, **sums)


def faults(content, mapping=None, **sums):
    return [fault_of(one, ACCOUNT) for one in read(content, mapping, **sums)]


@pytest.mark.parametrize("version", ["02", "08"])
def test_a_statement_of_camt_053_is_read_whatever_its_version(version):
    content = camt(
        entry("120.00", text="INV-2026-000001", name="Bautechnik", payer="DE22", version=version),
        entry("3.50", debit=True, text="Fee"), entry("80.00", debit=True, returned="AC04", text="back"), version=version,
        opening="10.00", closing="46.50",
    )  # fmt: skip
    (found,) = read(content)
    assert (found.account, found.currency, found.opening_minor, found.closing_minor) == (IBAN, "EUR", 1_000, 4_650)
    first, fee, back = found.lines
    assert (first.amount_minor, first.booked_on, first.name, first.payer) == (
        12_000,
        date(2026, 3, 2),
        "Bautechnik",
        "DE22",
    )
    assert first.text == "INV-2026-000001"
    assert (fee.amount_minor, back.amount_minor, back.is_return, fee.is_return) == (-350, -8_000, True, False)
    assert faults(content) == [""]


def test_a_batch_becomes_its_transactions_when_they_add_up():
    batch = entry("30.00", parts=[("10.00", "A 1001"), ("20.00", "A 1002")])
    (found,) = read(camt(batch, closing="30.00"))
    assert [(line.amount_minor, line.text) for line in found.lines] == [(1_000, "A 1001"), (2_000, "A 1002")]
    wrong = entry("30.00", parts=[("10.00", "A 1001"), ("19.00", "A 1002")])
    assert "do not add up" in faults(camt(wrong, closing="30.00"))[0]


def test_a_message_of_mt940_is_read_with_its_sub_fields():
    content = mt940(
        ":61:2603020302C120,00NTRFNONREF//B1\n:86:166?00CREDIT?20EREF+E 7SVWZ+INV-2026-0000?2101 Danke?31DE22?32Bautech?33nik",
        ":61:2603030303RC20,00NRTIX 2//B2\n:86:returned", ":61:2612310102D1,5NCHGNONREF\n:86:Fee", closing="C260303EUR98,50",
    )  # fmt: skip
    (found,) = read(content)
    first, back, fee = found.lines
    assert (first.amount_minor, first.bank_ref, first.end_to_end) == (12_000, "B1", "E 7")
    assert (first.text, first.name, first.payer) == ("INV-2026-000001 Danke", "Bautechnik", "DE22")
    assert (back.amount_minor, back.is_return, back.end_to_end) == (-2_000, True, "X 2")
    assert (fee.booked_on, fee.valued_on) == (date(2027, 1, 2), date(2026, 12, 31))
    assert faults(content) == [""]


def test_a_table_is_read_by_its_mapping_and_needs_its_balances():
    (found,) = read(TABLE.encode("cp1252"), MAPPING, opening_minor=0, closing_minor=119_600)
    assert [line.amount_minor for line in found.lines] == [120_050, -450]
    assert (found.lines[0].name, found.lines[0].booked_on) == ("Müller GmbH", date(2026, 3, 2))
    assert faults(TABLE.encode(), MAPPING, opening_minor=0, closing_minor=119_600) == [""]
    assert read(TABLE.encode("utf-16"), MAPPING, opening_minor=0, closing_minor=1)[0].lines[0].name == "Müller GmbH"
    for mapping, sums, code in ((None, {}, "mapping_missing"), (MAPPING, {"opening_minor": 0}, "balance_missing")):
        with pytest.raises(RuleBroken) as refused:
            read(TABLE.encode(), mapping, **sums)
        assert refused.value.code == code
    with pytest.raises(RuleBroken):
        read(b" \n ")


GOOD = camt(entry("120.00"), closing="120.00")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (camt(entry("120.00", day="2026-02-30"), closing="120.00"), "line 1: “2026-02-30” is no day"),
        (camt(entry("120.00001"), closing="120.00"), "has more decimals than EUR has (2)"),
        (camt(entry("12O.00"), closing="120.00"), "is no amount"),
        (camt(entry("120.00"), closing="121.00"), "the closing balance says 121.00, the opening one and the entries make 120.00"),
        (camt(entry("120.00"), closing=None), "no closing balance"),
        (camt(entry("120.00"), closing="120.00", account="DE00"), "it is of account DE00"),
        (camt(entry("120.00"), closing="120.00", currency="USD"), "it is in USD"),
        (GOOD[: len(GOOD) // 2], "cut off"),
        (camt(entry("120.00", name="Müller"), closing="120.00").decode().encode("latin-1"), "not in the character set"),
        (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><Document>&b;</Document>', "document type"),
        (b"<Document><Else/></Document>", "no statement of camt.053"),
        (mt940(":61:2602300230C120,00NTRFNONREF", closing="C260303EUR120,00"), "“260230” is no day"),
        (mt940(":61:2603020302C120,00001NTRFNONREF", closing="C260303EUR120,00"), "has more decimals"),
        (mt940(":61:2603020302C120,00NTRFNONREF", closing=None), "no closing balance"),
        (mt940(":61:2603020302C120,00NTRFNONREF", closing="C260303EUR119,99"), "the entries make 120.00"),
        (mt940(":61:nonsense", closing="C260303EUR0,00"), "not as :61: has to be"),
        (mt940(":61:2603020302C5.00NTRFX", opening="C260301EUR0.00", closing="C260303EUR5.00"), "a point where a comma is due"),
        (mt940(":61:2603020302C5,00NTRFX\n:86:a\0b", closing="C260303EUR5,00"), "no text"),
        (mt940(":61:2603020302C5,00NTRFX", closing="C260303EUR5,00").replace(f":25:{IBAN}".encode(), b":25:"), "of which account"),
        (camt(entry("120.00"), closing="120.00", account=""), "of which account"),
        (GOOD.replace(b"UTF-8", b"UTF-99"), "character set that it names (unknown encoding: UTF-99)"),
        (GOOD.replace(b"UTF-8", b"GBK"), "character set that it names (multi-byte"),
        (camt(entry("120.00", text="<a>" * 5_000 + "</a>" * 5_000), closing="120.00"), "nested deeper"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said_and_the_whole_statement_refused(content, why):
    (said,) = faults(content)
    assert why in said


def test_a_table_whose_rows_cannot_be_read_says_which():
    cut = TABLE.encode() + b"04.03.2026;5"
    assert (
        "1 of 3 lines cannot be read; line 3: the row is cut off"
        in faults(cut, MAPPING, opening_minor=0, closing_minor=1)[0]
    )
    day = TABLE.replace("03.03.2026", "30.02.2026").encode()
    assert "line 2: “30.02.2026” is no day" in faults(day, MAPPING, opening_minor=0, closing_minor=1)[0]
    other = TABLE.replace("Betrag", "Summe").encode()
    assert "no row of the file has the columns" in faults(other, MAPPING, opening_minor=0, closing_minor=1)[0]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (TABLE.replace("1.200,50", "1200.50"), "line 1: “1200.50” is written with a point where a comma is due"),
        (TABLE.replace("Müller", "M" * 200_000), "the file is no table"),
        (TABLE.replace("DE22", "DE\0"), "no text"),
    ],
)
def test_a_table_that_would_be_misread_is_refused(content, why):
    assert why in faults(content.encode(), MAPPING, opening_minor=0, closing_minor=119_600)[0]


def test_lines_may_end_as_old_machines_end_them_and_references_be_longer_than_any_bank_s():
    assert faults(TABLE.replace("\n", "\r").encode(), MAPPING, opening_minor=0, closing_minor=119_600) == [""]
    (found,) = read(camt(entry("30.00", ref="R" * 400, parts=[("10.00", "a"), ("20.00", "b")]), closing="30.00"))
    assert [len(line.bank_ref) for line in found.lines] == [112, 112]
    assert faults(GOOD.decode().replace("UTF-8", "UTF-16").encode("utf-16-le")) == [""]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (GOOD, "camt.053"),
        (b"\xef\xbb\xbf\n" + GOOD, "camt.053"),
        (mt940(closing=None), "mt940"),
        (TABLE.encode(), "table"),
    ],
)
def test_the_kind_of_a_file_is_known_by_its_beginning(content, kind):
    assert kind_of(content) == kind
