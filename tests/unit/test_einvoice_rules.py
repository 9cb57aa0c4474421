"""What EN 16931 demands of our documents, and their sums: one thing missing or wrong at a time, each named with its way out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from app.reports.cii import cii
from app.reports.einvoices import require_sound
from app.reports.ubl import ubl
from erpcore.billing.einvoice.document import (
    Delivery,
    Kind,
    PayTo,
    Place,
    as_rest,
    parts_of,
    rest_notes,
    rounding_notes,
)
from erpcore.billing.einvoice.rules import differences, identified, lacking
from erpcore.kernel.errors import RuleBroken
from erpcore.masterdata.tax_models import TaxCategory as T
from tests.support.einvoice_rules import officially_broken
from tests.support.einvoices import BUYER, SELLER, a_line, an_einvoice

ABROAD = replace(BUYER, vat="ATU12345678")


def untaxed(category, reason="For a reason.", **changes):
    return an_einvoice([a_line(1, category=category, rate=Decimal(0), reason=reason)], **changes)


def test_a_whole_document_lacks_nothing_and_its_sums_agree():
    assert (lacking(an_einvoice()), differences(an_einvoice())) == ([], [])
    require_sound(an_einvoice())


@pytest.mark.parametrize(
    ("said", "rule", "words"),
    [
        (an_einvoice(seller=replace(SELLER, place=None)), "BR-08", "Nordhaus GmbH has no address that held on 02.03.2026"),
        (an_einvoice(seller=replace(SELLER, vat="")), "BR-S-02", "Nordhaus GmbH has no tax number"),
        (untaxed(T.EXPORT, seller=replace(SELLER, vat="", tax_number="134/5")), "BR-IC-02", "no VAT number that begins with"),
        (an_einvoice(buyer=replace(BUYER, name=" ")), "BR-07", "the customer has no name"),
        (an_einvoice(buyer=replace(BUYER, place=Place(city="Nowhere"))), "BR-11", "is no country of ISO 3166"),
        (untaxed(T.INTRA_COMMUNITY), "BR-IC-02", "an intra-Community supply needs one"),
        (untaxed(T.REVERSE_CHARGE), "BR-IC-02", "a reverse charge needs one"),
        (untaxed(T.EXEMPT, ""), "BR-E-10", "an exemption says no reason"),
        (untaxed(T.INTRA_COMMUNITY, buyer=ABROAD, delivery=Delivery(place=BUYER.place)), "BR-IC-11", "the day on which the goods left"),
        (
            untaxed(T.INTRA_COMMUNITY, buyer=ABROAD, delivery=Delivery(first=date(2026, 3, 1), last=date(2026, 3, 1))), "BR-IC-12",
            "the country to which the goods went",
        ),
        (an_einvoice([a_line(unit=None, unit_said="heap")]), "BR-23", "the unit “heap” of 40-1 has no code"),
        (an_einvoice([a_line(1, category=None, rate=None), a_line(2, category=None, rate=None)]), "BR-CO-04", "lines 1, 2 bear no known tax"),
        (an_einvoice([a_line(category=None, rate=Decimal(0))]), "BR-CO-04", "line 1 bears no tax, and no tax rule or exemption says why"),
        (an_einvoice([]), "BR-16", "has no line"),
        (an_einvoice([a_line(1), a_line(2, category=T.OUTSIDE, rate=Decimal(0), reason="No.")]), "BR-O-11", "outside the scope"),
        (an_einvoice(places=3, currency="KWD"), "BR-DEC", "amounts in KWD have 3 decimal places"),
    ],
)  # fmt: skip
def test_what_lacks_is_named_with_its_rule_and_where_to_enter_it(said, rule, words):
    (found,) = [one for one in lacking(said) if one.rule == rule]
    assert words in found.sentence
    assert found.way_out
    with pytest.raises(RuleBroken) as refused:
        require_sound(said)
    assert refused.value.code == "einvoice_lacks"
    assert words in refused.value.facts["lacks"]


def test_what_nothing_identifies_lacks_an_identity_besides():
    said = untaxed(T.OUTSIDE, seller=replace(SELLER, vat="", register_number=""))
    assert [one.rule for one in lacking(said)] == ["BR-CO-26"]


CENT = Decimal("0.01")


def moved(said, **by):
    return replace(said, **{name: getattr(said, name) + part for name, part in by.items()})


@pytest.mark.parametrize(
    ("said", "rules"),
    [
        (moved(an_einvoice(), net=CENT), {"BR-CO-10", "BR-CO-13", "BR-CO-15"}),
        (moved(an_einvoice(), tax=CENT), {"BR-CO-14", "BR-CO-15"}),
        (moved(an_einvoice(), gross=CENT), {"BR-CO-15"}),
        (moved(an_einvoice(), tax=CENT, gross=CENT), {"BR-CO-14"}),
        (an_einvoice(parts=[]), {"BR-CO-13", "BR-CO-14", "BR-S-08"}),
        (
            an_einvoice(parts=[moved(one, tax=CENT) if one.rate == 7 else one for one in an_einvoice().parts]),
            {"BR-CO-14", "BR-CO-17"},
        ),
        (
            an_einvoice(parts=[moved(one, base=CENT) if one.rate == 7 else one for one in an_einvoice().parts]),
            {"BR-CO-13", "BR-S-08"},
        ),
        (an_einvoice([a_line(net=Decimal("8.645"))]), {"BR-DEC"}),
    ],
)  # fmt: skip
def test_a_sum_that_does_not_agree_keeps_the_document_back(said, rules):
    assert {one.rule for one in differences(said)} == rules
    with pytest.raises(RuleBroken) as refused:
        require_sound(said)
    assert refused.value.code == "einvoice_unsound"


def test_tax_is_rounded_once_for_what_is_taxed_alike_and_half_away_from_zero():
    lines = [a_line(n, net=Decimal("0.50"), rate=Decimal("5.0")) for n in (1, 2, 3)]
    (part,) = parts_of(lines, 2)
    assert (part.base, part.tax, part.rate) == (Decimal("1.50"), Decimal("0.08"), Decimal(5)), "0.075 becomes 0.08"
    kinds = parts_of(
        [a_line(1), a_line(2, category=T.EXEMPT, rate=Decimal(0), reason="A."), a_line(3, rate=Decimal(7))], 2
    )
    assert [(one.category, one.rate) for one in kinds] == [("E", 0), ("S", 7), ("S", 19)]


def test_the_tax_of_a_later_credit_is_the_rest_of_its_invoice_and_no_further_off_than_that():
    before = [("INV-2026-000001", date(2026, 2, 1))]
    parts = parts_of(
        [a_line(net=Decimal("3.33"), rate=Decimal(20)), a_line(2, net=Decimal("1.00"), rate=Decimal(7))], 2
    )
    assert [one.tax for one in parts] == [Decimal("0.07"), Decimal("0.67")]
    assert as_rest(parts, Decimal("0.74"), before, 2) == parts, "nothing is left over"
    rest = as_rest(parts, Decimal("0.73"), before, 2)
    assert [one.tax for one in rest] == [Decimal("0.07"), Decimal("0.66")]
    assert rest_notes(rest, 2) == [
        "Tax at 20 % on 3.33 is 0.66 here, not 0.67: with what was given back before it is the tax of the invoice."
    ]
    assert rest_notes(parts, 2) == []
    assert as_rest(parts, Decimal("0.71"), before, 2) == parts, "three cents are no rest of two rates of one invoice"
    assert as_rest(parts, Decimal("0.73"), [], 2) == parts, "there is no invoice of which it could be the rest"
    said = an_einvoice(
        [a_line(net=Decimal("3.33"), rate=Decimal(20))], kind=Kind.CREDIT_MEMO, due_on=None, preceding=before
    )
    off = {cents: replace(said, parts=[moved(said.parts[0], tax=CENT * cents)], tax=said.tax + CENT * cents, gross=said.gross + CENT * cents)
           for cents in (-2, -1, 1, 2)}  # fmt: skip
    assert {cents: [one.rule for one in differences(one)] for cents, one in off.items()} == {
        -2: ["BR-CO-17"], -1: [], 1: [], 2: ["BR-CO-17"],
    }  # fmt: skip
    assert [one.rule for one in differences(replace(off[1], kind=Kind.INVOICE))] == ["BR-CO-17"]


def test_lines_whose_rounding_shows_are_explained():
    (said,) = rounding_notes([a_line(1), a_line(2, price=Decimal(10))], "EUR")
    assert said == "Each line is rounded to the smallest unit of EUR: line 1: 7 × 1.234567 = 8.641969, rounded 8.64."
    assert rounding_notes([a_line(2, price=Decimal(10))], "EUR") == []
    (many,) = rounding_notes([a_line(n) for n in range(1, 15)], "EUR", most=2)
    assert many.endswith("rounded 8.64; and 12 more.")


CASES = {
    "standard": an_einvoice(),
    "zero": untaxed(T.ZERO, ""),
    "exempt": untaxed(T.EXEMPT),
    "reverse": untaxed(T.REVERSE_CHARGE, buyer=ABROAD),
    "community": untaxed(T.INTRA_COMMUNITY, buyer=ABROAD),
    "export": untaxed(T.EXPORT),
    "outside": untaxed(T.OUTSIDE, seller=identified(SELLER), buyer=identified(ABROAD)),
    "mixed": an_einvoice([a_line(1), a_line(2, category=T.EXEMPT, rate=Decimal(0), reason="A."), a_line(3, rate=Decimal("8.1"))]),
    "other number": an_einvoice(seller=replace(SELLER, vat="", tax_number="134/5780/1234")),
    "paid by SEPA": an_einvoice(pay_to=PayTo(account="DE89370400440532013000", is_iban=True, holder="Nordhaus GmbH", bic="COBADEFFXXX")),
    "paid abroad": an_einvoice(currency="GBP", pay_to=PayTo(account="70009876", is_iban=False, holder="Nordhaus GmbH")),
    "several days": an_einvoice(delivery=Delivery(place=BUYER.place, first=date(2026, 2, 1), last=date(2026, 2, 28))),
    "bare": an_einvoice(
        seller=replace(SELLER, register_number=""), buyer=replace(BUYER, place=Place(country="AT"), code=""), delivery=Delivery(),
        buyer_reference="", order="", shipment="", notes=(),
    ),
    "memo": an_einvoice(
        kind=Kind.CREDIT_MEMO, due_on=None, terms="Set against what is open.",
        preceding=[("INV-2026-000001", date(2026, 2, 1)), ("INV-2026-000002", date(2026, 2, 2))],
    ),
}  # fmt: skip


def test_the_official_rules_accept_every_kind_of_document_and_refuse_one_that_is_wrong(tmp_path):
    for name, said in CASES.items():
        assert (lacking(said), differences(said)) == ([], []), name
        (tmp_path / f"{name}.ubl.xml").write_bytes(ubl(said))
        (tmp_path / f"{name}.cii.xml").write_bytes(cii(said))
    wrong = moved(an_einvoice([a_line(unit="HEAP")]), gross=CENT)
    (tmp_path / "wrong.ubl.xml").write_bytes(ubl(wrong))
    (tmp_path / "wrong.cii.xml").write_bytes(cii(wrong))
    found = officially_broken(tmp_path)
    assert len(found) == 2 * len(CASES) + 2
    for name in ("wrong.ubl.xml", "wrong.cii.xml"):
        assert any("BR-CO-15" in one for one in found.pop(name)), name
    assert {name: said for name, said in found.items() if said} == {}


def test_the_same_document_has_the_same_bytes_and_holds_any_text():
    said = an_einvoice(buyer=replace(BUYER, name="A & B\x0b <Söhne>"))
    assert ubl(said) == ubl(said)
    assert "A &amp; B &lt;Söhne&gt;" in ubl(said).decode()
    assert "A &amp; B &lt;Söhne&gt;" in cii(said).decode()


def test_a_file_ends_with_its_last_element():
    for written in (ubl(an_einvoice()), cii(an_einvoice())):
        assert written.endswith(b">"), "a PDF that carries a line end there is miscounted by readers"
