"""Lots and serial numbers: the list, where one came from and who has it; and the papers goods came with."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from flask import render_template, request, url_for

from app.composition.request import now, reader
from app.queries.goods_receipts import ReceiptFilter, every_receipt, list_receipts, receipt_page
from app.queries.listing import PAGE
from app.queries.lots import LotFilter, every_lot, list_lots
from app.queries.places import sites_seen
from app.queries.warehouse import bin_rows, trace_lot
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key, asked_page
from app.web.chosen import asked_realm, said_realm, viewer
from app.web.exports import csv_file, xlsx_file
from app.web.items.presenters import item_address
from app.web.warehouse.views import blueprint

_LOTS = LotFilter()
_RECEIPTS = ReceiptFilter()
_LOT_HEAD = ("Lot", "Serial number", "Item", "Name", "Last day", "In stock", "Unit")
_TRACE_HEAD = ("When (UTC)", "What", "Quantity", "Site", "Document", "Paper", "Supplier", "Customer")
_RECEIPT_HEAD = ("Goods receipt", "Site", "Paper", "Supplier", "Received (UTC)", "Lines", "Lines that differ")


def _address_of(wanted: Any, plain: Any, endpoint: str, **changes: Any) -> str:
    wished = asdict(replace(wanted, **{"page": 1, **changes}))
    values: dict[str, Any] = {
        name: int(value) if isinstance(value, bool) else value
        for name, value in wished.items()
        if name != "realm" and value != getattr(plain, name)
    }
    return url_for(endpoint, **values, **said_realm(wished["realm"]))


def _asked_lots() -> LotFilter:
    args = request.args
    return LotFilter(
        realm=asked_realm(), text=args.get("text", "").strip()[:120], serial=args.get("serial") == "1",
        left=args.get("left") != "0", expiring=args.get("expiring") == "1", page=asked_page(),
    )  # fmt: skip


def _lot_address(wanted: LotFilter, endpoint: str = "warehouse.lots", **changes: Any) -> str:
    return _address_of(wanted, _LOTS, endpoint, **changes)


@blueprint.get("/warehouse/lots")
@require(Permission.STOCK_READ)
def lots() -> str:
    wanted, today = _asked_lots(), now().date()
    rows, total = list_lots(reader(), viewer(), wanted, today)
    return render_template(
        "warehouse/lots.html", asked=wanted, rows=rows, total=total, pages=max(1, -(-total // PAGE)), address=_lot_address,
        today=today, realm=wanted.realm, item_address=item_address,
    )  # fmt: skip


@blueprint.get("/warehouse/lots.csv")
@require(Permission.STOCK_READ)
def lots_csv() -> Any:
    return csv_file("lots", _LOT_HEAD, _lot_rows())


@blueprint.get("/warehouse/lots.xlsx")
@require(Permission.STOCK_READ)
def lots_xlsx() -> Any:
    return xlsx_file("lots", _LOT_HEAD, _lot_rows())


def _lot_rows() -> Any:
    for row in every_lot(reader(), viewer(), _asked_lots(), now().date()):
        last = row.expires_on.isoformat() if row.expires_on else ""
        yield row.code, row.is_serial, row.item, row.name, last, row.on_hand, row.unit


@blueprint.get("/warehouse/lots/<int:lot_id>")
@require(Permission.STOCK_READ)
def lot(lot_id: int) -> str:
    trace = trace_lot(reader(), actor(), lot_id)
    return render_template(
        "warehouse/lot.html", trace=trace, bins=bin_rows(reader(), actor(), lot=lot_id), today=now().date(),
        item_address=item_address, realm=trace.realm,
    )  # fmt: skip


@blueprint.get("/warehouse/lots/<int:lot_id>.csv")
@require(Permission.STOCK_READ)
def trace_csv(lot_id: int) -> Any:
    trace = trace_lot(reader(), actor(), lot_id)
    rows = [
        (one.at, one.kind, one.quantity, one.site, one.document, one.paper, one.supplier, one.customer)
        for one in trace.stations
    ]
    return csv_file(f"trace-{trace.lot}", _TRACE_HEAD, rows)


def _asked_receipts() -> ReceiptFilter:
    args = request.args
    return ReceiptFilter(
        site=asked_key("site"), realm=asked_realm(), text=args.get("text", "").strip()[:120],
        differs=args.get("differs") == "1", page=asked_page(),
    )  # fmt: skip


def _receipt_address(wanted: ReceiptFilter, endpoint: str = "warehouse.receipts", **changes: Any) -> str:
    return _address_of(wanted, _RECEIPTS, endpoint, **changes)


@blueprint.get("/warehouse/receipts")
@require(Permission.STOCK_READ)
def receipts() -> str:
    wanted = _asked_receipts()
    rows, total = list_receipts(reader(), viewer(wanted.site), wanted)
    return render_template(
        "warehouse/receipts.html", asked=wanted, rows=rows, total=total, pages=max(1, -(-total // PAGE)),
        address=_receipt_address, realm=wanted.realm,
        sites=[site for site in sites_seen(reader(), actor()) if site.realm == wanted.realm],
    )  # fmt: skip


@blueprint.get("/warehouse/receipts.csv")
@require(Permission.STOCK_READ)
def receipts_csv() -> Any:
    return csv_file("goods-receipts", _RECEIPT_HEAD, _receipt_rows())


@blueprint.get("/warehouse/receipts.xlsx")
@require(Permission.STOCK_READ)
def receipts_xlsx() -> Any:
    return xlsx_file("goods-receipts", _RECEIPT_HEAD, _receipt_rows())


def _receipt_rows() -> Any:
    wanted = _asked_receipts()
    for row in every_receipt(reader(), viewer(wanted.site), wanted):
        yield row.number, row.site, row.paper, row.supplier or "", row.received_at, row.lines, row.differing


@blueprint.get("/warehouse/receipts/<int:receipt_id>")
@require(Permission.STOCK_READ)
def receipt(receipt_id: int) -> str:
    row, lines = receipt_page(reader(), actor(), receipt_id)
    return render_template(
        "warehouse/receipt.html", row=row, lines=lines, realm=row.realm, item_address=item_address
    )  # fmt: skip
