"""Templates of places on the screen and for programs: taken, changed, looked at, and made once, also when sent twice."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from app.composition.uow import reading
from erpcore.masterdata.models import Site
from erpcore.ports import POLICY_POINTS
from tests.support.core import a_business
from tests.support.places import a_model_site
from tests.support.queries import MOST, queries


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    made.programme, made.lead = a_model_site(made)
    return made


def sites(business):
    with reading(business.database) as session:
        return session.scalar(select(func.count()).select_from(Site))


def filled(page):
    """What the form of the page would send as it is."""
    out = {}
    for tag in ("input", "textarea", "select"):
        for one in page.root.find(tag):
            name, kind = one.attributes.get("name"), one.attributes.get("type", "")
            if not name or name == "csrf_token" or (kind == "checkbox" and "checked" not in one.attributes):
                continue
            options = one.find("option")
            if options:
                chosen = next((each for each in options if "selected" in each.attributes), options[0])
                out[name] = chosen.attributes.get("value", "")
            else:
                out[name] = one.attributes.get("value", one.text_with_spaces.strip())
    return out


def test_the_office_takes_a_template_changes_it_and_makes_a_site_after_a_look(signed_in, business):
    office = signed_in("pmo")
    page = office.get("/templates")
    assert "No template" in page.text
    page = office.get("/templates/take")
    page = office.post("/templates/take", {
        "place": f"site:{business.site}", "code": "branch", "name": "A branch as Duisburg", "why": "", "request_key": page.value("request_key"),
    })  # fmt: skip
    assert page.heading == "A branch as Duisburg"
    assert "A-01" in page.text
    assert "Partial shipment" in page.text
    assert POLICY_POINTS["partial_shipment"].sentence in page.text
    assert "partial_shipment" not in page.text
    address = office.path
    page = office.get(f"{address}/change")
    fields = filled(page)
    assert "Mon; 07:00; 16:00" in fields["hours"]
    bad = office.post(f"{address}/change", {**fields, "hours": "Someday; 07:00; 16:00", "reason": "a slip"}, status=422)
    assert "weekday cannot be “Someday” (row 1)" in bad.text
    page = office.post(f"{address}/change", {**fields, "closed": "", "reason": "holidays differ"})
    assert "The next version is kept" in page.text
    with queries(business.database) as ran:
        page = office.get(f"{address}/apply")
    assert len(ran) <= MOST
    asked = {
        **filled(page), "code": "DUI", "name": "Bremen", "channels": str(business.channel), "reason": "the north grows",
        "until_on": "2026-12-31", "owner": str(business.lead),
    }  # fmt: skip
    page = office.post(f"{address}/apply", asked, status=422)
    assert "1 thing in its way" in page.text
    assert sites(business) == 1
    page = office.post(f"{address}/apply", {**asked, "code": "BRE"})
    assert "nothing in its way" in page.text
    assert "proposed and not in force until it is approved" in page.text
    assert sites(business) == 1
    sure = {**asked, "code": "BRE", "seen": page.value("seen")}
    # What stands in no line of the plan is made all the same, so it is part of what was seen.
    for name, other in (("fact_region", "North"), ("until_on", "2027-06-30"), ("reason", "another one")):
        page = office.post(f"{address}/apply", {**sure, name: other}, status=409)
        assert sites(business) == 1, name
    for _ in range(2):
        page = office.post(f"{address}/apply", sure)
        assert "BRE Bremen" in page.text
        assert "Site lead: 1 of 1 missing" in page.text
    assert sites(business) == 2
    assert "Made from it" in office.get("/templates").text
    page = office.post(f"{address}/retire", {"reason": "another one is better"})
    assert "nothing is made from it any more" in page.text


def test_others_look_and_change_nothing(signed_in, business):
    office = signed_in("pmo")
    page = office.get("/templates/new/channel")
    page = office.post(
        "/templates/new/channel", {**filled(page), "code": "portal", "name": "A dealer portal", "fact_priority": "4"}
    )
    address = office.path
    reader = signed_in("auditor")
    assert "A dealer portal" in reader.get("/templates").text
    assert "Change" not in reader.get(address).text
    for path in ("/templates/take", f"{address}/change", f"{address}/apply"):
        reader.get(path, status=403)
    signed_in("site_lead").get("/templates", status=403)


def test_programs_do_the_same(caller, business):
    call = caller("pmo")
    made = call(
        "POST", "/place-templates/take", {"kind": "site", "place": business.site, "code": "branch", "name": "A branch"}
    ).json
    assert made["rows"]["policies"] == [{"point": "partial_shipment", "value": "false"}]
    asked = {
        "code": "BRE", "name": "Bremen", "reason": "the north grows", "entity": business.entity, "programme": business.programme,
        "channels": [business.channel], "owner": business.lead, "until_on": "2026-12-31",
    }  # fmt: skip
    plan = call("POST", f"/place-templates/{made['id']}/plan", asked).json
    assert plan["problems"] == 0
    wrong = call("POST", f"/place-templates/{made['id']}/plan", {**asked, "code": "DUI"}).json
    assert [one["problems"] for one in wrong["parts"] if one["problems"]] == [
        ["The code DUI is in use. Choose another."]
    ]
    elsewhere = [{"facts": {"region": "North"}}, {"until_on": "2027-06-30"}, {"reason": "another one"}]
    others = [call("POST", f"/place-templates/{made['id']}/plan", {**asked, **one}).json["digest"] for one in elsewhere]
    for seen in (wrong["digest"], *others):
        refused = call("POST", f"/place-templates/{made['id']}/apply", {**asked, "seen": seen})
        assert (refused.status_code, refused.json["code"]) == (409, "template_plan_changed")
    use = call("POST", f"/place-templates/{made['id']}/apply", {**asked, "seen": plan["digest"]})
    assert (use.status_code, use.json["made"]["locations"]) == (201, 2)
    (listed,) = call("GET", "/place-templates?kind=site").json["items"]
    assert (listed["code"], listed["uses"]) == ("branch", 1)
    bad = call(
        "POST", "/place-templates", {"kind": "channel", "code": "x", "name": "X", "facts": {"priority": "first"}}
    )
    assert (bad.status_code, bad.json["code"]) == (422, "template_cell_unusable")
