"""One lot or serial number: where it came from and who has it; and one paper that goods came with."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, url_for

from app.composition.request import now, reader
from app.queries.costing import late_costs_of
from app.queries.goods_receipts import paper_of_arrival, receipt_page
from app.queries.warehouse import bin_rows, trace_lot
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.exports import csv_file
from app.web.items.presenters import item_address
from app.web.warehouse.views import blueprint

_TRACE_HEAD = ("When (UTC)", "What", "Quantity", "Site", "Document", "Paper", "Supplier", "Customer")


@blueprint.get("/warehouse/lots/<int:lot_id>")
@require(Permission.STOCK_READ)
def lot(lot_id: int) -> str:
    trace = trace_lot(reader(), actor(), lot_id)
    return render_template(
        "warehouse/lot.html", trace=trace, bins=bin_rows(reader(), actor(), lot=lot_id), today=now().date(), at=now(),
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


@blueprint.get("/warehouse/arrivals/<int:arrival_id>")
@require(Permission.STOCK_READ)
def arrival(arrival_id: int) -> Any:
    """What came at one time is shown on what it came with."""
    kind, document = paper_of_arrival(reader(), actor(), arrival_id)
    if kind == "transfer":
        return redirect(url_for("warehouse.transfer", transfer_id=document))
    return redirect(url_for("warehouse.receipt", receipt_id=document))


@blueprint.get("/warehouse/receipts/<int:receipt_id>")
@require(Permission.STOCK_READ)
def receipt(receipt_id: int) -> str:
    row, lines = receipt_page(reader(), actor(), receipt_id)
    late = late_costs_of(reader(), receipt_id) if actor().may(Permission.COST_READ) else []
    return render_template(
        "warehouse/receipt.html", row=row, lines=lines, late_costs=late, realm=row.realm, item_address=item_address
    )
