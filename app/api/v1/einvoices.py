"""Invoices and credit memos as files for other programs: UBL, CII, and the PDF that carries it."""

from __future__ import annotations

from base64 import b64encode
from typing import Literal

from pydantic import Field

from app.api.framework import operation
from app.api.values import Answer, Body
from app.composition.request import reader
from app.queries.einvoices import invoice_document, memo_document
from app.reports.einvoices import cii_file, facturx_file, ubl_file
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.billing.einvoice.document import EInvoice

TAG = "Billing"
_MAKERS = {"ubl": ubl_file, "cii": cii_file, "pdf": facturx_file}


class EInvoiceQuery(Body):
    """As what: `ubl` and `cii` are XML, `pdf` is Factur-X, a PDF/A-3 with the CII in it."""

    format: Literal["ubl", "cii", "pdf"] = "ubl"


class EInvoiceAnswer(Answer):
    """A document by EN 16931. Refused with `einvoice_lacks` where it lacks what the standard demands, and where to enter that."""

    file_name: str
    media_type: str
    sha256: str
    content: str = Field(description="The file in base64.")


def _answer(said: EInvoice, query: EInvoiceQuery) -> EInvoiceAnswer:
    paper = _MAKERS[query.format](said)
    return EInvoiceAnswer(
        file_name=paper.file_name, media_type="application/pdf" if query.format == "pdf" else "application/xml",
        sha256=paper.digest, content=b64encode(paper.content).decode(),
    )  # fmt: skip


@operation(
    "GET", "/invoices/{invoice_id}/e-invoice", permission=Permission.INVOICE_READ, summary="An invoice by EN 16931", tag=TAG,
    query=EInvoiceQuery, answer=EInvoiceAnswer,
)  # fmt: skip
def show_invoice_file(invoice_id: int, query: EInvoiceQuery) -> EInvoiceAnswer:
    return _answer(invoice_document(reader(), actor(), invoice_id), query)


@operation(
    "GET", "/credit-memos/{memo_id}/e-invoice", permission=Permission.INVOICE_READ, summary="A credit memo by EN 16931", tag=TAG,
    query=EInvoiceQuery, answer=EInvoiceAnswer,
)  # fmt: skip
def show_credit_memo_file(memo_id: int, query: EInvoiceQuery) -> EInvoiceAnswer:
    return _answer(memo_document(reader(), actor(), memo_id), query)
