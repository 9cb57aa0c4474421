"""The tax rules of each company: which hold, a new one, and the end of one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import now, reader
from app.queries.places import entities_seen
from app.queries.taxes import company_of_rule, rule_shown, tax_rules
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.chosen import usual_realm
from app.web.forms import choices
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steps import form_step
from app.web.taxes.forms import CATEGORIES, EndForm, RuleForm
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.tax_keeping import NewTaxRule, end_tax_rule, keep_tax_rule
from erpcore.masterdata.tax_models import EVERY

blueprint = area("taxes")
navigation_entry(
    Entry(
        label="Tax rules", endpoint="taxes.show_all", permission=Permission.MASTERDATA_READ, group=Group.MONEY, order=60
    )
)


@blueprint.get("/taxes")
@require(Permission.MASTERDATA_READ)
def show_all() -> str:
    realm = usual_realm()
    entities = [one for one in entities_seen(reader(), actor()) if one.realm == realm]
    found = tax_rules(reader(), actor(), realm)
    todays = {one.id: local_day(now(), one.time_zone) for one in entities}
    companies = [(one, [rule for rule in found if rule.entity_id == one.id]) for one in entities]
    return render_template(
        "taxes/list.html", companies=companies, kinds=CATEGORIES, every=EVERY, realm=realm,
        standing=lambda rule: _standing(rule, todays[rule.entity_id]),
    )  # fmt: skip


def _standing(rule: Any, today: date) -> str:
    """In force, later or ended, on the company's own day."""
    if rule.valid_until is not None and rule.valid_until <= today:
        return "ended"
    return "later" if rule.valid_from > today else "in force"


@blueprint.route("/taxes/new", methods=["GET", "POST"])
@require(Permission.TAX_KEEP)
def create() -> Any:
    form, entities = RuleForm(), entities_seen(reader(), actor())
    form.entity.choices = choices((one.id, one.label) for one in entities)
    if not form.is_submitted() and entities:
        form.valid_from.data = local_day(now(), entities[0].time_zone)
    if form.validate_on_submit():
        entity = next(one for one in entities if one.id == form.entity.data)
        with form_step(form, realm=entity.realm) as work:
            form.once(work, lambda: keep_tax_rule(work, _command(form)).id)
        if form.accepted:
            flash("The rule is kept. Invoices drafted before keep theirs.", "success")
            return redirect(url_for("taxes.show_all"))
    return _html(
        form, "New tax rule", "Keep the rule", "Of the rules that fit a line the one that says most is taken."
    ), form.status


def _command(form: RuleForm) -> NewTaxRule:
    def said(name: str) -> str:
        return str(form[name].data or "").strip()

    return NewTaxRule(
        entity=form.entity.data, code=said("code"), country=said("country"), rate=Decimal(form.percent.data or 0) / 100,
        valid_from=form.valid_from.data or date.min, ship_from=said("ship_from") or EVERY,
        customer_tax_class=said("customer_tax_class") or EVERY, item_tax_class=said("item_tax_class") or EVERY,
        category=said("category"), sentence=said("sentence") or None, registration=said("registration") or None,
        needs_number=bool(form.needs_number.data), valid_until=form.valid_until.data,
    )  # fmt: skip


@blueprint.route("/taxes/<int:rule_id>/end", methods=["GET", "POST"])
@require(Permission.TAX_KEEP)
def end(rule_id: int) -> Any:
    entity = next(
        (one for one in entities_seen(reader(), actor()) if one.id == company_of_rule(reader(), rule_id)), None
    )
    if entity is None:
        raise NotFound("tax_rule_unknown", rule=rule_id)
    form, rule = EndForm(), rule_shown(reader(), rule_id)
    if form.validate_on_submit():
        with form_step(form, realm=entity.realm) as work:
            end_tax_rule(work, rule_id, form.until.data or date.min)
        if form.accepted:
            flash("It holds no more from that day on.", "success")
            return redirect(url_for("taxes.show_all"))
    note = f"{rule} of {entity.label}. What left before that day is still taxed by it."
    return _html(form, "End a tax rule", "Let it end", note), form.status


def _html(form: Any, title: str, label: str, note: str) -> str:
    return render_template(
        "billing/small_form.html", form=form, trail=[("Tax rules", url_for("taxes.show_all"))], of="Tax rules", unit="", realm="live",
        title=title, label=label, note=note,
    )  # fmt: skip
