"""Moving an order on: release, hold, allocate, pick, deliver, cancel, and goods that come back."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.order_approvals import cancel as cancel_orders
from app.composition.order_approvals import let_go, request_of_hold
from app.composition.request import reader
from app.composition.trading import cells, condition_named, hold_command, returned_line, rules
from app.queries.order_detail import order_page
from app.queries.order_facts import OrderPage
from app.queries.order_rules import spare_of_lines, staying_lines
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.orders.forms import (
    CancelForm,
    DeliverForm,
    HoldForm,
    PickForm,
    ReasonForm,
    ReturnForm,
    line_fields,
    quantities_of,
    with_quantities,
)
from app.web.orders.presenters import AGREED
from app.web.orders.views import blueprint, order_html
from app.web.steps import form_step, seen_version, take_step
from erpcore.fulfilment.direct import release_with_purchases
from erpcore.fulfilment.leaving import send_off
from erpcore.fulfilment.return_records import ReturnRow
from erpcore.fulfilment.returns import RequestReturn, request_returns
from erpcore.fulfilment.services import (
    DeliverShipment,
    PickOrder,
    deliver_shipments,
    pick_orders,
)
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.cancelling import CancelLines
from erpcore.orders.holds import ReleaseHold, hold_orders


def _order(order_id: int) -> OrderPage:
    return order_page(reader(), actor(), order_id)


def _seen(order_id: int) -> dict[int, int] | None:
    version = seen_version()
    return None if version is None else {order_id: version}


def _step(order_id: int, move: Any, done: str) -> Any:
    return take_step(
        move, realm=_order(order_id).realm, done=done, to=url_for("orders.show", order_id=order_id),
        again=lambda why: order_html(order_id, why),
    )  # fmt: skip


def _form_page(template: str, order: OrderPage, form: Any, **more: Any) -> Any:
    if not form.is_submitted() and "version" in form:
        form.version.data = order.version
    page = render_template(template, order=order, form=form, realm=order.realm, lines=line_fields(form), **more)
    return page, form.status


def _back(order_id: int, said: str) -> Any:
    flash(said, "success")
    return redirect(url_for("orders.show", order_id=order_id))


@blueprint.post("/orders/<int:order_id>/release")
@require(Permission.ORDER_RELEASE)
def release(order_id: int) -> Any:
    seen = _seen(order_id)
    return _step(
        order_id,
        lambda work: release_with_purchases(work, [order_id], rules=rules(), cells=cells(), seen=seen),
        "The release was decided; the order says how.",
    )


@blueprint.post("/orders/<int:order_id>/allocate")
@require(Permission.ORDER_ALLOCATE)
def allocate(order_id: int) -> Any:
    return _step(
        order_id,
        lambda work: allocate_orders(work, [order_id], rules=rules(), cells=cells()),
        "What there is is promised to this order.",
    )


@blueprint.route("/orders/<int:order_id>/hold", methods=["GET", "POST"])
@require(Permission.HOLD_PLACE)
def hold(order_id: int) -> Any:
    order, form = _order(order_id), HoldForm()
    if form.validate_on_submit():
        command = hold_command(order_id, form.kind.data, str(form.reason.data), seen_version())
        with form_step(form, realm=order.realm) as work:
            hold_orders(work, [command])
        if form.accepted:
            return _back(order_id, "The order is held.")
    return _form_page("orders/hold.html", order, form)


@blueprint.route("/orders/<int:order_id>/holds/<int:hold_id>/release", methods=["GET", "POST"])
@require(Permission.HOLD_RELEASE)
def release_hold(order_id: int, hold_id: int) -> Any:
    order, form = _order(order_id), ReasonForm()
    found = next((one for one in order.open_holds if one.id == hold_id), None)
    if found is None:
        raise NotFound("hold_unknown", hold=hold_id)
    if form.validate_on_submit():
        ended = 0
        with form_step(form, realm=order.realm) as work:
            ended = let_go(work, [ReleaseHold(hold=hold_id, reason=str(form.reason.data))])
        if form.accepted:
            return _back(order_id, "The hold has ended. The order can be released." if ended else AGREED)
    return _form_page(
        "orders/release_hold.html", order, form, hold=found, asked=request_of_hold(reader(), order_id, found.kind)
    )


@blueprint.route("/orders/<int:order_id>/pick", methods=["GET", "POST"])
@require(Permission.SHIPMENT_PICK)
def pick(order_id: int) -> Any:
    order = _order(order_id)
    form = with_quantities(
        PickForm, order.lines, "pickable", filled=True, more=spare_of_lines(reader(), order),
        staying=staying_lines(reader(), order),
    )  # fmt: skip
    if form.validate_on_submit():
        with form_step(form, realm=order.realm) as work:
            _pick_and_confirm(work, order, form)
        if form.accepted:
            return _back(order_id, "The goods have left.")
    return _form_page("orders/pick.html", order, form)


def _pick_and_confirm(work: UnitOfWork, order: OrderPage, form: Any) -> None:
    """Pick what was entered; what is missing of the allocated came short when the form says why. Then it leaves."""
    taken = quantities_of(form)
    why = (form.short_reason.data or "").strip()
    allocated = {
        line.id: int(line.allocated.scaleb(3)) for line in order.lines if line.has_stock and line.allocated > 0
    }
    short = {line: most - taken.get(line, 0) for line, most in allocated.items() if why and most > taken.get(line, 0)}
    if not short and not any(taken.values()):
        raise RuleBroken("nothing_entered")
    command = PickOrder(order=order.id, lines=taken, short=short, short_reason=why or "not found")
    try:
        shipments = pick_orders(work, [command], cells=cells(), rules=rules())
    except RuleBroken as refusal:
        raise _at_its_line(refusal, order) from None
    if shipments:
        send_off(work, [one.id for one in shipments], rules=rules(), cells=cells())


def _at_its_line(refusal: RuleBroken, order: OrderPage) -> RuleBroken:
    """The refusal at the field of the line that it names, where it names one of the order's."""
    line = next((one for one in order.lines if one.line_no == refusal.facts.get("line")), None)
    if line is None or refusal.field is not None:
        return refusal
    return RuleBroken(refusal.code, field=f"line_{line.id}", **refusal.facts)


@blueprint.post("/orders/<int:order_id>/shipments/<int:shipment_id>/confirm")
@require(Permission.SHIPMENT_CONFIRM)
def confirm(order_id: int, shipment_id: int) -> Any:
    return _step(
        order_id,
        lambda work: send_off(work, [shipment_id], rules=rules(), cells=cells()),
        "The goods have left.",
    )


@blueprint.route("/orders/<int:order_id>/shipments/<int:shipment_id>/deliver", methods=["GET", "POST"])
@require(Permission.SHIPMENT_DELIVER)
def deliver(order_id: int, shipment_id: int) -> Any:
    order = _order(order_id)
    shipment = next((one for one in order.shipments if one.id == shipment_id), None)
    if shipment is None:
        raise NotFound("shipment_unknown", shipment=shipment_id)
    there = [line for line in order.lines if line.id in dict(shipment.line_ids)]
    form = with_quantities(DeliverForm, there, "shipped", filled=False)
    if form.validate_on_submit():
        damaged = {line: quantity for line, quantity in quantities_of(form).items() if quantity}
        command = DeliverShipment(
            shipment=shipment_id, damaged=damaged, damage_reason=form.damage_reason.data or "damaged in transit"
        )
        with form_step(form, realm=order.realm) as work:
            deliver_shipments(work, [command], rules=rules(), cells=cells())
        if form.accepted:
            return _back(order_id, f"{shipment.number} is delivered.")
    return _form_page("orders/deliver.html", order, form, shipment=shipment)


@blueprint.route("/orders/<int:order_id>/cancel", methods=["GET", "POST"])
@require(Permission.ORDER_CANCEL)
def cancel(order_id: int) -> Any:
    order = _order(order_id)
    form = with_quantities(CancelForm, order.lines, "cancellable", filled=True)
    if form.validate_on_submit():
        command = CancelLines(
            order=order_id, reason=str(form.reason.data), by_customer=bool(form.by_customer.data),
            lines=quantities_of(form), seen_version=seen_version(),
        )  # fmt: skip
        with form_step(form, realm=order.realm) as work:
            cancel_orders(work, [command])
        if form.accepted:
            return _back(order_id, "What was open is cancelled, its stock is free again.")
    return _form_page("orders/cancel.html", order, form)


@blueprint.route("/orders/<int:order_id>/return", methods=["GET", "POST"])
@require(Permission.RETURN_REQUEST)
def request_return(order_id: int) -> Any:
    order = _order(order_id)
    form = with_quantities(ReturnForm, order.lines, "returnable", filled=False)
    if form.validate_on_submit():
        with form_step(form, realm=order.realm) as work:
            made = request_returns(work, [_return_of(order, form)], rules=rules(), cells=cells())
        if form.accepted:
            flash(requested_words(made[0]), "success")
            return redirect(url_for("returns.show", return_id=made[0].id))
    return _form_page("orders/return.html", order, form)


def requested_words(row: ReturnRow) -> str:
    """What is said when a return was requested: whether somebody still has to allow it."""
    if row.state == "authorised":
        return f"Return {row.number} keeps to the policy: the goods may come back."
    return f"Return {row.number} is requested. Somebody with authority allows it."


def _return_of(order: OrderPage, form: Any) -> RequestReturn:
    """The command for what was entered, each line tied to the sale it reverses."""
    items = {line.id: line.item_id for line in order.lines}
    lines = [
        returned_line(items[key], field.data, key, str(form.disposition.data))
        for field in line_fields(form)
        if field.data and (key := int(field.name.removeprefix("line_")))
    ]
    if not lines:
        raise RuleBroken("nothing_entered")
    return RequestReturn(
        site=order.site_id, channel=order.channel_id, customer=order.customer_id, reason=str(form.reason.data),
        fault=str(form.fault.data), lines=lines, ship_country=order.ship_country,
        condition=condition_named(str(form.condition.data)),
    )  # fmt: skip
