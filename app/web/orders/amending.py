"""Changing an order after it was taken: what shall be different is typed, checked and shown, then applied once."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for

from app.composition.order_approvals import BY_RULES
from app.composition.request import now, reader
from app.composition.trading import cells, rules
from app.queries.addresses import addresses_named, present_addresses
from app.queries.amendments import AmendmentFact, one_amendment, steps_since
from app.queries.order_detail import order_page
from app.queries.order_entry import find_items, items_with_codes
from app.queries.order_facts import LineFact, OrderPage
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key
from app.web.figures import PROMISES, quantity
from app.web.orders.amend_forms import MOST_LINES, MOST_ROWS, AmendForm, AmendSummary, amend_form
from app.web.orders.history import told
from app.web.orders.views import blueprint
from app.web.steps import form_step, take_step
from erpcore.fulfilment.direct_split import SUPPLIERS
from erpcore.kernel.clock import local_day
from erpcore.orders.amendments import StageAmendment, apply_amendments, stage_amendments, withdraw_amendments


def _order(order_id: int) -> OrderPage:
    return order_page(reader(), actor(), order_id)


@blueprint.route("/orders/<int:order_id>/amend", methods=["GET", "POST"])
@require(Permission.ORDER_AMEND)
def amend(order_id: int) -> Any:
    order = _order(order_id)
    today = local_day(now(), order.time_zone)
    form = amend_form(order, present_addresses(reader(), order.customer_id, today))
    if not form.is_submitted():
        return _form_page(form, order, left_out=_lines_left_out(order) + _begin(form, order))
    if request.form.get("press") in ("add", "part"):
        rows = form.added if request.form.get("press") == "add" else form.parts
        if len(rows) < MOST_ROWS:
            rows.append_entry()
        form.offer()
        form.show(order)
        return _form_page(form, order)
    valid = form.validate_on_submit()
    items = _look_up(form, order)
    moved = form.version.data != str(order.version)
    if moved:
        return _conflict(form, order)
    if valid and items is not None:
        with form_step(form, realm=order.realm) as work:
            staged = form.once(
                work,
                lambda: (
                    stage_amendments(
                        work, [_command(form, order, items)], rules=rules(), cells=cells(), senders=SUPPLIERS
                    )[0].id
                ),
            )
        if form.accepted:
            return redirect(url_for("orders.show_amendment", order_id=order_id, amendment_id=staged))
        if form.status == 409:  # somebody was faster between the reading above and the change
            return _conflict(form, _order(order_id))
    form.show(order)
    return _form_page(form, order)


def _command(form: AmendForm, order: OrderPage, items: dict[str, int]) -> StageAmendment:
    replaces = str(form.replaces.data or "")
    return StageAmendment(
        order=order.id, by_customer=form.by_customer.data == "customer", reason=str(form.reason.data),
        changes=form.changes(items), seen_version=order.version, replaces=int(replaces) if replaces.isdecimal() and len(replaces) < 19 else None,
    )  # fmt: skip


def _begin(form: AmendForm, order: OrderPage) -> int:
    """The form as the order stands, or with what was staged before and is to be checked again.

    Says how many added lines and parts of it have no room on the page: a program stages more than a page takes.
    """
    form.by_customer.data = "customer"
    form.show(order)
    staged = asked_key("from")
    if staged is None:
        return 0
    before = one_amendment(reader(), order.id, staged)
    form.replaces.data = str(before.id) if before.state == "staged" else ""
    form.by_customer.data, form.reason.data = "customer" if before.by_customer else "ours", before.reason
    shown = {line.id for line in form.lines}
    added = [one for one in before.changes if one.kind == "add"]
    parts = [one for one in before.changes if one.kind == "split" and one.line in shown]
    for place, change in enumerate(parts[:MOST_ROWS]):
        part = form.parts.entries[0] if place == 0 else form.parts.append_entry()
        part.form.line.choices = form.parts.entries[0].form.line.choices
        part.form.ship_to.choices = form.parts.entries[0].form.ship_to.choices
        part.form.line.data, part.form.quantity.data, part.form.day.data = str(change.line), change.quantity, change.day
        part.form.ship_to.data = str(change.after.get("ship_to") or "")
    for change in before.changes:
        if change.line in shown and change.kind == "drop":
            form[f"drop_{change.line}"].data = True
        elif change.line in shown and change.kind == "quantity":
            form[f"quantity_{change.line}"].data = change.quantity
        elif change.line in shown and change.kind == "date":
            form[f"day_{change.line}"].data = change.day
        elif change.line in shown and change.kind == "address":
            form[f"ship_to_{change.line}"].data = str(change.after["ship_to"])
    for place, change in enumerate(added[:MOST_ROWS]):
        row = form.added.entries[0] if place == 0 else form.added.append_entry()
        row.form.item.data, row.form.quantity.data, row.form.day.data = change.code, change.quantity, change.day
    return max(0, len(parts) - MOST_ROWS) + max(0, len(added) - MOST_ROWS)


def _look_up(form: AmendForm, order: OrderPage) -> dict[str, int] | None:
    """Ids of the items typed into the added rows; ``None`` when one was not found, which is said at its field."""
    typed = [row.form.item.data or "" for row in form.added]
    known, complete = items_with_codes(reader(), order.entity_id, typed), True
    for row in form.added:
        fields = row.form
        if fields.is_empty:
            continue
        text = (fields.item.data or "").strip()
        if text and text.lower() not in known:
            found = find_items(reader(), order.entity_id, text)
            if len(found) == 1:
                fields.item.data = found[0].code
                known[found[0].code.lower()] = found[0].id
            else:
                many = ", ".join(f"{one.code} {one.name}" for one in found[:4])
                said = (
                    f"Several items fit: {many}. Enter the code of one." if many else "No item has this code or name."
                )
                fields.item.errors, complete = [said], False
        if not text:
            fields.item.errors, complete = ["Enter an item by code or name."], False
        if fields.quantity.data is None and not fields.quantity.errors:
            fields.quantity.errors, complete = ["Enter how many."], False
    if not complete:
        form.status = 422
    return known if complete else None


def _conflict(form: AmendForm, order: OrderPage) -> Any:
    """The order has moved since the page was made: what others did is shown, and what was typed stays."""
    typed = form.version.data or ""
    seen = int(typed) if typed.isdecimal() and len(typed) < 10 else 0
    moved = [(line, was) for line in form.lines if (was := form.held(line)) is not None and was != _left(line)]
    fresh = [line for line in form.lines if form.held(line) is None]
    form.show(order)
    form.status = 409
    return _form_page(
        form, order, since=steps_since(reader(), order.id, seen), moved=moved, fresh=fresh, is_conflict=True
    )


def _left(line: LineFact) -> Any:
    return line.quantity - line.cancelled


def _lines_left_out(order: OrderPage) -> int:
    return max(0, len([1 for line in order.lines if _left(line) > 0]) - MOST_LINES)


def _form_page(form: AmendForm, order: OrderPage, **more: Any) -> Any:
    page = render_template(
        "orders/amend.html", order=order, form=form, summary=AmendSummary(form), realm=order.realm, told=told,
        promises=PROMISES,
        **{"left_out": _lines_left_out(order), "is_conflict": False, "since": (), "moved": (), "fresh": (), **more},
    )  # fmt: skip
    return page, form.status


@blueprint.get("/orders/<int:order_id>/amendments/<int:amendment_id>")
@require(Permission.ORDER_READ)
def show_amendment(order_id: int, amendment_id: int) -> str:
    return _amendment_html(order_id, amendment_id)


def _amendment_html(order_id: int, amendment_id: int, refused: str = "") -> str:
    order = _order(order_id)
    one = one_amendment(reader(), order_id, amendment_id)
    has_moved = one.state == "staged" and one.order_version != order.version
    return render_template(
        "orders/amendment.html", order=order, amendment=one, rows=_rows(one), realm=order.realm, refused=refused, told=told,
        has_moved=has_moved, since=steps_since(reader(), order_id, one.order_version) if has_moved else [],
        promises=PROMISES, addresses=addresses_named(reader(), [change.after.get("ship_to") for change in one.changes]),
    )  # fmt: skip


def _rows(one: AmendmentFact) -> list[tuple[Any, str, Any]]:
    """Each change with its words and what becomes of its line; a line that two changes touch shows its effect once."""
    effects = list(one.effect.lines) if one.effect else []
    out = []
    for change in one.changes:
        found = next(
            (line for line in effects if line.line_no == change.line_no and line.item_id == change.item_id), None
        )
        if found is not None:
            effects.remove(found)
        out.append((change, _words(change, one.by_customer), found))
    return out


def _words(change: Any, by_customer: bool) -> str:
    if change.kind == "add":
        return f"added: {quantity(change.quantity, change.unit)}"
    if change.kind == "drop":
        return f"dropped: {quantity(change.quantity_before, change.unit)} no longer wanted" if by_customer else (
            f"dropped: {quantity(change.quantity_before, change.unit)} cancelled by us"
        )  # fmt: skip
    if change.kind == "quantity":
        return f"{quantity(change.quantity_before)} → {quantity(change.quantity, change.unit)}"
    if change.kind == "address":
        return "other address"
    if change.kind == "split":
        ways = ["for another day"] * (change.day is not None) + ["to another address"] * ("ship_to" in change.after)
        return f"{quantity(change.quantity, change.unit)} become a line of their own, {' and '.join(ways)}"
    return "other day wanted" if by_customer else "other day promised"


@blueprint.post("/orders/<int:order_id>/amendments/<int:amendment_id>/apply")
@require(Permission.ORDER_AMEND)
def apply_amendment(order_id: int, amendment_id: int) -> Any:
    order = _order(order_id)
    one_amendment(reader(), order_id, amendment_id)
    return take_step(
        lambda work: apply_amendments(
            work, [amendment_id], rules=rules(), cells=cells(), senders=SUPPLIERS, authority=BY_RULES
        ), realm=order.realm,
        done="The changes are applied.", to=url_for("orders.show", order_id=order_id),
        again=lambda why: _amendment_html(order_id, amendment_id, why),
    )  # fmt: skip


@blueprint.post("/orders/<int:order_id>/amendments/<int:amendment_id>/withdraw")
@require(Permission.ORDER_AMEND)
def withdraw_amendment(order_id: int, amendment_id: int) -> Any:
    order = _order(order_id)
    one_amendment(reader(), order_id, amendment_id)
    return take_step(
        lambda work: withdraw_amendments(work, [amendment_id]), realm=order.realm, done="The staged changes are withdrawn.",
        to=url_for("orders.show", order_id=order_id), again=lambda why: _amendment_html(order_id, amendment_id, why),
    )  # fmt: skip
