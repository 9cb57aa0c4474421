"""Suppliers and purchase orders for programs: what they ask, ordering, confirmations, ending. Goods are received as always."""

from __future__ import annotations

from app.api.companies import in_company
from app.api.framework import check_version, operation
from app.api.lists import asked_of, listed
from app.api.v1.numbers import as_amount, fresh, pointing
from app.api.v1.purchase_models import (
    ConfirmationBody,
    EndBody,
    OfferAnswer,
    OfferBody,
    PurchaseAnswer,
    PurchaseBody,
    PurchaseDetail,
    PurchaseLineAnswer,
    PurchaseQuery,
    RestBody,
    SentBody,
    SupplierAnswer,
    SupplierBody,
    SupplierDetail,
    SupplierList,
    SupplierQuery,
    SupplierStandingBody,
)
from app.api.values import Page
from app.composition.request import now, reader
from app.composition.trading import cells, rules
from app.queries.places import realm_of_site
from app.queries.purchases import PURCHASES, PurchasePage, PurchaseRow, purchase_page
from app.queries.suppliers import SUPPLIERS, SupplierFact, supplier_page
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.fulfilment.direct import OrderRest, ShipDirect, confirm_with_promises, order_rest, ship_direct
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.suppliers import (
    NewSupplier,
    OfferItem,
    add_suppliers,
    block_supplier,
    offer_items,
)
from erpcore.purchasing.services import (
    ConfirmedLine,
    ConfirmPurchase,
    EndPurchase,
    PlacePurchase,
    WantedLine,
    end_purchases,
    place_purchases,
)

TAG = "Purchasing"


def _supplier(one: SupplierFact) -> SupplierDetail:
    offers = [
        OfferAnswer(
            item_id=offer.item_id, item=offer.code, price=offer.price, lead_days=offer.lead_days,
            supplier_code=offer.supplier_code, rank=offer.rank,
        )
        for offer in one.offers
    ]  # fmt: skip
    return SupplierDetail(**SupplierAnswer.model_validate(one).model_dump(), offers=offers)


def _answer(row: PurchaseRow) -> PurchaseAnswer:
    return PurchaseAnswer(
        id=row.id, number=row.number, state=row.state, supplier_id=row.supplier_id, supplier=row.supplier,
        site_id=row.site_id, is_direct=row.is_direct, order_id=row.order_id, currency=row.currency,
        value=as_amount(row.value_minor, row.currency), ordered_at=row.ordered_at, confirmation=row.confirmation,
        due_on=row.due_on, version=row.version,
    )  # fmt: skip


def _detail(page: PurchasePage) -> PurchaseDetail:
    lines = [
        PurchaseLineAnswer(
            id=line.id, line_no=line.line_no, item_id=line.item_id, item=line.code, quantity=line.quantity,
            received=line.received, cancelled=line.cancelled, open=line.open, unit_price=line.unit_price,
            requested_on=line.requested_on, first_confirmed_on=line.first_confirmed_on, confirmed_on=line.confirmed_on,
            expected=line.expected, order_line=line.order_line,
        )
        for line in page.lines
    ]  # fmt: skip
    return PurchaseDetail(**_answer(page.row).model_dump(), lines=lines)


@operation(
    "GET", "/suppliers", permission=Permission.PURCHASE_READ, summary="List suppliers", tag=TAG, query=SupplierQuery,
    answer=SupplierList,
)  # fmt: skip
def list_suppliers(query: SupplierQuery) -> SupplierList:
    rows = [SupplierAnswer.model_validate(one) for one in SUPPLIERS.every(reader(), actor(), asked_of(query), now())]
    return SupplierList(count=len(rows), items=rows)


@operation(
    "GET", "/suppliers/{supplier_id}", permission=Permission.PURCHASE_READ, summary="One supplier with what it asks", tag=TAG,
    answer=SupplierDetail,
)  # fmt: skip
def show_supplier(supplier_id: int) -> SupplierDetail:
    return _supplier(supplier_page(reader(), actor(), supplier_id))


@operation(
    "POST", "/suppliers", permission=Permission.MASTERDATA_CHANGE, summary="Add a supplier", tag=TAG, body=SupplierBody,
    answer=SupplierDetail, status=201,
    example={"entity": 1000, "code": "ROHR", "name": "Rohrwerk AG", "country": "Germany", "lead_days": 5},
)  # fmt: skip
def add_supplier(work: UnitOfWork, body: SupplierBody) -> SupplierDetail:
    in_company(work, body.entity)
    with pointing():
        (key,) = add_suppliers(work, [NewSupplier(**dict(body))])
    return _supplier(supplier_page(fresh(work), work.actor, key))


@operation(
    "POST", "/suppliers/{supplier_id}/offers", permission=Permission.MASTERDATA_CHANGE, summary="Keep what a supplier asks for an item",
    tag=TAG, body=OfferBody, answer=SupplierDetail, status=201, example={"item": 1004, "price": "3.50", "lead_days": 4},
)  # fmt: skip
def keep_offer(work: UnitOfWork, supplier_id: int, body: OfferBody) -> SupplierDetail:
    work.realm = supplier_page(work.session, work.actor, supplier_id).realm
    with pointing():
        offer_items(work, [OfferItem(supplier=supplier_id, **dict(body))])
    return _supplier(supplier_page(fresh(work), work.actor, supplier_id))


@operation(
    "POST", "/suppliers/{supplier_id}/standing", permission=Permission.MASTERDATA_CHANGE,
    summary="Order nothing more from a supplier, or do so again", tag=TAG, body=SupplierStandingBody, answer=SupplierDetail,
    example={"is_blocked": True},
)  # fmt: skip
def change_supplier_standing(work: UnitOfWork, supplier_id: int, body: SupplierStandingBody) -> SupplierDetail:
    work.realm = supplier_page(work.session, work.actor, supplier_id).realm
    block_supplier(work, supplier_id, is_blocked=body.is_blocked)
    return _supplier(supplier_page(fresh(work), work.actor, supplier_id))


@operation(
    "GET", "/purchase-orders", permission=Permission.PURCHASE_READ, summary="List purchase orders", tag=TAG, query=PurchaseQuery,
    answer=Page[PurchaseAnswer],
)  # fmt: skip
def list_purchase_orders(query: PurchaseQuery) -> Page[PurchaseAnswer]:
    return listed(PURCHASES, query, _answer)


@operation(
    "GET", "/purchase-orders/{purchase_id}", permission=Permission.PURCHASE_READ, summary="One purchase order", tag=TAG,
    answer=PurchaseDetail,
)  # fmt: skip
def show_purchase_order(purchase_id: int) -> PurchaseDetail:
    return _detail(purchase_page(reader(), actor(), purchase_id))


@operation(
    "POST", "/purchase-orders", permission=Permission.PURCHASE_PLACE, summary="Order from a supplier", tag=TAG,
    body=PurchaseBody, answer=PurchaseDetail, status=201,
    example={"site": 1001, "supplier": 1002, "lines": [{"item": 1004, "quantity": "50", "wanted_on": "2026-12-01"}]},
)  # fmt: skip
def place_purchase_order(work: UnitOfWork, body: PurchaseBody) -> PurchaseDetail:
    work.realm = realm_of_site(work.session, work.actor, body.site)
    lines = [WantedLine(**dict(line)) for line in body.lines]
    command = PlacePurchase(site=body.site, supplier=body.supplier, note=body.note, lines=lines)
    with pointing():
        (made,) = place_purchases(work, [command], rules=rules(), cells=cells())
    return _detail(purchase_page(fresh(work), work.actor, made.id))


def _at(work: UnitOfWork, purchase_id: int, version: int) -> None:
    row = purchase_page(work.session, work.actor, purchase_id).row
    check_version(version, row.version)
    work.realm = row.realm


@operation(
    "POST", "/purchase-orders/{purchase_id}/confirm", permission=Permission.PURCHASE_CONFIRM,
    summary="Note what the supplier confirms", tag=TAG, body=ConfirmationBody, answer=PurchaseDetail, versioned=True,
    example={"reference": "AB 771", "lines": [{"line": 1011, "on": "2026-12-03", "quantity": "45"}]},
)  # fmt: skip
def confirm_purchase_order(work: UnitOfWork, purchase_id: int, version: int, body: ConfirmationBody) -> PurchaseDetail:
    _at(work, purchase_id, version)
    lines = [ConfirmedLine(**dict(line)) for line in body.lines]
    with pointing():
        confirm_with_promises(work, [ConfirmPurchase(purchase=purchase_id, reference=body.reference, lines=lines)])
    return _detail(purchase_page(fresh(work), work.actor, purchase_id))


@operation(
    "POST", "/purchase-orders/{purchase_id}/end", permission=Permission.PURCHASE_END,
    summary="Cancel a purchase order, or close what is left of it", tag=TAG, body=EndBody, answer=PurchaseDetail,
    versioned=True, example={"reason": "no longer needed"},
)  # fmt: skip
def end_purchase_order(work: UnitOfWork, purchase_id: int, version: int, body: EndBody) -> PurchaseDetail:
    _at(work, purchase_id, version)
    with pointing():
        end_purchases(work, [EndPurchase(purchase=purchase_id, reason=body.reason)])
    return _detail(purchase_page(fresh(work), work.actor, purchase_id))


@operation(
    "POST", "/purchase-orders/{purchase_id}/sent", permission=Permission.PURCHASE_CONFIRM,
    summary="The supplier has sent goods straight to the customer", tag=TAG, body=SentBody, answer=PurchaseDetail,
    versioned=True, example={"paper": "DN 771", "lines": [{"line": 1011, "quantity": "5"}]},
)  # fmt: skip
def record_direct_shipment(work: UnitOfWork, purchase_id: int, version: int, body: SentBody) -> PurchaseDetail:
    _at(work, purchase_id, version)
    lines = None if body.lines is None else {line.line: line.quantity for line in body.lines}
    with pointing():
        ship_direct(work, ShipDirect(purchase=purchase_id, paper=body.paper, lines=lines), rules=rules(), cells=cells())
    return _detail(purchase_page(fresh(work), work.actor, purchase_id))


@operation(
    "POST", "/purchase-orders/{purchase_id}/rest", permission=Permission.PURCHASE_PLACE,
    summary="Order again what a supplier does not send to the customer", tag=TAG, body=RestBody, answer=PurchaseDetail,
    versioned=True, status=201, example={"supplier": 1012},
)  # fmt: skip
def order_rest_again(work: UnitOfWork, purchase_id: int, version: int, body: RestBody) -> PurchaseDetail:
    _at(work, purchase_id, version)
    with pointing():
        again = OrderRest(purchase=purchase_id, supplier=body.supplier, seen_version=version)
        made = order_rest(work, again, rules=rules(), cells=cells())
    return _detail(purchase_page(fresh(work), work.actor, made[0].id))
