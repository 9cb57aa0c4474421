"""The rules of approval: a table by kind, one rule with its versions, another version, and the decision on it."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.approval_words import rule_sentence
from app.composition.approving import OUTCOMES, decide_rule, propose_rule
from app.composition.request import change, reader
from app.queries.approvals import kind_title
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.approvals.forms import DecideForm, ReasonForm, RuleForm, amount_shown
from app.web.approvals.views import blueprint
from app.web.areas import lacking
from app.web.steps import seen_version
from erpcore.kernel.errors import NotFound
from governance.approvals.queries import RuleVersion, rule_named, rules_now, versions_of
from governance.approvals.records import rule_of
from governance.approvals.rulebook import ProposeRule


@blueprint.get("/approvals/rules")
@require(Permission.APPROVAL_VIEW)
def show_rules() -> str:
    """Every rule in one sentence, by kind, and what waits for a decision on it."""
    rows = rules_now(reader())
    kinds = sorted({*OUTCOMES, *(row.kind for row in rows)}, key=kind_title)
    table = [
        {
            "kind": kind, "title": kind_title(kind),
            "rules": [_shown(row) for row in rows if row.kind == kind and row.state == "in_force"],
            "proposed": [_shown(row) for row in rows if row.kind == kind and row.state == "proposed"],
        }
        for kind in kinds
    ]  # fmt: skip
    return render_template("approvals/rules.html", table=table)


def _shown(row: RuleVersion) -> dict[str, Any]:
    return {"row": row, "sentence": "There is no such rule any more." if row.ends_rule else rule_sentence(rule_of(row))}


def _kind(kind: str) -> str:
    if kind not in OUTCOMES:
        raise NotFound("not_found")
    return kind


@blueprint.route("/approvals/rules/new/<kind>", methods=["GET", "POST"])
@require(Permission.APPROVAL_RULE_PROPOSE)
def new_rule(kind: str) -> Any:
    """A further rule of a kind."""
    return _propose(_kind(kind), None)


@blueprint.route("/approvals/rules/<int:rule_id>/change", methods=["GET", "POST"])
@require(Permission.APPROVAL_RULE_PROPOSE)
def change_rule(rule_id: int) -> Any:
    """The next version of a rule."""
    row = rule_named(reader(), rule_id)
    return _propose(_kind(row.kind), row)


def _propose(kind: str, row: RuleVersion | None) -> Any:
    form = RuleForm()
    form.offer()
    if not form.is_submitted():
        form.seen.data = str(row.version if row else 0)
        if row is not None:
            _fill(form, row)
    if form.validate_on_submit():
        made = 0
        with form.refusals(), change() as work:
            made = form.once(work, lambda: propose_rule(work, _command(form, kind, row)).id)
        if form.accepted:
            flash("It is proposed. Until somebody else decides, what holds goes on to hold.", "success")
            return redirect(url_for("approvals.show_rule", rule_id=made))
    return render_template(
        "approvals/rule_new.html", form=form, row=row, kind=kind, title=kind_title(kind)
    ), form.status  # fmt: skip


def _command(form: RuleForm, kind: str, row: RuleVersion | None) -> ProposeRule:
    seen = str(form.seen.data or "")
    return ProposeRule(
        kind=kind, code=row.code if row else str(form.code.data), reason=str(form.reason.data), condition=form.condition(),
        is_automatic=bool(form.is_automatic.data), capacity=form.capacity.data or None, people=form.people_wanted(),
        timeout_hours=form.timeout_hours.data, escalate_to=form.escalate_to.data or None,
        seen_version=int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 9 else None,
    )  # fmt: skip


def _fill(form: RuleForm, row: RuleVersion) -> None:
    form.code.data, form.tier.data, form.materiality.data = row.code, row.tier, row.materiality or ""
    if row.amount_from_minor is not None and row.currency:
        form.amount_from.data, form.currency.data = amount_shown(row.amount_from_minor, row.currency), row.currency
    if row.margin_below_permille is not None:
        form.margin_below.data = amount_shown(row.margin_below_permille * 10, "EUR")
    form.is_automatic.data, form.capacity.data, form.people.data = row.is_automatic, row.capacity or "", row.people
    form.timeout_hours.data, form.escalate_to.data = row.timeout_hours, row.escalate_to or ""


@blueprint.route("/approvals/rules/<int:rule_id>/end", methods=["GET", "POST"])
@require(Permission.APPROVAL_RULE_PROPOSE)
def end_rule(rule_id: int) -> Any:
    """Propose that there is no such rule any more."""
    row, form = rule_named(reader(), rule_id), ReasonForm()
    if form.validate_on_submit():
        made = 0
        with form.refusals(), change() as work:
            command = ProposeRule(kind=row.kind, code=row.code, reason=str(form.reason.data), ends=True)
            made = propose_rule(work, command).id
        if form.accepted:
            flash("It is proposed. Until somebody else decides, the rule goes on to hold.", "success")
            return redirect(url_for("approvals.show_rule", rule_id=made))
    return render_template(
        "approvals/rule_end.html", form=form, row=row, sentence=rule_sentence(rule_of(row)), title=kind_title(row.kind)
    ), form.status  # fmt: skip


@blueprint.route("/approvals/rules/<int:rule_id>", methods=["GET", "POST"])
@require(Permission.APPROVAL_VIEW)
def show_rule(rule_id: int) -> Any:
    """One version with all others of its rule; posted, the decision on it."""
    row, form = rule_named(reader(), rule_id), DecideForm()
    move = "withdraw" if "withdraw" in request.form else str(form.verdict.data or "")
    if move == "withdraw":
        form.verdict.validators = []
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            decide_rule(work, rule_id, move, reason=str(form.reason.data), seen_version=seen_version())
        if form.accepted:
            flash(
                {"approve": "It holds from now on.", "decline": "It is declined."}.get(move, "It is withdrawn."),
                "success",
            )
            return redirect(url_for("approvals.show_rule", rule_id=rule_id))
    form.version.data = str(row.version)
    return render_template(
        "approvals/rule.html", row=row, form=form, shown=_shown(row), title=kind_title(row.kind), shut=_shut(row),
        versions=[_shown(one) for one in versions_of(reader(), row.kind, row.code)],
    ), form.status  # fmt: skip


def _shut(row: RuleVersion) -> str:
    """Why this person does not decide on the version; empty when they may, or there is nothing to decide."""
    if row.state != "proposed":
        return ""
    if row.proposed_by == actor().id:
        return "You proposed it, so somebody else decides."
    if not actor().may(Permission.APPROVAL_RULE_DECIDE):
        return f"{lacking(Permission.APPROVAL_RULE_DECIDE).capitalize()}."
    return ""
