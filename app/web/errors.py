"""What does a person see when something is refused or breaks? The sentence, the status and the way out; never a trace."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from flask import Flask, flash, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError

from app.messages import sentence
from app.security.require import SignInNeeded
from erpcore.kernel.errors import Busy, Conflict, DomainError, NeedsConfirmation, NotAllowed, NotFound, RuleBroken

log = structlog.get_logger(__name__)

#: Kind of refusal → HTTP status; the API uses the same table.
STATUS: tuple[tuple[type[DomainError], int], ...] = (
    (SignInNeeded, 401),
    (NotFound, 404),
    (NotAllowed, 403),
    (Conflict, 409),
    (Busy, 503),
    (NeedsConfirmation, 422),
    (DomainError, 422),
)
_TITLES = {
    404: "There is nothing here",
    403: "You may not do this",
    409: "Somebody was faster",
    422: "This cannot be done",
    503: "Wavegate is busy",
}


def status_of(error: DomainError) -> int:
    """The HTTP status that says what kind of refusal this is."""
    return next(status for kind, status in STATUS if isinstance(error, kind))


def new_incident() -> str:
    """A number that a person can read out and that stands beside the trace in the log."""
    return f"{secrets.token_hex(2)}-{secrets.token_hex(2)}".upper()


def refuse(
    status: int,
    *,
    title: str | None = None,
    text: str | None = None,
    incident: str = "",
    back: Mapping[str, str] | None = None,
) -> Any:
    """The page for a refusal, with the words of its template where none are given; ``back``: label and href of the way out."""
    name = f"errors/{status}.html" if status in {400, 403, 404, 409, 413, 429, 500, 503} else "errors/error.html"
    words = {"title": title, "text": text, "back": back}
    given = {key: value for key, value in words.items() if value is not None}
    page = render_template(name, code=str(status), incident=incident, **given)
    return page, status, {"Retry-After": "3"} if status == 503 else {}


def register(app: Flask, *, problem: Callable[[Exception], Any]) -> None:
    """Answer every failure of a screen with a page; ``problem`` answers those under ``/api/v``, where programs ask."""

    def handle(kind: type[Exception], page: Callable[[Any], Any]) -> None:
        app.register_error_handler(
            kind, lambda error: problem(error) if request.path.startswith("/api/v") else page(error)
        )

    app.before_request(_no_zero_bytes)
    handle(DomainError, _refused)
    handle(CSRFError, _form_expired)
    handle(HTTPException, _http)
    handle(Exception, _broken)


def _no_zero_bytes() -> Any:
    """An address with a zero byte asks for nothing that a database can hold. Forms name it at the field, see ``Form``."""
    if not request.path.startswith("/api/v") and any("\0" in text for pair in request.args.items() for text in pair):
        return refuse(400, title="The address holds a zero byte", text="Leave it out and ask again.")
    return None


def _refused(error: DomainError) -> Any:
    status = status_of(error)
    if status == 401:
        return _to_sign_in()
    title = _TITLES[status]
    return refuse(status, title=title, text=sentence(error))


def _to_sign_in() -> Any:
    if request.method == "GET" and not request.headers.get("HX-Request"):
        where = request.full_path.rstrip("?") if request.query_string else request.path
        return redirect(url_for("sign_in.form", next=where if where != "/" else None))
    if request.method != "GET":
        flash("You were signed out in the meantime, so the last step was not taken.", "warn")
    return redirect(url_for("sign_in.form"))


def _form_expired(error: CSRFError) -> Any:
    log.info("form refused", why=error.description, route=str(request.url_rule))
    return refuse(400, title="This form is no longer valid", text=sentence(RuleBroken("form_expired")))


def _http(error: HTTPException) -> Any:
    if error.code is None or error.code < 400 or isinstance(error, SecurityError):
        # A host name that is not ours has no pages, not even one that says so.
        return error
    known = {400, 403, 404, 409, 413, 429, 500, 503}
    if error.code in known:
        return refuse(error.code)
    answer = refuse(error.code, title=error.name, text="Go back and choose another way.")
    return answer[0], error.code, {name: value for name, value in error.get_headers() if name == "Allow"}


def _broken(error: Exception) -> Any:
    incident = new_incident()
    log.error("incident", incident=incident, route=str(request.url_rule), exc_info=error)
    return refuse(500, incident=incident)
