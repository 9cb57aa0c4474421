"""Today names what waits for a decision at the desk: it never says that nothing waits while a hold, a transfer or a task does."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from tests.support.queries import MOST, queries
from tests.support.showroom import a_showroom
from tests.support.web import Browser, a_person, a_site


@pytest.fixture
def furnished(database, clock, tmp_path):
    made = a_showroom(database, clock)
    app = a_site(database, tmp_path, clock)

    def sign_in(role, **fields):
        browser = Browser(app)
        browser.who = a_person(database, role, clock=clock, **fields)
        browser.sign_in(browser.who)
        return browser

    return made, sign_in


def waiting(page) -> dict[str, str]:
    """What the card says, with the address that each line leads to."""
    (card,) = page.root.find("section", **{"aria-labelledby": "waits"})
    return {
        link.text: link.attributes["href"] for link in card.find("a") if "aria-label" not in link.attributes
    }  # fmt: skip


def test_who_may_end_a_hold_finds_it_on_the_home_page_and_who_may_not_does_not(furnished, database):
    _, sign_in = furnished
    lead, picker = sign_in("site_lead"), sign_in("warehouse_operator")
    found = waiting(lead.get("/"))
    with reading(database) as session:
        open_holds = session.execute(
            text(
                "SELECT COUNT(*) FROM order_hold h JOIN sales_order o ON o.id = h.order_id"
                " WHERE h.released_at IS NULL AND o.state = 'held' AND h.permission IN"
                " ('credit:hold:release', 'orders:hold:settle', 'orders:price:approve_desk', 'orders:price:approve_site',"
                " 'orders:substitution:approve')"
            )
        ).scalar_one()
    assert open_holds > 0
    word = "1 hold to decide" if open_holds == 1 else f"{open_holds} holds to decide"
    assert found[word] == "/holds?mine=1"
    shown = lead.get("/holds?mine=1")
    assert f"{open_holds} hold{'' if open_holds == 1 else 's'}" in shown.text
    assert not [title for title in waiting(picker.get("/")) if "hold" in title]


def test_a_transfer_order_waits_for_the_site_that_is_asked_and_for_nobody_else(furnished):
    made, sign_in = furnished
    asked = sign_in("warehouse_supervisor", site=made.branch)
    asking = sign_in("warehouse_supervisor", site=made.business.site)
    assert waiting(asked.get("/"))["1 transfer order to answer"] == f"/transfer-orders/{made.transfer}/decide"
    assert not [title for title in waiting(asking.get("/")) if "transfer" in title]
    asked.get(f"/transfer-orders/{made.transfer}/decide")
    asked.post(f"/transfer-orders/{made.transfer}/decide", {"verdict": "approve"})
    assert not [title for title in waiting(asked.get("/")) if "transfer" in title]


def test_the_home_page_of_a_site_lead_asks_no_more_than_it_may(furnished, database):
    _, sign_in = furnished
    for role in ("site_lead", "warehouse_supervisor", "warehouse_operator", "super_user", "process_owner", "buyer"):
        browser = sign_in(role)
        with queries(database) as ran:
            browser.get("/")
        assert len(ran) <= MOST, (role, len(ran))


def card(page, title):
    """The panel with this title."""
    (found,) = [one for one in page.root.find("section") if one.find("h2") and one.find("h2")[0].text == title]
    return found


def test_who_works_on_the_floor_finds_what_to_take_next_and_who_plans_what_is_in_no_task(furnished):
    made, sign_in = furnished
    site = made.business.site
    boss, picker = sign_in("warehouse_supervisor", site=site), sign_in("warehouse_operator", site=site)
    floor = card(boss.get("/"), "Floor")
    assert "with stock and in no task" in floor.text
    assert floor.find("a", href=f"/floor/{site}/waves/new")
    assert "Plan" not in card(picker.get("/"), "Floor").text.replace("Not planned", "").split()
    boss.get(f"/floor/{site}/waves/new")
    boss.post(
        f"/floor/{site}/waves/new",
        {"request_key": boss.page.value("request_key"), "service": "0", "method": "order", "capacity": "900", "totes": "8", "zone": ""},
    )  # fmt: skip
    boss.post(f"{boss.path}/release/go")
    floor = card(picker.get("/"), "Floor")
    tasks = int(floor.find("tr")[1].find("td")[1].text)
    assert tasks >= 3
    assert "Not planned" not in floor.text
    assert floor.find("a", href=f"/floor?site={site}")
    picker.get("/floor")
    picker.post("/floor/next", {"site": site, "kind": "pick"})
    floor = card(boss.get("/"), "Floor")
    assert (int(floor.find("tr")[1].find("td")[1].text), "1 task in hand" in floor.text) == (tasks - 1, True)
    with made.business.work() as work:
        handed = text("UPDATE warehouse_task SET owner_id = :boss WHERE state = 'open'")
        work.session.execute(handed, {"boss": boss.who.id})
    floor = card(picker.get("/"), "Floor")
    assert "Take the next" not in floor.text, "a button that could only refuse"
    assert floor.find("a", href=f"/floor/board?site={site}")


def test_a_buyer_finds_the_queue_of_what_is_short(furnished):
    _, sign_in = furnished
    assert "Short" in card(sign_in("buyer").get("/"), "Exceptions").text
