"""How does an operation of the API come about? One decorator: path, permission, models; everything else follows.

A reading operation is called with its path arguments and ``query``; a changing one also with ``work`` and ``body``, inside the
one unit of work that also keeps the request key, so that a repeated call returns the first answer and changes nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import cache, partial
from types import ModuleType
from typing import Any, TypeVar

import orjson
from flask import Blueprint, Flask, Response, g, request
from pydantic import BaseModel

from app.api import openapi
from app.api.errors import answer
from app.api.operation import Operation
from app.composition.request import bearer, change
from app.extensions import csrf
from app.security.permissions import Permission
from app.security.require import PUBLIC, SignInNeeded, actor, says
from erpcore.kernel import requests
from erpcore.kernel.errors import Busy, Conflict, NotFound, RuleBroken

F = TypeVar("F", bound=Callable[..., Any])

PREFIX = "/api/v1"
#: A keyed call may be repeated without harm, so it is, when others were faster.
TRIES, PAUSE_SECONDS = 3, 0.05
_KEY = re.compile(r"[!-~]{8,200}")
_PART = re.compile(r"\{(\w+)\}")


_operations: list[Operation] = []


def operation(
    method: str,
    path: str,
    *,
    permission: Permission | None,
    summary: str,
    tag: str,
    answer: type[BaseModel] | None,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    status: int = 200,
    versioned: bool = False,
    example: dict[str, Any] | None = None,
    prepare: Callable[..., Any] | None = None,
    takes_file: bool = False,
    source: str = "api",
    texts: frozenset[str] = frozenset(),
) -> Callable[[F], F]:
    """Register an operation under ``/api/v1``. ``permission`` ``None``: for everybody. ``answer`` ``None``: 204, no body.

    ``versioned``: the caller must send If-Match; the view gets it as ``version`` and compares with ``check_version``.
    An answer with a ``version`` carries it as ETag. ``example`` is a body for the docs. ``prepare`` does a change's long work
    with the same arguments before its unit of work is opened; the view gets what it returns as ``prepared``. ``takes_file``:
    the body is a file, which ``prepare`` gets as a stream ``file``; what it returns has a ``digest``, for the request key.
    ``texts`` are the parts of the path that are words, where all others are ids.
    """

    def register(view: F) -> F:
        _operations.append(
            Operation(
                name=view.__name__, method=method, path=path, permission=permission, summary=summary, tag=tag, view=view,
                answer=answer, body=body, query=query, status=204 if answer is None else status, versioned=versioned,
                example=example or {}, prepare=prepare, takes_file=takes_file, source=source, texts=texts,
            )
        )  # fmt: skip
        return view

    return register


def check_version(seen: int, current: int) -> None:
    """Raise ``Conflict`` (412) when the caller read another version than the present one."""
    if seen != current:
        raise Conflict("precondition_failed")


def register(site: Flask, modules: list[ModuleType]) -> None:
    """Put the operations of ``modules`` on the site, with their description at ``/api/v1/openapi.json``."""
    names = {module.__name__ for module in modules}
    mine = [found for found in _operations if found.view.__module__ in names]
    blueprint = Blueprint("api", __name__, url_prefix=PREFIX)
    for found in mine:
        path = _PART.sub(partial(_converted, found.texts), found.path)
        view = _served(found)
        blueprint.add_url_rule(path, f"{found.name}", view, methods=[found.method])
    # Written when somebody asks for the first time: half of what a process takes to start would go into it.
    description = cache(partial(openapi.describe, mine))

    def show_description() -> Response:
        return Response(orjson.dumps(description()), content_type="application/json")

    says(show_description, PUBLIC)
    blueprint.add_url_rule("/openapi.json", "openapi", show_description)
    blueprint.register_error_handler(Exception, answer)
    csrf.exempt(blueprint)
    site.register_blueprint(blueprint)
    site.extensions["wavegate_openapi"] = description


def _converted(texts: frozenset[str], part: re.Match[str]) -> str:
    return f"<{part[1]}>" if part[1] in texts else f"<int:{part[1]}>"


def _served(found: Operation) -> Callable[..., Response]:
    def serve(**arguments: Any) -> Response:
        g.actor = None if found.permission is None else bearer()
        if found.permission is not None:
            if g.actor is None:
                raise SignInNeeded
            actor().require(found.permission)
        for value in arguments.values():
            if isinstance(value, int) and value >= 2**63:
                raise NotFound("not_found")
        if found.query is not None:
            arguments["query"] = found.query.model_validate(request.args.to_dict())
        if not found.changes:
            return _answered(found, found.view(**arguments))
        return _change(found, arguments)

    says(serve, found.permission or PUBLIC)
    return serve


def _change(found: Operation, arguments: dict[str, Any]) -> Response:
    content: Any = None
    if found.body is not None:
        body = found.body.model_validate(_json(found))
        content = body.model_dump(mode="json")
        arguments["body"] = body
    if found.versioned:
        arguments["version"] = _if_match()
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise RuleBroken("key_unusable")
    if found.takes_file and found.prepare is not None:
        arguments["prepared"] = prepared = found.prepare(**arguments, file=request.stream)
        content = {"file": prepared.digest, "query": arguments["query"].model_dump(mode="json")}
    elif found.prepare is not None:
        arguments["prepared"] = found.prepare(**arguments)
    if key is None:
        with change(source=found.source) as work:
            result = found.view(work=work, **arguments)
        return _answered(found, result)
    what = {"operation": found.name, "address": request.path, "body": content}
    for attempt in range(TRIES):
        try:
            return _keyed(found, key, what, arguments)
        except Busy:
            if attempt == TRIES - 1:
                raise
            time.sleep(PAUSE_SECONDS * (attempt + 1))
    raise AssertionError("the last try answers or raises")


def _keyed(found: Operation, key: str, what: dict[str, Any], arguments: dict[str, Any]) -> Response:
    with change(source=found.source) as work:
        before = requests.claim(work, key, what)
        if before is not None:
            response = Response(before["body"], status=before["status"], content_type="application/json")
            response.headers["Idempotent-Replayed"] = "true"
            if before["etag"]:
                response.headers["ETag"] = before["etag"]
            return response
        response = _answered(found, found.view(work=work, **arguments))
        etag = response.headers.get("ETag")
        kept = response.get_data(as_text=True)
        if found.name in SECRET_ANSWERS:
            # A secret is shown once; the repeated call learns that the first one worked, and what it made.
            kept = orjson.dumps({**orjson.loads(kept), "secret": None}).decode()
        requests.settle(work, key, {"status": response.status_code, "body": kept, "etag": etag})
    return response


#: Operations whose answer holds a secret, which is not kept for a repeated call.
SECRET_ANSWERS = {"make_token"}


def _answered(found: Operation, result: BaseModel | None) -> Response:
    if found.answer is None or result is None:
        return Response(status=204)
    response = Response(result.model_dump_json(by_alias=True), status=found.status, content_type="application/json")
    version = getattr(result, "version", None)
    if isinstance(version, int):
        response.headers["ETag"] = f'"{version}"'
    return response


def _json(found: Operation) -> Any:
    if not request.get_data() and not found.needs_body:
        return {}
    try:
        content = orjson.loads(request.get_data())
    except orjson.JSONDecodeError:
        raise RuleBroken("body_unreadable") from None
    if request.mimetype != "application/json" or not isinstance(content, dict):
        raise RuleBroken("body_unreadable")
    return content


def _if_match() -> int:
    given = request.headers.get("If-Match", "")
    if not given:
        raise RuleBroken("precondition_needed")
    found = re.fullmatch(r'"(\d{1,18})"', given.strip())
    if found is None:
        raise Conflict("precondition_failed")
    return int(found[1])
