"""Invoices and credit memos as files on screen and for programs; what lacks is a page that says where to enter it."""

from __future__ import annotations

from base64 import b64decode

import pytest

from tests.support.core import a_business
from tests.support.einvoices import known_to_others
from tests.support.operate import open_cells
from tests.support.steps import invoiced
from tests.web.test_papers import refused


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now(), items=1)
    made.clock = clock
    open_cells(made)
    return made


def test_a_posted_invoice_is_downloaded_as_pdf_and_as_xml_once_nothing_lacks(signed_in, business, clock):
    _, _, invoice = invoiced(business, [(0, 4)])
    desk = signed_in("billing")
    here = f"/invoices/{invoice.id}"
    page = desk.get(here)
    assert f"{here}/e-invoice.pdf" in page.html
    page = refused(desk, f"{here}/e-invoice.pdf", 409)
    assert page.heading == "It lacks something yet"
    assert "has no address that held on 02.03.2026 (BR-08). Enter it under Tax rules" in page.text
    known_to_others(business)
    pdf = desk.client.get(f"{here}/e-invoice.pdf")
    assert (pdf.status_code, pdf.mimetype, pdf.data[:5]) == (200, "application/pdf", b"%PDF-")
    assert pdf.headers["Content-Disposition"] == 'attachment; filename="INV-2026-000001.pdf"'
    xml = desk.client.get(f"{here}/e-invoice.xml")
    assert xml.mimetype == "application/xml"
    assert b"<cbc:ID>INV-2026-000001</cbc:ID>" in xml.data
    assert refused(desk, "/invoices/4711/e-invoice.xml", 404).heading
    signed_in("warehouse_operator").get(f"{here}/e-invoice.pdf", status=403)


def test_a_program_gets_the_same_files_and_is_told_what_lacks(caller, signed_in, business):
    _, _, invoice = invoiced(business, [(0, 4)])
    call, path = caller("billing"), f"/invoices/{invoice.id}/e-invoice"
    answer = call("GET", path)
    assert (answer.status_code, answer.json["code"]) == (422, "einvoice_lacks")
    known_to_others(business)
    ubl = call("GET", f"{path}?format=ubl").json
    assert (ubl["file_name"], ubl["media_type"]) == ("INV-2026-000001.xml", "application/xml")
    assert b64decode(ubl["content"]) == signed_in("billing").client.get(f"/invoices/{invoice.id}/e-invoice.xml").data
    assert b"CrossIndustryInvoice" in b64decode(call("GET", f"{path}?format=cii").json["content"])
    assert b64decode(call("GET", f"{path}?format=pdf").json["content"]).startswith(b"%PDF-")
    assert call("GET", f"{path}?format=edifact").status_code == 422
    line = call("GET", f"/invoices/{invoice.id}").json["lines"][0]["order_line"]
    desk = signed_in("finance")
    here = f"/invoices/{invoice.id}/credit"
    desk.get(here)
    page = desk.post(here, {"line": line, "quantity": "1", "unit_price": "2.50", "reason": "damaged", "fault": "ours"})
    (pdf, xml) = [
        one.attributes["href"] for one in page.root.find("a") if "e-invoice" in one.attributes.get("href", "")
    ]
    assert b"<cbc:ID>INV-2026-000001</cbc:ID>" in desk.client.get(xml).data, "it names the invoice that it corrects"
    assert desk.client.get(pdf).mimetype == "application/pdf"
    key = int(pdf.split("/")[2])
    assert b"CreditNote" in b64decode(call("GET", f"/credit-memos/{key}/e-invoice").json["content"])
    assert call("GET", "/credit-memos/4711/e-invoice").status_code == 404
