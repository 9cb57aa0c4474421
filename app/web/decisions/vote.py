"""One seat's vote: one column, one thumb, bound to the evidence that the person has seen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition import golive
from app.composition.request import change, now, reader
from app.queries.decision_pages import DecisionPage, decision_page
from app.reports.wording import Speech
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.decisions.forms import VoteForm
from app.web.decisions.presenters import banner, bases, gate_words, own_seat, waivers
from app.web.decisions.views import WORDS, blueprint
from app.web.forms import choices
from app.web.gates.presenters import castable, closed_choices
from app.web.steering_words import CHOICES, short_day, speech
from erpcore.kernel.errors import NotFound
from governance.decisions.flow import DecisionState
from governance.decisions.queries import SeatStanding
from governance.decisions.rules import Choice
from governance.decisions.voting import CastVote

_MEANS = {
    "go_live": {
        Choice.GO: "opens the cells of the wave when the vote is closed", Choice.CONDITIONAL_GO: "opens them; each condition has an owner and a day",
        Choice.POSTPONE: "another day; nothing opens", Choice.NO_GO: "back to preparation, no new date",
    },
    "exit": {
        Choice.GO: "hypercare ends; what is open stays open", Choice.CONDITIONAL_GO: "hypercare ends; the conditions remain",
        Choice.POSTPONE: "hypercare goes on", Choice.NO_GO: "hypercare goes on",
    },
    "urgent": {
        Choice.GO: "the wave stays live", Choice.CONDITIONAL_GO: "the wave stays live; each condition has an owner and a day",
        Choice.POSTPONE: "decided later; the wave stays live", Choice.NO_GO: "what the wave opened is taken back and drains",
    },
}  # fmt: skip


@blueprint.route("/decisions/<int:decision_id>/vote", methods=["GET", "POST"])
@require(Permission.DECISION_VOTE)
def vote(decision_id: int) -> Any:
    page = decision_page(reader(), decision_id, now())
    seat = own_seat(page.view, actor())
    if seat is None or page.view.row.state is not DecisionState.OPEN:
        return redirect(url_for("decisions.show", decision_id=decision_id))
    form = VoteForm()
    shown = castable(page.view)
    form.choice.choices = choices((choice.value, CHOICES[choice]) for choice in shown)
    form.waivers.choices = choices((one.id, f"{one.title}, until {short_day(one.until)}") for one in page.waivers)
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            golive.cast_vote(work, _command(form, page))
        if form.accepted:
            flash("Your vote is cast. It can be changed until the vote closes.", "success")
            return redirect(url_for("decisions.show", decision_id=decision_id))
    _fill(form, page, seat)
    return _page(form, page, seat, shown), form.status


def _command(form: VoteForm, page: DecisionPage) -> CastVote:
    choice = Choice(form.choice.data)
    chosen = next((one for one in page.view.seats if str(one.id) == form.seat.data), None)
    if chosen is None:
        raise NotFound("seat_not_found", seat=0, decision=page.view.row.id)
    terms = str(form.terms.data or "")
    is_go = choice in {Choice.GO, Choice.CONDITIONAL_GO}
    return CastVote(
        decision_id=page.view.row.id, decision_seat_id=chosen.id, choice=choice, reason=str(form.reason.data or ""),
        waivers=tuple(form.waivers.data or ()) if is_go else (),
        postpone_to=form.postpone_to.data if choice is Choice.POSTPONE else None,
        terms=int(terms) if terms.isdecimal() and len(terms) < 9 else page.view.terms,
        request_key=form.request_key.data or None,
    )  # fmt: skip


def _fill(form: VoteForm, page: DecisionPage, seat: SeatStanding) -> None:
    if not form.is_submitted():
        form.seat.data, form.terms.data = str(seat.id), str(page.view.terms)
        if seat.vote is not None:
            form.choice.data, form.reason.data = seat.vote.choice.value, seat.vote.reason
            form.postpone_to.data = seat.vote.postpone_to
            form.waivers.data = list(seat.vote.waivers)


def _page(form: VoteForm, page: DecisionPage, seat: SeatStanding, shown: list[Choice]) -> str:
    said: Speech = speech(page.names)
    row, count = page.view.row, page.view.tally
    cast = [one.vote.choice for one in page.view.seats if one.vote is not None]
    details = {
        choice.value: _MEANS[row.kind][choice] + (f" · {cast.count(choice)} so far" if cast.count(choice) else "")
        for choice in shown
    }
    return render_template(
        "decisions/vote.html", form=form, page=page, row=row, wave=page.wave, seat=seat, speech=said, details=details,
        casts={choice.value: f"Vote: {CHOICES[choice].lower()}" for choice in shown}, closed=closed_choices(page.view),
        count=count, bases=bases(page), banner=banner(page), waivers=waivers(page, said), words=gate_words(page),
        tomorrow=(now() + timedelta(days=1)).date().isoformat(), changed=request.method == "POST" and _changed(form, page), **WORDS,
    )  # fmt: skip


def _changed(form: VoteForm, page: DecisionPage) -> bool:
    """Whether the terms have moved on while the form was open; the next try is about what stands now."""
    if str(form.terms.data) == str(page.view.terms):
        return False
    form.terms.data = str(page.view.terms)
    form.terms.raw_data = [form.terms.data]
    return True
