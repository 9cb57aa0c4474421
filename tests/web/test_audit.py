"""The audit trail as a list: by object, person and time, with names for who may see people, in files, and for programs."""

from __future__ import annotations

from app.composition.uow import unit_of_work
from app.web.audit.views import _PAGES
from tests.support.approvals import acting
from tests.support.queries import queries
from tests.support.web import a_person
from tests.web.test_purchasing import business

__all__ = ["business"]


def test_acts_are_found_by_object_person_and_time_and_lead_to_their_object(signed_in, business):
    kim = a_person(business.database, "buyer", clock=business.clock)
    office, design = signed_in("pmo"), signed_in("design_authority")
    with queries(business.database) as ran:
        page = office.get(f"/audit?object=account&number={kim.id}")
    assert len(ran) <= 25
    assert "Account created" in page.text
    assert "Role granted" in page.text
    assert f"/people/{kim.id}" in page.links()
    assert "Account created" in office.get("/audit?since=2026-03-02&until=2026-03-02&object=account").text
    assert "No act fits" in office.get("/audit?until=2026-03-01").text
    assert "Account created" in design.get("/audit?object=account").text


def test_who_may_not_see_people_cannot_ask_who_did_what(signed_in, caller, business):
    kim = a_person(business.database, "buyer", clock=business.clock)
    with unit_of_work(business.database, actor=acting(kim.id, "buyer"), clock=business.clock) as work:
        work.audit("waiver.granted", "waiver", 7)
    office, design = signed_in("pmo"), signed_in("design_authority")
    assert "1 act" in office.get(f"/audit?person={kim.id}").text
    # A choice that is not offered chooses nothing: all acts stand there, hers and everybody's.
    assert design.get(f"/audit?person={kim.id}").text == design.get("/audit").text
    assert len(caller("auditor")("GET", f"/audit/acts?person={kim.id}").json["items"]) == 1
    assert caller("design_authority")("GET", f"/audit/acts?person={kim.id}").json["items"] == []
    # Nor by looking for the number that the act was kept with.
    assert "No act fits" in design.get(f"/audit?text=%22actor%22%3A{kim.id}").text
    assert "1 act" in design.get("/audit?text=waiver.granted").text


def test_days_at_the_ends_of_the_calendar_are_days_too(signed_in, caller, business):
    page = signed_in("pmo").get("/audit?since=0001-01-01&until=9999-12-31&object=account")
    assert "Account created" in page.text
    program = caller("auditor")
    assert program("GET", "/audit/acts?until=2999-12-31").json["items"]
    assert program("GET", "/audit/acts?since=2999-12-31").json["items"] == []
    assert program("GET", "/audit/acts?until=9999-12-31").json["errors"][0]["pointer"] == "/until"


def test_a_program_reads_acts_and_checks_the_chain(caller, business):
    kim = a_person(business.database, "buyer", clock=business.clock)
    audit = caller("auditor")
    found = audit("GET", f"/audit/acts?object=account&number={kim.id}").json["items"]
    assert [one["kind"] for one in found] == ["account.created", "role.granted"]
    page = audit("GET", "/audit/acts?limit=1").json
    assert page["next"]
    assert audit("GET", f"/audit/acts?limit=1&cursor={page['next']}").json["items"][0]["id"] > page["items"][0]["id"]
    chain = audit("GET", "/audit/chain").json
    assert (chain["broken_at"], chain["links"] > 2) == (None, True)
    assert caller("buyer")("GET", "/audit/acts").status_code == 403


def test_every_kind_of_object_that_has_a_page_leads_to_one_that_there_is(signed_in, business):
    site = signed_in("auditor").client.application
    arguments = {rule.endpoint: rule.arguments for rule in site.url_map.iter_rules() if "GET" in rule.methods}
    for endpoint, argument in _PAGES.values():
        assert arguments[endpoint] == {argument}
        assert site.view_functions[endpoint].permission


def test_the_daily_mail_is_stopped_and_wanted_again_on_ones_account(signed_in):
    browser = signed_in("finance", email="ann@example.com")
    assert "A mail each morning" in browser.get("/account").text
    assert "You get no daily mail" in browser.post("/account/digest", {"wanted": "no"}).text
    assert "A mail each morning" in browser.post("/account/digest", {"wanted": "yes"}).text


def test_changes_of_master_data_stand_there_in_words_and_lead_to_their_object(signed_in, business):
    office = signed_in("auditor")
    with queries(business.database) as ran:
        page = office.get("/audit?object=item")
    assert len(ran) <= 25
    assert "Item added" in page.text
    page = office.get("/audit?object=customer")
    assert "Customer added" in page.text
    assert "entity: DE01" in page.text
    assert [one for one in page.links() if one.startswith("/customers/")]
    page = office.get("/audit?object=ledger_account")
    assert "at once" in page.text
    assert office.client.get("/audit.csv?object=site").get_data(as_text=True).count("site.added") >= 1
