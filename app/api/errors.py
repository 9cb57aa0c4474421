"""How does the API say no? As problem+json (RFC 9457), with the same sentence a screen shows and the field it is about."""

from __future__ import annotations

import secrets
from typing import Any

import orjson
import structlog
from flask import Response, g, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from app.messages import sentence
from app.security.require import SignInNeeded
from erpcore.kernel.errors import Busy, Conflict, DomainError, NeedsConfirmation, NotAllowed, NotFound

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"

_STATUS: tuple[tuple[type[DomainError], int], ...] = (
    (SignInNeeded, 401),
    (NotFound, 404),
    (NotAllowed, 403),
    (Conflict, 409),
    (Busy, 503),
    (NeedsConfirmation, 409),
    (DomainError, 422),
)
#: Codes whose status says more than their kind.
_STATUS_BY_CODE = {
    "token_refused": 401,
    "precondition_failed": 412,
    "precondition_needed": 428,
    "body_unreadable": 400,
    "cursor_unknown": 400,
}
_TITLES = {
    400: "Bad request", 401: "Not signed in", 403: "Not allowed", 404: "Not found", 405: "Method not allowed",
    409: "Conflict", 412: "Changed meanwhile", 413: "Too large", 415: "Not JSON", 422: "Refused", 428: "Condition needed",
    500: "Broken", 503: "Busy",
}  # fmt: skip

_WORDS = {
    404: "There is nothing at this address. All addresses are described at /api/v1/openapi.json.",
    405: "This address does not take this method. The header Allow names those that it takes.",
}


def problem(status: int, code: str, detail: str, **more: Any) -> Response:
    """A problem document. ``code`` is the stable name that programs may rely on; ``detail`` is for people."""
    content = {
        "type": f"urn:wavegate:problem:{code}",
        "title": _TITLES.get(status, "Refused"),
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": g.get("request_id"),
        **{name: value for name, value in more.items() if value is not None},
    }
    response = Response(orjson.dumps(content), status=status, content_type=CONTENT_TYPE)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="wavegate"'
    if status == 503:
        response.headers["Retry-After"] = "1"
    return response


def answer(error: Exception) -> Response:
    """The problem document for whatever went wrong under ``/api/``."""
    if isinstance(error, DomainError):
        status = _STATUS_BY_CODE.get(error.code) or next(status for kind, status in _STATUS if isinstance(error, kind))
        pointer = f"/{error.field}" if error.field else None
        confirm = error.code if isinstance(error, NeedsConfirmation) else None
        return problem(status, error.code, sentence(error), field=error.field, pointer=pointer, confirm=confirm)
    if isinstance(error, ValidationError):
        return _unfit(error)
    if isinstance(error, HTTPException):
        code = (error.name or "refused").lower().replace(" ", "_")
        response = problem(error.code or 500, code, _WORDS.get(error.code or 500) or error.description or error.name)
        if error.code == 405:
            response.headers["Allow"] = dict(error.get_headers()).get("Allow", "")
        return response
    incident = f"{secrets.token_hex(2)}-{secrets.token_hex(2)}".upper()
    log.error("incident", incident=incident, route=str(request.url_rule), exc_info=error)
    return problem(
        500, "incident", f"Something broke, and it is noted as incident {incident}. Nothing was kept by half.",
        incident=incident,
    )  # fmt: skip


def _unfit(error: ValidationError) -> Response:
    errors = [
        {
            "pointer": "/" + "/".join(str(part) for part in item["loc"]),
            "detail": item["msg"].removeprefix("Value error, "),
        }
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    names = ", ".join(item["pointer"] for item in errors)
    return problem(422, "unfit", f"These parts are missing or unusable: {names}. See `errors` for each.", errors=errors)
