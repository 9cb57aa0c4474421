"""Every route says who may open it, and what it is called by."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from app import create_app
from app.config import Settings
from app.security.permissions import Permission
from app.security.require import PUBLIC, public, require

#: Endpoints that everybody may open, and why.
FOR_EVERYBODY: dict[str, str] = {
    "static": "style sheets, scripts and typefaces of the sign-in page",
}
SEGMENT = re.compile(r"^(<[a-z]+(\([^)]*\))?:[a-z_]+>|[a-z0-9]+(-[a-z0-9]+)*|v\d+)?$")


def undeclared(app: Flask) -> list[str]:
    """Routes whose view carries no permission, or is public without standing on the list."""
    found = []
    for rule in app.url_map.iter_rules():
        declared = getattr(app.view_functions[rule.endpoint], "permission", None)
        if rule.endpoint.rpartition(".")[2] == "static" or rule.endpoint in FOR_EVERYBODY:
            continue
        if declared is None:
            found.append(f"{rule.rule} ({rule.endpoint}) declares no permission")
        elif declared == PUBLIC:
            found.append(f"{rule.rule} ({rule.endpoint}) is public and not on the list")
    return sorted(found)


def badly_named(app: Flask) -> list[str]:
    """Paths that are not kebab-case with typed arguments."""
    return sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.rpartition(".")[2] != "static"
        and not all(SEGMENT.match(segment) for segment in re.sub(r"\.[a-z]+$", "", rule.rule).split("/"))
    )


@pytest.fixture
def site(sqlite_database, tmp_path, clock):
    return create_app(
        Settings(instance=tmp_path, database_url=sqlite_database.url), database=sqlite_database, clock=clock
    )


def test_every_route_declares_a_permission(site):
    assert len(list(site.url_map.iter_rules())) > 5
    assert not undeclared(site)


def test_every_public_route_still_exists(site):
    assert not set(FOR_EVERYBODY) - set(site.view_functions)


def test_every_path_is_kebab_case_with_typed_arguments(site):
    assert not badly_named(site)


def test_the_check_sees_a_route_without_a_permission():
    app = Flask("example", static_folder=None)
    app.add_url_rule("/open-orders", "open", lambda: "")
    app.add_url_rule("/sign-in", "sign_in", public(lambda: ""))
    app.add_url_rule("/orders", "orders", require(next(iter(Permission)))(lambda: ""))
    assert undeclared(app) == [
        "/open-orders (open) declares no permission",
        "/sign-in (sign_in) is public and not on the list",
    ]


def test_the_check_sees_a_bad_path():
    app = Flask("example", static_folder=None)
    for number, path in enumerate(
        ("/open_orders", "/orders/<order_id>", "/Orders", "/orders/<int:order_id>/close-out")
    ):
        app.add_url_rule(path, str(number), lambda **_: "")
    assert badly_named(app) == ["/Orders", "/open_orders", "/orders/<order_id>"]
