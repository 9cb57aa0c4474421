"""The address at which one's own calendar program reads the meetings: made, read, ended."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, make_response, redirect, render_template, url_for

from app.composition.request import change, now, reader
from app.identity.feeds import feed_since, make_feed, reader_of, revoke_feed
from app.reports.calendar_feed import person_calendar
from app.security.permissions import Permission
from app.security.require import actor, public, require
from app.web.account.views import blueprint


@blueprint.get("/account/calendar")
@require(Permission.OWN_ACCOUNT)
def calendar() -> str:
    return render_template("account/calendar.html", since=feed_since(reader(), actor().id), address="")


@blueprint.post("/account/calendar")
@require(Permission.OWN_ACCOUNT)
def make_address() -> Any:
    """The address is in this one answer and nowhere else, so the answer is kept by nobody on the way."""
    with change() as work:
        _, secret = make_feed(work, actor().id)
    answer = make_response(
        render_template(
            "account/calendar.html", since=feed_since(reader(), actor().id),
            address=url_for("account.feed", secret=secret, _external=True),
        )
    )  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/account/calendar/end")
@require(Permission.OWN_ACCOUNT)
def end_address() -> Any:
    with change() as work:
        revoke_feed(work, actor().id)
    flash("The address is ended; nobody reads your calendar there any more.", "success")
    return redirect(url_for("account.calendar"))


@blueprint.get("/calendar/<string:secret>.ics")
@public
def feed(secret: str) -> Response:
    """The secret is the permission: 256 random bits, kept as a hash. Calendar programs cannot sign in."""
    session = reader()
    text = person_calendar(
        session, reader_of(session, secret), now(),
        lambda body: url_for("decisions.committee", body_id=body, _external=True),
    )  # fmt: skip
    answer = make_response(text)
    answer.headers["Content-Type"] = "text/calendar; charset=utf-8"
    answer.headers["Content-Disposition"] = 'inline; filename="wavegate.ics"'
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
