"""How does the list of customers look?"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from app.composition.request import reader
from app.queries.customers import CUSTOMERS, CustomerRow
from app.queries.places import all_groups
from app.security.permissions import Permission
from app.web.customers.forms import TIER_NAMES
from app.web.customers.views import blueprint, page_of
from app.web.figures import amount
from app.web.lists.listing import Cell, Empty, Filter, Kind, Listing, column, flag, money, pick, text_filter
from app.web.lists.page import list_page
from erpcore.kernel.money import from_minor


def _code(row: CustomerRow) -> Cell:
    return Cell(
        row.code, sub="blocked" if row.is_blocked else "", href=page_of(row), sub_kind="fail" if row.is_blocked else ""
    )


def _maybe(minor: str) -> Callable[[Any], Decimal | None]:
    def value(row: Any) -> Decimal | None:
        found = getattr(row, minor)
        return None if found is None else from_minor(found, row.currency)

    return value


def _left(row: CustomerRow) -> Cell:
    if row.left_minor is None:
        return Cell("–", muted=True)
    return Cell(amount(row.left_minor, row.currency), kind="fail" if row.left_minor < 0 else "")


def _limit(row: CustomerRow) -> Cell:
    if row.limit_minor is None:
        return Cell("not checked", muted=True)
    return Cell(amount(row.limit_minor, row.currency))


CUSTOMER_LIST = list_page(
    blueprint,
    Listing(
        name="customers", endpoint="customers.show_all", path="/customers", permission=Permission.ORDER_READ, title="Customers",
        lead="Who buys from us, what they owe and will owe, and how much of their credit that fills", unit="customers",
        source=CUSTOMERS, sort="customer",
        empty=Empty(
            title="No customer fits",
            text="Customers come with the master data. Take a filter away to see who there is.",
        ),
        filters=(
            flag("over", "Over their limit"), flag("blocked", "Blocked"),
            Filter(
                name="tier", label="Tier", kind=Kind.CHOICE,
                options=lambda _: [(str(tier), name) for tier, name in TIER_NAMES.items()],
            ),
            text_filter("Code or name"), pick("group", "Group", lambda _: all_groups(reader())),
        ),
        columns=(
            column("customer", "Customer", "code", cell=_code),
            column("name", "Name", cell=lambda row: Cell(row.name, sub=row.group or "no group")),
            column("country", "Country", file_only=True),
            column("group", "Group", file_only=True),
            column("company", "Company", file_only=True),
            column("tier", "Tier", cell=lambda row: Cell(TIER_NAMES.get(row.tier, str(row.tier)))),
            column("is_blocked", "Blocked", file_only=True),
            column("payment_days", "Pays within (days)", file_only=True),
            money("receivable", "Receivable", "receivable_minor"),
            money("shipped", "Shipped", "shipped_minor"),
            money("released", "Released", "released_minor"),
            money("exposure", "Exposure", "exposure_minor"),
            column("limit", "Limit", _maybe("limit_minor"), cell=_limit, num=True),
            column("left", "Left", _maybe("left_minor"), cell=_left, num=True),
            column("currency", "Currency", file_only=True),
        ),
    ),
)  # fmt: skip
