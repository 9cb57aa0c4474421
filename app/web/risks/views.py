"""One entry of the RAID register with its next steps, and raising a new one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

import orjson
from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from app.composition.request import change, now, reader
from app.composition.risk_desk import put_entry, turn_entry, write_entry
from app.queries.places import sites_seen
from app.queries.processes import people_here
from app.queries.risks import EntryPage, EntryRow, body_choices, entry_page, entry_row
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, closed
from app.web.context import day, local
from app.web.figures import heading
from app.web.forms import choices
from app.web.measures.presenters import figure_choices
from app.web.navigation import Entry, Group, navigation_entry
from app.web.pasts import past
from app.web.risks.forms import (
    DAYS,
    EFFECTS,
    PLANS,
    STATEMENTS,
    ActionForm,
    AssessForm,
    EntryForm,
    MoveForm,
)
from app.web.steps import seen_version
from app.web.today.slots import Waiting, waits_for_me
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.history import Transition
from erpcore.ports import POLICY_POINTS
from governance.processes.queries import processes
from governance.risks.flow import ENTRY_FLOW, TURNS, EntryKind, LinkKind
from governance.risks.queries import links_of, reminders
from governance.risks.rules import IMPACTS, PROBABILITIES
from governance.risks.services import ChangeEntry, RaiseEntry, TurnEntry
from readiness.gates.wording import figure as figure_words
from readiness.measures.reading import Unit, shown
from readiness.waves.queries import waves

blueprint = area("risks")
navigation_entry(
    Entry(label="Risks and issues", endpoint="risks.show_all", permission=Permission.RISK_VIEW, group=Group.STEER, order=42)
)  # fmt: skip
_WHY = {
    "escalated": ("has gone on to a body you sit on", "Look"), "triggered": ("is triggered: you answer for it", "Act"),
    "due": ("is due: you answer for it", "Act"), "review": ("is to be reviewed", "Review"),
    "action": ("is yours to do", "Do it"),
}  # fmt: skip


def today() -> date:
    """The day of whoever acts."""
    return local(now()).date()


@waits_for_me(Permission.RISK_WORK)
def risks_waiting(session: Session, who: Actor, at: datetime) -> Iterable[Waiting]:
    """Entries and actions that this person answers for, and what has gone on to a body of theirs."""
    here = local(at)
    for one in reminders(session, who.id, here.date()):
        why, move = _WHY[one.why]
        yield Waiting(
            title=f"{one.code} {one.title}", why=f"RAID register: {why}", move=move,
            url=url_for("risks.show", entry_id=one.entry), due_at=datetime.combine(one.due_on, time(23, 59), tzinfo=here.tzinfo),
        )  # fmt: skip


@blueprint.get("/risks/<int:entry_id>")
@require(Permission.RISK_VIEW)
def show(entry_id: int) -> Any:
    """The entry: how grave it is, what is done about it, who hears of it, and what may be done next."""
    return entry_html(entry_page(reader(), actor(), entry_id, today(), now()))


def entry_html(
    page: EntryPage,
    assessing: AssessForm | None = None,
    moving: MoveForm | None = None,
    acting: ActionForm | None = None,
) -> Any:
    """The page, with the form that was refused."""
    row, who = page.row, actor()
    mine = row.owner_id == who.id or who.may(Permission.RISK_MANAGE)
    assess, act, go = (
        assessing or AssessForm(formdata=None),
        acting or ActionForm(formdata=None),
        moving or MoveForm(formdata=None),
    )
    if assessing is None:
        assess.probability.data, assess.impact.data = row.probability or 3, row.impact
    act.action_owner.choices = choices(people_here(reader())) if mine and row.stands else []
    if acting is None:
        act.action_owner.data = row.owner_id
    assess.version.data = go.version.data = str(row.version)
    names = (
        ("trigger", "Trigger it"),
        ("stand_down", "Back within its threshold"),
        ("close", "Close"),
        ("reopen", "Open again"),
    )
    moves = [(name, label) for name, label in names if mine and not closed(ENTRY_FLOW, name, row.state, who)]
    turns = [kind for kind in TURNS[EntryKind(row.kind)] if mine and row.stands]
    return render_template(
        "risks/show.html", page=page, row=row, assess=assess, go=go, act=act, mine=mine, moves=moves, turns=turns,
        me=who.id, kind=EntryKind(row.kind), words=_words(EntryKind(row.kind)), points=POLICY_POINTS, reading=_reading(page),
        probabilities=PROBABILITIES, impacts=IMPACTS, happened={one.id: _happened(one, page) for one in page.moves},
    ), max(assess.status, go.status, act.status)  # fmt: skip


def _happened(one: Transition, page: EntryPage) -> str:
    """What a line of the history says: which action it was, and who heard of the entry."""
    facts = orjson.loads(one.facts) if one.facts else {}
    if one.move == "act" and "state" in facts:
        return f"{facts['state'].capitalize()}: {facts['action']}"
    if one.move == "act":
        return f"To be done until {day(date.fromisoformat(facts['due_on']))}: {facts['action']}"
    if one.move == "escalate":
        return f"Gone on to {dict(page.ladder).get(facts['to'], 'another body')}"
    return "Back with its owner alone" if one.move == "calm" else heading(past(one.move))


def _words(kind: EntryKind) -> dict[str, str]:
    return {"statement": STATEMENTS[kind][0], "effect": EFFECTS[kind][0], "day": DAYS[kind], "plan": PLANS[kind]}


def _reading(page: EntryPage) -> tuple[str, str] | None:
    """What the entry's figure reads now, with its verdict."""
    if page.watch is None:
        return None
    one = page.watch.reading
    if page.watch.is_beyond is None:
        return "no evidence", one.stale_detail or "nothing was measured in its window"
    return ("fail" if page.watch.is_beyond else "pass"), f"{figure_words(one.value, one.unit.value)} at {one.scope}"


@blueprint.route("/risks/new", methods=["GET", "POST"])
@require(Permission.RISK_RAISE)
def raise_one() -> Any:
    """Raise an entry of the kind that the address names."""
    kind = _kind(request.args.get("kind", EntryKind.RISK.value))
    form = _offered(EntryForm())
    if form.validate_on_submit():
        made = 0
        with form.refusals(), change() as work:
            made = form.once(
                work, lambda: put_entry(work, RaiseEntry(kind=kind, said=form.said(kind), today=today())).id
            )
        if form.accepted:
            flash("It is raised.", "success")
            return redirect(url_for("risks.show", entry_id=made))
    elif request.method == "GET":
        form.owner.data = actor().id
        form.process_code.data = request.args.get("process", "")[:40]
        form.steps.data = request.args.get("step", "")[:81]
    return _form_html(form, kind, f"Raise {'an' if kind.value[0] in 'ai' else 'a'} {kind.value}", "Raise it", None)


def _kind(text: str) -> EntryKind:
    try:
        return EntryKind(text)
    except ValueError:
        raise NotFound("not_found") from None


def _offered(form: EntryForm) -> EntryForm:
    """The form with what may be chosen."""
    read = reader()
    form.owner.choices = choices(people_here(read))
    form.body.choices = choices(body_choices(read))
    form.wave.choices = choices([(0, "none"), *((one.id, f"{one.code} {one.name}") for one in waves(read))])
    sites = sites_seen(read, actor(), realms=("live",))
    form.site.choices = choices([(0, "none"), *((one.id, one.name) for one in sites)])
    form.process_code.choices = choices([("", "none"), *((one.code, one.name) for one in processes(read))])
    form.figure.choices = choices([("", "none"), *figure_choices()])
    return form


def _form_html(
    form: EntryForm, kind: EntryKind, title: str, send: str, row: EntryRow | None, *, turns: bool = False
) -> Any:
    words = _words(kind)
    form.statement.label.text, form.statement.description = STATEMENTS[kind]
    form.effect.label.text, form.effect.description = EFFECTS[kind]
    form.due_on.label.text, form.plan.label.text = words["day"], words["plan"]
    return render_template(
        "risks/form.html", form=form, kind=kind, title=title, send=send, row=row, changes=row is not None, turns=turns
    ), form.status


@blueprint.route("/risks/<int:entry_id>/change", methods=["GET", "POST"])
@require(Permission.RISK_WORK)
def change_one(entry_id: int) -> Any:
    """Other words, another owner, day or threshold, with a reason."""
    row = entry_row(reader(), actor(), entry_id, today())
    kind = EntryKind(row.kind)
    form = _offered(EntryForm())
    if row.owner_left:
        form.owner.choices = choices([(row.owner_id, f"{row.owner} (has left)"), *people_here(reader())])
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            write_entry(
                work,
                ChangeEntry(
                    entry=entry_id, said=form.said(kind), today=today(), reason=str(form.reason.data or ""),
                    seen_version=seen_version(),
                ),
            )  # fmt: skip
        if form.accepted:
            flash("It is changed.", "success")
            return redirect(url_for("risks.show", entry_id=entry_id))
    elif request.method == "GET":
        _fill(form, row)
    form.version.data = form.version.data or str(row.version)
    return _form_html(form, kind, f"Change {row.code}", "Change it", row)


def _fill(form: EntryForm, row: EntryRow) -> None:
    for name in (
        "title", "cause", "statement", "effect", "needed_by", "needed_from", "impact", "layer", "plan", "score_limit",
        "review_days", "escalation_hours", "due_on",
    ):  # fmt: skip
        getattr(form, name).data = getattr(row, name)
    form.probability.data, form.response.data = row.probability or 3, row.response or ""
    form.owner.data, form.body.data = row.owner_id, row.body_id
    form.wave.data, form.site.data, form.process_code.data = row.wave_id or 0, row.site_id or 0, row.process or ""
    found = row.watched
    if found is not None and row.figure_limit is not None:
        form.figure.data, form.side.data = found.key, row.side
        form.limit.data = shown(row.figure_limit, Unit(found.measure.unit.value))
    links = links_of(reader(), [row.id]).get(row.id, [])
    form.steps.data = "\n".join(target for kind, target in links if kind is LinkKind.STEP)
    form.points.data = [target for kind, target in links if kind is LinkKind.POINT]


@blueprint.route("/risks/<int:entry_id>/turn/<into>", methods=["GET", "POST"])
@require(Permission.RISK_WORK)
def turn_one(entry_id: int, into: str) -> Any:
    """What became of it: another entry, filled with what is known."""
    row = entry_row(reader(), actor(), entry_id, today())
    kind = _kind(into)
    if kind not in TURNS[EntryKind(row.kind)]:
        raise NotFound("not_found")
    form = _offered(EntryForm())
    if form.validate_on_submit():
        made = 0
        with form.refusals(), change() as work:
            command = TurnEntry(
                entry=entry_id, into=kind, said=form.said(kind), reason=str(form.reason.data or ""), today=today(),
                seen_version=seen_version(),
            )  # fmt: skip
            made = form.once(work, lambda: turn_entry(work, command).id)
        if form.accepted:
            flash(f"{row.code} became another entry.", "success")
            return redirect(url_for("risks.show", entry_id=made))
    elif request.method == "GET":
        _fill(form, row)
        if row.kind == EntryKind.ASSUMPTION:
            form.cause.data = f"{row.code} was taken for granted: {row.statement}"
        if row.due_on < today():
            form.due_on.data = None
    form.version.data = form.version.data or str(row.version)
    title = f"{row.code} becomes {'an' if kind is EntryKind.ISSUE else 'a'} {kind.value}"
    return _form_html(form, kind, title, "Let it become that", row, turns=True)
