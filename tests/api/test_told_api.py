"""What customers are told and people say, saved views, and whose a queue is, over the API: the rules of the pages, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from app.composition.cases import ExceptionRule
from app.composition.letters import AgentScript, LetterTemplate
from app.composition.saved_views import DefaultView, SavedView
from app.composition.uow import reading
from tests.support.operate import a_trading_business

TEXT = "/letter-texts/confirmation/de"


@pytest.fixture
def sqlite_database(database):
    """Each of the two."""
    return database


@pytest.fixture
def trade(sqlite_database, clock):
    return a_trading_business(sqlite_database, clock)


def counted(database, *tables):
    with reading(database) as session:
        return [session.scalar(select(func.count()).select_from(table)) for table in tables]


def refused(answer, status, code):
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.json
    return answer.json


def test_a_text_is_read_looked_at_with_an_order_and_put_in_force_once_by_who_may(caller, trade, sqlite_database):
    owner, desk = caller("process_owner"), caller("customer_service")
    assert desk("GET", "/letter-texts").json["count"] == 24
    found = desk("GET", "/letter-texts?event=hold&language=fr").json["items"]
    assert [(one["event"], one["language"], one["version"]) for one in found] == [("hold", "fr", 0)]
    assert found[0]["fields"]["customer"] == "the customer’s name"
    body = {"subject": "Auftrag {order}", "body": "Guten Tag {customer}", "order": f"SO-{trade.held}"}
    looked = owner("POST", f"{TEXT}/look", body).json
    assert (looked["subject"], looked["body"].split()[:3]) == (
        f"Auftrag SO-{trade.held}",
        ["Guten", "Tag", "Bautechnik"],
    )
    refused(owner("POST", f"{TEXT}/look", body | {"order": "SO-1"}), 404, "order_unknown")
    text = {"subject": "Auftrag {order}", "body": "Guten Tag {customer}", "version": 0}
    refused(desk("POST", TEXT, text), 403, "not_allowed")
    assert "iban" in refused(owner("POST", TEXT, text | {"body": "{iban}"}), 422, "letter_field_unknown")["detail"]
    refused(owner("POST", "/letter-texts/birthday/de", text), 404, "letter_event_unknown")
    refused(owner("POST", "/letter-texts/hold/tlh", text), 404, "letter_language")
    assert counted(sqlite_database, LetterTemplate) == [0]
    assert owner("POST", TEXT, text).json["version"] == 1
    refused(owner("POST", TEXT, text), 409, "letter_text_changed")
    assert counted(sqlite_database, LetterTemplate) == [1]
    assert desk("GET", TEXT).json["subject"] == "Auftrag {order}"


def test_what_people_say_is_read_changed_and_told_for_an_order_and_an_exception(caller, trade, sqlite_database):
    owner, desk = caller("process_owner"), caller("customer_service")
    known = {one["situation"]: one["version"] for one in desk("GET", "/agent-scripts").json["items"]}
    assert len(known) == 10
    assert set(known.values()) == {0}
    (words,) = desk("GET", f"/orders/{trade.held}/words").json["items"]
    assert words["situation"].startswith("hold_")
    here = f"/agent-scripts/{words['situation']}"
    refused(desk("POST", here, {"body": "x", "version": 0}), 403, "not_allowed")
    refused(owner("POST", "/agent-scripts/rain", {"body": "x", "version": 0}), 404, "situation_unknown")
    refused(owner("POST", here, {"body": "  ", "version": 0}), 422, "unfit")
    assert counted(sqlite_database, AgentScript) == [0]
    assert owner("POST", here, {"body": "Ask first.", "version": 0}).json["version"] == 1
    refused(owner("POST", here, {"body": "Ask last.", "version": 0}), 409, "letter_text_changed")
    assert desk("GET", here).json["body"] == "Ask first."
    assert desk("GET", f"/orders/{trade.held}/words").json["items"][0]["body"] == "Ask first."
    assert desk("GET", f"/orders/{trade.paid}/words").json["count"] == 0
    desk(
        "POST",
        "/exceptions/moves",
        {"documents": [{"subject": "order", "id": trade.held}], "move": "note", "text": "called"},
    )
    one = desk("GET", f"/exceptions/order/{trade.held}").json
    assert [(each["act"], each["text"], each["by_role"]) for each in one["history"]] == [
        ("noted", "called", "customer_service")
    ]
    assert one["words"][0]["body"] == "Ask first."
    refused(desk("GET", f"/exceptions/order/{trade.paid}"), 404, "not_in_trouble")


def test_the_owner_of_a_queue_is_set_by_who_may_for_a_role_that_works_on_it(caller, trade, sqlite_database):
    lead, desk = caller("process_owner"), caller("customer_service")
    rule = {"queue": "short", "site": trade.business.site, "role": "super_user"}
    refused(desk("POST", "/exception-owners", rule), 403, "not_allowed")
    refused(lead("POST", "/exception-owners", rule | {"role": "auditor"}), 422, "case_rule_role")
    refused(lead("POST", "/exception-owners", rule | {"site": 4_711_000}), 404, "site_unknown")
    assert counted(sqlite_database, ExceptionRule) == [0]
    assert lead("POST", "/exception-owners", rule | {"version": 0}).json == rule | {"version": 1}
    refused(lead("POST", "/exception-owners", rule | {"version": 0}), 409, "case_rule_changed")
    everywhere = lead("POST", "/exception-owners", rule | {"site": None, "role": "customer_service"}).json
    assert everywhere["site"] is None
    assert desk("GET", "/exception-owners").json["count"] == 2


def test_a_view_is_saved_changed_opened_with_and_forgotten_by_its_owner_alone(caller, trade, sqlite_database):
    mine, other = caller("customer_service"), caller("super_user")
    view = {"list_name": "orders", "name": "Held", "filters": {"state": "held", "sort": "-value"}, "is_default": True}
    for wrong, code, status in (
        ({"list_name": "dreams"}, "view_list_unknown", 404), ({"filters": {"colour": "red"}}, "view_filter", 422),
        ({"filters": {"state": "lost"}}, "view_filter", 422), ({"filters": {"sort": "cost"}}, "view_filter", 422),
        ({"filters": {"size": "7"}}, "view_filter", 422), ({"share": True}, "not_allowed", 403), ({"name": "  "}, "unfit", 422),
        ({"list_name": "audit", "filters": {}}, "not_allowed", 403),
    ):  # fmt: skip
        refused(mine("POST", "/list-views", view | wrong), status, code)
    assert counted(sqlite_database, SavedView, DefaultView) == [0, 0]
    made = mine("POST", "/list-views", view)
    assert (made.status_code, made.json["version"], made.json["is_default"]) == (201, 1, True)
    assert made.json["filters"] == {"sort": ["-value"], "state": ["held"]}
    refused(mine("POST", "/list-views", view), 409, "view_name_taken")
    key = made.json["id"]
    refused(other("GET", f"/list-views/{key}"), 404, "view_unknown")
    refused(other("DELETE", f"/list-views/{key}"), 404, "view_unknown")
    changed = {"name": "Held now", "filters": {"state": "held", "col": ["number", "value"]}, "version": 1}
    assert mine("PUT", f"/list-views/{key}", changed).json["name"] == "Held now"
    refused(mine("PUT", f"/list-views/{key}", changed), 409, "view_changed")
    assert mine("POST", f"/list-views/{key}/default", {"is_default": True}).json["is_default"] is True
    (listed,) = mine("GET", "/list-views?list_name=orders").json["items"]
    assert (listed["name"], listed["is_own"], listed["is_default"]) == ("Held now", True, True)
    assert other("GET", "/list-views?list_name=orders").json["count"] == 0
    assert mine("DELETE", f"/list-views/{key}").status_code == 204
    assert counted(sqlite_database, SavedView, DefaultView) == [0, 0]


def test_a_shared_view_is_seen_by_the_role_that_it_is_shared_with(caller, trade):
    lead, desk, clerk = caller("site_lead"), caller("customer_service"), caller("billing")
    made = lead(
        "POST", "/list-views", {"list_name": "orders", "name": "All", "share": True, "role": "customer_service"}
    )
    assert (made.status_code, made.json["shared_role"]) == (201, "customer_service")
    (seen,) = desk("GET", "/list-views?list_name=orders").json["items"]
    assert (seen["is_own"], seen["owner_role"]) == (False, "site_lead")
    assert clerk("GET", "/list-views?list_name=orders").json["count"] == 0
    opened = desk("POST", f"/list-views/{seen['id']}/default", {"is_default": True}).json
    assert opened["is_default"] is True
    refused(desk("PUT", f"/list-views/{seen['id']}", {"name": "Mine", "version": 1}), 404, "view_unknown")
