"""What a posted invoice and its credit memo say to other programs: as they were posted, with who was who on their day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from pypdf import PdfReader

from app.composition.uow import reading
from app.queries.einvoices import invoice_document, memo_document
from app.reports.cii import cii
from app.reports.einvoices import facturx_file, require_sound, ubl_file
from erpcore.billing.bank import add_bank_account
from erpcore.billing.credits import CreditInvoice, credit_invoices, credit_returns
from erpcore.billing.einvoice.document import Kind, PayTo
from erpcore.billing.paying import TellInvoiceAccount, tell_invoice_account
from erpcore.billing.services import draft_invoices
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.masterdata.addresses import AddressContent, change_address
from erpcore.masterdata.models import Item
from erpcore.masterdata.tax_keeping import (
    NewExemption,
    NewTaxNumber,
    NewTaxRule,
    keep_exemption,
    keep_tax_number,
    keep_tax_rule,
)
from erpcore.masterdata.tax_models import TaxCategory
from tests.db.core.test_returns import authorised
from tests.support.archive import broken_rules
from tests.support.core import MONDAY, OPEN, a_business
from tests.support.einvoice_rules import officially_broken
from tests.support.einvoices import known_to_others
from tests.support.policies import approve
from tests.support.rows import rows
from tests.support.steps import invoiced, shipped, taken_back

ANYBODY = Actor.system("test")
TODAY = MONDAY.date()


@pytest.fixture
def business(database):
    return a_business(database, price="10.333333")


def document(business, invoice):
    with reading(business.database) as session:
        return invoice_document(session, ANYBODY, invoice.id)


def credited(business, order, invoice, price="3.337"):
    with business.work() as work:
        line = rows(business.database, "SELECT order_line_id FROM invoice_line WHERE invoice_id = :id", id=invoice.id)[
            0
        ][0]
        command = CreditInvoice(
            invoice=invoice.id,
            order_line=line,
            quantity=Decimal(3),
            unit_price=Decimal(price),
            reason="damaged",
            fault="ours",
        )
        (memo,) = credit_invoices(work, [command])
    with reading(business.database) as session:
        return memo_document(session, ANYBODY, memo)


def lacks(said):
    with pytest.raises(RuleBroken) as refused:
        require_sound(said)
    assert refused.value.code == "einvoice_lacks"
    return refused.value.facts["lacks"]


def test_a_fee_that_is_kept_of_a_credit_is_a_line_below_zero_that_the_official_rules_accept(business, tmp_path):
    known_to_others(business)
    approve(business, "restocking_fee_permille", 125)
    order, _, _ = invoiced(business, [(0, 7)])
    row = authorised(business, order, 3, fault="customer")
    with business.work() as work:
        taken_back(work, row.id)
        (key,) = credit_returns(work, [row.id], cells=OPEN)
    with reading(business.database) as session:
        memo = memo_document(session, ANYBODY, key)
    assert [(one.quantity, one.net) for one in memo.lines] == [
        (Decimal(3), Decimal("31.00")), (Decimal(-1), Decimal("-3.88")),
    ]  # fmt: skip
    (tmp_path / "memo.ubl.xml").write_bytes(ubl_file(memo).content)
    paper = facturx_file(memo)
    (tmp_path / paper.file_name).write_bytes(paper.content)
    assert list(officially_broken(tmp_path).values()) == [[], []]


def test_a_later_credit_of_an_invoice_bears_the_rest_of_its_tax_and_the_official_rules_accept_it(business, tmp_path):
    known_to_others(business)
    order, _, invoice = invoiced(business, [(0, 3)])
    said = document(business, invoice)
    memos = [credited(business, order, invoice, "3.333333") for _ in range(3)]
    assert (said.net, said.tax) == (Decimal("31.00"), Decimal("6.20"))
    assert [(one.net, one.tax) for one in memos] == [(Decimal("10.00"), Decimal("2.00"))] * 3
    last = credited(business, order, invoice, "0.333333")
    assert (last.net, last.tax, last.gross) == (Decimal("1.00"), Decimal("0.20"), Decimal("1.20"))
    other = invoiced(business, [(0, 3)])[::2]
    thirds = [credited(business, *other, "1.11") for _ in range(2)]
    assert [(one.net, one.tax) for one in thirds] == [
        (Decimal("3.33"), Decimal("0.67")),
        (Decimal("3.33"), Decimal("0.66")),
    ]
    assert "Tax at 20 % on 3.33 is 0.66 here, not 0.67" in " ".join(thirds[1].notes)
    (tmp_path / "memo.ubl.xml").write_bytes(ubl_file(thirds[1]).content)
    paper = facturx_file(thirds[1])
    (tmp_path / paper.file_name).write_bytes(paper.content)
    assert list(officially_broken(tmp_path).values()) == [[], []]


def test_an_invoice_and_its_credit_memo_leave_as_xml_and_pdf_that_the_official_rules_accept(business, tmp_path):
    known_to_others(business)
    order, _, invoice = invoiced(business, [(0, 7), (1, 3)], customer_reference="PO 17")
    said = document(business, invoice)
    assert (said.kind, said.number, said.issued_on, said.due_on) == (
        Kind.INVOICE, "INV-2026-000001", TODAY, TODAY + timedelta(days=30),
    )  # fmt: skip
    assert (said.seller.name, said.seller.vat, said.seller.place.country) == ("Nordhaus GmbH", "DE811907980", "DE")
    assert (said.buyer.name, said.buyer.place.city, said.buyer.place.country) == ("Bautechnik", "Duisburg", "DE")
    assert (said.buyer_reference, said.order, said.delivery.first) == ("PO 17", order.number, TODAY)
    (stored,) = rows(business.database, "SELECT net_minor, tax_minor, gross_minor FROM invoice")
    assert [int(one * 100) for one in (said.net, said.tax, said.gross)] == list(stored)
    assert [(one.number, one.unit, one.category, one.rate) for one in said.lines] == [
        (1, "H87", "S", 20),
        (2, "H87", "S", 20),
    ]
    assert "line 1: 7 × 10.333333 = 72.333331, rounded 72.33" in said.notes[-1]
    memo = credited(business, order, invoice)
    assert (memo.kind, memo.preceding) == (Kind.CREDIT_MEMO, [("INV-2026-000001", TODAY)])
    assert (memo.net, memo.gross) == (Decimal("10.01"), Decimal("12.01"))
    for one in (said, memo):
        (tmp_path / f"{one.number}.ubl.xml").write_bytes(ubl_file(one).content)
        paper = facturx_file(one)
        assert paper.content == facturx_file(one).content, "the same bytes every time"
        assert broken_rules(paper.content) == []
        (tmp_path / paper.file_name).write_bytes(paper.content)
        pdf = PdfReader(BytesIO(paper.content))
        assert pdf.attachments["factur-x.xml"] == [cii(one)]
        described = pdf.trailer["/Root"]["/Metadata"].get_object().get_data()
        assert b"<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>" in described
        assert described.count(b"<rdf:RDF") == 1
        text = " ".join(" ".join(page.extract_text() for page in pdf.pages).split())
        for words in (one.number, "Nordhaus GmbH", "DE811907980", "47051 Duisburg", f"{one.gross} EUR"):
            assert words in text, words
    found = officially_broken(tmp_path)
    assert len(found) == 4
    assert {name: said for name, said in found.items() if said} == {}


def test_an_invoice_names_the_account_of_its_day_and_currency_and_a_memo_none(business, tmp_path):
    known_to_others(business)
    with business.work() as work:
        account = add_bank_account(work, business.entity, number="DE89 3704 0044 0532 0130 00", name="House bank")
    order, _, invoice = invoiced(business, [(0, 7)])
    assert document(business, invoice).pay_to is None
    with business.work() as work:
        told = TellInvoiceAccount(
            entity=business.entity, account=account, valid_from=TODAY, bic="COBADEFFXXX", reason="so"
        )
        tell_invoice_account(work, told)
    said = document(business, invoice)
    assert said.pay_to == PayTo(
        account="DE89370400440532013000", is_iban=True, holder="Nordhaus GmbH", bic="COBADEFFXXX"
    )
    assert said.means == "58"
    paper = facturx_file(said)
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(paper.content)).pages).split())
    assert "IBAN DE89 3704 0044 0532 0130 00 · BIC COBADEFFXXX · Reference INV-2026-000001" in text
    (tmp_path / "said.xml").write_bytes(ubl_file(said).content)
    (tmp_path / paper.file_name).write_bytes(paper.content)
    assert list(officially_broken(tmp_path).values()) == [[], []]
    assert b"<cbc:PaymentID>INV-2026-000001</cbc:PaymentID>" in ubl_file(said).content
    assert b"<ram:IBANID>DE89370400440532013000</ram:IBANID>" in cii(said)
    assert credited(business, order, invoice).pay_to is None


def test_what_lacks_is_refused_with_all_of_it_and_posting_is_not_kept_from(business):
    _, _, invoice = invoiced(business, [(0, 2)])
    said = lacks(document(business, invoice))
    for words in (
        "Nordhaus GmbH has no address that held on 02.03.2026",
        "no tax number that held on",
        "under Tax rules",
    ):
        assert words in said, words
    known_to_others(business, since=TODAY + timedelta(days=0))
    require_sound(document(business, invoice))


def test_an_address_that_held_later_is_not_that_of_the_invoice(business):
    _, _, invoice = invoiced(business, [(0, 2)])
    business.clock.advance(timedelta(days=3))
    known_to_others(business, since=TODAY + timedelta(days=3))
    assert "no address that held on 02.03.2026" in lacks(document(business, invoice))


def test_a_unit_that_documents_cannot_tell_and_a_country_that_is_none_are_named(business):
    known_to_others(business)
    _, _, invoice = invoiced(business, [(0, 2)])
    with business.work() as work:
        work.session.get_one(Item, business.items[0]).unit = "heap"
    (address,) = rows(business.database, "SELECT id FROM customer_address")[0]
    with business.work() as work:
        content = AddressContent(code="main", name="Bautechnik", country="Nordland", city="Duisburg", is_default=True)
        change_address(work, address, content, valid_from=TODAY)
    said = lacks(document(business, invoice))
    assert "the unit “heap” of 40-0 has no code" in said
    assert "the country of Bautechnik is no country of ISO 3166" in said


def test_an_exempt_customer_is_billed_with_the_certificate_as_the_reason(business):
    known_to_others(business)
    with business.work() as work:
        keep_exemption(
            work,
            NewExemption(
                customer=business.customer,
                certificate="FZ-118",
                valid_from=date(2026, 1, 1),
                valid_until=date(2027, 1, 1),
            ),
        )
    _, _, invoice = invoiced(business, [(0, 2)])
    (part,) = document(business, invoice).parts
    assert (part.category, part.tax) == (TaxCategory.EXEMPT, 0)
    assert part.reason == "Exempt by certificate FZ-118, which holds until 01.01.2027."


def test_a_sale_across_a_border_names_both_numbers(business, tmp_path):
    known_to_others(business)
    with business.work() as work:
        keep_tax_rule(
            work,
            NewTaxRule(
                entity=business.entity, code="EU-0", country="Germany", rate=Decimal(0), valid_from=date(2026, 1, 1),
                category=TaxCategory.INTRA_COMMUNITY, sentence="Intra-Community supply.", registration="Germany", needs_number=True,
            ),
        )  # fmt: skip
        number = NewTaxNumber(
            entity=business.entity,
            customer=business.customer,
            country="Germany",
            number="DE129273398",
            valid_from=date(2026, 1, 1),
        )
        keep_tax_number(work, number)
    _, _, invoice = invoiced(business, [(0, 2)])
    said = document(business, invoice)
    assert (said.buyer.vat, said.parts[0].category, said.parts[0].reason) == (
        "DE129273398",
        "K",
        "Intra-Community supply.",
    )
    (tmp_path / "k.xml").write_bytes(ubl_file(said).content)
    assert officially_broken(tmp_path) == {"k.xml": []}


def test_a_draft_is_no_document_and_another_sites_is_not_found(business):
    known_to_others(business)
    _, shipment = shipped(business, [(0, 1)])
    with business.work() as work:
        (draft,) = draft_invoices(work, [shipment.id], cells=OPEN)
    with pytest.raises(RuleBroken) as refused:
        document(business, draft)
    assert refused.value.code == "einvoice_not_posted"
    elsewhere = Actor(id=9, role="billing", permissions=frozenset(), sites=frozenset({4711}))
    with reading(business.database) as session:
        for ask, key in ((invoice_document, draft.id), (invoice_document, 1), (memo_document, 1)):
            with pytest.raises(NotFound):
                ask(session, elsewhere, key)
