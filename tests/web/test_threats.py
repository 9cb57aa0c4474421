"""Each threat of docs/threats.md, tried. The name of the test stands in the list there."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from app.composition.uow import unit_of_work
from app.web.sign_in.views import own_path
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Entity, Site
from tests.support.web import Browser, a_person, a_token, another_role


@pytest.fixture
def sites(sqlite_database, clock):
    """Two live sites, and the rehearsal twin of the first."""
    from datetime import time

    with unit_of_work(sqlite_database, actor=Actor.system("test"), clock=clock) as work:
        ids = dict(zip(("live", "twin", "first", "second", "rehearsal"), work.ids.reserve(5), strict=True))
        common = {"country": "DE", "time_zone": "Europe/Berlin"}
        live = Entity(id=ids["live"], code="DE", name="Nord", realm="live", currency="EUR", **common)
        twin = Entity(
            id=ids["twin"], code="DE-R", name="Nord", realm="rehearsal", twin_id=ids["live"], currency="EUR", **common
        )
        work.session.add_all([live, twin])
        work.session.flush()
        hours = {"kind": "branch", "opens_at": time(8), "closes_at": time(17), **common}
        work.session.add(Site(id=ids["first"], entity_id=live.id, code="HH", name="Hamburg", **hours))
        work.session.add(Site(id=ids["second"], entity_id=live.id, code="HB", name="Bremen", **hours))
        work.session.flush()
        work.session.add(
            Site(id=ids["rehearsal"], entity_id=twin.id, twin_id=ids["first"], code="HH", name="Hamburg", **hours)
        )
    return ids


def _ask(site, path, token, **options):
    return site.test_client().get(path, headers={"Authorization": f"Bearer {token}"}, **options)


def test_a_role_at_one_site_reaches_that_site_and_its_twins_only(site, sqlite_database, clock, sites):
    who = a_person(sqlite_database, "site_lead", site=sites["first"], clock=clock)
    answer = _ask(site, "/api/v1/me", a_token(sqlite_database, who, "site_lead", clock=clock)).json
    assert answer["sites"] == sorted([sites["first"], sites["rehearsal"]])


def test_two_roles_at_two_sites_do_not_add_up(site, sqlite_database, clock, sites):
    who = a_person(sqlite_database, "site_lead", site=sites["first"], clock=clock)
    another_role(sqlite_database, who, "customer_service", site=sites["second"], clock=clock)
    answer = _ask(site, "/api/v1/me", a_token(sqlite_database, who, "customer_service", clock=clock)).json
    assert answer["sites"] == [sites["second"]]
    assert "warehouse:stock:adjust" not in answer["permissions"], "that is the site lead's, at the other site"


def test_a_forged_site_id_is_answered_as_if_it_did_not_exist(site, sqlite_database, clock, sites):
    from app.security.permissions import Permission
    from app.security.require import require

    @site.get("/trial/<int:site_id>")
    @require(Permission.TODAY, site="site_id")
    def trial(site_id):
        return f"site {site_id}"

    browser = Browser(site)
    browser.sign_in(a_person(sqlite_database, "site_lead", site=sites["first"], clock=clock))
    assert browser.client.get(f"/trial/{sites['first']}").status_code == 200
    assert browser.client.get(f"/trial/{sites['second']}").status_code == 404
    assert browser.client.get("/trial/999999").status_code == 404


def test_a_token_of_another_site_does_not_reach_further_than_it_was_made_for(site, sqlite_database, clock, sites):
    who = a_person(sqlite_database, "site_lead", clock=clock)
    secret = a_token(sqlite_database, who, "site_lead", clock=clock, sites=frozenset({sites["second"]}))
    assert _ask(site, "/api/v1/me", secret).json["sites"] == [sites["second"]]


def test_a_token_never_exceeds_the_role_even_when_the_role_shrinks(site, sqlite_database, clock):
    who = a_person(sqlite_database, "auditor", clock=clock)
    secret = a_token(
        sqlite_database, who, "auditor", clock=clock, permissions=frozenset({"app:user:read", "app:user:manage"})
    )
    assert _ask(site, "/api/v1/me", secret).json["permissions"] == ["app:self:read", "app:user:read"]
    assert _ask(site, "/api/v1/users", secret).status_code == 200


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wg1_nothing", "Basic d2c6d2c=", "Bearer \u00e9", "bearer  x y"]
)
def test_a_made_up_token_is_refused(site, header):
    answer = site.test_client().get("/api/v1/me", headers={"Authorization": header.encode("utf-8").decode("latin-1")})
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="wavegate"'


def test_an_expired_token_is_refused(site, sqlite_database, clock):
    who = a_person(sqlite_database, "auditor", clock=clock)
    secret = a_token(sqlite_database, who, "auditor", clock=clock, lasting=timedelta(days=1))
    clock.advance(timedelta(days=1) - timedelta(seconds=1))
    assert _ask(site, "/api/v1/me", secret).status_code == 200
    clock.advance(timedelta(seconds=1))
    answer = _ask(site, "/api/v1/me", secret)
    assert (answer.status_code, answer.json["code"]) == (401, "token_refused")


def test_a_stolen_token_is_stopped_by_revoking_it(site, sqlite_database, clock, signed_in):
    who = a_person(sqlite_database, "auditor", clock=clock)
    secret = a_token(sqlite_database, who, "auditor", clock=clock)
    browser = signed_in("administrator")
    page = browser.get("/people/tokens")
    assert secret not in page.html
    revoke = next(link for link in page.links() if link.endswith("/revoke"))
    browser.get(revoke)
    browser.post(revoke, {"reason": "found in a log"})
    assert _ask(site, "/api/v1/me", secret).status_code == 401


def test_a_cookie_does_not_open_the_api(signed_in):
    answer = signed_in("administrator").client.get("/api/v1/users")
    assert (answer.status_code, answer.json["code"]) == (401, "sign_in_needed")


def test_a_session_planted_before_signing_in_is_dropped(site, sqlite_database, clock):
    who = a_person(sqlite_database, "pmo", clock=clock)
    browser = Browser(site)
    with browser.client.session_transaction() as planted:
        planted["_user_id"] = "planted"
        planted["something"] = "of the attacker"
    before = browser.get("/sign-in").value("csrf_token")
    browser.sign_in(who)
    with browser.client.session_transaction() as session:
        assert session["_user_id"] != "planted"
        assert "something" not in session
    browser.get("/account")
    # The form token of before belongs to the dropped session.
    answer = browser.client.post("/account/leave-everywhere", data={"csrf_token": before})
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/account/role", "/people/new", "/operations/replay"])
def test_a_form_of_another_site_changes_nothing(signed_in, path):
    browser = signed_in("administrator")
    answer = browser.client.post(path, data={"csrf_token": "forged", "role": "pmo"})
    assert answer.status_code == 400
    assert browser.get("/account").heading == "Kim Example"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "evil.example",
        "/\t/evil.example", "/x\r\nLocation: https://evil.example", "http:evil.example", "", None,
    ],
)  # fmt: skip
def test_nobody_is_sent_to_another_site_after_signing_in(site, target):
    with site.test_request_context():
        assert own_path(target) == "/"


def test_a_path_of_this_site_is_kept_with_its_filter(site):
    with site.test_request_context():
        assert own_path("/people?role=pmo") == "/people?role=pmo"


def test_what_a_client_sends_cannot_forge_a_line_of_the_log(site, capfd):
    import logging

    logging.getLogger().setLevel("INFO")
    forged = '/nothing\r\n{"event": "signed in", "account": 1}'
    site.test_client().get(forged, headers={"User-Agent": "x\ty"})
    site.test_client().post("/sign-in", data={"sign_in": 'a"\n{"event": "signed in"}', "password": "x"})
    lines = [line for line in capfd.readouterr().err.splitlines() if line.strip()]
    logging.getLogger().setLevel("WARNING")
    assert lines
    for line in lines:
        assert json.loads(line)["event"] != "signed in"


def test_the_log_names_no_person(site, sqlite_database, clock, capfd):
    import logging

    logging.getLogger().setLevel("INFO")
    who = a_person(sqlite_database, "pmo", clock=clock, sign_in="kim.secret@example.com", name="Kim Secret")
    browser = Browser(site)
    browser.sign_in(who, "wrong password", status=401)
    browser.sign_in(who)
    logged = capfd.readouterr().err
    logging.getLogger().setLevel("WARNING")
    assert '"signed in"' in logged
    for word in ("kim.secret", "Secret", "wrong password", "127.0.0.1"):
        assert word not in logged


def test_every_answer_forbids_what_is_not_ours(site, signed_in):
    browser = signed_in("administrator")
    for path in ("/", "/sign-in", "/nothing", "/api/v1/health", "/static/css/wavegate.css", "/healthz"):
        with browser.client.get(path, follow_redirects=True) as answer:
            headers = answer.headers
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'self'", path
        assert policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_pages_are_not_kept_by_proxies_or_the_back_button(signed_in):
    browser = signed_in("administrator")
    assert browser.client.get("/people").headers["Cache-Control"] == "no-store"


def test_cookies_are_for_this_site_and_not_for_scripts(site, sqlite_database, clock):
    browser = Browser(site)
    browser.get("/sign-in")
    cookie = browser.response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_over_https_the_cookie_is_bound_to_the_host_and_browsers_insist_on_https(sqlite_database, tmp_path, clock):
    from tests.support.web import a_site

    site = a_site(sqlite_database, tmp_path, clock, https=True)
    answer = site.test_client().get("/sign-in", base_url="https://localhost")
    assert re.match(r"__Host-wavegate=[^;]+; Secure; HttpOnly; Path=/; SameSite=Lax", answer.headers["Set-Cookie"])
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_a_foreign_host_name_is_refused_when_names_are_set(sqlite_database, tmp_path, clock):
    from tests.support.web import a_site

    site = a_site(sqlite_database, tmp_path, clock, hosts=("gate.example.com",))
    assert site.test_client().get("/healthz", base_url="http://gate.example.com").status_code == 200
    assert site.test_client().get("/healthz", base_url="http://evil.example").status_code == 400


def test_an_unknown_failure_shows_a_number_and_not_its_trace(site, signed_in, capfd):
    browser = signed_in("administrator")
    site.config["PROPAGATE_EXCEPTIONS"] = False
    site.testing = False

    def broken():
        raise RuntimeError("the secret inside")

    site.view_functions["today.show"] = broken
    page = browser.get("/", status=500)
    assert "secret" not in page.html
    incident = re.search(r"Incident ([0-9A-F]{4}-[0-9A-F]{4})", page.text)[1]
    logged = next(json.loads(line) for line in capfd.readouterr().err.splitlines() if incident in line)
    assert "the secret inside" in logged["exception"]
