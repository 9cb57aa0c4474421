"""The conventions of routes: each declares who may open it, and every page there is can be loaded."""

from __future__ import annotations

import pytest

from app.security.permissions import Permission
from app.security.require import PUBLIC
from app.security.roles import ROLES, Role
from tests.support.pages import Page
from tests.support.queries import MOST, queries
from tests.support.web import Browser, a_person, leads_somewhere

#: Everybody may open these, signed in or not, and why.
FOR_EVERYBODY = {
    "static": "style, script, letters",
    "htmx.static": "script out of its package",
    "sign_in.form": "the door",
    "sign_in.enter": "the door",
    "sign_in.sign_out": "leaving needs no permission",
    "account.feed": "calendar programs cannot sign in; the secret in the address is the permission",
    "operations.alive": "load balancers ask it",
    "operations.ready": "load balancers ask it; it shows no figure",
    "api.health": "the same, for programs",
    "api.openapi": "the description of the API has no data",
}


def _views(site):
    return {rule.endpoint: site.view_functions[rule.endpoint] for rule in site.url_map.iter_rules()}


def test_every_route_says_which_permission_it_needs(site):
    for endpoint, view in _views(site).items():
        permission = getattr(view, "permission", None)
        if endpoint in FOR_EVERYBODY:
            assert permission in {PUBLIC, None}, endpoint
        else:
            assert permission in set(Permission), f"{endpoint} does not say who may open it: @require(Permission.…)"


def test_the_list_of_pages_for_everybody_names_only_routes_that_exist(site):
    assert set(FOR_EVERYBODY) <= set(_views(site))


def test_nobody_opens_a_page_without_signing_in(site):
    client = site.test_client()
    for rule in site.url_map.iter_rules():
        if rule.endpoint in FOR_EVERYBODY or "GET" not in rule.methods:
            continue
        with site.test_request_context():
            from flask import url_for

            path = url_for(rule.endpoint, **dict.fromkeys(rule.arguments, 1))
        answer = client.get(path)
        assert answer.status_code in {302, 401}, rule
        if answer.status_code == 302:
            assert answer.headers["Location"].startswith("/sign-in"), rule


def test_addresses_are_lower_case_with_hyphens(site):
    for rule in site.url_map.iter_rules():
        plain = "".join(part for part in str(rule).replace("<", ">").split(">")[::2])
        assert plain == plain.lower(), rule
        assert "_" not in plain, rule


def test_a_page_without_permission_is_refused_with_the_way_out(signed_in):
    page = signed_in("warehouse_operator").get("/people", status=403)
    assert page.heading == "You may not do this"
    assert "app:user:read" in page.text
    assert "Ask whoever gives out the roles" in page.text


def test_an_unknown_address_says_so_with_the_way_back(signed_in):
    page = signed_in("pmo").get("/nothing", status=404)
    assert page.heading == "There is nothing here"
    assert "/" in page.links()


def test_another_method_says_which_are_allowed(signed_in):
    browser = signed_in("pmo")
    browser.get("/account")
    answer = browser.client.put("/account", headers={"X-CSRFToken": browser.page.value("csrf_token")})
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("role", list(Role))
def test_every_page_that_a_role_reaches_by_links_is_whole_and_asks_little(site, sqlite_database, clock, role):
    """Follows every link from the home page: each page passes the checks of the test browser and stays under 25 queries."""
    browser = Browser(site)
    browser.sign_in(a_person(sqlite_database, role, clock=clock))
    to_see, seen = ["/"], set()
    while to_see:
        path = to_see.pop().partition("#")[0]
        # Walks of the impact graph lead to each other without end: one from each kind of thing stands for all.
        page_kind = "/".join(path.split("/")[:3]) if path.startswith("/impact/") else path
        if not path or page_kind in seen or len(seen) > 200:
            continue
        seen.add(page_kind)
        with queries(sqlite_database) as ran:
            page = browser.get(path)
        assert len(ran) <= MOST, f"{path} asked {len(ran)} times: {ran.statements}"
        to_see += page.links()
    assert {"/", "/account"} <= seen
    assert ("/people" in seen) == (Permission.USER_READ in ROLES[role].permissions)


def test_the_navigation_lists_what_the_role_may_open(signed_in):
    assert "People and roles" not in signed_in("warehouse_operator").get("/").navigation
    administrator = signed_in("administrator").get("/").navigation
    assert administrator[0] == "Today"
    assert {"People and roles", "Operations"} <= set(administrator)


def test_the_entry_of_the_page_one_is_on_is_marked(signed_in):
    page = signed_in("administrator").get("/people/new")
    assert [link.text for link in page.root.find("a", **{"aria-current": "page"}) if "nav-link" in link.attributes["class"]] == [
        "People and roles", "People and roles",
    ]  # fmt: skip


def test_the_page_checks_see_what_is_wrong():
    from tests.support.pages import check

    wrong = check(
        Page(
            '<html><head><title>x</title></head><body><h1>a</h1><h1>b</h1><form method="post"><input name="q"></form>'
            '<p style="x" id="p"></p><p id="p"></p><a href="https://evil.example/"></a><script>1</script></body></html>'
        )
    )
    for part in (
        "title",
        "2 h1",
        "language",
        "no label",
        "CSRF",
        "inline style",
        "twice",
        "another host",
        "says nothing",
        "script",
    ):
        assert any(part in one for one in wrong), part


def test_a_dead_link_is_seen(site):
    assert leads_somewhere(site, "/people")
    assert not leads_somewhere(site, "/peopel")
    assert not leads_somewhere(site, "/people", "DELETE")
