"""What does an order look like: how far it is, and the moves that are open to this person?"""

from __future__ import annotations

from typing import Any

from flask import url_for

from app.queries.holds import HoldRow, why_not
from app.queries.order_facts import HoldFact, LineFact, OrderPage
from app.security.permissions import Permission
from app.security.roles import ROLES
from app.web.areas import closed, lacking
from app.web.figures import words
from erpcore.fulfilment.flow import SHIPMENT
from erpcore.kernel.actor import Actor
from erpcore.orders.flow import ORDER


def progress(page: OrderPage) -> list[dict[str, str]]:
    """Where the order is between the customer's wish and the customer's money."""
    going = [one for one in page.shipments if one.state != "taken_back"]
    delivered = bool(going) and all(one.state == "delivered" for one in going)
    steps = (
        ("Captured", "done"),
        ("Released", "done" if page.state in ("released", "closed") else "current"),
        ("Allocated", _share(page, "allocated")),
        ("Shipped", _status(page.delivery)),
        ("Delivered", "done" if delivered and page.delivery == "done" else "current" if delivered else "ahead"),
        ("Invoiced", _status(page.billing)),
        ("Paid", _status(page.payment)),
    )
    if page.state == "cancelled":
        return [{"label": "Captured", "state": "done"}, {"label": "Cancelled", "state": "stopped"}]
    if page.state == "held":
        return [
            {"label": label, "state": "stopped" if label == "Released" else state if state == "done" else "ahead"}
            for label, state in steps
        ]
    current = next((label for label, state in steps if state != "done"), "")
    return [
        {"label": label, "state": "current" if label == current else "done" if state == "done" else "ahead"}
        for label, state in steps
    ]


def _status(status: str) -> str:
    return {"done": "done", "partial": "current"}.get(status, "ahead")


def _share(page: OrderPage, _name: str) -> str:
    if page.state not in ("released", "closed"):
        return "ahead"
    return "ahead" if any(line.has_stock and line.unallocated > 0 for line in page.lines) else "done"


def moves(page: OrderPage, actor: Actor) -> list[dict[str, Any]]:
    """Every next step of the order, in the order of the business; one that is not open says why."""
    if page.state == "cancelled":
        return []
    found = [*_flow_moves(page, actor), *_shipment_moves(page, actor), *_bill_moves(page, actor)]
    first = next((move for move in found if move["permitted"]), None)
    if first is not None:
        first["primary"] = True
    found.append(
        _move(
            actor, "Request return…", Permission.RETURN_REQUEST,
            "" if any(line.returnable > 0 for line in page.lines) else "nothing was shipped that could come back",
            href=url_for("orders.request_return", order_id=page.id),
        )
    )  # fmt: skip
    return [*found, *_stops(page, actor)]


def _move(actor: Actor, label: str, permission: Permission, shut: str, **where: Any) -> dict[str, Any]:
    """``shut``: what stands in the way; a missing permission is said when nothing else does."""
    if not shut and not actor.may(permission):
        shut = lacking(permission)
    return {"label": label, "permitted": not shut, "reason": f"{shut}." if shut else "", **where}


def _post(page: OrderPage, endpoint: str, **values: Any) -> dict[str, Any]:
    return {"action": url_for(endpoint, **values), "name": "version", "value": page.version}


def _flow_moves(page: OrderPage, actor: Actor) -> list[dict[str, Any]]:
    out = []
    if page.state in ("captured", "held"):
        out.append(
            _move(
                actor, "Release", Permission.ORDER_RELEASE, closed(ORDER, "release", page.state, actor),
                **_post(page, "orders.release", order_id=page.id),
            )
        )  # fmt: skip
    if page.state == "closed":
        return out
    is_released = "" if page.state == "released" else f"the order is {page.state}, release it first"
    short = any(line.has_stock and line.unallocated > 0 for line in page.lines)
    pickable = any(line.pickable > 0 for line in page.lines)
    waits = (
        "the supplier sends what is open" if any(line.with_supplier for line in page.lines) else "nothing is allocated"
    )
    out.append(
        _move(
            actor, "Allocate", Permission.ORDER_ALLOCATE,
            is_released or ("" if short else "every line has its stock"), **_post(page, "orders.allocate", order_id=page.id),
        )
    )  # fmt: skip
    out.append(
        _move(
            actor, "Pick and ship…", Permission.SHIPMENT_PICK,
            is_released or ("" if pickable else waits), href=url_for("orders.pick", order_id=page.id),
        )
    )  # fmt: skip
    return out


def _shipment_moves(page: OrderPage, actor: Actor) -> list[dict[str, Any]]:
    out = []
    for shipment in page.shipments:
        values: dict[str, Any] = {"order_id": page.id, "shipment_id": shipment.id}
        if SHIPMENT.leads("confirm", shipment.state):
            out.append(
                _move(actor, f"Confirm {shipment.number}", Permission.SHIPMENT_CONFIRM, "", **_post(page, "orders.confirm", **values))
            )  # fmt: skip
        if SHIPMENT.leads("deliver", shipment.state):
            out.append(
                _move(actor, f"Deliver {shipment.number}…", Permission.SHIPMENT_DELIVER, "", href=url_for("orders.deliver", **values))
            )  # fmt: skip
    return out


def _bill_moves(page: OrderPage, actor: Actor) -> list[dict[str, Any]]:
    out = [
        _move(
            actor, f"Draft invoice for {shipment.number}", Permission.INVOICE_DRAFT, "",
            **_post(page, "billing.draft", shipment_id=shipment.id),
        )
        for shipment in page.shipments
        if shipment.invoice_due_at is not None and shipment.invoice_id is None
    ]  # fmt: skip
    for invoice in page.invoices:
        if invoice.state != "posted":
            blocked = f"it is blocked: {invoice.block_reason}" if invoice.state == "blocked" else ""
            out.append(
                _move(
                    actor, f"Post invoice for {invoice.shipment}", Permission.INVOICE_POST, blocked,
                    **_post(page, "billing.post", invoice_id=invoice.id),
                )
            )  # fmt: skip
    return out


def _stops(page: OrderPage, actor: Actor) -> list[dict[str, Any]]:
    if page.state == "closed":
        return []
    out = [
        _move(
            actor, f"Release the {words(hold.kind)} hold…", Permission.HOLD_RELEASE,
            closed_to_me(why_not(hold.asked_by, hold.permission, actor), hold),
            href=url_for("orders.release_hold", order_id=page.id, hold_id=hold.id),
        )
        for hold in page.open_holds
    ]  # fmt: skip
    out.append(
        _move(
            actor,
            "Hold…",
            Permission.HOLD_PLACE,
            closed(ORDER, "hold", page.state, actor),
            href=url_for("orders.hold", order_id=page.id),
        )
    )
    left = any(line.cancellable > 0 for line in page.lines)
    out.append(
        _move(
            actor, "Change order…", Permission.ORDER_AMEND, "" if left else "nothing of it is open any more",
            href=url_for("orders.amend", order_id=page.id),
        )
    )  # fmt: skip
    out.append(
        _move(
            actor, "Cancel…", Permission.ORDER_CANCEL,
            closed(ORDER, "cancel", page.state, actor) or ("" if left else "nothing of it is open any more"),
            href=url_for("orders.cancel", order_id=page.id), danger=True,
        )
    )  # fmt: skip
    return out


#: Said of a hold for a price on which more people decide.
AGREED = "Your approval is kept; others are still asked."


def closed_to_me(why: str, hold: HoldFact | HoldRow) -> str:
    """Why this person may not end a hold, in words; empty when they may."""
    if why == "hold_own_request":
        return "you asked for what it stops, so a colleague decides"
    if why and hold.asked is not None:
        return "it is decided among the approvals"
    return lacking(hold.permission) if why else ""


def who_ends(hold: HoldFact | HoldRow) -> str:
    """Who may end a hold: the rules of approval where a request about it waits, else the roles that have the permission."""
    if hold.asked is None:
        return f"{deciders(hold.permission)} may end it"
    return hold.asked.rstrip(".") or "No rule of approval says who may decide, so nobody may"


def deciders(permission: str) -> str:
    """The roles that may end a hold which takes this permission, as people say them."""
    *others, last = [duty.title.lower() for duty in ROLES.values() if permission in duty.permissions] or ["nobody"]
    text = f"{', '.join(others)} or {last}" if others else last
    return text[:1].upper() + text[1:]


def days_late(line: LineFact) -> int:
    """Days between what the customer wished and what is promised now; 0 when the wish is met."""
    wish = line.requested_ship_on if line.basis == "ship" else line.requested_on
    return max((line.promised_on - wish).days, 0)
