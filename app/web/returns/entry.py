"""A return of which nobody knows the order: the customer, the items, and what is credited where no sale is found."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import reader
from app.composition.trading import cells, condition_named, returned_line, rules
from app.queries.places import SitePick, all_channels, sites_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.forms import choices
from app.web.linesheet import Wrong
from app.web.returns.forms import WithoutOrderForm
from app.web.returns.views import blueprint
from app.web.steps import form_step
from erpcore.fulfilment.returns import RequestReturn, request_returns
from erpcore.kernel.work import UnitOfWork


@blueprint.route("/returns/new", methods=["GET", "POST"])
@require(Permission.RETURN_REQUEST)
def create() -> Any:
    """Each line is laid over the customer's latest sales of its item; what none covers is credited at the price that is typed."""
    form, sites = WithoutOrderForm(), _sites()
    form.site.choices = choices((one.id, one.label) for one in sites.values())
    form.channel.choices = choices((one.id, one.name) for one in all_channels(reader()))
    site = sites.get(form.site.data) if form.is_submitted() else None
    form.look_up(reader(), site.entity_id if site else None)
    press = form.press()
    if press and press != "enter":
        form.change_rows()
    if press == "enter":
        complete = form.is_complete()
        customer = form.find_customer(reader(), site.entity_id if site else None)
        if complete and site is not None and customer is not None:
            made = 0
            with form_step(form, realm=site.realm) as work:
                made = form.once(work, lambda: _ask(work, form, customer))
            if form.accepted:
                flash("The return is taken down. Its history says whether it may come back by the policy.", "success")
                return redirect(url_for("returns.show", return_id=made))
        elif customer is None:
            form.status = 422
    page = render_template(
        "returns/new.html", form=form, wrong=Wrong(form), realm=site.realm if site else "live", sites=sites
    )
    return page, form.status


def _sites() -> dict[int, SitePick]:
    """Where goods may come back to: the sites of this person that hold any."""
    found = sites_seen(reader(), actor(), realms=("live", "rehearsal"))
    return {one.id: one for one in found if one.kind != "drop_ship"}


def _ask(work: UnitOfWork, form: Any, customer: int) -> int:
    command = RequestReturn(
        site=form.site.data, channel=form.channel.data, customer=customer, reason=str(form.reason.data),
        fault=str(form.fault.data), condition=condition_named(str(form.condition.data)),
        lines=[
            returned_line(
                form.item_of(row) or 0, row.form.quantity.data, None, str(form.disposition.data), row.form.unit_price.data
            )
            for row in form.sent
        ],
    )  # fmt: skip
    return request_returns(work, [command], rules=rules(), cells=cells())[0].id
