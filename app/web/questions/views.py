"""One design question with its options and its decision, and asking a new one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from app.composition.question_desk import Asking, put_question
from app.composition.request import change, now, reader
from app.queries.places import all_channels, sites_seen
from app.queries.processes import people_here
from app.queries.questions import QuestionPage, question_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, closed
from app.web.forms import choices
from app.web.navigation import Entry, Group, navigation_entry
from app.web.questions.forms import AskForm, DecideForm, MoveForm, PutOffForm
from app.web.signed_in import own_zone
from app.web.steps import seen_version
from app.web.today.slots import Waiting, waits_for_me
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day, zone
from erpcore.ports import POLICY_POINTS
from governance.processes.content import lines
from governance.processes.queries import processes
from governance.questions.flow import QUESTION_FLOW
from governance.questions.queries import waiting_for
from governance.questions.services import DecideQuestion, MoveQuestion, decide_question, move_question, put_off

blueprint = area("questions")
navigation_entry(
    Entry(label="Design questions", endpoint="questions.show_all", permission=Permission.QUESTION_VIEW, group=Group.STEER, order=44)
)  # fmt: skip


@waits_for_me(Permission.QUESTION_DECIDE)
def questions_waiting(session: Session, who: Actor, _at: Any) -> Iterable[Waiting]:
    """Questions that this person decides."""
    for one in waiting_for(session, who.id):
        yield Waiting(
            title=one.title, why="Design question: you decide", move="Decide",
            url=url_for("questions.show", question_id=one.id),
            due_at=datetime.combine(one.due_on, time(23, 59), tzinfo=zone(own_zone())),
        )  # fmt: skip


@blueprint.get("/questions/<int:question_id>")
@require(Permission.QUESTION_VIEW)
def show(question_id: int) -> Any:
    """One question: its options, what it bears on, and what may be done with it."""
    return _html(question_page(reader(), actor(), question_id, now()), DecideForm(), MoveForm())


@blueprint.post("/questions/<int:question_id>/decide")
@require(Permission.QUESTION_DECIDE)
def decide(question_id: int) -> Any:
    """Choose an option, with a reason."""
    page = question_page(reader(), actor(), question_id, now())
    form = DecideForm()
    _offer(page, form)
    if form.validate_on_submit():
        command = DecideQuestion(
            question=question_id, option=form.option.data, reason=str(form.reason.data), seen_version=seen_version()
        )
        with form.refusals(), change() as work:
            decide_question(work, command)
        if form.accepted:
            flash("It is decided.", "success")
            return redirect(url_for("questions.show", question_id=question_id))
    return _html(page, form, MoveForm(formdata=None))


@blueprint.post("/questions/<int:question_id>/move")
@require(Permission.QUESTION_VIEW)
def move(question_id: int) -> Any:
    """Withdraw it, or open it again."""
    page = question_page(reader(), actor(), question_id, now())
    form = MoveForm()
    if form.validate_on_submit():
        command = MoveQuestion(
            question=question_id, move=request.form.get("move", "")[:20], reason=str(form.why.data), seen_version=seen_version()
        )  # fmt: skip
        with form.refusals(), change() as work:
            move_question(work, command)
        if form.accepted:
            flash("It is open again." if command.move == "reopen" else "It is withdrawn.", "success")
            return redirect(url_for("questions.show", question_id=question_id))
    return _html(page, DecideForm(formdata=None), form)


def _offer(page: QuestionPage, form: DecideForm) -> None:
    form.option.choices = choices((one.id, one.title) for one in page.row.view.options)


def _html(page: QuestionPage, form: DecideForm, moving: MoveForm) -> Any:
    _offer(page, form)
    view, who = page.row.view, actor()
    form.version.data = moving.version.data = str(view.version)
    shut = closed(QUESTION_FLOW, "decide", view.state, who)
    if not shut and who.id == view.asked_by:
        shut = "you asked it, so somebody else decides"
    if not shut and who.id != view.decider:
        shut = f"{page.row.decider.name if page.row.decider else 'somebody else'} decides it"
    moves = [
        (name, label)
        for name, label in (("withdraw", "Withdraw"), ("reopen", "Open again"))
        if not closed(QUESTION_FLOW, name, view.state, who)
    ]
    return render_template(
        "questions/show.html", page=page, row=page.row, view=view, form=form, moving=moving, shut=shut, moves=moves,
        points=POLICY_POINTS, details={one.id: one.consequences for one in view.options},
    ), max(form.status, moving.status)  # fmt: skip


@blueprint.route("/questions/<int:question_id>/put-off", methods=["GET", "POST"])
@require(Permission.QUESTION_ASK)
def give_time(question_id: int) -> Any:
    """Give it another day, with a reason."""
    page = question_page(reader(), actor(), question_id, now())
    form = PutOffForm()
    if form.validate_on_submit() and form.due_on.data:
        with form.refusals(), change() as work:
            put_off(
                work, question_id, form.due_on.data, today=local_day(work.now, page.row.time_zone), reason=str(form.reason.data)
            )  # fmt: skip
        if form.accepted:
            flash("It has another day.", "success")
            return redirect(url_for("questions.show", question_id=question_id))
    elif request.method == "GET":
        form.due_on.data = page.row.view.due_on
    return render_template("questions/put_off.html", form=form, view=page.row.view), form.status


@blueprint.route("/questions/new", methods=["GET", "POST"])
@require(Permission.QUESTION_ASK)
def ask() -> Any:
    """Ask a question."""
    form = AskForm()
    form.process_code.choices = choices((one.code, one.name) for one in processes(reader()))
    form.decider.choices = choices(people_here(reader()))
    sites = sites_seen(reader(), actor(), realms=("live",))
    form.site.choices = choices([(0, "everywhere"), *((one.id, one.name) for one in sites)])
    form.channel.choices = choices([(0, "all"), *((one.id, one.name) for one in all_channels(reader()))])
    if form.validate_on_submit() and form.due_on.data:
        made = 0
        with form.refusals(), change() as work:
            asking = Asking(
                title=str(form.title.data), question=str(form.question.data), process=str(form.process_code.data),
                options=form.read_options(), decider=form.decider.data, due_on=form.due_on.data,
                impact=str(form.impact.data or ""), site=form.site.data or None, channel=form.channel.data or None,
                points=tuple(form.points.data or ()), steps=lines(form.steps.data or ""), time_zone=own_zone(),
            )  # fmt: skip
            made = form.once(work, lambda: put_question(work, asking).id)
        if form.accepted:
            flash("It is asked.", "success")
            return redirect(url_for("questions.show", question_id=made))
    elif request.method == "GET":
        form.process_code.data = request.args.get("process", "")[:40] or None
        form.steps.data = request.args.get("step", "")[:81]
    return render_template("questions/ask.html", form=form), form.status
