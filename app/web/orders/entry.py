"""Entering an order: by keyboard alone and without script, each press a round trip; with script, figures as one types."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.letters import words_for
from app.composition.order_approvals import BY_RULES
from app.composition.request import change, now, reader
from app.composition.trading import cells, rules
from app.messages import sentence
from app.queries.addresses import present_addresses
from app.queries.order_entry import (
    AskedLine,
    CustomerPick,
    Quote,
    find_customers,
    find_items,
    first_open,
    items_with_codes,
    quote_order,
)
from app.queries.order_words import situations_typed
from app.queries.places import SitePick, all_channels, sites_seen
from app.queries.typed_quantities import quantity_troubles
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key, paper_desk_address
from app.web.forms import choices
from app.web.orders.forms import MOST_LINES, OrderForm, Summary, chosen_address
from app.web.orders.views import blueprint
from erpcore.kernel import requests
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, RuleBroken
from erpcore.orders.services import CaptureOrder, NewLine, capture_orders


@dataclass
class Entry:
    """An order as typed so far, with what could be found of it."""

    form: OrderForm
    sites: list[SitePick]
    site: SitePick | None
    channel: int | None
    customers: list[CustomerPick] = field(default_factory=list)
    items: dict[str, int] = field(default_factory=dict)
    #: Where several items fit what was typed: the row's field and the items.
    found_for: str = ""
    found: list[Any] = field(default_factory=list)
    found_quotes: list[Any] = field(default_factory=list)
    quote: Quote | None = None
    focus: str = ""

    @property
    def customer(self) -> CustomerPick | None:
        return self.customers[0] if len(self.customers) == 1 else None

    @property
    def realm(self) -> str:
        return self.site.realm if self.site else "live"

    @property
    def rush_refused(self) -> str:
        """Why the rush would be refused; empty when it would not."""
        rush = self.quote.rush if self.quote else None
        return sentence(rush.refusal) if rush and rush.refusal else ""

    def item_of(self, row: Any) -> int | None:
        return self.items.get((row.form.item.data or "").strip().lower())

    def words(self) -> list[tuple[str, str]]:
        """What to say to the customer about what is typed, by situation."""
        if self.quote is None:
            return []
        typed = [row.form.quantity.data for row in self.form.lines]
        warning = self.form.warning.code if self.form.warning else ""
        return words_for(reader(), situations_typed(self.quote, typed, warning))

    def troubles(self) -> dict[str, str]:
        """By row, what its quantity would be refused with; what is said at the field already is not said twice."""
        rows, typed = list(self.form.lines), []
        for row in rows:
            item, quantity = self.item_of(row), row.form.quantity.data
            typed.append((item, quantity) if item is not None and isinstance(quantity, Decimal) else None)
        found = quantity_troubles(reader(), actor(), now(), self.realm, typed)
        said = {row.id: str(row.form.quantity.process_errors[0]) for row in rows if row.form.quantity.process_errors}
        said |= {row.id: sentence(why) for row, why in zip(rows, found, strict=True) if why is not None}
        return {row.id: said[row.id] for row in rows if row.id in said and not row.form.quantity.errors}


def read_entry(form: OrderForm | None = None, *, fixed: tuple[int, int, str] | None = None) -> Entry:
    """The form as it came, with customer and items looked up by what was typed. ``fixed``: site, channel and customer that a
    document has already, whatever came.
    """
    session = reader()
    form = form or OrderForm()
    sites = [site for site in sites_seen(session, actor(), realms=("live", "rehearsal")) if site.kind != "drop_ship"]
    channels = all_channels(session)
    form.site.choices = choices((site.id, site.label) for site in sites)
    form.channel.choices = choices((channel.id, channel.name) for channel in channels)
    if not form.is_submitted():
        begin = first_open(session, actor(), now(), sites, [channel.id for channel in channels], cells())
        site_id, channel_id = begin or (sites[0].id if sites else None, channels[0].id if channels else None)
        form.site.data = asked_key("site") or site_id
        form.channel.data = asked_key("channel") or channel_id
        form.customer.data = request.args.get("customer", "")
        form.request_key.data = form.request_key.data or secrets.token_urlsafe(18)
    if fixed is not None:
        form.site.data, form.channel.data, form.customer.data = fixed
    site = next((one for one in sites if one.id == form.site.data), None)
    channel = form.channel.data if form.channel.data in {one.id for one in channels} else None
    entry = Entry(form=form, sites=sites, site=site, channel=channel)
    if site is not None:
        entry.customers = find_customers(session, site.entity_id, form.customer.data or "")
        _offer_addresses(entry)
        typed = [row.form.item.data or "" for row in form.lines]
        entry.items = items_with_codes(session, site.entity_id, typed)
    return entry


def _offer_addresses(entry: Entry) -> None:
    day = now().date() if entry.site is None else local_day(now(), entry.site.time_zone)
    entry.form.offer_addresses(present_addresses(reader(), entry.customer.id if entry.customer else None, day))


def look_up_items(entry: Entry) -> None:
    """Where a row's text is no code: take the one item it finds, or keep the several it finds to choose from."""
    if entry.site is None:
        return
    for row in entry.form.lines:
        text = (row.form.item.data or "").strip()
        if not text or entry.item_of(row) is not None:
            continue
        found = find_items(reader(), entry.site.entity_id, text)
        if len(found) == 1:
            row.form.item.data = found[0].code
            entry.items[found[0].code.lower()] = found[0].id
        elif found and not entry.found:
            entry.found_for, entry.found = row.form.item.name, found


def look_up_quote(entry: Entry) -> None:
    """What the order would be now, as far as site, channel and items are known."""
    if entry.site is None or entry.channel is None:
        return
    lines = [_asked(row, entry.item_of(row), entry.form) for row in entry.form.lines]
    more = [
        AskedLine(item=item.id, requested_on=entry.form.requested_on.data, rush=bool(entry.form.rush.data))
        for item in entry.found
    ]
    quote = quote_order(
        reader(), actor(), now(), site=entry.site.id, realm=entry.site.realm, channel=entry.channel,
        customer=entry.customer, lines=[*lines, *more], cells=cells(),
    )  # fmt: skip
    entry.found_quotes = [line for line in quote.lines[len(lines) :] if line]
    del quote.lines[len(lines) :]
    entry.quote = quote


def _asked(row: Any, item: int | None, head: OrderForm) -> AskedLine | None:
    """The row as far as it can be read; wish and rush of the order hold where it has none of its own."""
    if item is None:
        return None
    form = row.form
    quantity = form.quantity.data if form.quantity.data and form.quantity.data > 0 else None
    price = form.unit_price.data if form.unit_price.data is not None and form.unit_price.data >= 0 else None
    return AskedLine(
        item=item, quantity=quantity, unit_price=price, requested_on=form.requested_on.data or head.requested_on.data,
        rush=bool(form.rush.data or head.rush.data),
    )  # fmt: skip


def is_complete(entry: Entry) -> bool:
    """Whether the form can go to the core; what is missing is said at its field."""
    form = entry.form
    form.validate_on_submit()
    if form.customer.data and entry.site is not None and entry.customer is None:
        many = ", ".join(f"{one.code} {one.name}" for one in entry.customers[:4])
        said = (
            f"Several customers fit: {many}. Enter the code of one." if many else "No customer has this code or name."
        )
        form.customer.errors = [*form.customer.errors, said]
    for row in form.lines:
        if row.form.is_empty:
            continue
        if entry.item_of(row) is None:
            said = (
                "Several items fit; choose one below."
                if row.form.item.name == entry.found_for
                else "No item has this code or name."
            )
            row.form.item.errors = [
                *row.form.item.errors,
                said if row.form.item.data else "Enter an item by code or name.",
            ]
        if row.form.quantity.data is None and not row.form.quantity.errors:
            row.form.quantity.errors = ["Enter how many."]
    if all(row.form.is_empty for row in form.lines):
        form.lines.entries[0].form.item.errors = ["Enter an item by code or name."]
    complete = not any(leaf.errors for leaf in form.leaves()) and not form.form_errors
    form.status = 200 if complete else 422
    return complete


def enter(entry: Entry) -> int | None:
    """Capture the order and return its id, the first one's when the form was sent twice; ``None`` when it was refused."""
    form = entry.form
    assert entry.site is not None  # noqa: S101 - is_complete has found it
    form.sent = [row for row in form.lines if not row.form.is_empty]
    command = CaptureOrder(
        site=entry.site.id, channel=form.channel.data, customer=entry.customer.id if entry.customer else 0,
        customer_reference=form.customer_reference.data or None, requested_on=form.requested_on.data,
        accepted=form.accepted_warnings, ship_to=chosen_address(form.ship_to), rush=bool(form.rush.data),
        lines=[
            NewLine(
                item=entry.item_of(row) or 0, quantity=row.form.quantity.data, unit_price=row.form.unit_price.data,
                price_reason=row.form.price_reason.data or None, requested_on=row.form.requested_on.data,
                ship_to=chosen_address(row.form.ship_to), rush=bool(row.form.rush.data),
            )
            for row in form.sent
        ],
    )  # fmt: skip
    order_id: int | None = None
    with form.refusals(), change(realm=entry.realm) as work:
        order_id = _once(work, str(form.request_key.data), command)
    return order_id if form.accepted else None


def _once(work: Any, key: str, command: CaptureOrder) -> int:
    """Capture, unless this very form was captured before: then that order is the answer."""
    try:
        before = requests.claim(work, f"order-form:{key}", repr(command))
    except Conflict as conflict:
        raise RuleBroken("form_used") from conflict
    if before is not None:
        return int(before)
    (order,) = capture_orders(work, [command], rules=rules(), cells=cells(), authority=BY_RULES)
    requests.settle(work, f"order-form:{key}", order.id)
    return order.id


def take_press(entry: Entry, press: str) -> None:
    """What a press of the form that is not entering it does to the rows: one more, one less, or the item chosen."""
    rows = entry.form.lines
    what, _, rest = press.partition(":")
    if what == "drop" and len(rows) > 1:
        rows.entries[:] = [row for row in rows.entries if row.name != rest]
    if what == "take":
        name, _, code = rest.partition(":")
        for row in rows:
            if row.form.item.name == name:
                row.form.item.data = code
                entry.focus = row.form.quantity.id
    if what == "add" and not rows.entries[-1].form.is_empty:
        rows.append_entry()
    if what == "customer":
        entry.form.customer.data = rest
    entry.focus = entry.focus or rows.entries[-1].form.item.id


def closed_text(entry: Entry) -> str:
    """Why the chosen cell would take no order now, with what it waits for; empty when it would."""
    return sentence(entry.quote.closed) if entry.quote and entry.quote.closed else ""


def paper_address(entry: Entry) -> str:
    """Where this person enters what the chosen site does on paper; empty when it works in the core, or for who may not."""
    closed = entry.quote.closed if entry.quote else None
    if closed is None or entry.site is None or closed.facts.get("state") != "in_fallback":
        return ""
    return paper_desk_address(actor(), entry.site.live_id)


def _page(entry: Entry) -> Any:
    look_up_quote(entry)
    if entry.form.form_errors and any("entered before" in message for message in entry.form.form_errors):
        entry.form.request_key.data = secrets.token_urlsafe(18)
    return render_template(
        "orders/new.html", entry=entry, form=entry.form, quote=entry.quote, realm=entry.realm,
        closed_text=closed_text(entry), paper_to=paper_address(entry), summary=Summary(entry.form), more_rows=len(entry.form.lines) < MOST_LINES,
    ), entry.form.status  # fmt: skip


@blueprint.route("/orders/new", methods=["GET", "POST"])
@require(Permission.ORDER_CAPTURE)
def create() -> Any:
    entry = read_entry()
    press = request.form.get("press", "enter") if request.method == "POST" else ""
    if press != "enter" and press:
        take_press(entry, press)
        entry = look_up_again(entry)
    look_up_items(entry)
    if press == "enter" and is_complete(entry):
        order_id = enter(entry)
        if order_id is not None:
            flash("The order is entered.", "success")
            return redirect(url_for("orders.show", order_id=order_id))
    return _page(entry)


def look_up_again(entry: Entry) -> Entry:
    """The entry with what a press changed looked up anew."""
    if entry.site is not None:
        entry.customers = find_customers(reader(), entry.site.entity_id, entry.form.customer.data or "")
        _offer_addresses(entry)
        typed = [row.form.item.data or "" for row in entry.form.lines]
        entry.items = items_with_codes(reader(), entry.site.entity_id, typed)
    return entry


@blueprint.post("/orders/new/quote")
@require(Permission.ORDER_CAPTURE)
def quote() -> str:
    """The figures of the order as typed so far, to be put in their places, and where another customer's goods can go; nothing
    is kept.
    """
    entry = read_entry()
    look_up_quote(entry)
    offers, buyer = bool(request.form.get("offers")), str(entry.customer.id) if entry.customer else ""
    return render_template(
        "orders/_quote.html", entry=entry, form=entry.form, quote=entry.quote, closed_text=closed_text(entry),
        offers=offers, paper_to=paper_address(entry),
        new_addresses=not offers and request.form.get("addresses_of", buyer) != buyer,
    )  # fmt: skip


@blueprint.post("/orders/new/items")
@require(Permission.ORDER_CAPTURE)
def items() -> str:
    """The items that fit what stands in the row being typed, with what each would cost and when it would come."""
    entry = read_entry()
    name = request.headers.get("HX-Trigger-Name", "")
    row = next((one for one in entry.form.lines if one.form.item.name == name), None)
    text = (row.form.item.data or "").strip() if row is not None else ""
    if entry.site is not None and len(text) >= 2 and row is not None and entry.item_of(row) is None:
        entry.found_for, entry.found = name, find_items(reader(), entry.site.entity_id, text)
    look_up_quote(entry)
    return render_template("orders/_items.html", entry=entry, text=text, quote=entry.quote)
