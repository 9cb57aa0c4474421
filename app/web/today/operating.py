"""What the operating side puts on the home page: documents that are stopped at the person's sites."""

from __future__ import annotations

from datetime import datetime

from flask import url_for
from sqlalchemy.orm import Session

from app.queries.exceptions import Stopped, stopped
from app.security.permissions import Permission
from app.security.roles import Role
from app.web.today.slots import Panel, panel
from erpcore.kernel.actor import Actor

#: Who takes orders, goods and invoices further, as against who steers.
OPERATING = frozenset(
    {
        Role.SITE_LEAD, Role.CUSTOMER_SERVICE, Role.WAREHOUSE_OPERATOR, Role.WAREHOUSE_SUPERVISOR, Role.BILLING,
        Role.COLLECTIONS,
    }
)  # fmt: skip


@panel(Permission.ORDER_READ, order=5, roles=OPERATING)
def exceptions(session: Session, actor: Actor, now: datetime) -> Panel | None:
    """Orders on hold and blocked invoices, by cause."""
    found = [one for one in stopped(session, actor) if one.what == "order" or actor.may(Permission.INVOICE_READ)]
    rows = [
        {
            "title": "Orders on hold" if one.what == "order" else "Blocked invoices",
            "why": one.why.replace("_", " ").capitalize(), "count": one.count, "oldest": one.oldest, "href": _url(one),
        }
        for one in found
    ]  # fmt: skip
    total = sum(one.count for one in found)
    return Panel(
        title="Exceptions",
        template="today/_stopped.html",
        meta=f"{total} stopped" if total else "",
        values={"rows": rows},
    )


def _url(one: Stopped) -> str:
    if one.what == "order":
        return url_for("orders.show_all", state="held")
    return url_for("billing.show_all", lane="blocked")
