"""What is put before the committee, on screen as on paper; and the paper itself."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from markupsafe import Markup

from app.charts import Chart
from app.composition.request import installation, reader
from app.identity.queries import names_of
from app.reports.dossier import find_gate, gather
from app.reports.packs import make_pack, read_dossier, recorded
from app.reports.presenting import present
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.icons import icon
from erpcore.kernel.errors import RuleBroken

blueprint = area("packs")


def _decision() -> int | None:
    """The earlier decision that the address or the form asks for; none: the one that stands."""
    return request.values.get("decision", type=int)


@blueprint.get("/gates/<int:gate_id>/pack")
@require(Permission.PACK_MAKE)
def show(gate_id: int) -> str:
    gate = find_gate(reader(), gate_id)
    dossier = gather(reader(), gate.wave_code, gate.phase, decision_id=_decision())
    made = recorded(reader(), dossier.snapshot_id)
    return render_template(
        "packs/show.html", pack=present(dossier), gate=gate, made=made, decision=_decision(),
        names=names_of(reader(), [each.by for each in made]), shape=icon, draw=_drawn,
    )  # fmt: skip


@blueprint.post("/gates/<int:gate_id>/pack")
@require(Permission.PACK_MAKE)
def make(gate_id: int) -> Any:
    """The PDF. A POST, for its digest is put on record; setting it takes no lock."""
    here = installation()
    gate = find_gate(reader(), gate_id)
    dossier = read_dossier(here.database, gate.wave_code, phase=gate.phase, decision_id=_decision())
    try:
        content, made = make_pack(here.database, dossier, actor=actor(), clock=here.clock, source="screen")
    except RuleBroken as refusal:
        if refusal.code != "pdf_not_available":
            raise
        flash("This server lacks the libraries that set a PDF. Print this page instead; it says the same.", "warn")
        return redirect(url_for("packs.show", gate_id=gate_id, decision=_decision()))
    answer = Response(content, content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="{made.file_name}"'
    return answer


def _drawn(picture: Chart) -> Markup:
    return Markup(picture.svg)  # noqa: S704  drawn by app.charts, which escapes every text
