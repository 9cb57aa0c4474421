"""Up to which day the books of a company are closed: closing more, opening some again, and who did it why."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, url_for
from wtforms import DateField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from app.composition.request import now, reader
from app.queries.closing_checks import find
from app.queries.periods import closes_of
from app.queries.places import EntityPick, entities_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key
from app.web.forms import Form
from app.web.ledger.views import blueprint
from app.web.steps import form_step
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.ledger.closing.services import move_close
from erpcore.ledger.periods import ClosePeriod


class PeriodForm(Form):
    """The first day that stays open, and why."""

    until = DateField(
        "Closed before", [InputRequired("Enter a day")],
        description="The first day that stays open; an earlier one than now opens days again",
    )  # fmt: skip
    reason = StringField("Reason", [DataRequired("Say why"), Length(max=200)])


def entity_asked(entity: int | None) -> EntityPick | None:
    found = entities_seen(reader(), actor())
    if entity is None:
        return found[0] if found else None
    one = next((one for one in found if one.id == entity), None)
    if one is None:
        raise NotFound("not_found")
    return one


@blueprint.get("/ledger/periods")
@require(Permission.LEDGER_READ)
def show_periods() -> str:
    entity = entity_asked(asked_key("entity"))
    return render_template(
        "ledger/periods.html", entity=entity, entities=entities_seen(reader(), actor()),
        steps=closes_of(reader(), entity.id) if entity else [], realm=entity.realm if entity else "live",
    )  # fmt: skip


@blueprint.route("/ledger/periods/<int:entity_id>", methods=["GET", "POST"])
@require(Permission.PERIOD_CLOSE)
def change_period(entity_id: int) -> Any:
    entity, form = entity_asked(entity_id), PeriodForm()
    if entity is None:
        raise NotFound("not_found")
    steps = closes_of(reader(), entity_id)
    if not form.is_submitted():
        form.until.data = local_day(now(), entity.time_zone).replace(day=1)
    if form.validate_on_submit():
        until = form.until.data or date.min
        with form_step(form, realm=entity.realm) as work:
            move_close(work, ClosePeriod(entity=entity_id, until=until, reason=str(form.reason.data)), find)
        if form.accepted:
            opens = bool(steps) and until < steps[0].until
            flash("Those days are open again." if opens else "Nothing is posted or moved before that day.", "success")
            return redirect(url_for("ledger.show_periods", entity=entity_id))
    html = render_template(
        "ledger/period.html", form=form, entity=entity, closed=steps[0].until if steps else None, realm=entity.realm
    )
    return html, form.status
