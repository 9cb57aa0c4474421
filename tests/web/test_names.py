"""Who sees whom: a person reads as role and site, except to those who supervise them, and each look is kept."""

from __future__ import annotations

import orjson
import pytest
from sqlalchemy import select

from app.composition.uow import reading
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import AuditEntry
from erpcore.orders.holds import HoldOrder, hold_orders
from erpcore.orders.models import HoldKind
from tests.support.operate import a_trading_business
from tests.support.web import a_person


@pytest.fixture
def trade(sqlite_database, clock):
    return a_trading_business(sqlite_database, clock)


def worked(trade, who, role="customer_service"):
    """This person holds the fresh order."""
    acting = Actor(id=who.id, role=role, permissions=frozenset({"orders:hold:place"}))
    with trade.business.work(acting) as work:
        hold_orders(work, [HoldOrder(order=trade.captured, kind=HoldKind.DATA, reason="no VAT number")])


def looks(database):
    with reading(database) as session:
        found = session.scalars(select(AuditEntry).where(AuditEntry.kind == "person.looked_up"))
        return [
            (one.actor, one.subject_type, one.subject_id, orjson.loads(one.content)["facts"]["people"]) for one in found
        ]


@pytest.mark.parametrize("role", ["site_lead", "warehouse_supervisor", "super_user"])
def test_a_supervisor_learns_the_names_of_the_site_and_the_look_is_kept(signed_in, trade, sqlite_database, clock, role):
    clerk = a_person(sqlite_database, "customer_service", site=trade.business.site, clock=clock, name="Lena Prohaska")
    worked(trade, clerk)
    browser = signed_in(role, site=trade.business.site)
    page = browser.get(f"/orders/{trade.captured}")
    assert "Lena Prohaska" not in page.text
    assert "Customer service, Duisburg" in page.text
    page = browser.post(f"/names/order/{trade.captured}")
    assert "Lena Prohaska Customer service" in page.text
    assert looks(sqlite_database) == [(browser.who.id, "order", trade.captured, [clerk.id])]


def test_somebody_of_another_site_stays_role_and_site(signed_in, trade, sqlite_database, clock):
    far = a_person(sqlite_database, "customer_service", site=trade.closed_site, clock=clock, name="Olga Fern")
    worked(trade, far)
    browser = signed_in("site_lead", site=trade.business.site)
    browser.get(f"/orders/{trade.captured}")
    page = browser.post(f"/names/order/{trade.captured}")
    assert "Olga Fern" not in page.text
    assert "Customer service, Duisburg" in page.text
    assert "belongs to another site" in page.text
    assert looks(sqlite_database) == []


def test_everybody_else_is_refused_and_nothing_is_kept(signed_in, trade, sqlite_database, clock):
    clerk = a_person(sqlite_database, "customer_service", site=trade.business.site, clock=clock, name="Lena Prohaska")
    worked(trade, clerk)
    for role in ("customer_service", "pmo", "auditor", "administrator", "finance"):
        browser = signed_in(role)
        browser.get("/account")
        page = browser.post(f"/names/order/{trade.captured}", status=403)
        assert "Lena Prohaska" not in page.text
    assert looks(sqlite_database) == []


def test_a_document_of_another_site_is_none_and_a_kind_there_is_not_neither(signed_in, trade, sqlite_database):
    browser = signed_in("site_lead", site=trade.closed_site)
    browser.get("/account")
    browser.post(f"/names/order/{trade.captured}", status=404)
    browser.get("/account")
    browser.post(f"/names/customer/{trade.captured}", status=404)
    assert looks(sqlite_database) == []


def test_looking_at_oneself_is_no_look(signed_in, trade, sqlite_database):
    browser = signed_in("site_lead", site=trade.business.site, name="Bernd Aukamp")
    worked(trade, browser.who, "site_lead")
    browser.get(f"/orders/{trade.captured}")
    assert "Bernd Aukamp" in browser.post(f"/names/order/{trade.captured}").text
    assert looks(sqlite_database) == []
    for path in (f"/names/invoice/{trade.invoice}", f"/names/return/{trade.returned}"):
        browser.get(f"/orders/{trade.captured}")
        browser.post(path)
