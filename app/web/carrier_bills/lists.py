"""How does the list of carriers' bills look?"""

from __future__ import annotations

from flask import url_for

from app.composition.request import reader
from app.queries.carrier_bills import BILLS, STATES, BillRow
from app.queries.carriers import all_carriers
from app.security.permissions import Permission
from app.security.require import actor
from app.web.carrier_bills.views import blueprint
from app.web.figures import amount, counted, heading
from app.web.lists.listing import Cell, Empty, Listing, choice, column, flag, money, pick, site_filter, text_filter
from app.web.lists.page import list_page
from erpcore.kernel.money import from_minor

LOOKS = {"received": "wait", "posted": "pass", "reversed": "", "refused": "fail"}
_WORDS = {"received": "Waiting", "posted": "Posted", "reversed": "Reversed", "refused": "Refused"}


def _carriers_to_pick(_asked: object) -> list[tuple[int, str]]:
    return [(one.id, one.name) for one in all_carriers(reader(), actor())]


def _open(row: BillRow) -> Cell:
    said = counted(row.open_lines, "line") if row.open_lines else "–"
    return Cell(said, kind="warn" if row.open_lines else "", muted=not row.open_lines)


BILL_LIST = list_page(
    blueprint,
    Listing(
        name="carrier-bills", endpoint="carrier_bills.show_all", path="/carrier-bills", permission=Permission.INVOICE_READ,
        title="Carriers’ bills", lead="What carriers ask for shipments, set line by line against what was expected; approved by a second person, then owed",
        unit="bills", source=BILLS, sort="-taken", template="carrier_bills/list.html",
        empty=Empty(title="No bill", text="Hand in the bill that a carrier sends: its file, or its lines as you type them.", sign="file"),
        filters=(
            choice("state", STATES, said=_WORDS), flag("waiting", "With open lines"), text_filter("Number, carrier or file"),
            pick("carrier", "Carrier", _carriers_to_pick), site_filter(),
        ),
        columns=(
            column("number", "Bill", cell=lambda row: Cell(row.number, sub=row.carrier, href=url_for("carrier_bills.show", bill_id=row.id))),
            column("carrier", "Carrier", file_only=True),
            column("state", "State", cell=lambda row: Cell(_WORDS.get(row.state, heading(row.state)), kind=LOOKS[row.state])),
            column("site", "Site"),
            column("billed", "Of", "billed_on"),
            column("due", "Payable until", "due_on"),
            column("taken", "Taken", "taken_at", file_only=True),
            column("open", "To decide", "open_lines", num=True, cell=_open),
            money("net", "Asked without tax", "net_minor"),
            column("owed", "Owed with tax", lambda row: from_minor(row.payable_minor, row.currency), num=True, cell=lambda row: Cell(amount(row.payable_minor, row.currency), muted=not row.payable_minor)),
            column("currency", "Currency", file_only=True),
        ),
    ),
)  # fmt: skip
