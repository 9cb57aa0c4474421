"""How does the board of deductions and disputes look?"""

from __future__ import annotations

from typing import Any

from flask import url_for

from app.composition.request import now, reader
from app.queries.disputes import DISPUTES, KINDS, OPEN, STATES, DisputeRow, reasons
from app.security.permissions import Permission
from app.web.disputes.forms import owners
from app.web.disputes.views import blueprint
from app.web.figures import counted, heading, on
from app.web.lists.listing import (
    Cell,
    Empty,
    Listing,
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
from erpcore.kernel.money import from_minor

LOOKS = {"raised": "warn", "disputed": "fail", "waiting": "wait", "settled": "pass", "withdrawn": "none"}


def _due(row: DisputeRow) -> Cell:
    late = row.is_overdue(now().date())
    return Cell(on(row.due_on), sub="overdue" if late else "", kind="fail" if late else "", muted=not row.open_minor)


def _states(_asked: Any) -> list[tuple[str, str]]:
    return [(OPEN, "Open"), *((one, heading(one)) for one in STATES if one != OPEN)]


DISPUTE_LIST = list_page(
    blueprint,
    Listing(
        name="disputes", endpoint="disputes.show_all", path="/disputes", permission=Permission.INVOICE_READ, title="Disputes",
        lead="What customers deduct or object to: why, whose it is, until when, and how much of it is open",
        unit="differences", source=DISPUTES, sort="due", template="disputes/list.html", usual={"state": OPEN},
        empty=Empty(
            title="Nothing is in dispute", text="Short payments are named where the receipt is applied; an objection begins on its invoice.",
            sign="file",
        ),
        filters=(
            choice("kind", KINDS), flag("overdue", "Overdue"), flag("mine", "Mine"), text_filter("Number, invoice or customer"),
            pick("state", "State", _states), pick("reason", "Reason", lambda _: [(one.code, one.title) for one in reasons(reader())]),
            pick("owner", "Owner", lambda _: owners()), site_filter(),
            key_filter("customer", "Customer", lambda value: f"customer {value}"),
            key_filter("invoice", "Invoice", lambda value: f"invoice {value}"),
        ),
        columns=(
            column("number", "Difference", cell=lambda row: Cell(row.number, sub=heading(row.kind), href=url_for("disputes.show", dispute_id=row.id))),
            column("kind", "Kind", file_only=True),
            column("customer", "Customer", cell=lambda row: Cell(row.customer, sub=row.site)),
            column("site", "Site", file_only=True),
            column("invoice", "Invoice", cell=lambda row: Cell(row.invoice, href=url_for("billing.show", invoice_id=row.invoice_id))),
            column("reason", "Reason", cell=lambda row: Cell(row.reason, sub=(row.note or "")[:80])),
            column("note", "What they say", file_only=True),
            column("state", "State", cell=lambda row: Cell(heading(row.state), kind=LOOKS[row.state])),
            column("owner", "Owner", cell=lambda row: Cell(row.owner)),
            column("due", "Until", "due_on", cell=_due),
            column("raised", "Age", lambda row: row.age_days(now()), cell=lambda row: Cell(counted(row.age_days(now()), "day")), num=True),
            column("amount", "Amount", lambda row: from_minor(row.amount_minor, row.currency), num=True, file_only=True),
            money("open", "Open", "open_minor"),
            column("currency", "Currency", file_only=True),
        ),
    ),
    own_view=True,
)  # fmt: skip
