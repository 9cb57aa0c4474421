"""What a site did on paper is entered afterwards: orders with what left for them, and goods that left for orders under way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from flask import flash, redirect, render_template, url_for
from wtforms import DateTimeLocalField, FieldList, FormField, SelectField, StringField
from wtforms import Form as Plain
from wtforms.validators import InputRequired, Length, Optional

from app.composition import paper
from app.composition.request import change, reader
from app.composition.trading import cells, rules
from app.queries.order_detail import order_page
from app.queries.order_entry import find_customers, items_with_codes
from app.queries.papers_entered import PaperDesk, paper_desk
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.fields import PriceField, QuantityField
from app.web.forms import Form, choices, cleaned
from app.web.once import KeyedForm
from app.web.orders.forms import LinesForm, Summary, line_fields, quantities_of, with_quantities
from app.web.steering_words import short_moment
from app.web.waves.views import blueprint
from erpcore.kernel.clock import zone

#: Lines of one paper; a longer one is entered in parts.
LINES = 8
_MINUTES = "%Y-%m-%dT%H:%M"


class PaperLineForm(Plain):
    """One line of the paper, in the order in which the paper form asks."""

    item = StringField("Item", [Length(max=40)], filters=[cleaned])
    quantity = QuantityField("Ordered", [Optional()])
    left = QuantityField("Left", [Optional()])
    unit_price = PriceField("Price on the paper", [Optional()])

    @property
    def is_empty(self) -> bool:
        return not any((field.raw_data or [""])[0].strip() for field in self)


class PaperForm(KeyedForm, LinesForm):
    """An order taken on paper. Times are those of the site."""

    number = StringField(
        "Number of the paper", [InputRequired("Enter the number that stands on the paper"), Length(max=40)]
    )
    channel = SelectField("Channel", coerce=int)
    customer = StringField("Customer", [InputRequired("Enter the customer's code or name"), Length(max=120)])
    taken_at = DateTimeLocalField("Taken at", [InputRequired("Enter when the order was taken")], format=_MINUTES)
    lines = FieldList(FormField(PaperLineForm), min_entries=LINES, max_entries=LINES)
    left_at = DateTimeLocalField("Goods left at", [Optional()], format=_MINUTES, description="Empty: nothing left yet.")
    delivered_at = DateTimeLocalField("Delivered at", [Optional()], format=_MINUTES)


class LeftForm(Form):
    """What left on paper for an order that was under way."""

    called: ClassVar[dict[str, str]] = {"taken_at": "left_at"}
    number = StringField("Number of the paper", [Optional(), Length(max=40)])
    left_at = DateTimeLocalField("Goods left at", [InputRequired("Enter when the goods left")], format=_MINUTES)
    delivered_at = DateTimeLocalField("Delivered at", [Optional()], format=_MINUTES)


def _instant(typed: datetime | None, desk: PaperDesk) -> datetime | None:
    """What the paper says, by the clock of the site."""
    return None if typed is None else typed.replace(tzinfo=zone(desk.time_zone)).astimezone(UTC)


@blueprint.route("/sites/<int:site_id>/paper", methods=["GET", "POST"])
@require(Permission.ORDER_BACK_ENTER, site="site_id")
def enter_paper(site_id: int) -> Any:
    desk, form = paper_desk(reader(), site_id), PaperForm()
    form.channel.choices = choices(desk.channels)
    if form.validate_on_submit():
        form.sent = [row for row in form.lines if not row.form.is_empty]
        command = _command(desk, form)
        if command is not None:
            with form.refusals(), change(source=paper.SOURCE) as work:
                form.once(work, lambda: paper.enter_order(work, command, rules=rules(), cells=cells()).id)
            if form.accepted:
                flash(f"{command.number} is entered. Go on with the next paper.", "success")
                return redirect(url_for("waves.enter_paper", site_id=site_id))
    page = render_template("waves/paper.html", desk=desk, form=form, summary=Summary(form), short_moment=short_moment)
    return page, form.status


def _command(desk: PaperDesk, form: PaperForm) -> paper.PaperOrder | None:
    """The paper as typed; ``None`` when a code is of nothing, which is said at its field."""
    found = find_customers(reader(), desk.entity, str(form.customer.data))
    if len(found) != 1:
        said = "Several customers fit; enter the code of one" if found else "No customer has this code or name"
        form.customer.errors = [*form.customer.errors, said]
    typed = [row.form for row in form.sent]
    known = items_with_codes(reader(), desk.entity, [row.item.data or "" for row in typed])
    for row in typed:
        if (row.item.data or "").strip().lower() not in known:
            row.item.errors = [*row.item.errors, "No item has this code"]
        if row.quantity.data is None:
            row.quantity.errors = [*row.quantity.errors, "Enter how many were ordered"]
    if not typed:
        first = form.lines.entries[0].form
        first.item.errors = [*first.item.errors, "Enter the first line of the paper"]
    if form.customer.errors or any(f.errors for row in form.lines for f in row.form):
        form.status = 422
        return None
    taken_at = _instant(form.taken_at.data, desk)
    assert taken_at is not None  # noqa: S101 - the form asks for it
    return paper.PaperOrder(
        site=desk.site, channel=form.channel.data, customer=found[0].id, number=str(form.number.data), taken_at=taken_at,
        left_at=_instant(form.left_at.data, desk), delivered_at=_instant(form.delivered_at.data, desk),
        lines=[
            paper.PaperLine(
                item=known[row.item.data.lower()], quantity=row.quantity.data, unit_price=row.unit_price.data, left=row.left.data
            )
            for row in typed
        ],
    )  # fmt: skip


@blueprint.route("/sites/<int:site_id>/paper/<int:order_id>", methods=["GET", "POST"])
@require(Permission.ORDER_BACK_ENTER, site="site_id")
def enter_left(site_id: int, order_id: int) -> Any:
    desk, order = paper_desk(reader(), site_id), order_page(reader(), actor(), order_id)
    form = with_quantities(LeftForm, order.lines, "open", filled=True)
    if form.validate_on_submit():
        left_at = _instant(form.left_at.data, desk)
        assert left_at is not None  # noqa: S101 - the form asks for it
        command = paper.PaperShipment(
            order=order_id, left_at=left_at, lines=quantities_of(form), number=form.number.data or None,
            delivered_at=_instant(form.delivered_at.data, desk),
        )  # fmt: skip
        with form.refusals(), change(source=paper.SOURCE, realm=order.realm) as work:
            paper.enter_shipment(work, command, rules=rules(), cells=cells())
        if form.accepted:
            flash(f"What left for {order.number} is entered.", "success")
            return redirect(url_for("waves.enter_paper", site_id=site_id))
    page = render_template("waves/paper_left.html", desk=desk, order=order, form=form, lines=line_fields(form))
    return page, form.status
