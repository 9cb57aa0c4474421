"""A gate on one page, its evaluations, and a criterion with the journeys behind its figure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import current_app, render_template, request, url_for

from app.composition.request import now, reader
from app.queries.gate_pages import CriterionPage, GatePage, criterion_page, gate_page, rest_of
from app.queries.late_truth import late_truth
from app.queries.steer import people_picks
from app.reports.criteria import groups as criterion_groups
from app.reports.wording import Speech
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.forms import choices
from app.web.gates import presenters as show_as
from app.web.gates.forms import AttestForm, WaiverForm
from app.web.journeys import journey_rows
from app.web.steering_words import PHASES, decision_look, gate_word, short_day, short_moment, speech
from erpcore.kernel.clock import local_day
from readiness.gates.criteria import Evidence
from readiness.gates.flow import GateState, WaiverState
from readiness.gates.queries import gate_view, snapshots
from readiness.measures.catalogue import MEASURES

blueprint = area("gates")

WORDS: dict[str, Any] = {"PHASES": PHASES, "gate_word": gate_word, "short_day": short_day, "short_moment": short_moment}


def asked_number() -> int | None:
    """The evaluation that the address asks for; what is no number is one that nothing has."""
    text = request.args.get("evaluation", "").strip()
    if not text:
        return None
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else -1


@blueprint.get("/gates/<int:gate_id>")
@require(Permission.GATE_VIEW)
def show(gate_id: int) -> str:
    return gate_html(gate_id)


def gate_html(gate_id: int, refused: str = "") -> str:
    """The page of one gate; ``refused`` is why the last step was not taken."""
    page = gate_page(reader(), gate_id, now(), number=asked_number())
    said = speech(page.names)
    gate = page.view.gate
    more: dict[str, Any] = {}
    if page.content:
        decides = gate.decides_on if not show_as.is_voting(page.decision) or page.decision is None else (
            local_day(page.decision.row.closes_at, said.time_zone))  # fmt: skip
        picture, unforecast = show_as.forecast(page, local_day(now(), said.time_zone), decides)
        more = {
            "head": show_as.head(page, said), "groups": show_as.rows(page, said), "tally": show_as.tally(page.content),
            "changes": show_as.changes(page), "forecast": picture, "unforecast": unforecast,
            "late_changes": page.content["changed_after_freeze"],
        }  # fmt: skip
    return render_template(
        "gates/show.html", page=page, gate=gate, view=page.view, speech=said, refused=refused, foot=show_as.foot(page),
        draft=show_as.draft_rows(page, said), me=actor().id, vote=_vote(page, said), WaiverState=WaiverState,
        may_evaluate=gate.state is GateState.FROZEN and page.is_latest and actor().may(Permission.GATE_EVALUATE),
        waiver_points=_waiver_points(page), pack_url=_pack_url(page),
        titles={line["code"]: line["title"] for line in page.content.get("criteria", ())}, **more, **WORDS,
    )  # fmt: skip


def _vote(page: GatePage, said: Speech) -> dict[str, Any] | None:
    decision = page.decision
    if decision is None or not actor().may(Permission.DECISION_VIEW):
        return None
    voting = show_as.is_voting(decision)
    return {
        "row": decision.row, "facts": show_as.vote_facts(decision), "seats": show_as.seats(decision, said, actor().id),
        "voting": voting, "look": decision_look(decision.row),
        "moves": show_as.vote_moves(decision, actor()) if voting else [],
        "on_this": any(basis.snapshot_id == (page.view.snapshot and page.view.snapshot.id) for basis in decision.bases),
    }  # fmt: skip


def _pack_url(page: GatePage) -> str:
    if "packs.show" not in current_app.view_functions or not actor().may(Permission.PACK_MAKE):
        return ""
    return url_for("packs.show", gate_id=page.view.gate.id)


def _waiver_points(page: GatePage) -> str:
    if not page.content:
        return ""
    whole = sum(Decimal(line["weight"]) for line in page.content["criteria"])
    used, most = (
        (Decimal(page.content[name]) * whole).quantize(Decimal("0.1")).normalize()
        for name in ("waived_share", "waiver_cap")
    )
    return f"{used:f} of {most:f} weight allowed"


@blueprint.get("/gates/<int:gate_id>/evaluations")
@require(Permission.GATE_VIEW)
def evaluations(gate_id: int) -> str:
    view = gate_view(reader(), gate_id, now=now())
    found = show_as.evaluation_rows(snapshots(reader(), gate_id, limit=200))
    return render_template("gates/evaluations.html", gate=view.gate, view=view, rows=found, **WORDS)


@blueprint.get("/gates/<int:gate_id>/as-now-known")
@require(Permission.GATE_VIEW)
def as_now_known(gate_id: int) -> str:
    """The figures as decided beside the same windows read again: late corrections, returns and disputes included."""
    found = late_truth(reader(), gate_id, now(), number=asked_number())
    lines = [show_as.late_line(one) for one in found.lines]
    return render_template("gates/as_now_known.html", gate=found.gate, found=found, lines=lines, **WORDS)


@blueprint.get("/gates/<int:gate_id>/criteria/<code>")
@require(Permission.GATE_VIEW)
def criterion(gate_id: int, code: str) -> Any:
    return criterion_html(gate_id, code)


def criterion_html(
    gate_id: int, code: str, *, waiver_form: WaiverForm | None = None, attest_form: AttestForm | None = None
) -> Any:
    """A criterion with what is asked, what was read, and the documents that hold it back."""
    found = criterion_page(
        reader(), gate_id, code, now(), actor(), scope=request.args.get("scope"), number=asked_number()
    )
    page, said = found.gate, speech(found.gate.names)
    row, line = _shown(page, code, said)
    measure = MEASURES.get(found.row.measure or "")
    forms = {"waiver_form": waiver_form or _waiver_form(found), "attest_form": attest_form or _attest_form(found)}
    status = next((form.status for form in forms.values() if form is not None and form.status != 200), 200)
    return render_template(
        "gates/criterion.html", found=found, page=page, gate=page.view.gate, criterion=found.row, row=row, line=line,
        speech=said, measure=measure, figure=show_as.figure_key(line) if line else "", trend=show_as.criterion_trend(page, line),
        journeys=journey_rows(reader(), found.journeys), word=show_as.word_of(row.mark) if row else "",
        kind=row.mark.kind if row else "", scopes=_scopes(found, said), me=actor().id, WaiverState=WaiverState, **forms, **WORDS,
    ), status  # fmt: skip


def _shown(page: GatePage, code: str, said: Speech) -> tuple[Any, Any]:
    if not page.content:
        return None, None
    line = next((one for one in page.content["criteria"] if one["code"] == code), None)
    for group in criterion_groups(page.content, rest_of(page.view), said):
        for row in group.criteria:
            if row.code == code:
                return row, line
    return None, None


def _scopes(found: CriterionPage, said: Speech) -> list[dict[str, Any]]:
    here: dict[str, Any] = {"gate_id": found.gate.view.gate.id, "code": found.row.code}
    return [
        {"label": said.cell(scope), "href": url_for("gates.criterion", scope=scope, **here), "on": scope == found.scope}
        for scope in found.asked
    ]


def _waiver_form(found: CriterionPage) -> WaiverForm | None:
    gate = found.gate.view.gate
    if found.row.is_statutory or gate.state is not GateState.FROZEN or not actor().may(Permission.WAIVER_REQUEST):
        return None
    form = WaiverForm(formdata=None)
    form.owner.choices = choices(people_picks(reader()))
    return form


def _attest_form(found: CriterionPage) -> AttestForm | None:
    row, gate = found.row, found.gate.view.gate
    if row.evidence != Evidence.ATTESTATION or gate.state is GateState.CLOSED or not actor().may(Permission.ATTEST):
        return None
    return AttestForm(formdata=None) if row.owner_id in {None, actor().id} else None
