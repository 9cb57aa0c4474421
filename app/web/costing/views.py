"""By which method does each site value its stock, in which layers does an item lie, and what did goods cost more?"""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from app.composition.request import reader
from app.queries.costing import costed_sites, costing_of_site, late_cost_page, layers_page
from app.queries.goods_receipts import receipt_page
from app.queries.stock import stock_place
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key
from app.web.chosen import usual_realm
from app.web.fields import ExactField
from app.web.forms import Form, choices
from app.web.items.presenters import item_address, move_address
from app.web.navigation import Entry, Group, navigation_entry
from app.web.once import KeyedForm
from app.web.steps import form_step
from erpcore.inventory.cost_kinds import CostMethod, LateCostKind, ShareBasis
from erpcore.inventory.costing.choosing import ChooseCosting, choose_costing
from erpcore.inventory.costing.late import AddLateCost, add_late_costs

blueprint = area("costing")
navigation_entry(
    Entry(label="Costing", endpoint="costing.show_sites", permission=Permission.COST_READ, group=Group.MONEY, order=65)
)

#: The methods as people call them.
METHODS = {
    CostMethod.STANDARD: "Standard cost", CostMethod.AVERAGE: "Moving average", CostMethod.FIFO: "First in, first out",
}  # fmt: skip
KINDS = {
    LateCostKind.FREIGHT: "Freight", LateCostKind.DUTY: "Duty", LateCostKind.PRICE: "Dearer or cheaper invoice",
    LateCostKind.OTHER: "Something else",
}  # fmt: skip
BASES = {ShareBasis.VALUE: "What the goods are worth", ShareBasis.QUANTITY: "How many there are"}


class CostingForm(Form):
    """The method from now on, and why; ``seen``: the choice that held when the page was shown."""

    method = SelectField("From now on", [DataRequired("Choose a method")], choices=choices(METHODS.items()))
    reason = StringField("Reason", [DataRequired("Say why"), Length(max=200)])
    seen = HiddenField()


class LateCostForm(KeyedForm):
    """What the goods of a receipt cost more, and by which paper."""

    amount = ExactField(
        "Amount", [InputRequired("Enter what it costs more; with a minus, what it costs less")], places=3
    )
    kind = SelectField("What for", [DataRequired("Choose what for")], choices=choices(KINDS.items()))
    paper = StringField(
        "Paper", [DataRequired("Say by which paper"), Length(max=120)], description="Number of the invoice that came later"
    )  # fmt: skip
    basis = SelectField("Shared by", [DataRequired("Choose by what")], choices=choices(BASES.items()))
    note = StringField("Note", [Length(max=200)])


@blueprint.get("/costing")
@require(Permission.COST_READ)
def show_sites() -> str:
    realm = usual_realm()
    return render_template(
        "costing/sites.html", sites=costed_sites(reader(), actor(), realm), methods=METHODS, realm=realm
    )


@blueprint.route("/costing/<int:site_id>", methods=["GET"])
@require(Permission.COST_READ)
def show_site(site_id: int) -> str:
    found, history = costing_of_site(reader(), actor(), site_id)
    return render_template("costing/site.html", found=found, history=history, methods=METHODS, realm=found.site.realm)


@blueprint.route("/costing/<int:site_id>/choose", methods=["GET", "POST"])
@require(Permission.COSTING_CHOOSE)
def choose(site_id: int) -> Any:
    found, _ = costing_of_site(reader(), actor(), site_id)
    form, here = CostingForm(), url_for("costing.show_site", site_id=site_id)
    if not form.is_submitted():
        form.method.data, form.seen.data = found.method, str(found.choice.id if found.choice else 0)
    if form.validate_on_submit():
        seen = str(form.seen.data or "")
        command = ChooseCosting(
            site=site_id, method=str(form.method.data), reason=str(form.reason.data), seen=int(seen) if seen.isdecimal() else None
        )  # fmt: skip
        with form_step(form, realm=found.site.realm) as work:
            choose_costing(work, [command])
        if form.accepted:
            flash(f"{found.site.name} values its stock by another method from now on.", "success")
            return redirect(here)
    note = (
        f"Now: {METHODS[CostMethod(found.method)].lower()}. What is there goes on at what it is worth; only at standard cost is it "
        "revalued, and the difference posted as a stock adjustment of today. Nothing that was posted changes."
    )
    html = render_template(
        "billing/small_form.html", form=form, trail=[("Costing", url_for("costing.show_sites")), (found.site.name, here)],
        of=found.site.name, unit="", realm=found.site.realm, title="Value stock otherwise", label="Choose the method", note=note,
    )  # fmt: skip
    return html, form.status


@blueprint.get("/stock/<int:site_id>/<int:item_id>/layers")
@require(Permission.COST_READ)
def show_layers(site_id: int, item_id: int) -> str:
    place = stock_place(reader(), actor(), site_id, item_id)
    page = layers_page(reader(), actor(), site_id, item_id, before=asked_key("before"))
    return render_template(
        "costing/layers.html", page=page, row=place.row, methods=METHODS, realm=place.realm, move_address=move_address
    )


@blueprint.get("/late-costs/<int:cost_id>")
@require(Permission.COST_READ)
def show_late_cost(cost_id: int) -> str:
    row, parts = late_cost_page(reader(), actor(), cost_id)
    return render_template(
        "costing/late_cost.html",
        row=row,
        parts=parts,
        kinds=KINDS,
        bases=BASES,
        realm=row.realm,
        item_address=item_address,
    )


@blueprint.route("/warehouse/receipts/<int:receipt_id>/late-cost", methods=["GET", "POST"])
@require(Permission.LATE_COST_ADD)
def add_late_cost(receipt_id: int) -> Any:
    receipt, _ = receipt_page(reader(), actor(), receipt_id)
    currency = costing_of_site(reader(), actor(), receipt.site_id)[0].site.currency
    form, here = LateCostForm(), url_for("warehouse.receipt", receipt_id=receipt_id)
    if form.validate_on_submit():
        command = AddLateCost(
            receipt=receipt_id, paper=str(form.paper.data), amount=form.amount.data, kind=str(form.kind.data),
            basis=str(form.basis.data), note=str(form.note.data or ""),
        )  # fmt: skip
        with form_step(form, realm=receipt.realm) as work:
            made = form.once(work, lambda: add_late_costs(work, [command])[0].id)
        if form.accepted:
            flash("What is still here is worth more now; the rest is cost of sales of today.", "success")
            return redirect(url_for("costing.show_late_cost", cost_id=made))
    note = (
        f"Goods of {receipt.number} that are still at {receipt.site} are worth that much more; of those that have left it is cost of "
        "sales of today. Nothing that was posted changes."
    )
    html = render_template(
        "billing/small_form.html", form=form, trail=[("Goods receipts", url_for("warehouse.receipts")), (receipt.number, here)],
        of=f"{receipt.number} · paper {receipt.paper}", unit=currency, realm=receipt.realm, title="Add a late cost",
        label="Add the cost", note=note,
    )  # fmt: skip
    return html, form.status
