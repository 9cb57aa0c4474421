"""Who gets in, who is kept out, and for how long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.composition.uow import reading, unit_of_work
from app.identity.models import Account, LoginThrottle, SignIn
from app.identity.services import close_account, revoke_role
from erpcore.kernel.actor import Actor
from tests.support.pages import Page
from tests.support.queries import queries
from tests.support.web import PASSWORD, Browser, a_person, another_role


@pytest.fixture
def who(sqlite_database, clock):
    return a_person(sqlite_database, "pmo", clock=clock, sign_in="Kim@Example.com", name="Kim Example")


def test_a_person_signs_in_and_sees_the_page_they_asked_for(site, who):
    browser = Browser(site)
    page = browser.get("/account")
    assert page.heading == "Sign in"
    page = browser.post("/sign-in", {"sign_in": "kim@example.com", "password": PASSWORD, "next": page.value("next")})
    assert (browser.path, page.heading) == ("/account", "Kim Example")


def test_names_are_the_same_in_capitals_and_with_spaces_around(site, who):
    assert Browser(site).sign_in(who.__class__(id=who.id, sign_in="  KIM@example.com ")).heading == "Today"


@pytest.mark.parametrize("name", ["kim@example.com", "nobody@example.com"])
def test_a_wrong_password_and_an_unknown_name_are_answered_alike(site, who, name):
    browser = Browser(site)
    browser.get("/sign-in")
    page = browser.post("/sign-in", {"sign_in": name, "password": "wrong password"}, status=401)
    assert page.errors() == [
        "This name and password do not fit together. Check both, or ask an administrator for a new password."
    ]
    assert page.value("sign_in") == name
    assert 'type="password"' in page.html
    assert "wrong password" not in page.html


def test_a_person_without_a_role_is_told_so_and_gets_no_cookie(site, sqlite_database, clock):
    browser = Browser(site)
    page = browser.sign_in(a_person(sqlite_database, None, clock=clock), status=403)
    assert page.errors() == ["You have no role here at present. Ask an administrator to give you one."]
    assert browser.get("/account").heading == "Sign in"


def test_after_five_failures_even_the_right_password_waits_a_minute(site, who, clock, sqlite_database):
    browser = Browser(site)
    for _ in range(5):
        browser.sign_in(who, "wrong password", status=401)
    page = browser.sign_in(who, status=429)
    assert page.errors() == [
        "Too many attempts. The next one is heard at 02 Mar 2026, 09:01 UTC; until then even the right password is refused."
    ]
    clock.advance(timedelta(minutes=1))
    assert browser.sign_in(who).heading == "Today"
    with reading(sqlite_database) as session:
        # The name starts afresh; the address keeps its count.
        assert session.scalar(select(func.sum(LoginThrottle.failures))) == 5


def test_each_further_failure_doubles_the_wait_up_to_a_quarter_of_an_hour(site, who, clock, sqlite_database):
    browser, waits = Browser(site), []
    for _ in range(10):
        browser.sign_in(who, "wrong password", status=401)
        with reading(sqlite_database) as session:
            until = session.scalar(select(func.max(LoginThrottle.blocked_until)))
        waits.append(None if until is None else int((until - clock.now()).total_seconds() // 60))
        clock.set(max(until or clock.now(), clock.now()))
    assert waits == [None, None, None, None, 1, 2, 4, 8, 15, 15]


def test_failures_are_forgotten_after_half_an_hour(site, who, clock):
    browser = Browser(site)
    for _ in range(4):
        browser.sign_in(who, "wrong password", status=401)
    clock.advance(timedelta(minutes=31))
    browser.sign_in(who, "wrong password", status=401)
    assert browser.sign_in(who).heading == "Today"


def test_thirty_failures_from_one_address_block_it_for_every_name(site, who, sqlite_database):
    browser = Browser(site)
    for number in range(30):
        browser.sign_in(who.__class__(id=0, sign_in=f"guess{number}@example.com"), "wrong password", status=401)
    browser.sign_in(who, status=429)
    assert Browser(site).sign_in(who, environ_base={"REMOTE_ADDR": "192.0.2.7"}).heading == "Today"


def test_names_and_addresses_are_counted_by_hash_alone(site, who, sqlite_database):
    Browser(site).sign_in(who, "wrong password", status=401)
    with reading(sqlite_database) as session:
        keys = list(session.scalars(select(LoginThrottle.key)))
    assert [len(key) for key in keys] == [64, 64]
    assert not any("kim" in key or ("127" in key and "." in key) for key in keys)


def test_a_person_who_does_nothing_for_an_hour_is_signed_out(site, who, clock):
    browser = Browser(site)
    browser.sign_in(who)
    clock.advance(timedelta(minutes=59))
    assert browser.get("/").heading == "Today"
    clock.advance(timedelta(minutes=59))
    assert browser.get("/").heading == "Today", "a page that is read counts"
    clock.advance(timedelta(minutes=61))
    assert browser.get("/").heading == "Sign in"


def test_after_twelve_hours_even_a_busy_person_signs_in_again(site, who, clock):
    browser = Browser(site)
    browser.sign_in(who)
    for _ in range(23):
        clock.advance(timedelta(minutes=30))
        assert browser.get("/").heading == "Today"
    clock.advance(timedelta(minutes=30))
    assert browser.get("/").heading == "Sign in"


def test_reading_a_page_writes_nothing(site, who, sqlite_database, clock):
    browser = Browser(site)
    browser.sign_in(who)
    clock.advance(timedelta(minutes=30))
    with queries(sqlite_database) as ran:
        browser.get("/account")
    assert [one for one in ran.statements if not one.lstrip().upper().startswith(("SELECT", "BEGIN", "PRAGMA"))] == []


def test_a_copy_of_an_old_cookie_is_worth_nothing_after_the_idle_time(site, who, clock):
    browser = Browser(site)
    browser.sign_in(who)
    old = browser.client.get_cookie("wavegate").value
    for _ in range(3):
        clock.advance(timedelta(minutes=45))
        assert browser.get("/").heading == "Today"
    thief = Browser(site)
    thief.client.set_cookie("wavegate", old)
    assert thief.get("/").heading == "Sign in"


def test_signing_out_ends_the_sign_in_for_every_copy_of_the_cookie(site, who):
    browser = Browser(site)
    browser.sign_in(who)
    copy = browser.client.get_cookie("wavegate").value
    assert browser.post("/sign-out").heading == "Sign in"
    thief = Browser(site)
    thief.client.set_cookie("wavegate", copy)
    assert thief.get("/").heading == "Sign in"


def test_signing_out_everywhere_ends_the_other_browsers_too(site, who):
    one, other = Browser(site), Browser(site)
    one.sign_in(who)
    other.sign_in(who)
    one.get("/account")
    assert one.post("/account/leave-everywhere").heading == "Sign in"
    assert other.get("/").heading == "Sign in"


def test_a_closed_account_is_out_at_once_and_stays_out(site, who, sqlite_database, clock):
    browser = Browser(site)
    browser.sign_in(who)
    with unit_of_work(sqlite_database, actor=Actor.system("test"), clock=clock) as work:
        close_account(work, who.id, reason="left")
    assert browser.get("/").heading == "Sign in"
    browser.sign_in(who, status=401)


def test_taking_a_role_away_signs_out_whoever_acts_in_it(site, who, sqlite_database, clock):
    another_role(sqlite_database, who, "auditor", clock=clock)
    browser = Browser(site)
    browser.sign_in(who)
    with unit_of_work(sqlite_database, actor=Actor.system("test"), clock=clock) as work:
        revoke_role(work, who.grants[0], reason="changed teams")
    assert browser.get("/").heading == "Sign in"
    browser.sign_in(who)
    assert "Auditor" in browser.get("/account").text


def test_a_person_acts_in_one_role_at_a_time_and_switches_it(site, who, sqlite_database, clock):
    another_role(sqlite_database, who, "administrator", clock=clock)
    browser = Browser(site)
    browser.sign_in(who)
    browser.get("/operations", status=403)
    browser.get("/account")
    assert browser.post("/account/role", {"role": "administrator"}).heading == "Today"
    assert browser.get("/operations").heading == "Operations"


def test_a_role_that_one_does_not_have_cannot_be_acted_in(site, who, sqlite_database):
    browser = Browser(site)
    browser.sign_in(who)
    browser.get("/account")
    browser.post("/account/role", {"role": "administrator"}, status=403)
    browser.get("/operations", status=403)
    with reading(sqlite_database) as session:
        assert session.scalar(select(func.count()).select_from(SignIn).where(SignIn.ended_at.is_(None))) == 1


def test_a_password_chosen_by_somebody_else_is_changed_before_anything_else(site, sqlite_database, clock):
    who = a_person(sqlite_database, "pmo", clock=clock, must_change=True)
    browser = Browser(site)
    page = browser.sign_in(who)
    assert (browser.path, page.heading) == ("/account/password", "Change password")
    assert browser.get("/").heading == "Change password"
    page = browser.post(
        "/account/password",
        {"present": PASSWORD, "password": "nine purple trains sing", "again": "nine purple trains sing"},
    )
    assert page.heading == "Kim Example"
    assert browser.get("/").heading == "Today"
    assert Browser(site).sign_in(who, "nine purple trains sing").heading == "Today"
    Browser(site).sign_in(who, PASSWORD, status=401)


@pytest.mark.parametrize(
    ("present", "new", "again", "said"),
    [
        ("wrong", "nine purple trains sing", "nine purple trains sing", "This is not your present password."),
        (PASSWORD, "short", "short", "At least 12 characters."),
        (
            PASSWORD,
            "nine purple trains sing",
            "nine purple trains sink",
            "This is not the same as the new password above.",
        ),
        (PASSWORD, "aaaabbbbaaaabbbb", "aaaabbbbaaaabbbb", "The same few characters over and over are guessed first."),
        (PASSWORD, "password12345", "password12345", "Without “password” there is little left of it"),
        (PASSWORD, "kim@example1", "kim@example1", "Without “example"),
    ],
)
def test_a_password_is_refused_at_the_field_and_nothing_changes(site, who, sqlite_database, present, new, again, said):
    browser = Browser(site)
    browser.sign_in(who)
    with reading(sqlite_database) as session:
        before = session.scalar(select(Account.password_hash))
    browser.get("/account/password")
    page = browser.post("/account/password", {"present": present, "password": new, "again": again}, status=422)
    assert said in page.errors()[0]
    with reading(sqlite_database) as session:
        assert session.scalar(select(Account.password_hash)) == before


def test_changing_the_password_signs_the_other_browsers_out(site, who):
    here, elsewhere = Browser(site), Browser(site)
    here.sign_in(who)
    elsewhere.sign_in(who)
    here.get("/account/password")
    here.post(
        "/account/password",
        {"present": PASSWORD, "password": "nine purple trains sing", "again": "nine purple trains sing"},
    )
    assert here.get("/").heading == "Today"
    assert elsewhere.get("/").heading == "Sign in"


def test_passwords_are_stored_as_argon2id(who, sqlite_database):
    with reading(sqlite_database) as session:
        stored = session.scalar(select(Account.password_hash))
    assert stored.startswith("$argon2id$v=19$")


def test_a_page_that_is_sent_after_signing_out_says_that_nothing_was_done(site, who):
    browser = Browser(site)
    browser.sign_in(who)
    browser.get("/account")
    token = browser.page.value("csrf_token")
    other = Browser(site)
    other.client.set_cookie("wavegate", browser.client.get_cookie("wavegate").value)
    other.get("/account")
    other.post("/account/leave-everywhere")
    response = browser.client.post("/account/role", data={"csrf_token": token, "role": "pmo"}, follow_redirects=True)
    assert "the last step was not taken" in Page(response.text).text
