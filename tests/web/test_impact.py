"""The impact graph on the screen: begun by search or from a record, walked with a trail, drawn, and refused in words."""

from __future__ import annotations

from tests.support.impact import a_named_world
from tests.support.queries import MOST, queries


def test_a_walk_begins_at_a_record_and_is_walked_on_with_its_trail(signed_in, database, clock):
    named = a_named_world(database, clock)
    owner = signed_in("process_owner")
    assert f"/impact/variant/{named.variant}" in owner.get(f"/register/variants/{named.variant}").links()
    with queries(database) as ran:
        page = owner.get(f"/impact/variant/{named.variant}")
    assert len(ran) <= MOST
    assert page.heading == "V-1 Ship whole"
    for said in (
        "V-1 departs from the standard of Ship.", "V-1 sets Partial shipment to no.", "Ship is measured by On time in full, lines.",
        "Loading whole orders", "V-1 sets the rules of 2 open orders",
    ):  # fmt: skip
        assert said in page.text, said
    (drawing,) = page.root.find("svg", role="group")
    boxes = drawing.find("a")
    assert f"/impact/step/warehouse.ship?via=variant:{named.variant}" in [one.attributes["href"] for one in boxes]
    table = [one.text for one in page.root.find("td")]
    assert "departs from the standard of" in table
    page = owner.get(f"/impact/step/warehouse.ship?via=variant:{named.variant}&via=nonsense&via=variant:999999")
    trail = next(one for one in page.root.find("nav") if one.attributes.get("aria-label") == "Where you are")
    assert [one.text for one in trail.find("li")] == ["Impact", "V-1", "Ship"]
    assert "R-1 bears on Ship." in page.text
    assert f"/risks/{named.risk}" not in page.links()  # one walks on; the record is one click further
    assert "Its own page" in page.text
    assert "Warehouse supervisor" in page.text


def test_the_search_begins_anywhere_and_refusals_say_the_way_out(signed_in, database, clock):
    named = a_named_world(database, clock)
    owner = signed_in("process_owner")
    page = owner.get("/impact")
    assert "Impact" in [one.text for one in page.root.find("a", **{"aria-current": "page"})]
    page = owner.get("/impact?q=ship")
    assert {
        "/impact/step/warehouse.ship",
        f"/impact/variant/{named.variant}",
        "/impact/policy-point/partial_shipment",
    } <= set(page.links())
    assert "Nothing fits" in owner.get("/impact?q=zzzz").text
    page = owner.get("/impact/unicorn/1", status=404)
    assert (
        "There is no kind of thing “unicorn”. A walk begins at one of these: process, step, policy-point" in page.text
    )
    assert "There is no site “9”, or none that you may see." in owner.get("/impact/site/9", status=404).text
    lead = signed_in("site_lead", site=named.duisburg)
    page = lead.get("/impact/policy-point/partial_shipment")
    assert "V-1 sets Partial shipment to no." in page.text
    assert "V-2" not in page.html
    assert "R-1" not in page.html
    lead.get(f"/impact/variant/{named.hidden}", status=404)
    desk = signed_in("warehouse_operator", site=named.duisburg)
    page = desk.get(f"/impact/variant/{named.variant}", status=403)
    assert "governance:variant:view" in page.text
