"""How does the list of quotes look?"""

from __future__ import annotations

from flask import url_for

from app.composition.request import now, reader
from app.queries.places import customer_label
from app.queries.quotes import QUOTES, STATES, QuoteRow
from app.security.permissions import Permission
from app.security.require import actor
from app.web.context import local
from app.web.figures import heading, on
from app.web.lists.listing import (
    Cell,
    Empty,
    Filter,
    Kind,
    Listing,
    channel_filter,
    column,
    flag,
    key_filter,
    money,
    site_filter,
    text_filter,
)
from app.web.lists.page import list_page
from app.web.quotes.views import blueprint

_LOOKS = {"accepted": "pass", "declined": "fail", "waiting": "warn", "superseded": "none", "expired": "none"}
_WORDS = {"waiting": "Waits for approval", "expired": "Over"}


def _number(row: QuoteRow) -> Cell:
    parts = [f"revision {row.revision}"] if row.revision > 1 else []
    sub = " · ".join([*parts, *([row.reference] if row.reference else [])])
    return Cell(row.number, sub=sub, href=url_for("quotes.show", quote_id=row.id))


def _state(row: QuoteRow) -> Cell:
    if row.is_over(now()):
        return Cell("Over", kind="none")
    return Cell(_WORDS.get(row.state, heading(row.state)), kind=_LOOKS.get(row.state, "wait"))


def _until(row: QuoteRow) -> Cell:
    if row.state != "sent":
        return Cell(on(row.last_day))
    left = row.days_left(now())
    words = f"{left} days left" if left > 1 else "today is the last day" if left == 1 else "its last day has passed"
    return Cell(on(row.last_day), sub=words, sub_kind="fail" if left <= 2 else "")


QUOTE_LIST = list_page(
    blueprint,
    Listing(
        name="quotes", endpoint="quotes.show_all", path="/quotes", permission=Permission.ORDER_READ, title="Quotes",
        lead="What we offered, at which prices, until when, and what became of it", unit="quotes", source=QUOTES,
        sort="-entered", template="quotes/list.html",
        empty=Empty(
            title="No quote fits",
            text="A quote holds its prices until a day, and becomes an order in one press when the customer says yes.",
        ),
        filters=(
            Filter(
                name="state", label="State", kind=Kind.CHOICE, hide_empty=True,
                options=lambda _: [(one, "Waiting for approval" if one == "waiting" else heading(one)) for one in STATES],
            ),
            flag("ending", "Ends within a week"), text_filter("Number, reference or customer"), site_filter(),
            channel_filter(), key_filter("customer", "Customer", lambda key: customer_label(reader(), actor(), key)),
        ),
        columns=(
            column("number", "Quote", cell=_number),
            column("revision", "Revision", file_only=True),
            column("reference", "Reference", file_only=True),
            column("customer_code", "Customer code", file_only=True),
            column("customer", "Customer", cell=lambda row: Cell(row.customer, sub=row.customer_code)),
            column("site", "Site", cell=lambda row: Cell(row.site, sub=row.channel)),
            column("channel", "Channel", file_only=True),
            column("state", "State", cell=_state),
            column("entered", "Entered", "entered_at", cell=lambda row: on(local(row.entered_at).date())),
            column("sent", "Sent (UTC)", "sent_at", file_only=True),
            column("until", "Prices hold until", lambda row: row.last_day.isoformat(), cell=_until),
            column("lines", "Lines", num=True),
            money("value", "Value", "value_minor"),
            column("currency", "Currency", file_only=True),
        ),
    ),
)  # fmt: skip
