"""Accounts, roles and tokens on screen."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from app.composition.uow import reading
from app.identity.models import Account, RoleGrant
from erpcore.kernel.audit import verify_chain
from tests.support.trail import acts
from tests.support.web import PASSWORD, Browser, a_person, another_role

NEW = {
    "name": "Noa Berg", "sign_in": "noa@example.com", "email": "", "time_zone": "Europe/Berlin",
    "password": "eleven loud rivers bend",
}  # fmt: skip


def test_an_administrator_opens_an_account_and_gives_it_a_role(site, signed_in, sqlite_database):
    browser = signed_in("administrator")
    browser.get("/people/new")
    page = browser.post("/people/new", NEW)
    assert page.heading == "Noa Berg"
    page = browser.post(browser.path + "/roles", {"role": "pmo", "site": "0", "until": "", "reason": "runs the office"})
    assert "Programme office" in page.text
    assert "runs the office" in page.text
    noa = Browser(site)
    noa.get("/sign-in")
    assert (
        noa.post("/sign-in", {"sign_in": "noa@example.com", "password": NEW["password"]}).heading == "Change password"
    )
    with reading(sqlite_database) as session:
        assert [act.kind for act in acts(session)][:2] == ["role.granted", "account.created"]
        assert verify_chain(session).broken_at is None


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "Enter the person's name"),
        ("sign_in", "two words", "A sign-in name has no spaces"),
        ("time_zone", "Mars/Olympus", "“Mars/Olympus” is no time zone"),
        ("password", "short", "At least 12 characters"),
    ],
)
def test_a_refused_form_keeps_what_was_typed_and_says_why_at_the_field(signed_in, sqlite_database, field, value, said):
    browser = signed_in("administrator")
    browser.get("/people/new")
    page = browser.post("/people/new", {**NEW, field: value}, status=422)
    assert said in page.errors()[0]
    assert page.root.find("p", id=f"{field}-error")
    for name in {"name", "sign_in", "time_zone"} - {field}:
        assert page.value(name) == NEW[name]
    assert page.root.find("input", name="password")[0].attributes.get("value", "") == ""
    with reading(sqlite_database) as session:
        assert session.scalar(select(func.count()).select_from(Account)) == 1


def test_a_sign_in_name_is_taken_once(signed_in):
    browser = signed_in("administrator", sign_in="noa@example.com")
    browser.get("/people/new")
    page = browser.post("/people/new", {**NEW, "sign_in": "NOA@example.com"}, status=409)
    assert page.errors() == ["Sign-in name: The name noa@example.com is in use. Choose another."]


def test_a_role_is_not_given_twice_for_the_same_time(signed_in, sqlite_database, clock):
    who = a_person(sqlite_database, "pmo", clock=clock)
    browser = signed_in("administrator")
    browser.get(f"/people/{who.id}")
    page = browser.post(
        f"/people/{who.id}/roles", {"role": "pmo", "site": "0", "until": "", "reason": "again"}, status=409
    )
    assert "is given for this site and time already" in page.errors()[0]
    assert page.value("reason") == "again"
    with reading(sqlite_database) as session:
        assert session.scalar(select(func.count()).where(RoleGrant.account_id == who.id)) == 1


def test_a_role_ends_with_a_reason(signed_in, sqlite_database, clock):
    who = a_person(sqlite_database, "pmo", clock=clock)
    browser = signed_in("administrator")
    page = browser.get(f"/people/{who.id}")
    end = next(link for link in page.links() if link.endswith("/end"))
    browser.get(end)
    assert "Say why" in browser.post(end, {"reason": "  "}, status=422).errors()[0]
    page = browser.post(end, {"reason": "moved on"})
    assert "Without a role nobody can sign in" in page.text
    browser.get(end, status=404)


def test_an_administrator_cannot_take_the_role_from_themselves(signed_in):
    browser = signed_in("administrator")
    end = f"/people/{browser.who.id}/roles/{browser.who.grants[0]}/end"
    browser.get(end)
    page = browser.post(end, {"reason": "enough"}, status=422)
    assert page.errors() == ["You cannot take the administrator's role from yourself. Ask another administrator."]
    assert browser.get("/people").heading == "People and roles"


def test_an_account_is_closed_with_everything_it_could_do(site, signed_in, sqlite_database, clock):
    who = a_person(sqlite_database, "pmo", clock=clock)
    theirs = Browser(site)
    theirs.sign_in(who)
    browser = signed_in("administrator")
    browser.get(f"/people/{who.id}/close")
    browser.post(f"/people/{who.id}/close", {"reason": "left the company"})
    assert theirs.get("/").heading == "Sign in"
    page = browser.get(f"/people/{who.id}")
    assert "closed" in page.text
    assert not page.root.find("form", action=f"/people/{who.id}/roles")
    browser.get(f"/people/{who.id}/close")
    assert browser.post(f"/people/{who.id}/close", {"reason": "again"}, status=404).heading == "There is nothing here"


def test_a_password_set_by_an_administrator_must_be_changed(site, signed_in, sqlite_database, clock):
    who = a_person(sqlite_database, "pmo", clock=clock)
    theirs = Browser(site)
    theirs.sign_in(who)
    browser = signed_in("administrator")
    browser.get(f"/people/{who.id}/password")
    browser.post(f"/people/{who.id}/password", {"password": "eleven loud rivers bend"})
    assert theirs.get("/").heading == "Sign in"
    assert theirs.sign_in(who, "eleven loud rivers bend").heading == "Change password"
    Browser(site).sign_in(who, PASSWORD, status=401)


def test_a_token_is_shown_once_and_works_with_what_was_chosen(site, signed_in, sqlite_database, clock):
    who = a_person(sqlite_database, "auditor", clock=clock)
    another_role(sqlite_database, who, "pmo", clock=clock)
    browser = signed_in("administrator")
    new = f"/people/{who.id}/tokens/new"
    browser.get(new)
    fields = {"name": "nightly check", "role": "auditor", "site": "0", "days": "30", "permissions": ["app:user:read"]}
    page = browser.post(new, fields)
    secret = re.search(r"wg1_[\w-]{40,}", page.html)[0]
    assert secret not in browser.get("/people/tokens").html
    answer = site.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"}).json
    assert answer == {
        "account": who.id, "role": "auditor", "permissions": ["app:self:read", "app:user:read"], "sites": None,
    }  # fmt: skip


def test_a_token_without_a_permission_of_its_role_is_refused(signed_in, sqlite_database, clock):
    who = a_person(sqlite_database, "auditor", clock=clock)
    another_role(sqlite_database, who, "pmo", clock=clock)
    browser = signed_in("administrator")
    new = f"/people/{who.id}/tokens/new"
    browser.get(new)
    # The programme office may plan waves, the auditor may not.
    fields = {"name": "x", "role": "auditor", "site": "0", "days": "30", "permissions": ["readiness:wave:plan"]}
    page = browser.post(new, fields, status=422)
    assert "Choose at least one permission" in page.errors()[0]
    assert page.value("name") == "x"


def test_an_auditor_sees_people_and_changes_nothing(signed_in, sqlite_database, clock):
    who = a_person(sqlite_database, "pmo", clock=clock)
    browser = signed_in("auditor")
    page = browser.get(f"/people/{who.id}")
    assert not page.root.find("main")[0].find("form")
    browser.get("/people/new", status=403)
    browser.get("/account")
    browser.post(f"/people/{who.id}/roles", {"role": "administrator", "site": "0", "reason": "me"}, status=403)
    with reading(sqlite_database) as session:
        assert session.scalar(select(func.count()).where(RoleGrant.account_id == who.id)) == 1
