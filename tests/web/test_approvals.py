"""Approvals on their pages and over the API: asked for, decided by those whom the rules name, and the rules by two people."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from app.composition.uow import reading
from app.jobs.reminders import remind_of_approvals
from governance.approvals.models import ApprovalAnswer, ApprovalRequest, ApprovalRule
from tests.support.approvals import KIND, a_rule, acting, asked, things
from tests.support.policies import approve
from tests.support.queries import queries
from tests.support.warehouse import balance
from tests.support.web import a_person, a_token
from tests.web.test_purchasing import business

__all__ = ["business"]


def _rows(business, table, *columns):
    with reading(business.database) as session:
        return session.execute(select(*(getattr(table, name) for name in columns)).order_by(table.id)).all()


def _write_off(business, browser, pieces="-50"):
    browser.get(f"/stock/{business.site}/{business.items[0]}/adjust")
    return browser.post(
        f"/stock/{business.site}/{business.items[0]}/adjust",
        {"quantity": pieces, "reason": "lost", "note": "not on the shelf"},
    )  # fmt: skip


def test_a_large_difference_in_stock_is_decided_by_the_rules_and_stands_with_who_may(signed_in, business):
    approve(business, "adjustment_limit_minor", 100_00)
    a_rule(business, "large", kind="stock_adjustment", people=2, amount_from_minor=100_00, currency="EUR")
    boss, lead, one, two = (signed_in(role) for role in ("warehouse_supervisor", "site_lead", "finance", "finance"))
    _write_off(business, boss, "-50")
    ((key, text, state),) = _rows(business, ApprovalRequest, "id", "rule_text", "state")
    assert (text, state) == ("From 100.00 EUR on, two different people of Finance decide.", "waiting")
    assert "Stock of 40-0 at Duisburg -50: lost" in one.get("/").text
    assert "Stock of 40-0" not in lead.get("/").text
    page = boss.get(f"/approvals/{key}")
    assert "You asked for it, so others decide." in page.text
    assert f"/approvals/{key}/withdraw" not in page.links()
    assert "The rules ask others." in lead.get(f"/approvals/{key}").text
    page = one.get(f"/approvals/{key}")
    assert "Two different people of Finance" in page.text
    page = one.post(f"/approvals/{key}", {"verdict": "reject", "reason": "", "version": "1"}, status=422)
    assert page.errors()
    page = one.post(
        f"/approvals/{key}", {"verdict": "approve", "reason": "seen", "version": "1", "request_key": "thumb"}
    )
    assert "others are still asked" in page.text
    assert "Stock of 40-0" not in one.get("/").text
    page = two.post(f"/approvals/{key}", {"verdict": "approve", "reason": "", "version": "1", "request_key": "thumb2"})
    assert "It is approved, and has its effect." in page.text
    with reading(business.database) as session:
        assert session.scalar(select(ApprovalAnswer.reason).where(ApprovalAnswer.reason != "")) == "seen"
    assert balance(business)[0] == 50


def test_a_reminder_stands_on_the_page_of_who_is_asked_in_the_history_and_for_programs(signed_in, site, business):
    things()
    a_rule(business, timeout_hours=8, escalate_to="role:sponsor")
    asker = a_person(business.database, "pmo", clock=business.clock)
    key = asked(business, acting(asker.id, "pmo"), site=business.site)
    business.clock.advance(timedelta(hours=6))
    finance = signed_in("finance")
    assert "reminded of" not in finance.get("/").text
    assert remind_of_approvals(business.database, clock=business.clock, mail_url=None) == 1
    assert "reminded of, its time is nearly over" in finance.get("/").text
    page = finance.get(f"/approvals/{key}")
    assert "Reminded of" in page.text
    assert "on the page Today, there is no mail server" in page.text
    assert "people were reminded at" in page.text
    someone = a_person(business.database, "finance", clock=business.clock)
    token = a_token(business.database, someone, "finance", clock=business.clock)
    told = site.test_client().get(f"/api/v1/approvals/{key}", headers={"Authorization": f"Bearer {token}"}).json
    assert [(move["move"], move["reason"]) for move in told["history"]] == [
        ("ask", None), ("remind", "on the page Today, there is no mail server"),
    ]  # fmt: skip
    assert told["needs"][0]["remind_at"] == told["needs"][0]["reminded_at"] == "2026-03-02T15:00:00Z"


def test_the_list_shows_what_waits_for_me_what_i_asked_for_and_all_in_few_queries(signed_in, business):
    made = things()
    a_rule(business)
    asker = a_person(business.database, "pmo", clock=business.clock)
    for subject in range(1, 6):
        made.versions[subject] = 1
        asked(business, acting(asker.id, "pmo"), subject=subject)
    finance, office = signed_in("finance"), signed_in("pmo")
    with queries(business.database) as ran:
        page = finance.get("/approvals?waits=1")
    assert "Thing 5 as it is now" in page.text
    assert len(ran) <= 25
    assert "Thing 5" not in office.get("/approvals?waits=1").text
    made.versions[6] = 1
    own = asked(business, acting(office.who.id, "pmo"), subject=6)
    assert f"/approvals/{own}/withdraw" in office.get(f"/approvals/{own}").links()
    assert "Thing 5" in office.get("/approvals").text
    with queries(business.database) as ran:
        assert "Thing 1 as it is now" in finance.get("/").text
    assert len(ran) <= 25


def test_a_rule_is_changed_on_its_page_by_one_and_approved_by_another(signed_in, business):
    things()
    rule = a_rule(business, "all")
    office, chief = signed_in("pmo"), signed_in("sponsor")
    assert "In every case, one person of Finance decides." in office.get("/approvals/rules").text
    office.get(f"/approvals/rules/{rule}/change")
    typed = {
        "code": "all", "amount_from": "5000", "currency": "EUR", "capacity": "role:finance", "people": "2", "timeout_hours": "16",
        "escalate_to": "role:sponsor", "materiality": "", "seen": "1", "reason": "",
    }  # fmt: skip
    page = office.post(f"/approvals/rules/{rule}/change", typed, status=422)
    assert page.errors()
    assert page.value("amount_from") == "5000"
    page = office.post(f"/approvals/rules/{rule}/change", {**typed, "reason": "large ones take two"})
    said = "From 5,000.00 EUR on, two different people of Finance decide within 16 working hours, afterwards Sponsor may too."
    assert said in page.text
    assert "You proposed it, so somebody else decides." in page.text
    assert "Rule of approval: all" in chief.get("/").text
    new = _rows(business, ApprovalRule, "id", "state")[-1][0]
    chief.get(f"/approvals/rules/{new}")
    page = chief.post(f"/approvals/rules/{new}", {"verdict": "approve", "reason": "agreed", "version": "2"})
    assert "It holds from now on." in page.text
    with reading(business.database) as session:
        states = session.execute(
            select(ApprovalRule.state).where(ApprovalRule.kind == KIND).order_by(ApprovalRule.version)
        )
        assert [row[0] for row in states] == ["replaced", "in_force"]


def test_somebody_names_a_delegate_and_ends_it(signed_in, business):
    mate = a_person(business.database, "finance", clock=business.clock, name="Robin Example")
    finance = signed_in("finance")
    day = business.clock.now().date()
    typed = {
        "delegate": mate.sign_in,
        "from_on": str(day),
        "until_on": str(day + timedelta(days=4)),
        "reason": "on leave",
    }
    finance.get("/approvals/delegation")
    page = finance.post("/approvals/delegation", {**typed, "delegate": "nobody@example.com"}, status=422)
    assert page.errors()
    page = finance.post("/approvals/delegation", typed)
    assert "Robin Example" in page.text
    link = next(href for href in page.links() if href.endswith("/end"))
    finance.get(link)
    page = finance.post(link, {"reason": "back again"})
    assert "Nobody answers for you." in page.text


def test_a_program_lists_answers_and_is_refused_with_the_reason(caller, business):
    things()
    a_rule(business)
    asker = a_person(business.database, "pmo", clock=business.clock)
    key = asked(business, acting(asker.id, "pmo"))
    finance, office = caller("finance"), caller("pmo")
    (found,) = finance("GET", "/approvals?waits=true").json["items"]
    assert (found["id"], found["rule_text"]) == (key, "In every case, one person of Finance decides.")
    assert office("GET", "/approvals?waits=true").json["items"] == []
    refused = office("POST", f"/approvals/{key}/answer", {"verdict": "approve"}, version=1)
    assert (refused.status_code, refused.json["code"]) == (403, "approval_not_yours")
    stale = finance("POST", f"/approvals/{key}/answer", {"verdict": "approve"}, version=7)
    assert stale.status_code in (409, 412)
    done = finance("POST", f"/approvals/{key}/answer", {"verdict": "approve"}, version=1)
    assert (done.status_code, done.json["state"], done.json["answers"][0]["capacity"]) == (
        200,
        "approved",
        "role:finance",
    )
    assert finance("GET", "/approvals/999999").status_code == 404
    kinds = {rule["kind"] for rule in office("GET", "/approval-rules").json["items"]}
    assert {"stock_adjustment", "controlled_variation", KIND} <= kinds
