"""What is put before the committee, on screen as on paper; and the paper itself."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from markupsafe import Markup

from app.charts import Chart
from app.composition.request import installation, reader
from app.identity.queries import names_of
from app.reports.dossier import Dossier
from app.reports.packs import make_pack, read_dossier, recorded
from app.reports.presenting import present
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.icons import icon
from erpcore.kernel.errors import NotFound, RuleBroken
from readiness.gates.queries import GateRow, gates

blueprint = area("packs")


def _gate(gate_id: int) -> GateRow:
    found = gates(reader(), gate_id=gate_id)
    if not found:
        raise NotFound("gate_not_found", gate=gate_id)
    return found[0]


def _dossier(gate: GateRow) -> Dossier:
    """What the pack is made from: of the decision in the address, or of the one that stands."""
    decision = request.values.get("decision", type=int)
    return read_dossier(installation().database, gate.wave_code, phase=gate.phase, decision_id=decision)


@blueprint.get("/gates/<int:gate_id>/pack")
@require(Permission.PACK_MAKE)
def show(gate_id: int) -> str:
    gate = _gate(gate_id)
    dossier = _dossier(gate)
    made = recorded(reader(), dossier.snapshot_id)
    return render_template(
        "packs/show.html", pack=present(dossier), gate=gate, made=made, decision=request.args.get("decision", type=int),
        names=names_of(reader(), [each.by for each in made]), shape=icon, draw=_drawn,
    )  # fmt: skip


@blueprint.post("/gates/<int:gate_id>/pack")
@require(Permission.PACK_MAKE)
def make(gate_id: int) -> Any:
    """The PDF. A POST, for its digest is put on record; setting it takes no lock."""
    gate = _gate(gate_id)
    try:
        content, made = make_pack(
            installation().database, _dossier(gate), actor=actor(), clock=installation().clock, source="screen"
        )
    except RuleBroken as refusal:
        if refusal.code != "pdf_not_available":
            raise
        flash("This server lacks the libraries that set a PDF. Print this page instead; it says the same.", "warn")
        return redirect(url_for("packs.show", gate_id=gate_id, decision=request.form.get("decision")))
    answer = Response(content, content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="{made.file_name}"'
    return answer


def _drawn(picture: Chart) -> Markup:
    return Markup(picture.svg)  # noqa: S704  drawn by app.charts, which escapes every text
