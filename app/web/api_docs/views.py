"""What can programs do here? The same description they read at ``/api/v1/openapi.json``, as a page."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Blueprint, current_app, render_template

from app.security.permissions import Permission
from app.security.require import require

blueprint = Blueprint("api_docs", __name__)


@blueprint.get("/api/docs")
@require(Permission.SELF_READ)
def show() -> str:
    description = current_app.extensions["wavegate_openapi"]()
    return render_template("api_docs/show.html", info=description["info"], tags=_by_tag(description))


def _by_tag(description: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The operations under their tags, each with its method, path, fields and an example."""
    schemas = description["components"]["schemas"]
    tags: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in description["tags"]}
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            example = body.get("example")
            fine = next(value for status, value in operation["responses"].items() if status.startswith("2"))
            tags[operation["tags"][0]].append(
                {
                    "id": operation["operationId"],
                    "method": method.upper(),
                    "path": description["servers"][0]["url"] + path,
                    "summary": operation["summary"],
                    "description": operation.get("description", "For everybody."),
                    "parameters": operation["parameters"],
                    "fields": _fields(body.get("schema"), schemas),
                    "answer": _fields(fine.get("content", {}).get("application/json", {}).get("schema"), schemas),
                    "example": orjson.dumps(example, option=orjson.OPT_INDENT_2).decode() if example else "",
                    "statuses": ", ".join(sorted(operation["responses"])),
                }
            )
    return tags


def _fields(schema: dict[str, Any] | None, schemas: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Name, kind and whether it must be there, of an object's members."""
    if not schema:
        return []
    found = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    needed = found.get("required", [])
    return [(name, _kind(part), name in needed) for name, part in found.get("properties", {}).items()]


def _kind(part: dict[str, Any]) -> str:
    if "$ref" in part:
        return str(part["$ref"].rpartition("/")[2])
    if "anyOf" in part:
        return " or ".join(_kind(one) for one in part["anyOf"])
    if part.get("type") == "array":
        return f"list of {_kind(part.get('items', {}))}"
    return " ".join(str(word) for word in (part.get("type", "any"), part.get("format", "")) if word)
