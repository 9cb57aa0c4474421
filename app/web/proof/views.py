"""Both sides of every control with their difference, recomputed now."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from app.composition.request import installation, now, reader
from app.composition.uow import reading
from app.queries.controls import compare_controls, events_read_to
from app.queries.proof_page import Proof, proof
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steering_words import short_moment

blueprint = area("proof")
navigation_entry(
    Entry(label="Proof", endpoint="proof.show", permission=Permission.MEASURE_VIEW, group=Group.STEER, order=60)
)


@blueprint.get("/proof")
@require(Permission.MEASURE_VIEW)
def show() -> Any:
    """The last comparison of each control; with ``?now=1`` both sides recomputed while one waits."""
    found: Proof = proof(reader(), now(), actor())
    fresh, read_to = None, None
    if request.args.get("now") == "1":
        with reading(installation().database, snapshot=True) as session:
            fresh, read_to = compare_controls(session), events_read_to(session)
        if actor().sites is not None:
            fresh = [one for one in fresh if one.site in actor().sites]
    return render_template("proof/show.html", found=found, fresh=fresh, read_to=read_to, at=now(), short_moment=short_moment)
