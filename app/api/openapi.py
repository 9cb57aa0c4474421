"""What does the API say about itself? OpenAPI 3.1, from the same models that check what comes in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

if TYPE_CHECKING:
    from app.api.operation import Operation

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:wavegate:problem:not_found"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable name of the refusal."},
        "detail": {"type": "string", "description": "What is wrong with which thing, and the way out."},
        "field": {"type": "string"},
        "pointer": {"type": "string", "description": "JSON pointer into the body."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
        "incident": {"type": "string"},
        "request_id": {"type": ["string", "null"]},
    },
}
_WORDS = {
    400: "The request cannot be read.",
    401: "No token, or one that is unknown, expired or revoked.",
    403: "The token does not include this permission.",
    404: "There is no such thing, or not for this token.",
    409: "It contradicts what is there, or the request key came with other content.",
    412: "Somebody changed it since it was read.",
    413: "The request is too large.",
    422: "A part is missing, unusable or against a rule.",
    428: "If-Match is missing.",
    503: "Busy; try again.",
}


def describe(operations: Sequence[Operation]) -> dict[str, Any]:
    """The whole document. Paths are in the order of their names, so that two versions can be compared."""
    refs, definitions = _schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for found in sorted(operations, key=lambda one: (one.path, one.method)):
        paths.setdefault(found.path, {})[found.method.lower()] = _operation(found, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Wavegate",
            "version": version("wavegate"),
            "description": "Everything a program can do with Wavegate. Amounts, prices and quantities are strings, so that no "
            "digit is lost. Lists are read part by part with a cursor. Send an Idempotency-Key with a change to be able to "
            "repeat it without harm.",
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "tags": [{"name": name} for name in sorted({found.tag for found in operations})],
        "paths": paths,
        "components": {
            "schemas": {**definitions, "Problem": _PROBLEM},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "Made on People and roles."}
            },
        },
    }


def _schemas(
    operations: Sequence[Operation],
) -> tuple[dict[tuple[type[BaseModel], JsonSchemaMode], Any], dict[str, Any]]:
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = []
    for found in operations:
        if found.body is not None and (found.body, "validation") not in wanted:
            wanted.append((found.body, "validation"))
        if found.answer is not None and (found.answer, "serialization") not in wanted:
            wanted.append((found.answer, "serialization"))
    refs, whole = models_json_schema(wanted, ref_template="#/components/schemas/{model}")
    return {key: refs[key] for key in wanted}, whole.get("$defs", {})


def _operation(found: Operation, refs: dict[tuple[type[BaseModel], JsonSchemaMode], Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": found.name,
        "summary": found.summary,
        "tags": [found.tag],
        "parameters": _parameters(found),
        "responses": _responses(found, refs),
    }
    if found.permission is None:
        described["security"] = []
    else:
        described["description"] = f"Permission `{found.permission}`: {found.permission.sentence}."
    if found.body is not None:
        content: dict[str, Any] = {"schema": refs[found.body, "validation"]}
        if found.example:
            content["example"] = found.example
        described["requestBody"] = {"required": found.needs_body, "content": {"application/json": content}}
    if found.takes_file:
        described["requestBody"] = {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    return described


def _parameters(found: Operation) -> list[dict[str, Any]]:
    key = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
    word = {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[^/]+$"}
    out: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": word if name in found.texts else key}
        for name in re.findall(r"\{(\w+)\}", found.path)
    ]
    if found.query is not None:
        schema = found.query.model_json_schema()
        for name, part in schema["properties"].items():
            # A parameter has no definitions beside it: what it refers to stands in it.
            whole = _inlined(part, schema.get("$defs", {}))
            out.append({"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": whole})
    if found.changes:
        pattern = {"type": "string", "minLength": 8, "maxLength": 200, "pattern": "^[!-~]+$"}
        out.append({"name": "Idempotency-Key", "in": "header", "required": False, "schema": pattern})
    if found.versioned:
        etag = {"type": "string", "pattern": '^"[0-9]{1,18}"$'}
        out.append({"name": "If-Match", "in": "header", "required": True, "schema": etag})
    return out


def _inlined(part: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(part, list):
        return [_inlined(each, definitions) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        rest = {key: value for key, value in part.items() if key != "$ref"}
        return {**_inlined(definitions[part["$ref"].rpartition("/")[2]], definitions), **rest}
    return {key: _inlined(value, definitions) for key, value in part.items()}


def _responses(found: Operation, refs: dict[tuple[type[BaseModel], JsonSchemaMode], Any]) -> dict[str, Any]:
    fine: dict[str, Any] = {"description": "Done."}
    if found.answer is not None:
        fine["content"] = {"application/json": {"schema": refs[found.answer, "serialization"]}}
    statuses = {503}
    if found.permission is not None:
        statuses |= {401, 403}
    if "{" in found.path:
        statuses.add(404)
    if found.query is not None:
        statuses |= {400, 422}
    if found.changes:
        statuses |= {400, 404, 409, 413, 422}
    if found.versioned:
        statuses |= {412, 428}
    refused = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(found.status): fine} | {
        str(status): {"description": _WORDS[status], "content": refused} for status in sorted(statuses)
    }
