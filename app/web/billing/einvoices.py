"""Invoices and credit memos as files for other programs: the PDF that carries its XML, and UBL alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import url_for

from app.composition.request import reader
from app.queries.einvoices import invoice_document, memo_document
from app.reports.einvoices import facturx_file, ubl_file
from app.reports.papers import Paper
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.billing.views import blueprint
from app.web.papers import paper_file


def _pdf(make: Callable[[], Paper], back: str) -> Any:
    return paper_file(make, back=back, disposition="attachment", title="It lacks something yet")


def _xml(make: Callable[[], Paper], back: str) -> Any:
    return paper_file(
        make, back=back, content_type="application/xml; charset=utf-8", disposition="attachment", title="It lacks something yet"
    )  # fmt: skip


@blueprint.get("/invoices/<int:invoice_id>/e-invoice.pdf")
@require(Permission.INVOICE_READ)
def invoice_pdf(invoice_id: int) -> Any:
    back = url_for("billing.show", invoice_id=invoice_id)
    return _pdf(lambda: facturx_file(invoice_document(reader(), actor(), invoice_id)), back)


@blueprint.get("/invoices/<int:invoice_id>/e-invoice.xml")
@require(Permission.INVOICE_READ)
def invoice_xml(invoice_id: int) -> Any:
    back = url_for("billing.show", invoice_id=invoice_id)
    return _xml(lambda: ubl_file(invoice_document(reader(), actor(), invoice_id)), back)


@blueprint.get("/credit-memos/<int:memo_id>/e-invoice.pdf")
@require(Permission.INVOICE_READ)
def memo_pdf(memo_id: int) -> Any:
    back = url_for("billing.show_memo", memo_id=memo_id)
    return _pdf(lambda: facturx_file(memo_document(reader(), actor(), memo_id)), back)


@blueprint.get("/credit-memos/<int:memo_id>/e-invoice.xml")
@require(Permission.INVOICE_READ)
def memo_xml(memo_id: int) -> Any:
    back = url_for("billing.show_memo", memo_id=memo_id)
    return _xml(lambda: ubl_file(memo_document(reader(), actor(), memo_id)), back)
