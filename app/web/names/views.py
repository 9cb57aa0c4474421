"""Who was it? The steps of one document with the names that this person may learn; the look itself is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from flask import render_template, url_for

from app.composition.request import change, now, reader
from app.identity.looks import look
from app.queries.billing import invoice_page
from app.queries.floor import TaskFilter, floor_place, list_tasks
from app.queries.order_detail import order_page
from app.queries.order_facts import Step
from app.queries.purchases import purchase_page
from app.queries.returns import return_page
from app.queries.shipments import shipment_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from erpcore.kernel.errors import NotFound

blueprint = area("names")


class _History(NamedTuple):
    """A document's steps, what it is called, its site and its page."""

    steps: Sequence[Step]
    title: str
    site: str
    back: str
    realm: str


def _order(key: int) -> _History:
    page = order_page(reader(), actor(), key)
    return _History(page.steps, page.number, page.site, url_for("orders.show", order_id=key), page.realm)


def _invoice(key: int) -> _History:
    page = invoice_page(reader(), actor(), key)
    title = page.number or "Invoice draft"
    return _History(page.steps, title, page.site, url_for("billing.show", invoice_id=key), page.realm)


def _return(key: int) -> _History:
    page = return_page(reader(), actor(), key)
    return _History(page.steps, page.row.number, page.row.site, url_for("returns.show", return_id=key), page.row.realm)


def _purchase(key: int) -> _History:
    page = purchase_page(reader(), actor(), key)
    address = url_for("purchasing.show", purchase_id=key)
    return _History(page.steps, page.row.number, page.row.site, address, page.row.realm)


def _shipment(key: int) -> _History:
    page = shipment_page(reader(), actor(), key)
    owned = [
        Step(
            document="exception", document_id=one.id, move="looked after", to_state="settled" if one.resolved_at else "open",
            at=one.opened_at, recorded_at=one.opened_at, actor=one.owner_id, role="", reason=None,
        )
        for one in page.troubles
        if one.owner_id
    ]  # fmt: skip
    address = url_for("shipments.show", shipment_id=key)
    return _History([*owned, *page.steps], page.number, page.site, address, page.realm)


def _floor(key: int) -> _History:
    """Who holds the tasks of a site's floor now."""
    name, realm, _ = floor_place(reader(), actor(), key)
    cards = list_tasks(reader(), actor(), TaskFilter(site=key, realm=realm), now())
    steps = [
        Step(
            document="task", document_id=card.id, move=card.title, to_state=card.state, at=card.created_at,
            recorded_at=card.created_at, actor=card.owner_id, role="", reason=None,
        )
        for card in cards
        if card.owner_id
    ]  # fmt: skip
    return _History(steps, f"the floor of {name}", name, url_for("floor.board", site=key), realm)


_KINDS: dict[str, Callable[[int], _History]] = {
    "order": _order, "invoice": _invoice, "return": _return, "purchase": _purchase,
    "shipment": _shipment, "floor": _floor,
}  # fmt: skip


@blueprint.post("/names/<document>/<int:document_id>")
@require(Permission.NAME_LOOK)
def show(document: str, document_id: int) -> str:
    """A POST, since it writes down that somebody looked."""
    if document not in _KINDS:
        raise NotFound("not_found")
    history = _KINDS[document](document_id)
    people = {step.actor for step in history.steps if step.actor}
    with change(realm=history.realm) as work:
        names = look(work, people, document=document, document_id=document_id)
    return render_template(
        "names/show.html", history=history, names=names, document=document, hidden=len(people - set(names)),
        realm=history.realm,
    )  # fmt: skip
