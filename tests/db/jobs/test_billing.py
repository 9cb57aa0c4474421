"""Shipments are billed without anybody typing, once, and only where their cell is open."""

from __future__ import annotations

from sqlalchemy import text

from app.composition.uow import reading
from app.jobs import billing
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, Cells, a_business
from tests.support.steps import shipped


def numbers(database):
    with reading(database) as session:
        return session.execute(text("SELECT number FROM invoice ORDER BY id")).scalars().all()


def test_every_due_shipment_gets_one_invoice_and_the_next_run_none(database, monkeypatch):
    business = a_business(database)
    monkeypatch.setattr(billing, "RegisteredCells", lambda: OPEN)
    shipped(business)
    shipped(business)
    assert billing.bill_due_shipments(database, clock=business.clock) == 2
    assert billing.bill_due_shipments(database, clock=business.clock) == 0
    assert numbers(database) == ["INV-2026-000001", "INV-2026-000002"]
    assert_books_agree(database)


def test_a_doubtful_invoice_waits_for_a_person(database, monkeypatch):
    business = a_business(database, tax=None)
    monkeypatch.setattr(billing, "RegisteredCells", lambda: OPEN)
    shipped(business)
    assert billing.bill_due_shipments(database, clock=business.clock) == 1
    assert numbers(database) == [None]


def test_a_closed_cell_is_not_billed_and_stays_due(database, monkeypatch):
    business = a_business(database)
    shipped(business)
    monkeypatch.setattr(billing, "RegisteredCells", lambda: Cells("closed"))
    assert billing.bill_due_shipments(database, clock=business.clock) == 0
    monkeypatch.setattr(billing, "RegisteredCells", lambda: OPEN)
    assert billing.bill_due_shipments(database, clock=business.clock) == 1
