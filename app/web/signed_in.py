"""Who is behind this request? From the browser's cookie, through Flask-Login, to the actor every check asks.

The cookie is signed and holds the sign-in's token and when it was last used; see ``app.identity.sessions``.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g, redirect, request, session, url_for
from flask_login import UserMixin, current_user, login_user, logout_user

from app.composition.request import bearer, installation, now, reader
from app.extensions import login
from app.identity.sessions import SignedIn, find_sign_in
from app.security.scopes import actor_for

#: The time of last use is written anew at most this often, so that most answers set no cookie.
FRESH_SECONDS = 60
#: Where a person with a borrowed password may go.
_BEFORE_CHANGE = {"account.password", "sign_in.sign_out", "static", "htmx.static"}
#: Pages that programs ask for as well: with a token, never with a cookie of somebody else.
_WITH_TOKEN = {"operations.show_metrics"}


class Visitor(UserMixin):
    """What Flask-Login hands around: the sign-in's token as its id, and who it belongs to."""

    def __init__(self, token: str, person: SignedIn) -> None:
        self.token = token
        self.person = person

    def get_id(self) -> str:
        return self.token


def visitor() -> SignedIn | None:
    """The person signed in, or ``None``."""
    found: SignedIn | None = getattr(current_user, "person", None)
    return found


def own_zone() -> str:
    """The time zone of the person signed in; UTC for nobody."""
    person = visitor()
    return person.time_zone if person else "UTC"


def welcome(token: str, person: SignedIn) -> None:
    """Let the browser in. What the cookie held before is dropped, so that nobody can have planted it."""
    session.clear()
    session.permanent = True
    session["seen"] = int(now().timestamp())
    login_user(Visitor(token, person))


def farewell() -> None:
    """Forget this browser."""
    logout_user()
    session.clear()


@login.user_loader
def _load(token: str) -> Visitor | None:
    seen = session.get("seen")
    idle = installation().settings.idle.total_seconds()
    if not isinstance(seen, int) or now().timestamp() - seen > idle:
        return None
    person = find_sign_in(reader(), token, now())
    return None if person is None else Visitor(token, person)


def identify() -> Any:
    """Set who acts; runs before every view of the site. A borrowed password must be changed before anything else."""
    g.actor = None
    if request.endpoint in {"static", "htmx.static"} or request.blueprint == "api":
        return None
    if request.endpoint in _WITH_TOKEN and request.headers.get("Authorization"):
        g.actor = bearer()
        return None
    person = visitor()
    if person is None:
        return None
    g.actor = actor_for(reader(), person.account_id, person.role, person.acting)
    if person.must_change and request.endpoint not in _BEFORE_CHANGE:
        return redirect(url_for("account.password"))
    return None


def _stay(response: Response) -> Response:
    if g.get("actor") is not None and "_user_id" in session:
        at = int(now().timestamp())
        if at - session.get("seen", 0) >= FRESH_SECONDS:
            session["seen"] = at
    return response


def register(app: Flask) -> None:
    """Put the sign-in in front of every view."""
    login.session_protection = None  # our own rows end a sign-in; an address changes on every train ride
    login.init_app(app)
    app.before_request(identify)
    app.after_request(_stay)
