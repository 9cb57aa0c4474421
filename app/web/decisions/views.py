"""The decision log, one decision with its votes, and a body with its seats."""

from __future__ import annotations

from typing import Any

from flask import g, render_template, request, url_for
from sqlalchemy.orm import Session

from app.composition.request import now, reader
from app.queries.decision_pages import committee_page, decision_page, log_page
from app.queries.steer import people_picks
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.decisions import presenters as show_as
from app.web.decisions.forms import ConditionForm, DelegateForm, RecuseForm
from app.web.forms import choices
from app.web.gates.presenters import seats, vote_facts
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steering_words import (
    CHOICES,
    CONDITION_STATES,
    DECISION_KINDS,
    acting,
    decision_look,
    gate_word,
    share,
    short_day,
    short_moment,
    speech,
)
from erpcore.kernel.actor import Actor
from governance.decisions.flow import DecisionState
from governance.decisions.queries import waiting_votes

blueprint = area("decisions")


def _waiting(session: Session, who: Actor) -> int | None:
    """How many votes wait for the person; the home page has counted them already."""
    if not who.may(Permission.DECISION_VOTE):
        return None
    counted: int | None = g.get("votes_waiting")
    return len(waiting_votes(session, who.id, now())) if counted is None else counted


navigation_entry(
    Entry(
        label="Decisions", endpoint="decisions.show_all", permission=Permission.DECISION_VIEW, group=Group.STEER, order=30,
        count=_waiting,
    )
)  # fmt: skip

WORDS: dict[str, Any] = {
    "DECISION_KINDS": DECISION_KINDS, "CONDITION_STATES": CONDITION_STATES, "CHOICES": CHOICES, "decision_look": decision_look,
    "gate_word": gate_word, "short_day": short_day, "short_moment": short_moment, "acting": acting, "share": share,
}  # fmt: skip
_PAGE = 50


@blueprint.get("/decisions")
@require(Permission.DECISION_VIEW)
def show_all() -> str:
    text, state = request.args.get("q", "").strip()[:200], request.args.get("state", "")
    page = request.args.get("page", 1, type=int)
    found = log_page(
        reader(), text=text, state=state if state in set(DecisionState) else "", page=max(1, min(page, 10_000)), size=_PAGE,
        now=now(),
    )  # fmt: skip
    return render_template(
        "decisions/list.html", found=found, text=text, state=state, chips=show_as.log_chips(found, text, state),
        rows=show_as.log_rows(found), more=url_for("decisions.show_all", q=text or None, state=state or None, page=page + 1),
        **WORDS,
    )  # fmt: skip


@blueprint.get("/decisions/<int:decision_id>")
@require(Permission.DECISION_VIEW)
def show(decision_id: int) -> Any:
    return decision_html(decision_id)


def decision_html(
    decision_id: int,
    refused: str = "",
    *,
    condition_form: ConditionForm | None = None,
    recuse_form: RecuseForm | None = None,
) -> Any:
    """The page of one decision; ``refused`` is why the last step was not taken."""
    page = decision_page(reader(), decision_id, now())
    said = speech(page.names)
    row = page.view.row
    may_condition = row.state in {DecisionState.DRAFT, DecisionState.OPEN} and actor().may(Permission.DECISION_OPEN)
    if condition_form is None and may_condition:
        condition_form = ConditionForm(formdata=None)
    if condition_form is not None:
        condition_form.owner.choices = choices(people_picks(reader()))
    if recuse_form is None and show_as.own_seat(page.view, actor()) is not None:
        recuse_form = RecuseForm(formdata=None)
    html = render_template(
        "decisions/show.html", page=page, view=page.view, row=row, wave=page.wave, speech=said, refused=refused,
        facts=vote_facts(page.view), seats=seats(page.view, said, actor().id), outcome=show_as.outcome_text(page),
        dissent=show_as.dissent(page.view, said), banner=show_as.banner(page), moves=show_as.moves(page, actor()),
        bases=show_as.bases(page), waivers=show_as.waivers(page, said), conditions=page.view.conditions,
        earlier=show_as.earlier_votes(page.view, said), me=actor().id, needs=show_as.more_needed(page.view),
        condition_form=condition_form if may_condition else None, recuse_form=recuse_form if show_as.may_recuse(page.view, actor()) else None,
        attendance=show_as.attendance(page.view, actor()), may_settle=actor().may(Permission.CONDITION_SETTLE), **WORDS,
    )  # fmt: skip
    status = next(
        (form.status for form in (condition_form, recuse_form) if form is not None and form.status != 200), 200
    )
    return html, status


@blueprint.get("/committees/<int:body_id>")
@require(Permission.PROGRAMME_VIEW)
def committee(body_id: int) -> Any:
    return committee_html(body_id)


def committee_html(body_id: int, *, form: DelegateForm | None = None, seat_id: int | None = None) -> Any:
    """A body with its rule, seats, delegates and meetings; ``form`` is a delegation that was not accepted."""
    page = committee_page(reader(), body_id, now())
    mine = [
        seat.id for seat in page.body.seats
        if (seat.person == actor().id and actor().may(Permission.SEAT_DELEGATE)) or actor().may(Permission.SEAT_ASSIGN)
    ]  # fmt: skip
    if form is None and mine:
        form = DelegateForm(formdata=None)
    if form is not None:
        form.delegate.choices = choices(people_picks(reader()))
    html = render_template(
        "decisions/committee.html", page=page, body=page.body, speech=speech(page.names), form=form if mine else None,
        mine=mine, may_assign=actor().may(Permission.SEAT_ASSIGN), moves=show_as.committee_moves(page, actor()),
        warnings=show_as.committee_warnings(page), seat_id=seat_id or (mine[0] if mine else None), rows=show_as.log_rows(page), me=actor().id, **WORDS,
    )  # fmt: skip
    return html, form.status if form is not None else 200
