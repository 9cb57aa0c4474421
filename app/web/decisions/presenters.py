"""How does a decision read: where it stands, who dissented, what changed beneath it, and what may come next?"""

from __future__ import annotations

from typing import Any, Final

from flask import url_for

from app.queries.decision_pages import CommitteePage, DecisionPage, LogPage
from app.reports.wording import Speech
from app.security.permissions import Permission
from app.web.figures import counted
from app.web.steering_words import (
    CHOICES,
    DECISION_STATES,
    PHASES,
    decision_look,
    gate_word,
    listed,
    outdated_texts,
    short_day,
    short_moment,
    worth_reasons,
)
from erpcore.kernel.actor import Actor
from governance.decisions.flow import DecisionState
from governance.decisions.queries import DecisionView, SeatStanding
from governance.decisions.rules import Choice, Outcome

_GOES: Final = {Outcome.GO, Outcome.CONDITIONAL_GO}
_CHOICE_OF: Final = {
    Outcome.GO: {Choice.GO}, Outcome.CONDITIONAL_GO: {Choice.CONDITIONAL_GO, Choice.GO}, Outcome.NO_GO: {Choice.NO_GO},
    Outcome.POSTPONE: {Choice.POSTPONE},
}  # fmt: skip


def log_rows(found: LogPage | CommitteePage) -> list[dict[str, Any]]:
    """The rows of the log, each with its wave's code and why it no longer stands."""
    return [
        {
            "row": row,
            "look": decision_look(row),
            "wave": found.codes.get(row.wave_id, ""),
            "why": worth_reasons(found.worth.get(row.id)),
        }
        for row in found.rows
    ]


def committee_moves(page: CommitteePage, actor: Actor) -> list[dict[str, Any]]:
    """What may be done with a body: only what this person may do, since others only read it."""
    offered = (
        (Permission.SEAT_ASSIGN, "Add a seat…", "decisions.new_seat"),
        (Permission.PROGRAMME_MANAGE, "Change the rule…", "decisions.change_rule"),
        (Permission.PROGRAMME_MANAGE, "Call a meeting…", "decisions.call_meeting"),
        (Permission.PROGRAMME_MANAGE, "New series of meetings…", "decisions.begin_series"),
    )
    return [
        {"label": label, "permitted": True, "href": url_for(endpoint, body_id=page.body.id)}
        for permission, label, endpoint in offered if actor.may(permission)
    ]  # fmt: skip


def committee_warnings(page: CommitteePage) -> list[str]:
    """Why the next vote could not be carried, whatever people say."""
    held = [seat for seat in page.body.seats if seat.person is not None]
    part, whole = page.body.quorum
    found = [
        f"{seat.function} must be there, and nobody holds the seat: no vote has a quorum."
        for seat in page.body.seats if seat.is_mandatory and seat.person is None
        and not any(other.function == seat.function and other.person is not None for other in page.body.seats)
    ]  # fmt: skip
    if page.body.seats and len(held) * whole < part * len(page.body.seats):
        found.append(f"{len(held)} of {len(page.body.seats)} seats are held, fewer than the quorum asks for.")
    return found


def log_chips(found: LogPage, text: str, state: str) -> list[dict[str, Any]]:
    """Filters by state; the chip that is on leads back to all."""
    shown = (
        DecisionState.OPEN,
        DecisionState.DECIDED,
        DecisionState.OUTDATED,
        DecisionState.LAPSED,
        DecisionState.REVOKED,
    )
    labels = {**{key: look.text for key, look in DECISION_STATES.items()}, DecisionState.DECIDED: "Decided"}
    return [
        {
            "label": labels[one], "on": state == one,
            "href": url_for("decisions.show_all", q=text or None, state=None if state == one else one.value),
        }
        for one in shown
    ]  # fmt: skip


def outcome_text(page: DecisionPage) -> str:
    """What the decision says and did, in one sentence."""
    row = page.view.row
    if row.state is DecisionState.DRAFT:
        return "Nobody votes on it yet."
    if row.state is DecisionState.OPEN:
        return f"The vote is open until {short_moment(row.closes_at)}."
    said = {
        Outcome.GO: f"{page.wave.code} may go live", Outcome.CONDITIONAL_GO: f"{page.wave.code} may go live on conditions",
        Outcome.NO_GO: f"{page.wave.code} does not go live", Outcome.POSTPONE: f"{page.wave.code} is postponed",
    }.get(row.outcome) if row.outcome else None  # fmt: skip
    if row.kind == "exit" and row.outcome in _GOES:
        said = f"{page.wave.code} leaves hypercare"
    if said is None:
        return "It ended without effect; everything stays as it was."
    if row.outcome is Outcome.POSTPONE and row.postponed_to:
        said += f" to {short_day(row.postponed_to)}"
    opened = sum(page.grants.values())
    if opened:
        said += f"; {counted(opened, 'grant')} opened, {page.grants.get('open', 0)} of them open now"
    return f"{said}."


def dissent(view: DecisionView, speech: Speech) -> list[str]:
    """Seats that voted otherwise than the decision went, with their reasons."""
    row = view.row
    if row.outcome is None:
        return []
    return [
        f"{speech.person(seat.person)}, {seat.function}: {CHOICES[seat.vote.choice].lower()}. {seat.vote.reason}"
        for seat in view.seats
        if seat.vote is not None and seat.vote.choice not in _CHOICE_OF.get(row.outcome, set())
    ]


def banner(page: DecisionPage) -> dict[str, Any] | None:
    """Why the decision no longer stands, or is about to fall; ``None`` while all is well."""
    row = page.view.row
    reasons = worth_reasons(page.worth)
    if row.state is DecisionState.OUTDATED:
        last = next((step.reason for step in reversed(page.view.history) if step.move == "outdate"), None)
        return {"kind": "warn", "title": "This decision is outdated", "reasons": outdated_texts(last) or reasons,
                "end": "It opens nothing. Evaluate the gate again and put the question anew."}  # fmt: skip
    if row.state is DecisionState.OPEN and reasons:
        return {"kind": "warn", "title": "What is voted on has changed", "reasons": reasons,
                "end": "No vote is taken until the vote is bound to the latest evidence."}  # fmt: skip
    if row.state is DecisionState.DECIDED and reasons:
        return {"kind": "warn", "title": "This decision no longer stands", "reasons": reasons,
                "end": "What is live keeps running: only people take it back."}  # fmt: skip
    if row.state in {DecisionState.LAPSED, DecisionState.REVOKED, DecisionState.SUPERSEDED}:
        step = next((one for one in reversed(page.view.history) if one.to_state == row.state), None)
        texts = {"not_passed": "no choice had its majority", "no_quorum": "the quorum was not there"}
        reason = texts.get(step.reason or "", step.reason) if step else None
        title = {
            "lapsed": "It lapsed",
            "revoked": "It was revoked",
            "superseded": "A later decision stands in its place",
        }
        return {"kind": "none", "title": title[row.state], "reasons": [reason] if reason else [], "end": ""}
    if page.worth.urgent:
        return {"kind": "fail", "title": "A condition was missed after going live", "reasons": [],
                "end": "An urgent decision is due; nothing is shut by the clock."}  # fmt: skip
    return None


def bases(page: DecisionPage) -> list[dict[str, Any]]:
    """The gates that the vote stands on, as they read then and now."""
    return [
        {
            "title": PHASES[one.phase], "href": url_for("gates.show", gate_id=one.gate_id, evaluation=one.number),
            "then": gate_word(one.word_then), "now": gate_word(one.word_now), "same": one.number == one.number_now,
            "score": f"{one.score * 100:.1f}", "number": one.number, "sha256": one.sha256, "sentence": one.sentence,
            "at": one.evaluated_at, "gate_id": one.gate_id, "number_now": one.number_now,
        }
        for one in page.bases
    ]  # fmt: skip


def waivers(page: DecisionPage, speech: Speech) -> list[dict[str, Any]]:
    """The waivers without which a gate would read otherwise."""
    return [
        {
            "id": one.id,
            "title": one.title,
            "text": one.rationale,
            "until": one.until,
            "href": url_for("gates.waiver", waiver_id=one.id),
        }
        for one in page.waivers
    ]


def earlier_votes(view: DecisionView, speech: Speech) -> list[str]:
    """Votes that no longer count, and why."""
    functions = {seat.id: seat.function for seat in view.seats}
    return [
        f"{functions.get(vote.seat_id, 'A seat')}: {CHOICES[vote.choice].lower()}, {short_moment(vote.at)}. "
        + ("Changed later." if vote.terms == view.terms else "Cast on earlier terms.")
        for vote in view.earlier_votes
    ]


def more_needed(view: DecisionView) -> list[str]:
    """How many further votes carry each choice, for an open vote."""
    found = []
    for choice, number in view.more_for.items():
        if choice in view.allowed and number is not None:
            found.append(f"{CHOICES[choice]}: {'carried now' if number == 0 else f'{number} more'}")
    return found


def own_seat(view: DecisionView, actor: Actor) -> SeatStanding | None:
    """The seat that the person holds, or stands in for, that can still act; their own first."""
    able = [seat for seat in view.seats if seat.recused is None and actor.id in {seat.person, seat.delegate}]
    able.sort(key=lambda seat: (seat.person != actor.id, seat.vote is not None, seat.position))
    return able[0] if able else None


def may_recuse(view: DecisionView, actor: Actor) -> bool:
    return view.row.state is DecisionState.OPEN and any(
        seat.person == actor.id and seat.recused is None for seat in view.seats
    )


def attendance(view: DecisionView, actor: Actor) -> list[dict[str, Any]]:
    """The seats whose attendance may be noted now; empty for who does not keep it."""
    if view.row.state is not DecisionState.OPEN or not actor.may(Permission.DECISION_ATTENDANCE):
        return []
    return [
        {"id": seat.id, "function": seat.function, "present": seat.is_present, "absent": seat.is_absent}
        for seat in view.seats if seat.person is not None and seat.recused is None
    ]  # fmt: skip


def moves(page: DecisionPage, actor: Actor) -> list[dict[str, Any]]:
    """What may be done with the decision next; what is closed says why."""
    state = page.view.row.state
    if state is DecisionState.DRAFT:
        return _draft_moves(page, actor)
    if state is DecisionState.OPEN:
        return _open_moves(page, actor)
    if state is DecisionState.DECIDED and page.view.row.outcome in _GOES and page.view.row.kind != "exit":
        return [
            _item("Revoke the go…", "decisions.revoke", page, actor, Permission.DECISION_REVOKE, link=True, danger=True)
        ]
    return []


def _draft_moves(page: DecisionPage, actor: Actor) -> list[dict[str, Any]]:
    return [
        _item("Open the vote", "decisions.open_vote", page, actor, Permission.DECISION_OPEN, primary=True),
        _item("Withdraw the question…", "decisions.withdraw", page, actor, Permission.DECISION_OPEN, link=True),
    ]


def _open_moves(page: DecisionPage, actor: Actor) -> list[dict[str, Any]]:
    view, found = page.view, []
    if own_seat(view, actor) is not None and actor.may(Permission.DECISION_VOTE):
        url = url_for("decisions.vote", decision_id=view.row.id)
        voted = any(seat.vote is not None and seat.vote.cast_by == actor.id for seat in view.seats)
        found.append(
            {"label": "Change your vote…" if voted else "Vote…", "permitted": True, "href": url, "primary": not voted}
        )
    close = _item(
        "Close the vote",
        "decisions.close",
        page,
        actor,
        Permission.DECISION_CLOSE,
        primary=not found and view.can_close,
    )
    if close["permitted"] and not view.can_close:
        count = view.tally
        cast = f"{count.cast} of {count.eligible} have voted" if count else "nobody has voted"
        close = {
            **close,
            "permitted": False,
            "reason": f"it runs until {short_moment(view.row.closes_at)} while further votes can change it; {cast}",
        }
    found.append(close)
    rebind = _item("Bind to the latest evidence", "decisions.rebind", page, actor, Permission.DECISION_OPEN)
    if rebind["permitted"] and all(one.number == one.number_now for one in page.bases):
        rebind = {**rebind, "permitted": False, "reason": "it stands on the latest evaluation already"}
    found.append(rebind)
    found.append(
        _item("Withdraw the question…", "decisions.withdraw", page, actor, Permission.DECISION_OPEN, link=True)
    )
    return found


def _item(
    label: str, endpoint: str, page: DecisionPage, actor: Actor, permission: Permission, *, link: bool = False,
    primary: bool = False, danger: bool = False,
) -> dict[str, Any]:  # fmt: skip
    url = url_for(endpoint, decision_id=page.view.row.id)
    item: dict[str, Any] = {"label": label, "permitted": True, "primary": primary, "danger": danger}
    if not actor.may(permission):
        return {**item, "permitted": False, "reason": f"your role may not {permission.sentence}"}
    return {**item, "href": url} if link else {**item, "action": url}


def gate_words(page: DecisionPage) -> str:
    """The gates' words, as the vote stands on them."""
    return listed(gate_word(one.word_then) for one in page.bases)
