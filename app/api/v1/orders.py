"""Orders for programs: read, capture one or many, and every move of an order, through the services that screens use."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

from app.api.framework import check_version, operation
from app.api.lists import listed
from app.api.v1.numbers import as_amount, fresh, pointing, thousandths
from app.api.v1.order_models import (
    BulkAnswer,
    BulkBody,
    BulkPolicy,
    BulkResult,
    CancelBody,
    ComparedAnswer,
    DeliverBody,
    HoldAnswer,
    HoldBody,
    LineAnswer,
    OrderAnswer,
    OrderBody,
    OrderDetail,
    OrderQuery,
    QuantityBody,
    ReasonBody,
    ShipBody,
    ShipmentAnswer,
    SourceAnswer,
    SourceList,
)
from app.api.values import Page
from app.composition.order_approvals import BY_RULES, cancel, let_go
from app.composition.request import now, reader
from app.composition.trading import cells, hold_command, rules
from app.messages import sentence
from app.queries.order_answer import AnsweredOrder, order_answered, order_head
from app.queries.orders import ORDERS, OrderRow
from app.queries.supply_of_order import sources_of_order
from app.security.permissions import Permission
from app.security.require import actor
from app.security.scopes import check_site
from erpcore.fulfilment.direct import release_with_purchases
from erpcore.fulfilment.leaving import send_off
from erpcore.fulfilment.services import (
    DeliverShipment,
    PickOrder,
    deliver_shipments,
    pick_orders,
)
from erpcore.kernel.errors import Conflict, NeedsConfirmation, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_in_any_realm
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.cancelling import CancelLines
from erpcore.orders.holds import ReleaseHold, hold_orders
from erpcore.orders.services import CaptureOrder, NewLine, capture_orders

TAG = "Orders"


_LINE_COLUMNS = tuple(name for name in LineAnswer.model_fields if name != "value")


def _line(row: Any, currency: str) -> LineAnswer:
    columns = {name: getattr(row, name) for name in _LINE_COLUMNS}
    return LineAnswer(value=as_amount(row.value_minor, currency), **columns)


def detail(order: AnsweredOrder) -> OrderDetail:
    """The order as programs see it."""
    head = order.head
    return OrderDetail(
        id=head.id, number=head.number, customer_reference=head.customer_reference, customer=head.customer,
        customer_id=head.customer_id, site_id=head.site_id, channel_id=head.channel_id, realm=head.realm, state=head.state,
        delivery_status=head.delivery_status, billing_status=head.billing_status, payment_status=head.payment_status,
        currency=head.currency, value=as_amount(head.value_minor, head.currency), ship_country=head.ship_country,
        ship_to_id=head.ship_to_id, captured_at=head.captured_at, ruleset=head.ruleset, variants=head.variants,
        version=head.version, lines=[_line(row, head.currency) for row in order.lines],
        shipments=[ShipmentAnswer.model_validate(row) for row in order.shipments],
        holds=[HoldAnswer.model_validate(row) for row in order.holds], invoices=list(order.invoices),
    )  # fmt: skip


def _read(work: UnitOfWork, order_id: int) -> OrderDetail:
    return detail(order_answered(fresh(work), work.actor, order_id))


def _seen(work: UnitOfWork, order_id: int, version: int) -> None:
    """Look at the order before a move; refuses another site's, and a version that is no longer the present one."""
    head = order_head(work.session, work.actor, order_id)
    work.realm = head.realm
    check_version(version, head.version)


@operation("GET", "/orders", permission=Permission.ORDER_READ, summary="List orders", tag=TAG, query=OrderQuery, answer=Page[OrderAnswer])  # fmt: skip
def list_orders(query: OrderQuery) -> Page[OrderAnswer]:
    return listed(ORDERS, query, _listed)


def _listed(row: OrderRow) -> OrderAnswer:
    return OrderAnswer(
        id=row.id, number=row.number, customer_reference=row.reference, customer=row.customer_code, site=row.site,
        channel=row.channel, state=row.state, delivery_status=row.delivery, billing_status=row.billing,
        payment_status=row.payment, currency=row.currency, value=as_amount(row.value_minor, row.currency),
        captured_at=row.captured_at, due_at=row.due_at, is_late=row.is_late(now()), version=row.version,
    )  # fmt: skip


@operation("GET", "/orders/{order_id}", permission=Permission.ORDER_READ, summary="One order", tag=TAG, answer=OrderDetail)  # fmt: skip
def show_order(order_id: int) -> OrderDetail:
    return detail(order_answered(reader(), actor(), order_id))


@operation(
    "GET", "/orders/{order_id}/sources", permission=Permission.ORDER_READ, summary="From where lines are shipped, and why", tag=TAG,
    answer=SourceList,
)  # fmt: skip
def show_sources(order_id: int) -> SourceList:
    head = order_answered(reader(), actor(), order_id).head
    return SourceList(
        items=[
            SourceAnswer(
                line=one.line_id, line_no=one.line_no, rule=one.rule, chosen_at=one.chosen_at,
                sites=[
                    ComparedAnswer(
                        site_id=site.site_id, site=site.site, free=site.free, transit_days=site.transit_days,
                        cost=None if site.cost_minor is None else as_amount(site.cost_minor, head.currency),
                        late_days=site.late_days, chosen=site.chosen,
                    )
                    for site in one.sites
                ],
            )
            for one in sources_of_order(reader(), order_id)
        ]
    )  # fmt: skip


def _command(body: OrderBody) -> CaptureOrder:
    return CaptureOrder(
        site=body.site, channel=body.channel, customer=body.customer, customer_reference=body.customer_reference or None,
        requested_on=body.requested_on, accepted={one.code: one.reason for one in body.accept}, ship_to=body.ship_to, rush=body.rush,
        lines=[
            NewLine(
                item=line.item, quantity=line.quantity, unit_price=line.unit_price, price_reason=line.price_reason,
                requested_on=line.requested_on, drop_ship=line.drop_ship, ship_to=line.ship_to, rush=line.rush,
            )
            for line in body.lines
        ],
    )  # fmt: skip


def _realm_at(work: UnitOfWork, site: int) -> str:
    """The realm of the site; what is read of it serves the capture too. Raises ``NotFound`` for another's and an unknown one."""
    check_site(work.actor, site)
    return site_in_any_realm(work, site).entity.realm


@operation(
    "POST", "/orders", permission=Permission.ORDER_CAPTURE, summary="Capture an order", tag=TAG, body=OrderBody,
    answer=OrderDetail, status=201,
    example={"site": 1001, "channel": 1002, "customer": 1003, "lines": [{"item": 1004, "quantity": "12"}]},
)  # fmt: skip
def capture_order(work: UnitOfWork, body: OrderBody) -> OrderDetail:
    work.realm = _realm_at(work, body.site)
    with pointing():
        (order,) = capture_orders(work, [_command(body)], rules=rules(), cells=cells(), authority=BY_RULES)
    return _read(work, order.id)


@operation(
    "POST", "/orders/bulk", permission=Permission.ORDER_CAPTURE, summary="Capture many orders", tag=TAG, body=BulkBody,
    answer=BulkAnswer, status=201,
    example={
        "policy": "per_order",
        "orders": [{"site": 1001, "channel": 1002, "customer": 1003, "lines": [{"item": 1004, "quantity": "12"}]}],
    },
)  # fmt: skip
def capture_bulk(work: UnitOfWork, body: BulkBody) -> BulkAnswer:
    """All or nothing refuses the whole call with the position of the first that cannot be; otherwise each has its answer."""
    results = []
    for position, one in enumerate(body.orders):
        try:
            # A refusal comes before anything of its order is written, so the others need no savepoint.
            with pointing(f"orders/{position}/"):
                work.realm = _realm_at(work, one.site)
                (order,) = capture_orders(work, [_command(one)], rules=rules(), cells=cells(), authority=BY_RULES)
        except (RuleBroken, NotFound, Conflict, NotAllowed, NeedsConfirmation) as refusal:
            if body.policy == BulkPolicy.ALL_OR_NOTHING:
                raise
            results.append(
                BulkResult(
                    position=position, order_id=None, number=None, code=refusal.code, detail=sentence(refusal),
                    pointer=f"/{refusal.field}" if refusal.field else f"/orders/{position}",
                )
            )  # fmt: skip
        else:
            results.append(BulkResult(position=position, order_id=order.id, number=order.number))
    captured = sum(1 for result in results if result.order_id is not None)
    return BulkAnswer(captured=captured, refused=len(results) - captured, results=results)


@operation(
    "POST", "/orders/{order_id}/release", permission=Permission.ORDER_RELEASE, summary="Release an order, or hold it for credit",
    tag=TAG, answer=OrderDetail, versioned=True,
)  # fmt: skip
def release_order(work: UnitOfWork, order_id: int, version: int) -> OrderDetail:
    _seen(work, order_id, version)
    release_with_purchases(work, [order_id], rules=rules(), cells=cells(), seen={order_id: version})
    return _read(work, order_id)


@operation(
    "POST", "/orders/{order_id}/hold", permission=Permission.HOLD_PLACE, summary="Hold an order", tag=TAG, body=HoldBody,
    answer=OrderDetail, versioned=True, example={"kind": "address", "reason": "no house number"},
)  # fmt: skip
def hold_order(work: UnitOfWork, order_id: int, version: int, body: HoldBody) -> OrderDetail:
    _seen(work, order_id, version)
    hold_orders(work, [hold_command(order_id, body.kind, body.reason, version)])
    return _read(work, order_id)


@operation(
    "POST", "/orders/{order_id}/holds/{hold_id}/release", permission=Permission.HOLD_RELEASE, summary="End a hold", tag=TAG,
    body=ReasonBody, answer=OrderDetail, example={"reason": "address confirmed"},
)  # fmt: skip
def end_hold(work: UnitOfWork, order_id: int, hold_id: int, body: ReasonBody) -> OrderDetail:
    order = order_answered(work.session, work.actor, order_id)
    if hold_id not in {hold.id for hold in order.holds}:
        raise NotFound("hold_unknown", hold=hold_id)
    work.realm = order.realm
    let_go(work, [ReleaseHold(hold=hold_id, reason=body.reason)])
    return _read(work, order_id)


@operation(
    "POST", "/orders/{order_id}/allocate", permission=Permission.ORDER_ALLOCATE, summary="Promise stock to an order", tag=TAG,
    answer=OrderDetail, versioned=True,
)  # fmt: skip
def allocate_order(work: UnitOfWork, order_id: int, version: int) -> OrderDetail:
    _seen(work, order_id, version)
    allocate_orders(work, [order_id], rules=rules(), cells=cells())
    return _read(work, order_id)


@operation(
    "POST", "/orders/{order_id}/ship", permission=Permission.SHIPMENT_CONFIRM, summary="Pick an order and confirm its shipment",
    tag=TAG, body=ShipBody, answer=OrderDetail, versioned=True,
    example={"lines": [{"line": 1005, "quantity": "8"}]},
)  # fmt: skip
def ship_order(work: UnitOfWork, order_id: int, version: int, body: ShipBody) -> OrderDetail:
    _seen(work, order_id, version)
    own, why = _own_lines(work, order_id), body.short_reason.strip()
    if body.short and not why:
        raise RuleBroken("short_reason_missing", field="short_reason")
    lines = None if body.lines is None else _quantities(own, body.lines)
    short = _quantities(own, body.short, "short")
    command = PickOrder(order=order_id, lines=lines, short=short, short_reason=why or "not found")
    shipments = pick_orders(work, [command], cells=cells(), rules=rules())
    if not shipments and not any(short.values()):
        raise RuleBroken("nothing_entered", field="lines")
    if shipments:
        send_off(work, [one.id for one in shipments], rules=rules(), cells=cells())
    return _read(work, order_id)


@operation(
    "POST", "/orders/{order_id}/shipments/{shipment_id}/deliver", permission=Permission.SHIPMENT_DELIVER,
    summary="Record a delivery and its damage", tag=TAG, body=DeliverBody, answer=OrderDetail,
    example={"damaged": [{"line": 1005, "quantity": "1"}], "damage_reason": "pallet tipped over"},
)  # fmt: skip
def deliver_shipment(work: UnitOfWork, order_id: int, shipment_id: int, body: DeliverBody) -> OrderDetail:
    order = order_answered(work.session, work.actor, order_id)
    if shipment_id not in {one.id for one in order.shipments}:
        raise NotFound("shipment_unknown", shipment=shipment_id)
    work.realm = order.realm
    command = DeliverShipment(
        shipment=shipment_id, damaged=_quantities({line.id for line in order.lines}, body.damaged),
        damage_reason=body.damage_reason,
    )  # fmt: skip
    deliver_shipments(work, [command], rules=rules(), cells=cells())
    return _read(work, order_id)


@operation(
    "POST", "/orders/{order_id}/cancel", permission=Permission.ORDER_CANCEL, summary="Cancel what is open", tag=TAG,
    body=CancelBody, answer=OrderDetail, versioned=True, example={"reason": "no longer wanted", "by_customer": True},
)  # fmt: skip
def cancel_order(work: UnitOfWork, order_id: int, version: int, body: CancelBody) -> OrderDetail:
    _seen(work, order_id, version)
    lines = None if body.lines is None else _quantities(_own_lines(work, order_id), body.lines)
    command = CancelLines(
        order=order_id, reason=body.reason, by_customer=body.by_customer, lines=lines, seen_version=version
    )
    cancel(work, [command])
    return _read(work, order_id)


def _own_lines(work: UnitOfWork, order_id: int) -> set[int]:
    return {line.id for line in order_answered(work.session, work.actor, order_id).lines}


def _quantities(own: AbstractSet[int], wanted: list[QuantityBody], name: str = "lines") -> dict[int, int]:
    """Thousandths by line; refuses a line of another order, and one given twice, of which one quantity would be lost."""
    found: dict[int, int] = {}
    for position, one in enumerate(wanted):
        if one.line not in own:
            raise RuleBroken("line_unknown", field=f"{name}/{position}/line", line=one.line)
        if one.line in found:
            raise RuleBroken("line_given_twice", field=f"{name}/{position}/line", line=one.line)
        found[one.line] = thousandths(one.quantity)
    return found
