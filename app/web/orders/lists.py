"""How does the list of orders look?"""

from __future__ import annotations

from flask import url_for

from app.composition.request import now, reader
from app.queries.order_steps import STEP_WORDS, STEPS
from app.queries.orders import ORDERS, STATES, OrderRow
from app.queries.places import customer_label
from app.security.permissions import Permission
from app.security.require import actor
from app.web.context import local
from app.web.figures import heading, on, words
from app.web.lists.listing import (
    Cell,
    Empty,
    Listing,
    channel_filter,
    choice,
    column,
    flag,
    key_filter,
    money,
    pick,
    site_filter,
    text_filter,
)
from app.web.lists.page import list_page
from app.web.orders.views import blueprint
from erpcore.kernel.clock import local_day

_STATE_LOOKS = {"held": "warn", "closed": "pass", "cancelled": "none"}


def order_state(state: str, holds: tuple[str, ...] = ()) -> Cell:
    """An order's state; a held one with what holds it."""
    return Cell(heading(state), sub=", ".join(words(hold) for hold in holds), kind=_STATE_LOOKS.get(state, "wait"))


def share(status: str) -> Cell:
    """How much of an order is delivered, billed or paid."""
    if status == "done":
        return Cell("done", kind="pass")
    if status == "exception":
        return Cell("exception", kind="fail")
    return Cell("part") if status == "partial" else Cell("–", muted=True)


def _number(row: OrderRow) -> Cell:
    return Cell(row.number, sub=row.reference or "", href=url_for("orders.show", order_id=row.id))


def _promise(row: OrderRow) -> Cell:
    if row.due_at is None:
        return Cell("–", muted=True)
    late = row.is_late(now())
    return Cell(on(local_day(row.due_at, row.time_zone)), sub="late" if late else "", sub_kind="fail" if late else "")


ORDER_LIST = list_page(
    blueprint,
    Listing(
        name="orders", endpoint="orders.show_all", path="/orders", permission=Permission.ORDER_READ, title="Orders",
        lead="What customers ordered, what we promised, and how far each order is", unit="orders", source=ORDERS,
        sort="-captured", template="orders/list.html",
        empty=Empty(
            title="No order fits",
            text="Take a filter away, or look at all sites. Orders come in by typing, through the API or as a file.",
        ),
        filters=(
            choice("state", STATES), flag("late", "Late"), text_filter("Number, reference or customer"), site_filter(),
            channel_filter(), pick("step", "Waits for", lambda _: [(one, STEP_WORDS[one]) for one in STEPS]), key_filter("customer", "Customer", lambda key: customer_label(reader(), actor(), key)),
        ),
        columns=(
            column("number", "Order", cell=_number),
            column("reference", "Reference", file_only=True),
            column("customer_code", "Customer code", file_only=True),
            column("customer", "Customer", cell=lambda row: Cell(row.customer, sub=row.customer_code)),
            column("site", "Site", cell=lambda row: Cell(row.site, sub=row.channel)),
            column("channel", "Channel", file_only=True),
            column("state", "State", cell=lambda row: order_state(row.state, row.holds)),
            column("delivery", "Shipped", cell=lambda row: share(row.delivery)),
            column("billing", "Billed", cell=lambda row: share(row.billing)),
            column("payment", "Paid", cell=lambda row: share(row.payment)),
            column("captured", "Captured", "captured_at", cell=lambda row: on(local(row.captured_at).date())),
            column("due", "Next promise", "due_at", cell=_promise),
            column("lines", "Lines", num=True),
            money("value", "Value", "value_minor"),
            column("currency", "Currency", file_only=True),
        ),
    ),
)  # fmt: skip
