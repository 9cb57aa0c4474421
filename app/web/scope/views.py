"""Choosing programme, wave and site; kept with the sign-in's cookie until it ends or is chosen anew."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Blueprint, redirect, render_template, request, session, url_for

from app.composition.request import reader
from app.queries.scope import scope_of
from app.security.permissions import Permission
from app.security.require import require
from app.web.chosen import KEY, PARTS, chosen_ids, scope
from app.web.sign_in.views import own_path

blueprint = Blueprint("scope", __name__)
#: What an address says of the place itself; the new choice takes its stead.
_PLACES = {"site", "realm", "page", "cursor"}


@blueprint.get("/scope")
@require(Permission.TODAY)
def choose() -> str:
    """The switches on a page of their own, for many sites and small screens."""
    parts = urlsplit(request.referrer or "")
    came_from = parts.path if parts.netloc == request.host else ""
    where = f"{came_from}?{parts.query}" if came_from and parts.query else came_from
    return render_template("scope/choose.html", chosen=scope(), next=where if came_from != request.path else "")


@blueprint.post("/scope")
@require(Permission.TODAY)
def keep() -> Any:
    """Keep the choice and go back to where it was made."""
    wanted = chosen_ids()
    for part in PARTS:
        if part in request.form:
            wanted[part] = request.form.get(part, type=int) or None
    if "programme" in request.form and "wave" not in request.form:
        wanted["wave"] = wanted["site"] = None
    if wanted["site"] and "wave" not in request.form and not _fits(wanted):
        # A site of another wave: the site is what was asked for.
        wanted["wave"] = None
    session[KEY] = {part: value for part, value in wanted.items() if value is not None}
    return redirect(_without_places(own_path(request.form.get("next") or url_for("today.show"))))


def _fits(wanted: dict[str, int | None]) -> bool:
    found = scope_of(reader(), scope().picks, programme=wanted["programme"], wave=wanted["wave"], site=wanted["site"])
    return found.site is not None


def _without_places(path: str) -> str:
    parts = urlsplit(path)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in _PLACES]
    return f"{parts.path}?{urlencode(kept)}" if kept else parts.path
