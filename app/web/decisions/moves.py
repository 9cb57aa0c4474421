"""What people do with a decision: put the question, open and close the vote, agree on conditions, take a go back."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition import golive, programme_office
from app.composition.request import change, now, reader
from app.queries.decision_pages import decision_page
from app.queries.steer import people_picks, wave_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.decisions.forms import (
    ConditionForm,
    DelegateForm,
    QuestionForm,
    ReasonForm,
    RecuseForm,
    SettleForm,
    instant,
)
from app.web.decisions.presenters import own_seat
from app.web.decisions.views import WORDS, blueprint, committee_html, decision_html
from app.web.forms import choices
from app.web.gates.forms import end_of
from app.web.signed_in import own_zone
from app.web.steering_words import OUTCOMES, short_day, speech
from app.web.steps import take_step
from erpcore.kernel.clock import day_start
from erpcore.kernel.errors import NotFound
from governance.decisions.kinds import DecisionKind
from governance.decisions.queries import ConditionView, decision_of_condition
from governance.decisions.services import (
    AddCondition,
    DraftDecision,
    settle_condition,
    withdraw_condition,
    withdraw_decision,
)
from governance.decisions.voting import record_attendance, recuse_seat
from governance.programme.queries import bodies
from governance.programme.seats import DelegateSeat

_EFFECTS = {
    "opened": "{count} grants are open: the cells of the wave take live transactions now.",
    "approved": "The wave is approved; its cells open when the go takes effect.",
    "taken_back": "What the wave had opened is taken back and drains.",
    "wave_closed": "The wave is closed; what it opened stays open.",
    "outdated": "The decision had become outdated and opens nothing.",
    "nothing": "Nothing opens and nothing closes.",
}


def _to(decision_id: int) -> str:
    return url_for("decisions.show", decision_id=decision_id)


@blueprint.route("/decisions/new", methods=["GET", "POST"])
@require(Permission.DECISION_DRAFT)
def create() -> Any:
    wave_id = request.args.get("wave", type=int) or 0
    kind = request.args.get("kind", "go_live")
    if kind not in {"go_live", "exit"}:
        raise NotFound("not_found")
    page, form = wave_page(reader(), wave_id, now()), QuestionForm()
    wave = page.line.wave
    steering = sorted(
        bodies(reader(), now(), programme_id=wave.programme_id), key=lambda body: (body.kind != "steering", body.name)
    )
    form.body.choices = choices((body.id, body.name) for body in steering)
    if form.validate_on_submit():
        closes, made = instant(form.closes_at.data), 0
        with form.refusals(), change() as work:
            command = DraftDecision(
                body_id=int(form.body.data), wave_id=wave_id, kind=DecisionKind(kind), title=str(form.title.data),
                question=str(form.question.data), closes_at=closes or work.now, effective_at=instant(form.effective_at.data),
            )  # fmt: skip
            made = form.once(work, lambda: golive.draft_question(work, command).id)
        if form.accepted:
            flash("The question is drafted. Add conditions, then open the vote.", "success")
            return redirect(_to(made))
    elif not form.is_submitted():
        what = "leave hypercare" if kind == "exit" else "go live"
        form.title.data = f"{'End of hypercare' if kind == 'exit' else 'Go-live'} of {wave.code}"
        form.question.data = f"May {wave.name} {what}?"
    return render_template(
        "decisions/new.html", form=form, wave=wave, kind=kind, speech=speech(page.names), **WORDS
    ), form.status


@blueprint.post("/decisions/<int:decision_id>/open")
@require(Permission.DECISION_OPEN)
def open_vote(decision_id: int) -> Any:
    return take_step(
        lambda work: golive.open_vote(work, decision_id), realm="live", to=_to(decision_id),
        done="The vote is open; its seats have it on their Today page.", again=lambda why: decision_html(decision_id, why)[0],
    )  # fmt: skip


@blueprint.post("/decisions/<int:decision_id>/rebind")
@require(Permission.DECISION_OPEN)
def rebind(decision_id: int) -> Any:
    return take_step(
        lambda work: golive.rebind_vote(work, decision_id), realm="live", to=_to(decision_id),
        done="The vote stands on the latest evaluation. Votes on the earlier one no longer count.",
        again=lambda why: decision_html(decision_id, why)[0],
    )  # fmt: skip


@blueprint.post("/decisions/<int:decision_id>/close")
@require(Permission.DECISION_CLOSE)
def close(decision_id: int) -> Any:
    """Count the votes; what they say is done in the same unit of work."""
    found: list[golive.Closing] = []
    answer = take_step(
        lambda work: found.append(golive.close_vote(work, decision_id)), realm="live", to=_to(decision_id), done="The vote is closed.",
        again=lambda why: decision_html(decision_id, why)[0],
    )  # fmt: skip
    if found:
        closing = found[0]
        said = f"{OUTCOMES[closing.outcome].text}. " if closing.outcome else ""
        flash(said + _EFFECTS[closing.effect].format(count=len(closing.grants)), "success")
    return answer


@blueprint.route("/decisions/<int:decision_id>/withdraw", methods=["GET", "POST"])
@require(Permission.DECISION_OPEN)
def withdraw(decision_id: int) -> Any:
    return _with_reason(
        decision_id, "Withdraw the question", "The question is withdrawn.",
        lambda work, reason: withdraw_decision(work, decision_id, reason=reason),
    )  # fmt: skip


@blueprint.route("/decisions/<int:decision_id>/revoke", methods=["GET", "POST"])
@require(Permission.DECISION_REVOKE)
def revoke(decision_id: int) -> Any:
    return _with_reason(
        decision_id, "Revoke the go", "The go is revoked; what it opened drains.",
        lambda work, reason: golive.revoke_go(work, decision_id, reason=reason),
    )  # fmt: skip


def _with_reason(decision_id: int, title: str, done: str, act: Any) -> Any:
    page, form = decision_page(reader(), decision_id, now()), ReasonForm()
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            act(work, str(form.reason.data))
        if form.accepted:
            flash(done, "success")
            return redirect(_to(decision_id))
    return render_template(
        "decisions/reason.html", form=form, row=page.view.row, wave=page.wave, title=title
    ), form.status


@blueprint.post("/decisions/<int:decision_id>/recuse")
@require(Permission.DECISION_VOTE)
def recuse(decision_id: int) -> Any:
    page, form = decision_page(reader(), decision_id, now()), RecuseForm()
    seat = own_seat(page.view, actor())
    if seat is None:
        raise NotFound("seat_not_found", seat=0)
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            recuse_seat(work, decision_id, seat.id, reason=str(form.reason.data))
        if form.accepted:
            flash("Your seat takes no part in this decision.", "success")
            return redirect(_to(decision_id))
    return decision_html(decision_id, recuse_form=form)


@blueprint.route("/decisions/<int:decision_id>/seats/<int:seat_id>/recuse", methods=["GET", "POST"])
@require(Permission.DECISION_ATTENDANCE)
def recuse_other(decision_id: int, seat_id: int) -> Any:
    """Who keeps the attendance notes that a seat takes no part, where its holder has said so in the meeting."""
    seat = next((one for one in decision_page(reader(), decision_id, now()).view.seats if one.id == seat_id), None)
    if seat is None:
        raise NotFound("seat_not_found", seat=seat_id)
    return _with_reason(
        decision_id, f"Recuse the seat {seat.function}", f"{seat.function} takes no part in this decision.",
        lambda work, reason: recuse_seat(work, decision_id, seat_id, reason=reason),
    )  # fmt: skip


@blueprint.post("/decisions/<int:decision_id>/seats/<int:seat_id>/attendance")
@require(Permission.DECISION_ATTENDANCE)
def attend(decision_id: int, seat_id: int) -> Any:
    present = request.form.get("present") == "1"
    return take_step(
        lambda work: record_attendance(work, decision_id, seat_id, present=present), realm="live", to=_to(decision_id),
        done="Noted as present." if present else "Noted as absent.", again=lambda why: decision_html(decision_id, why)[0],
    )  # fmt: skip


@blueprint.post("/decisions/<int:decision_id>/conditions")
@require(Permission.DECISION_OPEN)
def put_condition(decision_id: int) -> Any:
    form = ConditionForm()
    form.owner.choices = choices(people_picks(reader()))
    if form.validate_on_submit() and form.due_on.data:
        command = AddCondition(
            decision_id=decision_id, text=str(form.text.data), check=str(form.check.data), owner=int(form.owner.data),
            due_at=end_of(form.due_on.data),
        )  # fmt: skip
        with form.refusals(), change() as work:
            form.once(work, lambda: golive.put_condition(work, command).id)
        if form.accepted:
            flash("The condition is on the table. Votes cast before no longer count.", "success")
            return redirect(_to(decision_id))
    return decision_html(decision_id, condition_form=form)


def _condition(decision_id: int, condition_id: int) -> ConditionView:
    page = decision_page(reader(), decision_id, now())
    found = next((one for one in page.view.conditions if one.id == condition_id), None)
    if found is None:
        raise NotFound("condition_not_found", condition=condition_id)
    return found


@blueprint.route("/decisions/<int:decision_id>/conditions/<int:condition_id>/meet", methods=["GET", "POST"])
@require(Permission.WAVE_VIEW)
def meet(decision_id: int, condition_id: int) -> Any:
    """Its owner says that it is met; the service asks who that is."""
    condition, form = _condition(decision_id, condition_id), SettleForm()
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            settle_condition(work, condition_id, evidence=str(form.evidence.data))
        if form.accepted:
            flash("The condition is settled.", "success")
            return redirect(_to(decision_id))
    return render_template(
        "decisions/meet.html", form=form, condition=condition, decision_id=decision_id, short_day=short_day
    ), form.status


@blueprint.get("/conditions/<int:condition_id>")
@require(Permission.WAVE_VIEW)
def condition(condition_id: int) -> Any:
    """Where a condition is settled: on the page of its decision."""
    decision_id = decision_of_condition(reader(), condition_id)
    return redirect(url_for("decisions.meet", decision_id=decision_id, condition_id=condition_id))


@blueprint.post("/decisions/<int:decision_id>/conditions/<int:condition_id>/withdraw")
@require(Permission.DECISION_OPEN)
def drop_condition(decision_id: int, condition_id: int) -> Any:
    _condition(decision_id, condition_id)
    return take_step(
        lambda work: withdraw_condition(work, condition_id, reason="taken off the table before the vote was counted"),
        realm="live", to=_to(decision_id), done="The condition is off the table. Votes cast before no longer count.",
        again=lambda why: decision_html(decision_id, why)[0],
    )  # fmt: skip


@blueprint.post("/committees/<int:body_id>/seats/<int:seat_id>/delegate")
@require(Permission.PROGRAMME_VIEW)
def delegate(body_id: int, seat_id: int) -> Any:
    """The holder names who stands in, or who gives out seats does; the service asks which of them it is."""
    form = DelegateForm()
    form.delegate.choices = choices(people_picks(reader()))
    zone_name = own_zone()
    if form.validate_on_submit() and form.valid_from.data and form.valid_until.data:
        command = DelegateSeat(
            seat_id=seat_id, delegate=int(form.delegate.data), valid_from=day_start(form.valid_from.data, zone_name),
            valid_until=end_of(form.valid_until.data), reason=str(form.reason.data),
        )  # fmt: skip
        with form.refusals(), change() as work:
            form.once(work, lambda: programme_office.delegate_seat(work, command).id)
        if form.accepted:
            flash("The delegate is named. Votes that are open already keep the seats they were opened with.", "success")
            return redirect(url_for("decisions.committee", body_id=body_id))
    return committee_html(body_id, form=form, seat_id=seat_id)
