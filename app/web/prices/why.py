"""Why does this line have its price, and what would an item cost?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import render_template, request

from app.composition.request import now, reader
from app.messages import sentence
from app.queries.line_prices import PriceAnswer, ask_price, line_price
from app.queries.prices import ids_by_code
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.forms import choices
from app.web.orders.presenters import deciders
from app.web.prices.forms import CheckForm
from app.web.prices.views import blueprint, channel_names, entities, today
from erpcore.kernel.errors import DomainError
from erpcore.kernel.quantity import parse_quantity
from erpcore.pricing.rules import PERMISSIONS, Authority

_WHY = {
    "lost_margin_above_limit": "the margin lost on the order is above the limit", "below_minimum_margin": "below the floor",
    "key_account": "a key account: what one is given others ask for",
}  # fmt: skip


def _decides(level: str | None) -> str:
    return deciders(PERMISSIONS[Authority(level)]) if level in set(Authority) else "somebody with authority"


@blueprint.get("/orders/<int:order_id>/lines/<int:line_id>/price")
@require(Permission.ORDER_READ)
def show_why(order_id: int, line_id: int) -> str:
    """As it was kept when the line was priced; nothing is worked out anew."""
    found = line_price(reader(), actor(), order_id, line_id)
    return render_template(
        "prices/why.html", line=found, realm=found.realm, decides=_decides, said=lambda why: _WHY.get(why, why),
        sees_cost=actor().may(Permission.COST_READ),
    )  # fmt: skip


@blueprint.get("/prices/check")
@require(Permission.MASTERDATA_READ)
def check() -> Any:
    """Ask for a price as an order would."""
    form, seen = CheckForm(request.args), entities()
    form.entity.choices = choices((one.id, one.label) for one in seen)
    form.channel.choices = choices(channel_names())
    if form.entity.data is None and seen:
        form.entity.data = seen[0].id
    form.channel.data = form.channel.data or 0
    form.quantity.data = form.quantity.data or "1"
    found: PriceAnswer | None = None
    if request.args.get("item"):
        if form.validate():
            found = _found(form)
        else:
            form.status = 422
    return render_template(
        "prices/check.html", form=form, found=found, entities=seen, sees_cost=actor().may(Permission.COST_READ)
    ), form.status


def _found(form: CheckForm) -> PriceAnswer | None:
    entity = int(form.entity.data)
    who = str(form.customer.data or "")
    item, customer = ids_by_code(reader(), entity, str(form.item.data), who)
    if item is None:
        form.item.errors = ["No item of this company has this code."]
    if who and customer is None:
        form.customer.errors = ["No customer of this company has this code."]
    quantity: Decimal | None = None
    try:
        quantity = parse_quantity(str(form.quantity.data), places=3)
    except DomainError as refusal:
        form.quantity.errors = [sentence(refusal)]
    if quantity is not None and quantity <= 0:
        form.quantity.errors = ["Enter a quantity above zero."]
    if item is None or quantity is None or any(field.errors for field in form):
        form.status = 422
        return None
    return ask_price(
        reader(), actor(), now(), item=item, customer=customer, channel=form.channel.data or None, quantity=quantity,
        on=form.on.data or today(entity),
    )  # fmt: skip
