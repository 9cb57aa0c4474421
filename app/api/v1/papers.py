"""The papers of orders and of the warehouse for programs: PDFs, made outside of any transaction."""

from __future__ import annotations

from base64 import b64encode

from pydantic import Field

from app.api.framework import operation
from app.api.values import Answer, Body
from app.composition.request import now, reader
from app.queries.floor import task_page
from app.queries.order_detail import order_page
from app.queries.shelves import locations_of
from app.queries.shipments import shipment_page
from app.reports.papers import (
    Paper,
    carton_labels,
    location_labels,
    order_confirmation,
    packing_slip,
    pick_list,
)
from app.security.permissions import Permission
from app.security.require import actor

PAPERS = "Papers"


class PaperAnswer(Answer):
    """A PDF. The same documents give the same bytes."""

    file_name: str
    size: int
    sha256: str
    pdf: str = Field(description="The file in base64.")


def paper_answer(paper: Paper) -> PaperAnswer:
    return PaperAnswer(
        file_name=paper.file_name, size=len(paper.content), sha256=paper.digest, pdf=b64encode(paper.content).decode()
    )


@operation(
    "GET", "/orders/{order_id}/confirmation", permission=Permission.ORDER_READ, summary="The order confirmation as a PDF",
    tag=PAPERS, answer=PaperAnswer,
)  # fmt: skip
def print_confirmation(order_id: int) -> PaperAnswer:
    return paper_answer(order_confirmation(order_page(reader(), actor(), order_id)))


@operation(
    "GET", "/tasks/{task_id}/pick-list", permission=Permission.TASK_READ, summary="A task's pick list as a PDF", tag=PAPERS,
    answer=PaperAnswer,
)  # fmt: skip
def print_pick_list(task_id: int) -> PaperAnswer:
    return paper_answer(pick_list(task_page(reader(), actor(), task_id, now())))


@operation(
    "GET", "/shipments/{shipment_id}/packing-slip", permission=Permission.SHIPMENT_READ, summary="The packing slip as a PDF",
    tag=PAPERS, answer=PaperAnswer,
)  # fmt: skip
def print_packing_slip(shipment_id: int) -> PaperAnswer:
    return paper_answer(packing_slip(shipment_page(reader(), actor(), shipment_id)))


@operation(
    "GET", "/shipments/{shipment_id}/labels", permission=Permission.SHIPMENT_READ, summary="The labels of the cartons as a PDF",
    tag=PAPERS, answer=PaperAnswer,
)  # fmt: skip
def print_labels(shipment_id: int) -> PaperAnswer:
    return paper_answer(carton_labels(shipment_page(reader(), actor(), shipment_id)))


class LocationQuery(Body):
    """Which locations; all of the site, at most 500, without one."""

    zone: str | None = Field(None, max_length=120)
    code: str | None = Field(None, max_length=120)


@operation(
    "GET", "/sites/{site_id}/location-labels", permission=Permission.STOCK_READ, summary="The labels of a site's locations as a PDF",
    tag=PAPERS, query=LocationQuery, answer=PaperAnswer,
)  # fmt: skip
def print_location_labels(site_id: int, query: LocationQuery) -> PaperAnswer:
    return paper_answer(location_labels(locations_of(reader(), actor(), site_id, zone=query.zone, code=query.code)))
