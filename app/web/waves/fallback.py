"""A site works on paper for a while: declared and ended by its lead, and seen wherever its cells are shown."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.request import change, now, reader
from app.queries.fallback import FallbackPage, fallback_page
from app.security.permissions import Permission
from app.security.require import require
from app.web.forms import choices
from app.web.steering_words import acting, cell_look, process_name, short_moment, speech
from app.web.waves.forms import FallbackForm
from app.web.waves.views import blueprint
from readiness.waves.flow import GrantState
from readiness.waves.grants import declare_fallback, end_fallback

ALL = 0
_DONE = {
    "declare": "The site works on paper: its cells take back-entries only until the fallback ends.",
    "end": "The site works in the core again.",
}


@blueprint.route("/sites/<int:site_id>/fallback", methods=["GET", "POST"])
@require(Permission.GRANT_FALLBACK, site="site_id")
def fallback(site_id: int) -> Any:
    page = fallback_page(reader(), site_id, now())
    forms = {move: _form(page, move) for move in _DONE}
    sent = next((form for move, form in forms.items() if f"{move}-move" in request.form), None)
    if sent is not None and sent.validate_on_submit():
        act = declare_fallback if sent.move.data == "declare" else end_fallback
        with sent.refusals(), change() as work:
            act(work, site_id, reason=str(sent.reason.data), channel=sent.channel.data or None)
        if sent.accepted:
            flash(_DONE[str(sent.move.data)], "success")
            return redirect(url_for("waves.fallback", site_id=site_id))
    said = speech(page.names)
    html = render_template(
        "waves/fallback.html", page=page, site=page.site, forms=forms, sent=sent, speech=said, short_moment=short_moment,
        process_name=process_name, cell_look=cell_look, acting=acting, may_declare=_any(page, GrantState.OPEN),
        may_end=_any(page, GrantState.IN_FALLBACK),
    )  # fmt: skip
    return html, sent.status if sent is not None else 200


def _any(page: FallbackPage, state: GrantState) -> bool:
    return any(one.state is state for one in page.grants)


def _form(page: FallbackPage, move: str) -> FallbackForm:
    """Both forms stand on one page; only the one that was sent is read."""
    was_sent = f"{move}-move" in request.form
    form = FallbackForm(prefix=f"{move}-") if was_sent else FallbackForm(formdata=None, prefix=f"{move}-")
    state = GrantState.OPEN if move == "declare" else GrantState.IN_FALLBACK
    there = {one.channel for one in page.grants if one.state is state}
    form.channel.choices = choices(
        [(ALL, "All channels"), *((key, name) for key, name in page.channels if key in there)]
    )
    form.move.data = move
    return form
