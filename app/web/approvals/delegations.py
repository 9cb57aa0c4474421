"""Who answers for me, and for whom do I answer?"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.approving import AROUND
from app.composition.cases import person_named
from app.composition.request import change, now, reader
from app.identity.queries import names_of
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.approvals.forms import DelegateForm, ReasonForm
from app.web.approvals.views import blueprint
from app.web.context import local
from app.web.signed_in import own_zone
from erpcore.kernel.clock import day_start
from erpcore.kernel.errors import NotFound, RuleBroken
from governance.approvals.delegations import Delegate, delegate, end_delegation
from governance.approvals.queries import delegations_of


@blueprint.route("/approvals/delegation", methods=["GET", "POST"])
@require(Permission.APPROVAL_DELEGATE)
def show_delegations() -> Any:
    """Everybody for oneself; days are those of one's own time zone."""
    form = DelegateForm()
    if not form.is_submitted():
        form.from_on.data = local(now()).date()
    if form.validate_on_submit() and form.from_on.data and form.until_on.data:
        with form.refusals():
            _record(form, form.from_on.data, form.until_on.data)
        if form.accepted:
            flash("Your delegate answers for you on these days.", "success")
            return redirect(url_for("approvals.show_delegations"))
    rows = delegations_of(reader(), actor().id, now())
    names = names_of(reader(), {person for row in rows for person in (row.giver_id, row.delegate_id)})
    return render_template(
        "approvals/delegations.html", form=form, names=names, at=now(),
        given=[row for row in rows if row.giver_id == actor().id],
        taken=[row for row in rows if row.delegate_id == actor().id],
    ), form.status  # fmt: skip


def _record(form: DelegateForm, first: date, last: date) -> None:
    zone = own_zone()
    person = person_named(reader(), str(form.delegate.data))
    if person is None:
        raise RuleBroken("person_unknown", field="delegate", person=form.delegate.data)
    with change() as work:
        command = Delegate(
            delegate=person, valid_from=day_start(first, zone),
            valid_until=day_start(last + timedelta(days=1), zone), reason=str(form.reason.data),
        )  # fmt: skip
        delegate(work, command, AROUND)


@blueprint.route("/approvals/delegation/<int:delegation_id>/end", methods=["GET", "POST"])
@require(Permission.APPROVAL_DELEGATE)
def stop_delegation(delegation_id: int) -> Any:
    """End one's own delegation at once."""
    mine = {row.id: row for row in delegations_of(reader(), actor().id, now()) if row.giver_id == actor().id}
    if delegation_id not in mine:
        raise NotFound("delegation_not_found", delegation=delegation_id)
    form = ReasonForm()
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            end_delegation(work, delegation_id, reason=str(form.reason.data))
        if form.accepted:
            flash("Nobody answers for you any more.", "success")
            return redirect(url_for("approvals.show_delegations"))
    return render_template("approvals/delegation_end.html", form=form, row=mine[delegation_id]), form.status
