"""How does the list of suppliers look?"""

from __future__ import annotations

from flask import url_for

from app.composition.request import reader
from app.queries.listing import Asked
from app.queries.suppliers import SUPPLIERS, SupplierFact, supplier_countries
from app.security.permissions import Permission
from app.security.require import actor
from app.web.figures import counted
from app.web.lists.listing import Cell, Empty, Listing, column, company_filter, flag, pick, text_filter
from app.web.lists.page import list_page
from app.web.suppliers.views import blueprint


def _countries(_asked: Asked) -> list[tuple[str, str]]:
    return [(one, one) for one in supplier_countries(reader(), actor())]


def _name(row: SupplierFact) -> Cell:
    return Cell(row.name, sub=row.code, href=url_for("suppliers.show", supplier_id=row.id))


def _orders(row: SupplierFact) -> Cell:
    return Cell("no new orders", kind="fail") if row.is_blocked else Cell("may be ordered from", kind="pass")


def _direct(row: SupplierFact) -> Cell:
    if row.works:
        return Cell(f"from {row.works}")
    return Cell("yes") if row.ships_direct else Cell("no", muted=True)


SUPPLIER_LIST = list_page(
    blueprint,
    Listing(
        name="suppliers", endpoint="suppliers.show_all", path="/suppliers", permission=Permission.PURCHASE_READ,
        title="Suppliers", lead="Whom we buy from, and how long they take", unit="suppliers", source=SUPPLIERS,
        sort="supplier", template="suppliers/list.html",
        empty=Empty(title="No supplier fits", text="Add whom you buy from, then what they ask for which item.", sign="box"),
        filters=(
            flag("direct", "Send to customers"), flag("blocked", "Blocked"), text_filter("Name or code"),
            company_filter(), pick("country", "Country", _countries),
        ),
        columns=(
            column("supplier", "Supplier", "name", cell=_name),
            column("code", "Code", file_only=True),
            column("company", "Company", "entity"),
            column("country", "Country"),
            column("days", "Delivers in (days)", "lead_days", file_only=True),
            column("days", "Delivers in", "lead_days", cell=lambda row: counted(row.lead_days, "day"), num=True, page_only=True),
            column("direct", "To customers", "ships_direct", cell=_direct),
            column("works", "Its works", file_only=True),
            column("blocked", "Blocked", "is_blocked", file_only=True),
            column("orders", "New orders", "is_blocked", cell=_orders, page_only=True),
        ),
    ),
)  # fmt: skip
