"""Carriers' bills for programs: handed in with their lines or as files, matched, decided on, posted, refused, reversed."""

from __future__ import annotations

from hashlib import sha256
from typing import IO, Any

from app.api.framework import check_version, operation
from app.api.lists import listed
from app.api.v1.carrier_bill_models import (
    BillReasonBody,
    BillShipmentBody,
    CarrierBillAnswer,
    CarrierBillBody,
    CarrierBillDetail,
    CarrierBillFileQuery,
    CarrierBillHead,
    CarrierBillLineAnswer,
    CarrierBillQuery,
)
from app.api.v1.numbers import as_amount, as_minor, fresh, pointing
from app.api.v1.settlement import Content
from app.api.values import Page
from app.composition.request import reader
from app.composition.trading import rules
from app.importers.carrierbills import BillHead, take_bill_file, take_typed_bill
from app.importers.sheets import MOST_BYTES
from app.queries.carrier_bills import BILLS, BillRow, bill_of, bill_page, bill_row
from app.queries.places import realm_of_site
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.billing.freight.matching import accept_line, choose_shipment, decline_line, match_again
from erpcore.billing.freight.posting import post_bill, reverse_bill
from erpcore.billing.freight.taking import BillEntry, refuse_bill
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts

TAG = "Carriers' bills"


def _read(query: CarrierBillFileQuery, file: IO[bytes]) -> Content:
    data = file.read(MOST_BYTES + 1)
    return Content(data, sha256(data).hexdigest())


def _facts(row: BillRow) -> dict[str, Any]:
    sums = ("net", "tax", "gross", "payable")
    names = CarrierBillAnswer.model_fields.keys() - set(sums)
    return {name: getattr(row, name) for name in names} | {
        name: as_amount(getattr(row, f"{name}_minor"), row.currency) for name in sums
    }


def _bill(row: BillRow) -> CarrierBillAnswer:
    return CarrierBillAnswer(**_facts(row))


def _detail(bill: int, work: UnitOfWork | None = None) -> CarrierBillDetail:
    session, who = (fresh(work), work.actor) if work else (reader(), actor())
    page = bill_page(session, who, bill, page=None)
    code, sums = page.row.currency, ("amount", "expected")
    names = CarrierBillLineAnswer.model_fields.keys() - {*sums, "tax", "owed"}
    return CarrierBillDetail(
        **_facts(page.row), expected=as_amount(page.expected_minor, code),
        lines=[
            CarrierBillLineAnswer(
                **{name: getattr(one, name) for name in names}, tax=as_amount(one.tax_minor, code), owed=as_amount(one.owed_minor, code),
                amount=None if one.amount_minor is None else as_amount(one.amount_minor, code),
                expected=None if one.expected_minor is None else as_amount(one.expected_minor, code),
            )
            for one in page.lines
        ],
    )  # fmt: skip


def _head(work: UnitOfWork, said: CarrierBillHead) -> tuple[BillHead, str]:
    """What stands on the bill, and the currency of the company; the unit of work gets the realm of the site."""
    work.realm = realm_of_site(work.session, work.actor, said.site)
    currency = site_facts(work, said.site).entity.currency
    head = BillHead(
        carrier=said.carrier, site=said.site, number=said.number, billed_on=said.billed_on, due_on=said.due_on,
        currency=said.currency, total_minor=as_minor(said.total, currency, "total"),
    )  # fmt: skip
    return head, currency


@operation(
    "GET", "/carrier-bills", permission=Permission.INVOICE_READ, summary="List bills of carriers", tag=TAG,
    query=CarrierBillQuery, answer=Page[CarrierBillAnswer],
)  # fmt: skip
def list_carrier_bills(query: CarrierBillQuery) -> Page[CarrierBillAnswer]:
    return listed(BILLS, query, _bill)


@operation(
    "POST", "/carrier-bills", permission=Permission.CARRIER_BILL_TAKE, summary="Hand a carrier's bill in with its lines", tag=TAG,
    body=CarrierBillBody, answer=CarrierBillDetail, status=201,
    example={
        "carrier": 1101, "site": 1001, "number": "FR-2026-0311", "billed_on": "2026-03-02", "total": "8.28",
        "lines": [{"shipment": "00340434161094042557", "amount": "6.96", "tax": "1.32"}],
    },
)  # fmt: skip
def take_carrier_bill(work: UnitOfWork, body: CarrierBillBody) -> CarrierBillDetail:
    head, currency = _head(work, body)
    with pointing():
        lines = [
            BillEntry(
                raw=f"{one.shipment}; {one.amount}; {one.tax}; {one.text}", reference=one.shipment.strip(), text=one.text,
                amount_minor=as_minor(one.amount, currency, f"lines-{at}-amount"),
                tax_minor=as_minor(one.tax, currency, f"lines-{at}-tax"),
            )
            for at, one in enumerate(body.lines)
        ]  # fmt: skip
    return _detail(take_typed_bill(work, head, lines, rules=rules()).id, work)


@operation(
    "POST", "/carrier-bills/files", permission=Permission.CARRIER_BILL_TAKE,
    summary="Hand a carrier's bill in as a file: CSV or a workbook", tag=TAG, query=CarrierBillFileQuery,
    answer=CarrierBillDetail, status=201, takes_file=True, prepare=_read,
)  # fmt: skip
def take_carrier_bill_file(work: UnitOfWork, query: CarrierBillFileQuery, prepared: Content) -> CarrierBillDetail:
    head, _ = _head(work, query)
    return _detail(take_bill_file(work, head, prepared.data, query.file_name, rules=rules()).id, work)


@operation(
    "GET", "/carrier-bills/{bill_id}", permission=Permission.INVOICE_READ, summary="One bill of a carrier with its lines", tag=TAG,
    answer=CarrierBillDetail,
)  # fmt: skip
def show_carrier_bill(bill_id: int) -> CarrierBillDetail:
    return _detail(bill_id)


@operation(
    "POST", "/carrier-bills/{bill_id}/match", permission=Permission.CARRIER_BILL_TAKE,
    summary="Set the lines of a bill against our shipments anew", tag=TAG, answer=CarrierBillDetail, versioned=True,
)  # fmt: skip
def match_carrier_bill(work: UnitOfWork, bill_id: int, version: int) -> CarrierBillDetail:
    _seen(work, bill_id, version)
    match_again(work, bill_id, rules=rules(), seen_version=version)
    return _detail(bill_id, work)


@operation(
    "POST", "/carrier-bills/{bill_id}/post", permission=Permission.CARRIER_BILL_POST,
    summary="Approve a carrier's bill and post what of it is owed", tag=TAG, answer=CarrierBillDetail, versioned=True,
)  # fmt: skip
def post_carrier_bill(work: UnitOfWork, bill_id: int, version: int) -> CarrierBillDetail:
    _seen(work, bill_id, version)
    post_bill(work, bill_id, rules=rules(), seen_version=version)
    return _detail(bill_id, work)


@operation(
    "POST", "/carrier-bills/{bill_id}/refuse", permission=Permission.CARRIER_BILL_POST,
    summary="Send a carrier's bill back as a whole", tag=TAG, body=BillReasonBody, answer=CarrierBillDetail, versioned=True,
    example={"reason": "the tariff of last year"},
)  # fmt: skip
def refuse_carrier_bill(work: UnitOfWork, bill_id: int, body: BillReasonBody, version: int) -> CarrierBillDetail:
    _seen(work, bill_id, version)
    refuse_bill(work, bill_id, reason=body.reason, seen_version=version)
    return _detail(bill_id, work)


@operation(
    "POST", "/carrier-bills/{bill_id}/reverse", permission=Permission.CARRIER_BILL_POST,
    summary="Take a posted bill out of the books; its number may come again", tag=TAG, body=BillReasonBody,
    answer=CarrierBillDetail, versioned=True, example={"reason": "billed for another company"},
)  # fmt: skip
def reverse_carrier_bill(work: UnitOfWork, bill_id: int, body: BillReasonBody, version: int) -> CarrierBillDetail:
    _seen(work, bill_id, version)
    reverse_bill(work, bill_id, reason=body.reason, seen_version=version)
    return _detail(bill_id, work)


@operation(
    "POST", "/carrier-bill-lines/{line_id}/shipment", permission=Permission.CARRIER_BILL_TAKE,
    summary="Say which shipment a line is about", tag=TAG, body=BillShipmentBody, answer=CarrierBillDetail,
    example={"shipment": 1301},
)  # fmt: skip
def choose_line_shipment(work: UnitOfWork, line_id: int, body: BillShipmentBody) -> CarrierBillDetail:
    row = bill_of(work.session, work.actor, line_id)
    work.realm = row.realm
    choose_shipment(work, line_id, body.shipment, rules=rules())
    return _detail(row.id, work)


@operation(
    "POST", "/carrier-bill-lines/{line_id}/accept", permission=Permission.CARRIER_BILL_POST,
    summary="Owe what a line asks although it is not as expected", tag=TAG, body=BillReasonBody, answer=CarrierBillDetail,
    example={"reason": "delivered twice, as agreed"},
)  # fmt: skip
def accept_bill_line(work: UnitOfWork, line_id: int, body: BillReasonBody) -> CarrierBillDetail:
    row = bill_of(work.session, work.actor, line_id)
    work.realm = row.realm
    accept_line(work, line_id, reason=body.reason)
    return _detail(row.id, work)


@operation(
    "POST", "/carrier-bill-lines/{line_id}/decline", permission=Permission.CARRIER_BILL_POST,
    summary="Owe nothing of a line", tag=TAG, body=BillReasonBody, answer=CarrierBillDetail,
    example={"reason": "it never left"},
)  # fmt: skip
def decline_bill_line(work: UnitOfWork, line_id: int, body: BillReasonBody) -> CarrierBillDetail:
    row = bill_of(work.session, work.actor, line_id)
    work.realm = row.realm
    decline_line(work, line_id, reason=body.reason)
    return _detail(row.id, work)


def _seen(work: UnitOfWork, bill: int, version: int) -> None:
    """The bill is of the version that the caller has seen, and the unit of work of its realm."""
    row = bill_row(work.session, work.actor, bill)
    check_version(version, row.version)
    work.realm = row.realm
