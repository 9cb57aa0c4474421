"""One request for approval: what it is about, who is asked, what was answered, and the answer of this person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import uuid4

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from app.composition.approval_words import group_of, people_of
from app.composition.approving import AROUND, OUTCOMES, Answer, answer, withdraw
from app.composition.request import change, now, reader
from app.queries.approvals import ApprovalPage, NeedFact, approval_page, kind_title
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.approvals.forms import AnswerForm, ReasonForm
from app.web.areas import area
from app.web.context import moment
from app.web.figures import counted, money
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steps import form_step, seen_version
from app.web.today.slots import Waiting, waits_for_me
from erpcore.kernel.actor import Actor
from governance.approvals.queries import rules_to_decide, waiting_for

blueprint = area("approvals")
navigation_entry(
    Entry(label="Approvals", endpoint="approvals.show_all", permission=Permission.APPROVAL_VIEW, group=Group.STEER, order=44)
)  # fmt: skip
#: As many stand on the home page one by one; the rest are one line.
_ONE_BY_ONE = 8


@waits_for_me(Permission.APPROVAL_ANSWER)
def requests_waiting(session: Session, who: Actor, at: datetime) -> Iterable[Waiting]:
    """Requests that this person may approve."""
    found = waiting_for(session, who, AROUND, at)
    for case in found[:_ONE_BY_ONE]:
        one = case.request
        late = one.due_at is not None and one.due_at <= at
        reminded = any(need.reminded_at for need in case.needs)
        detail = (
            "past its time, others may decide too" if one.escalated_at
            else "past its time" if late
            else "reminded of, its time is nearly over" if reminded else ""
        )  # fmt: skip
        yield Waiting(
            title=one.summary, url=url_for("approvals.show", request_id=one.id), why=kind_title(one.kind), detail=detail,
            due_at=one.due_at, move="Decide",
        )  # fmt: skip
    if len(found) > _ONE_BY_ONE:
        yield Waiting(
            title=f"{counted(len(found) - _ONE_BY_ONE, 'more request')} for approval", why="all in the list",
            url=url_for("approvals.show_all", waits=1), move="Show",
        )  # fmt: skip


@waits_for_me(Permission.APPROVAL_RULE_DECIDE)
def rules_waiting(session: Session, who: Actor, at: datetime) -> Iterable[Waiting]:
    """Versions of rules that somebody else proposed."""
    for rule in rules_to_decide(session, who.id):
        yield Waiting(
            title=f"Rule of approval: {rule.code}", why=f"{kind_title(rule.kind)} · {rule.reason}",
            url=url_for("approvals.show_rule", rule_id=rule.id), move="Decide",
        )  # fmt: skip


@blueprint.route("/approvals/<int:request_id>", methods=["GET", "POST"])
@require(Permission.APPROVAL_VIEW)
def show(request_id: int) -> Any:
    """The request; posted, the answer."""
    found = approval_page(reader(), actor(), request_id, now())
    form = AnswerForm()
    verdict = request.form.get("verdict", "")
    if form.validate_on_submit():
        command = Answer(
            request=request_id, verdict=verdict, reason=str(form.reason.data or ""), seen_version=seen_version(),
            key=str(form.request_key.data or "") or None,
        )  # fmt: skip
        state = ""
        with form_step(form, realm=found.row.realm) as work:
            state = answer(work, command).state
        if form.accepted:
            flash(_said(state, verdict), "success")
            return redirect(url_for("approvals.show", request_id=request_id))
        found = approval_page(reader(), actor(), request_id, now())
    else:
        form.request_key.data = form.request_key.data or uuid4().hex
    form.version.data = str(found.row.version)
    return _html(found, form)


def _said(state: str, verdict: str) -> str:
    if state == "approved":
        return "It is approved, and has its effect."
    if state == "rejected":
        return "It is rejected."
    return "Your approval is kept; others are still asked." if verdict == "approve" else "Your answer is kept."


def _html(found: ApprovalPage, form: AnswerForm) -> Any:
    return render_template(
        "approvals/show.html", page=found, row=found.row, form=form, shut=shut(found), facts=_facts(found),
        needs=[_need(need, found) for need in found.needs], group_of=group_of, subject=_subject(found),
        left=time_left(found.row.due_at, now()), realm=found.row.realm, may_withdraw=_may_withdraw(found),
    ), form.status  # fmt: skip


def _may_withdraw(found: ApprovalPage) -> bool:
    """Whether what it is about can be taken back at all; where it cannot, its request stays until it is decided."""
    return found.row.kind in OUTCOMES and OUTCOMES[found.row.kind].may_withdraw


def shut(found: ApprovalPage) -> str:
    """Why this person's answer is not asked for, in words; empty when it is, or nobody's is any more."""
    if found.may or found.row.state != "waiting":
        return ""
    if found.is_asker:
        return "You asked for it, so others decide."
    if found.is_excluded:
        return "It is about what you answer for, so others decide."
    if found.has_answered:
        return "Your answer counts; others are still asked."
    if found.is_tied:
        return "You act for whoever asked, or they for you, so a third person decides."
    if not found.needs:
        return "No rule says who may decide, so nobody may."
    return "The rules ask others."


def time_left(due_at: datetime | None, at: datetime) -> str:
    """How long until the time-out, as the clock goes; empty without one."""
    if due_at is None:
        return ""
    hours = int((due_at - at).total_seconds() // 3600)
    if hours < 0:
        return f"past its time since {moment(due_at)}"
    span = counted(hours // 24, "day") if hours >= 48 else counted(hours, "hour") if hours else "less than an hour"
    return f"{span} left, until {moment(due_at)}"


def _need(need: NeedFact, found: ApprovalPage) -> dict[str, Any]:
    asked = people_of(need.capacities[0], need.people)
    also = f", or {group_of(need.capacities[1])}" if len(need.capacities) > 1 else ""
    return {
        "text": f"{asked[0].upper()}{asked[1:]}{also}", "agreed": need.agreed, "people": need.people,
        "due": need.due_at, "escalated": need.escalated_at, "reminded": need.reminded_at, "where": found.row.site or "",
    }  # fmt: skip


def _facts(found: ApprovalPage) -> list[tuple[str, str]]:
    facts, row = found.facts, found.row
    said = [("Kind", row.title)]
    if row.site:
        said.append(("Site", row.site))
    elif found.entity:
        said.append(("Company", found.entity))
    if facts.amount_minor is not None:
        said.append(("Amount", money(facts.amount_minor, facts.currency or "")))
    if facts.margin_permille is not None and actor().may(Permission.COST_READ):
        said.append(("Margin", f"{facts.margin_permille / 10:.1f} %"))
    if facts.tier is not None:
        said.append(("Customer tier", str(facts.tier)))
    if facts.materiality is not None:
        said.append(("Materiality", facts.materiality))
    return [*said, ("Version asked about", str(found.subject_version))]


def _subject(found: ApprovalPage) -> str:
    """The address of what it is about; empty where there is no page of it."""
    place = OUTCOMES[found.row.kind].page if found.row.kind in OUTCOMES else None
    values: dict[str, Any] = {} if place is None else {place[1]: found.subject_id}
    return "" if place is None else url_for(place[0], **values)


@blueprint.route("/approvals/<int:request_id>/withdraw", methods=["GET", "POST"])
@require(Permission.APPROVAL_VIEW)
def take_back(request_id: int) -> Any:
    """Take one's own request back, with a reason."""
    found, form = approval_page(reader(), actor(), request_id, now()), ReasonForm()
    if form.validate_on_submit():
        with form.refusals(), change(realm=found.row.realm) as work:
            withdraw(work, request_id, reason=str(form.reason.data))
        if form.accepted:
            flash("The request is withdrawn; nothing was decided.", "success")
            return redirect(url_for("approvals.show", request_id=request_id))
    return render_template("approvals/withdraw.html", row=found.row, form=form, realm=found.row.realm), form.status
