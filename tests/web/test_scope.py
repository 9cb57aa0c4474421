"""Programme, wave and site in the top bar: they stay while one moves about, lists keep to them, and nothing is taken away."""

from __future__ import annotations

import re

import pytest

from erpcore.masterdata.models import Realm
from erpcore.masterdata.services import NewEntity, NewSite, add_entity, add_site
from tests.support.core import a_business
from tests.support.operate import a_trading_business


@pytest.fixture
def trade(sqlite_database, clock):
    made = a_trading_business(sqlite_database, clock)
    with made.business.work() as work:
        entity = add_entity(
            work,
            NewEntity(
                code="REH", name="Rehearsal", country="Germany", currency="EUR", time_zone="Europe/Berlin",
                realm=Realm.REHEARSAL, twin=made.business.entity,
            ),
        )  # fmt: skip
        add_site(
            work,
            NewSite(
                entity=entity.id, code="DUI-R", name="Duisburg", kind="distribution_centre", country="Germany",
                time_zone="Europe/Berlin", twin=made.business.site,
            ),
        )  # fmt: skip
    return made


def switch(browser, **choice):
    """Press a choice of the top bar on the page one is on."""
    return browser.post("/scope", {"next": browser.path, **choice})


def bar(page):
    """The switches as they read."""
    (found,) = page.root.find("div", **{"aria-label": "Scope"})
    return re.sub(r"\s+", " ", found.text).strip()


def _asked(page):
    """Where the form of the page, not those of its bar, leads back to."""
    return page.root.find("input", name="next")[-1].attributes["value"]


def orders(page):
    return {link for link in page.links() if re.fullmatch(r"/orders/\d+", link)}


def test_a_chosen_site_stays_while_one_moves_about_and_lists_keep_to_it(signed_in, trade):
    browser = signed_in("pmo")
    every = orders(browser.get("/orders"))
    assert len(every) == 7
    page = switch(browser, site=trade.business.site)
    assert browser.path == "/orders"
    assert orders(page) == every
    page = switch(browser, site=trade.closed_site)
    assert orders(page) == set()
    browser.get("/stock")
    assert "Site Bremen" in bar(browser.page)
    assert not [link for link in browser.page.links() if link.startswith("/stock/") and link != "/stock/items"]
    # It takes nothing away: a document still opens, and an address that names a site goes first.
    browser.get(f"/orders/{trade.captured}")
    assert orders(browser.get(f"/orders?site={trade.business.site}")) == every
    assert orders(browser.get("/orders")) == set()
    switch(browser, site=0)
    assert orders(browser.page) == every


def test_a_file_of_the_list_holds_what_the_list_shows(signed_in, trade):
    browser = signed_in("pmo")
    browser.get("/orders")
    whole = browser.client.get("/orders.csv").text.splitlines()
    switch(browser, site=trade.closed_site)
    assert (len(whole), len(browser.client.get("/orders.csv").text.splitlines())) == (8, 1)


def test_a_wave_narrows_the_sites_and_another_wave_drops_the_site(signed_in, trade):
    browser = signed_in("pmo")
    browser.get("/orders")
    wave = int(browser.page.root.find("button", name="wave")[1].attributes["value"])
    page = switch(browser, wave=wave)
    assert orders(page) == set()
    assert "Wave W2" in bar(page)
    sites = {button.attributes["value"] for button in page.root.find("button", name="site")}
    assert sites == {"0", str(trade.closed_site)}
    # A site of no chosen wave: the site is what was asked for.
    page = switch(browser, site=trade.business.site)
    assert len(orders(page)) == 7
    assert "Wave all" in bar(page)
    page = switch(browser, wave=wave)
    assert "Site all" in bar(page)


def test_today_keeps_to_the_site(signed_in, trade):
    browser = signed_in("customer_service")
    assert "4 in trouble" in browser.get("/").text
    switch(browser, site=trade.closed_site)
    assert "Nothing is in trouble" in browser.page.text


def test_a_site_of_another_realm_brings_its_band_to_every_page(signed_in, trade):
    browser = signed_in("pmo")
    page = browser.get("/orders")
    (rehearsal,) = [one for one in page.root.find("button", name="site") if "rehearsal" in one.text]
    page = switch(browser, site=rehearsal.attributes["value"])
    assert orders(page) == set()
    for path in ("/orders", "/stock", "/returns", "/invoices", "/measures", "/decisions"):
        band = browser.get(path).root.find("section", **{"aria-label": "Realm"})
        assert band[0].text.startswith("Rehearsal"), path
    # The way to the live list is in the address, since it is not the usual one any more.
    live = [link for link in browser.get("/orders").links() if "realm=live" in link]
    assert orders(browser.get(live[0])) != set()
    assert not browser.page.root.find("section", **{"aria-label": "Realm"})


def test_nobody_chooses_what_they_may_not_see(signed_in, trade, sqlite_database, clock):
    browser = signed_in("site_lead", site=trade.business.site)
    browser.get("/orders")
    switch(browser, site=trade.closed_site)
    assert "Bremen" not in bar(browser.page)
    assert len(orders(browser.page)) == 7
    for nonsense in ("x", "-1", "99999999999999999999", "1\0"):
        switch(browser, site=nonsense, wave=nonsense, programme=nonsense)
        assert len(orders(browser.page)) == 7


def test_the_way_back_is_of_this_site_and_drops_the_place_of_the_address(signed_in, trade):
    browser = signed_in("pmo")
    browser.get("/orders")
    answer = browser.client.post(
        "/scope", data={"csrf_token": browser.page.value("csrf_token"), "next": "https://evil.example/", "site": 0}
    )
    assert answer.headers["Location"] == "/"
    browser.post("/scope", {"next": f"/orders?state=held&site={trade.business.site}&page=2", "site": trade.closed_site})
    assert browser.response.request.full_path == "/orders?state=held"


def test_the_choice_is_made_on_a_page_too_and_ends_with_the_sign_in(signed_in, trade):
    browser = signed_in("pmo")
    page = browser.get("/scope", headers={"Referer": "http://localhost/orders?state=held"})
    assert page.heading == "Where I look"
    page = browser.post("/scope", {"next": _asked(page), "wave": 0, "site": trade.closed_site})
    assert (browser.path, "Site Bremen" in bar(page)) == ("/orders", True)
    who = browser.who
    browser.post("/sign-out")
    browser.sign_in(who)
    assert "Site all" in bar(browser.get("/orders"))


def test_a_fresh_installation_has_nothing_to_choose(signed_in):
    assert not signed_in("pmo").get("/").root.find("div", **{"aria-label": "Scope"})


def test_one_site_is_said_and_not_asked(signed_in, sqlite_database, clock):
    business = a_business(sqlite_database, at=clock.now())
    page = signed_in("site_lead", site=business.site).get("/orders")
    assert bar(page) == "Site Duisburg"
