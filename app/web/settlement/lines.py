"""What becomes of a line that is not as we have it: another document, accepted, or set against what makes it good."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for

from app.composition.request import reader
from app.queries.settlement import line_fact, opposite_lines, payout_of_line
from app.queries.settlement_documents import document_named
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.figures import amount
from app.web.settlement.forms import DocumentForm, WhyForm, offset_form
from app.web.settlement.views import blueprint, small_form
from app.web.steps import form_step
from erpcore.billing.settling.explaining import accept_difference, offset_differences
from erpcore.billing.settling.matching import choose_document
from erpcore.kernel.errors import RuleBroken


@blueprint.route("/partner-payouts/lines/<int:line_id>/document", methods=["GET", "POST"])
@require(Permission.PAYOUT_POST)
def choose(line_id: int) -> Any:
    """Which invoice a sale, or which credit memo a refund is about."""
    row, line, form = payout_of_line(reader(), actor(), line_id), line_fact(reader(), line_id), DocumentForm()
    what = "credit memo" if line.kind == "refund" else "invoice"
    if form.validate_on_submit():
        with form_step(form, realm=row.realm) as work:
            number = (form.number.data or "").strip()
            found = document_named(reader(), row.entity_id, number, is_credit=line.kind == "refund") if number else None
            if number and found is None:
                raise RuleBroken("payout_document_unheard", field="number", number=number, what=what)
            choose_document(work, line_id, found)
        if form.accepted:
            flash(f"Line {line.line_no} is matched to what you named.", "success")
            return redirect(url_for("settlement.show", payout_id=row.id))
    said = f"Line {line.line_no}: {line.explanation}"
    return small_form(row, form, title=f"Which {what} it is about", label="Match it so", note=said), form.status


@blueprint.route("/partner-payouts/lines/<int:line_id>/accept", methods=["GET", "POST"])
@require(Permission.DEBT_WRITE_OFF)
def accept(line_id: int) -> Any:
    """What is not explained of a line is accepted."""
    row, line, form = payout_of_line(reader(), actor(), line_id), line_fact(reader(), line_id), WhyForm()
    if form.validate_on_submit():
        with form_step(form, realm=row.realm) as work:
            accept_difference(work, line_id, reason=str(form.reason.data))
        if form.accepted:
            flash(f"Line {line.line_no} is accepted as a fee of the partner.", "success")
            return redirect(url_for("settlement.show", payout_id=row.id))
    said = f"Line {line.line_no}: {amount(line.open_minor, row.currency)} {row.currency} go to the fees of partners. {line.explanation}"
    return small_form(row, form, title="Accept the difference", label="Accept it", note=said), form.status


@blueprint.route("/partner-payouts/lines/<int:line_id>/offset", methods=["GET", "POST"])
@require(Permission.PAYOUT_POST)
def offset(line_id: int) -> Any:
    """Two differences of a partner make each other good."""
    row, line = payout_of_line(reader(), actor(), line_id), line_fact(reader(), line_id)
    others = opposite_lines(reader(), row.partner_id, line.open_minor)
    form = offset_form(
        [
            (key, f"{number}, line {at}: {amount(minor, row.currency)} {row.currency}")
            for key, number, at, minor in others
        ]
    )
    if form.validate_on_submit():
        with form_step(form, realm=row.realm) as work:
            offset_differences(work, line_id, int(form.other.data), reason=str(form.reason.data))
        if form.accepted:
            flash("The two lines make each other good.", "success")
            return redirect(url_for("settlement.show", payout_id=row.id))
    said = f"Line {line.line_no}: {amount(line.open_minor, row.currency)} {row.currency} not explained."
    said += "" if others else " No line of this partner went the other way; none can make it good yet."
    return small_form(row, form, title="Set it against another line", label="Set them off", note=said), form.status
