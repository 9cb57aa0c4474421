"""The business case: what the programme costs, which money stage gates release, and what it brings."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition import business_case as desk
from app.composition import stage_gates
from app.composition.request import change, now, reader
from app.queries.roadmap import BusinessCase, business_case
from app.queries.steer import people_picks
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.forms import Form, choices
from app.web.measures.presenters import figure_choices
from app.web.roadmap.forms import KINDS, BenefitForm, MoneyForm, TrancheForm
from app.web.roadmap.views import WORDS, blueprint, form_html, in_base, with_reason, zone_here
from erpcore.kernel.errors import NotFound
from governance.roadmap import funding
from governance.roadmap.kinds import MoneyKind

_PROGRAMME = 0


@blueprint.get("/programmes/<int:programme_id>/business-case")
@require(Permission.PROGRAMME_VIEW)
def show_case(programme_id: int) -> str:
    page = business_case(reader(), programme_id, now())
    return render_template(
        "roadmap/case.html", page=page, may_manage=actor().may(Permission.PROGRAMME_MANAGE), KINDS=KINDS,
        wave_names=dict(page.waves), **WORDS,
    )  # fmt: skip


@blueprint.route("/programmes/<int:programme_id>/tranches/new", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def plan_tranche(programme_id: int) -> Any:
    page, form = business_case(reader(), programme_id, now()), TrancheForm()
    form.phase.choices = choices((one.id, one.title) for one in page.phases if one.state != "closed")
    if form.validate_on_submit() and (amount := form.minor(form.amount)) is not None:
        command = funding.PlanTranche(
            phase_id=form.phase.data, code=str(form.code.data), title=str(form.title.data), amount_minor=amount,
            currency=str(form.currency.data),
        )  # fmt: skip
        with form.refusals(), change() as work:
            form.once(work, lambda: stage_gates.plan_tranche(work, command).id)
        if form.accepted:
            flash("The tranche waits for the stage gate of its phase.", "success")
            return redirect(_here(page))
    return _html(page, form, "Plan a tranche", "Money that only a decided stage gate releases", "Plan it")


@blueprint.route("/programmes/<int:programme_id>/tranches/<int:tranche_id>/withdraw", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def withdraw_tranche(programme_id: int, tranche_id: int) -> Any:
    page = business_case(reader(), programme_id, now())
    shown = next((one for phase in page.phases for one in phase.tranches if one.id == tranche_id), None)
    if shown is None:
        raise NotFound("tranche_not_found", tranche=tranche_id)
    return with_reason(
        lambda work, reason: stage_gates.withdraw_tranche(work, tranche_id, reason=reason),
        done="No stage gate releases it any more.", to=_here(page),
        again=lambda form: _html(page, form, f"Withdraw “{shown.title}”", "What is released stays released", "Withdraw it"),
    )  # fmt: skip


@blueprint.route("/programmes/<int:programme_id>/money/new", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def record_money(programme_id: int) -> Any:
    page, form = business_case(reader(), programme_id, now()), MoneyForm()
    form.wave.choices = choices([(_PROGRAMME, "Programme and optimisation"), *page.waves])
    if form.validate_on_submit() and form.on.data and (amount := form.minor(form.amount)) is not None:
        booking = desk.Booking(
            programme_id=programme_id, wave_id=form.wave.data or None, kind=MoneyKind(form.kind.data), amount_minor=amount,
            currency=str(form.currency.data), on=form.on.data, note=str(form.note.data), time_zone=zone_here(),
        )  # fmt: skip
        with form.refusals(), change() as work:
            form.once(work, lambda: desk.record_money(work, [booking])[0].id)
        if form.accepted:
            flash("The line is kept.", "success")
            return redirect(_here(page))
    return _html(page, form, "Record money", "Budget, spend or forecast; a correction is another line", "Record it")


@blueprint.route("/programmes/<int:programme_id>/benefits/new", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def plan_benefit(programme_id: int) -> Any:
    page, form = business_case(reader(), programme_id, now()), BenefitForm()
    form.owner.choices, form.figure.choices = choices(people_picks(reader())), choices(figure_choices())
    if form.validate_on_submit() and form.proof_on.data and (worth := form.minor(form.worth)) is not None:
        command = funding.PlanBenefit(
            programme_id=programme_id, code=str(form.code.data), title=str(form.title.data), figure=str(form.figure.data),
            target=in_base(str(form.figure.data), form.target.data), proof_on=form.proof_on.data,
            worth_minor=worth, currency=str(form.currency.data), owner=form.owner.data,
        )  # fmt: skip
        with form.refusals(), change() as work:
            form.once(work, lambda: desk.plan_benefit(work, command).id)
        if form.accepted:
            flash("The benefit is planned; its figure says on the day whether it is there.", "success")
            return redirect(_here(page))
    return _html(page, form, "Plan a benefit", "What the programme is to bring, held against a figure", "Plan it")


@blueprint.route("/programmes/<int:programme_id>/benefits/<int:benefit_id>/withdraw", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def withdraw_benefit(programme_id: int, benefit_id: int) -> Any:
    page = business_case(reader(), programme_id, now())
    shown = next((line.benefit for line in page.benefits if line.benefit.id == benefit_id), None)
    if shown is None:
        raise NotFound("benefit_not_found", benefit=benefit_id)
    lead = "What was expected, and why no longer, stays in the trail"
    return with_reason(
        lambda work, reason: funding.withdraw_benefit(work, benefit_id, reason=reason),
        done="The benefit is no longer expected.", to=_here(page),
        again=lambda form: _html(page, form, f"Withdraw “{shown.title}”", lead, "Withdraw it"),
    )  # fmt: skip


def _here(page: BusinessCase) -> str:
    return url_for("roadmap.show_case", programme_id=page.programme.id)


def _html(page: BusinessCase, form: Form, title: str, lead: str, label: str) -> Any:
    return form_html(page.programme, form, title, lead, label, _here(page))
