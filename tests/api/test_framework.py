"""What every operation of the API does alike: tokens, problems, keys, pages, versions, and its own description."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import func, select

from app.api import framework
from app.api.framework import check_version
from app.api.values import Amount, Body, PageQuery, Quantity, page_of, set_filters
from app.composition.uow import reading, unit_of_work
from app.identity.models import Account, ApiToken
from app.messages import MESSAGES
from app.security.permissions import Permission
from erpcore.kernel import requests
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Busy, RuleBroken
from tests.support.trail import acts
from tests.support.web import a_person, a_token

NOA = {"sign_in": "noa@example.com", "name": "Noa Berg"}


class Caller:
    """A program with a token."""

    def __init__(self, site, secret):
        self.client = site.test_client()
        self.secret = secret

    def __call__(self, method, path, body=None, **headers):
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(
            f"/api/v1{path}", method=method, json=body, headers={"Authorization": f"Bearer {self.secret}", **given}
        )


@pytest.fixture
def call(site, sqlite_database, clock):
    who = a_person(sqlite_database, "administrator", clock=clock)
    caller = Caller(site, a_token(sqlite_database, who, "administrator", clock=clock))
    caller.who = who
    return caller


def _accounts(database):
    with reading(database) as session:
        return session.scalar(select(func.count()).select_from(Account))


def test_a_problem_names_the_thing_and_the_way_out(call):
    answer = call("GET", "/users/999")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    problem = answer.json
    assert problem.pop("request_id") == answer.headers["X-Request-Id"]
    assert problem == {
        "type": "urn:wavegate:problem:account_unknown",
        "title": "Not found",
        "status": 404,
        "code": "account_unknown",
        "detail": "There is no such account, or it is closed.",
    }


def test_without_the_permission_the_refusal_names_it(site, sqlite_database, clock):
    who = a_person(sqlite_database, "auditor", clock=clock)
    answer = Caller(site, a_token(sqlite_database, who, "auditor", clock=clock))("POST", "/users", NOA)
    assert (answer.status_code, answer.json["code"]) == (403, "not_allowed")
    assert "app:user:manage" in answer.json["detail"]
    assert _accounts(sqlite_database) == 1


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/sign_in", "/name"]),
        ({**NOA, "nmae": "x"}, ["/nmae"]),
        ({**NOA, "sign_in": "two words"}, ["/sign_in"]),
        ({**NOA, "name": 7}, ["/name"]),
    ],
)
def test_a_body_that_does_not_fit_is_refused_part_by_part(call, sqlite_database, body, pointers):
    answer = call("POST", "/users", body)
    assert (answer.status_code, answer.json["code"]) == (422, "unfit")
    assert [error["pointer"] for error in answer.json["errors"]] == pointers
    assert _accounts(sqlite_database) == 1


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"{", "application/json"), (b"[]", "application/json"), (b"{}", "text/plain"), (b"", "application/json")],
)
def test_a_body_that_is_no_object_is_refused(call, data, kind):
    answer = call.client.post(
        "/api/v1/users", data=data, content_type=kind, headers={"Authorization": f"Bearer {call.secret}"}
    )
    assert (answer.status_code, answer.json["code"]) == (400, "body_unreadable")


def test_a_rule_that_is_broken_points_at_the_field(call):
    call("POST", "/users", NOA)
    answer = call("POST", "/users", NOA)
    assert (answer.status_code, answer.json["code"], answer.json["field"]) == (409, "sign_in_taken", "sign_in")
    answer = call("POST", "/users", {**NOA, "sign_in": "x", "time_zone": "Mars/Olympus"})
    assert (answer.status_code, answer.json["pointer"]) == (422, "/time_zone")


def test_unknown_addresses_and_methods_are_problems_too(call):
    assert call("GET", "/nothing").content_type == "application/problem+json"
    answer = call("DELETE", "/users")
    assert (answer.status_code, answer.content_type) == (405, "application/problem+json")
    assert "GET" in answer.headers["Allow"]


def test_a_number_too_large_for_an_id_is_an_unknown_id(call):
    assert call("GET", f"/users/{2**63}").status_code == 404
    assert call("GET", f"/users/{10**40}").status_code == 404


def test_the_same_key_and_content_twice_has_one_effect_and_one_answer(call, sqlite_database):
    first = call("POST", "/users", NOA, Idempotency_Key="key-00000001")
    again = call("POST", "/users", NOA, Idempotency_Key="key-00000001")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert _accounts(sqlite_database) == 2


def test_the_same_key_with_other_content_is_a_conflict(call, sqlite_database):
    call("POST", "/users", NOA, Idempotency_Key="key-00000001")
    answer = call("POST", "/users", {**NOA, "sign_in": "other"}, Idempotency_Key="key-00000001")
    assert (answer.status_code, answer.json["code"]) == (409, "request_key_reused")
    assert _accounts(sqlite_database) == 2


def test_a_key_belongs_to_one_account(site, call, sqlite_database, clock):
    call("POST", "/users", NOA, Idempotency_Key="key-00000001")
    who = a_person(sqlite_database, "administrator", clock=clock)
    other = Caller(site, a_token(sqlite_database, who, "administrator", clock=clock))
    assert other("POST", "/users", {**NOA, "sign_in": "other"}, Idempotency_Key="key-00000001").status_code == 201


def test_a_refused_request_leaves_its_key_free(call, sqlite_database):
    bad = {**NOA, "time_zone": "Mars/Olympus"}
    assert call("POST", "/users", bad, Idempotency_Key="key-00000001").status_code == 422
    assert call("POST", "/users", NOA, Idempotency_Key="key-00000001").status_code == 201


@pytest.mark.parametrize("key", ["short", "with space in it", "x" * 201])
def test_a_key_that_cannot_be_kept_is_refused(call, key):
    answer = call("POST", "/users", NOA, Idempotency_Key=key)
    assert (answer.status_code, answer.json["code"]) == (422, "key_unusable")


def test_a_keyed_call_is_tried_three_times_when_others_are_faster(call, monkeypatch):
    tries = []

    def busy(work, key, content):
        tries.append(key)
        if len(tries) < 3:
            raise Busy("busy")
        return claim(work, key, content)

    claim = requests.claim
    monkeypatch.setattr(framework.requests, "claim", busy)
    monkeypatch.setattr(framework, "PAUSE_SECONDS", 0)
    assert call("POST", "/users", NOA, Idempotency_Key="key-00000001").status_code == 201
    assert len(tries) == 3


def test_when_it_stays_busy_the_caller_is_told_to_try_again(call, monkeypatch):
    def busy(*_):
        raise Busy("busy")

    monkeypatch.setattr(framework.requests, "claim", busy)
    monkeypatch.setattr(framework, "PAUSE_SECONDS", 0)
    answer = call("POST", "/users", NOA, Idempotency_Key="key-00000001")
    assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (503, "busy", "1")


def test_a_secret_is_told_once_even_to_the_same_key(call, sqlite_database):
    body = {"name": "feed", "role": "administrator", "permissions": ["app:user:read"], "days": 3}
    path = f"/users/{call.who.id}/tokens"
    first = call("POST", path, body, Idempotency_Key="key-00000001").json
    again = call("POST", path, body, Idempotency_Key="key-00000001").json
    assert first["secret"].startswith("wg1_")
    assert again == {**first, "secret": None}
    with reading(sqlite_database) as session:
        assert session.scalar(select(func.count()).select_from(ApiToken)) == 2
        kept = session.scalars(select(requests.RequestKey.result)).all()
    assert not any(first["secret"] in result for result in kept)


def test_a_token_beyond_its_role_is_refused(call):
    body = {"name": "feed", "role": "auditor", "permissions": ["app:user:manage"]}
    answer = call("POST", f"/users/{call.who.id}/tokens", body)
    assert (answer.status_code, answer.json["code"]) == (422, "token_beyond_role")


def test_lists_are_read_part_by_part(call, sqlite_database, clock):
    for _ in range(4):
        a_person(sqlite_database, "pmo", clock=clock)
    ids, cursor = [], None
    for _ in range(3):
        part = call("GET", f"/users?limit=2{f'&cursor={cursor}' if cursor else ''}").json
        ids.append([one["id"] for one in part["items"]])
        cursor = part["next"]
    assert [len(part) for part in ids] == [2, 2, 1]
    assert cursor is None
    everyone = [one for part in ids for one in part]
    assert everyone == sorted(everyone)


@pytest.mark.parametrize("query", ["cursor=x", "cursor=YWZ0ZXI6eA==", "cursor=é"])
def test_a_cursor_of_somebody_else_is_refused(call, query):
    answer = call("GET", f"/users?{query}")
    assert (answer.status_code, answer.json["code"]) == (400, "cursor_unknown")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "size=3"])
def test_a_query_that_does_not_fit_is_refused(call, query):
    assert call("GET", f"/users?{query}").status_code == 422


def test_a_zero_byte_is_no_value_at_all(call):
    answer = call("GET", "/users?cursor=%00")
    assert (answer.status_code, answer.json["code"]) == (422, "unfit")


def test_the_row_too_many_makes_the_cursor():
    assert page_of(["a", "b"], [5, 9], 2).next is None
    page = page_of(["a", "b", "c"], [5, 9, 11], 2)
    assert page.items == ["a", "b"]
    assert PageQuery(cursor=page.next).after == 9


class _Money(Body):
    amount: Amount
    quantity: Quantity = Decimal(1)


class _Days(Body):
    one: date | None = None
    many: list[date] = Field(default_factory=list)


@pytest.mark.parametrize(
    "given", [{"one": "9999-12-31"}, {"one": "0001-01-01"}, {"many": ["2026-03-02", "9999-12-31"]}]
)
def test_a_day_that_no_calendar_has_is_refused_also_among_others(given):
    with pytest.raises(ValidationError, match="name a year from 1900 to 2999"):
        _Days.model_validate(given)
    assert _Days(one=date(1900, 1, 1), many=[date(2999, 12, 31)])


@pytest.mark.parametrize("given", ["12.50", "0", "-3.1", "9999999999999.9999"])
def test_amounts_come_and_go_as_strings(given):
    money = _Money(amount=given)
    assert money.amount == Decimal(given)
    assert f'"amount":"{given}"' in money.model_dump_json()


@pytest.mark.parametrize(
    "given", [12.5, 12, True, "", "1,5", "1e400", "NaN", "Infinity", "1.00001", "10000000000000", None]
)
def test_amounts_that_could_lose_a_digit_are_refused(given):
    with pytest.raises(ValidationError):
        _Money(amount=given)


def test_a_version_that_is_not_the_present_one_is_refused():
    check_version(3, 3)
    with pytest.raises(Exception, match="precondition_failed"):
        check_version(2, 3)


def test_versions_travel_as_etag_and_if_match(site, call, sqlite_database, clock):
    class Thing(BaseModel):
        version: int

    def change_thing(work, body, version):
        check_version(version, 7)
        return Thing(version=8)

    class Nothing(Body):
        pass

    found = framework.Operation(
        name="change_thing", method="PUT", path="/thing", permission=Permission.SELF_READ, summary="", tag="Test",
        view=change_thing, answer=Thing, body=Nothing, versioned=True,
    )  # fmt: skip
    site.add_url_rule("/api/v1/thing", "thing", framework._served(found), methods=["PUT"])
    from app.extensions import csrf

    csrf.exempt(site.view_functions["thing"])
    assert call("PUT", "/thing", {}).status_code == 428
    assert call("PUT", "/thing", {}, If_Match='"6"').status_code == 412
    assert call("PUT", "/thing", {}, If_Match="*").status_code == 412
    answer = call("PUT", "/thing", {}, If_Match='"7"')
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"8"')


def test_an_unknown_failure_is_an_incident_without_its_trace(site, call, monkeypatch, capfd):
    def broken(*_args, **_more):
        raise RuntimeError("the secret inside")

    monkeypatch.setattr("app.api.v1.people.person", broken)
    answer = call("GET", "/users/1")
    assert (answer.status_code, answer.json["code"]) == (500, "incident")
    assert "secret" not in answer.text
    assert answer.json["incident"] in capfd.readouterr().err


def test_every_operation_is_described_and_every_refusal_has_words(site):
    description = site.test_client().get("/api/v1/openapi.json").json
    assert description["openapi"] == "3.1.0"
    described = {
        (method.upper(), description["servers"][0]["url"] + path)
        for path, methods in description["paths"].items()
        for method in methods
    }
    served = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(rule)))
        for rule in site.url_map.iter_rules()
        if rule.endpoint.startswith("api.") and rule.endpoint != "api.openapi"
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert described == served
    assert {"key_unusable", "body_unreadable", "cursor_unknown", "precondition_needed", "precondition_failed"} <= set(
        MESSAGES
    )


def test_the_examples_of_the_docs_fit_their_models(site):
    for found in framework._operations:
        if found.body is not None:
            assert found.example, f"{found.name} has no example"
            found.body.model_validate(found.example)


def test_names_of_operations_are_unique():
    names = [found.name for found in framework._operations]
    assert len(names) == len(set(names))


def test_an_operation_of_a_work_that_fails_changes_nothing(call, sqlite_database, monkeypatch):
    def broken(*_args, **_more):
        raise RuleBroken("name_missing", field="name")

    monkeypatch.setattr("app.api.v1.people.person", broken)
    assert call("POST", "/users", NOA).status_code == 422
    assert _accounts(sqlite_database) == 1


def test_the_audit_trail_names_the_account_behind_the_token(call, sqlite_database, clock):
    made = call("POST", "/users", NOA).json
    answer = call("POST", f"/users/{made['id']}/roles", {"role": "pmo", "reason": "office"})
    assert answer.status_code == 201
    with reading(sqlite_database) as session:
        act = acts(session)[0]
    assert (act.kind, act.subject_id, act.actor, act.role) == ("role.granted", made["id"], call.who.id, "administrator")
    assert act.facts["reason"] == "office"
    assert call("POST", f"/roles/{answer.json['id']}/revoke", {"reason": "done"}).status_code == 204
    assert call("POST", f"/users/{made['id']}/close", {"reason": "left"}).status_code == 204
    assert call("GET", f"/users/{made['id']}").json["is_closed"] is True
    with unit_of_work(sqlite_database, actor=Actor.system("test"), clock=clock) as work:
        assert work.session.get(Account, made["id"]).closed_at == clock.now()


class _Filters(PageQuery):
    """Filters of every kind."""

    text: str = ""
    late: bool = False
    places: int | None = None


def test_a_filter_of_nil_is_a_filter():
    assert set_filters(_Filters()) == {}
    assert set_filters(_Filters(places=0, limit=3)) == {"places": 0}
    assert set_filters(_Filters(late=True, text="a")) == {"late": True, "text": "a"}


def test_a_key_of_two_parts_makes_a_cursor_that_a_list_of_single_keys_refuses():
    page = page_of(["a", "b"], [(5, 9), (5, 11)], 1)
    assert PageQuery(cursor=page.next).position((int, int)) == (5, 9)
    with pytest.raises(RuleBroken, match="cursor_unknown"):
        _ = PageQuery(cursor=page.next).after
    with pytest.raises(RuleBroken, match="cursor_unknown"):
        PageQuery(cursor=page_of(["a", "b"], [5, 6], 1).next).position((int, int))
    assert PageQuery().position((int, int)) is None
