"""The pages of files of orders: handed in, looked at, entered once; bad rows stay, with their reasons, to be taken away and mended."""

from __future__ import annotations

import csv
import io

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import func, select

from app.composition.uow import reading
from app.importers.ordersheets import COLUMNS
from erpcore.orders.models import SalesOrder
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.queries import MOST, queries
from tests.support.web import Browser, a_person, a_site


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def desk(database, business, tmp_path, clock):
    browser = Browser(a_site(database, tmp_path, clock))
    browser.sign_in(a_person(database, "customer_service", site=business.site, clock=clock))
    return browser


def a_csv(*rows, **more):
    plain = {"site": "DUI", "channel": "wholesale", "customer": "10482", "item": "40-0", "quantity": "5", **more}
    lines = [",".join(COLUMNS)] + [",".join((plain | row).get(name, "") for name in COLUMNS) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def hand_in(desk, business, data, *, name="orders.csv", status=200):
    desk.get("/orders/files/new")
    return desk.post("/orders/files/new", {"entity": business.entity, "file": (io.BytesIO(data), name)}, status=status)


def orders(database):
    with reading(database) as session:
        return session.scalar(select(func.count()).select_from(SalesOrder))


def test_a_file_is_looked_at_entered_once_and_its_bad_rows_are_taken_away(desk, business, database):
    data = a_csv({"order": "A-1"}, {"order": "A-1", "item": "40-1", "quantity": "3"}, {"order": "A-2", "item": "4711"})
    page = hand_in(desk, business, data)
    assert page.heading == "orders.csv"
    assert "There is no item with the code 4711." in page.text
    assert "80.00" in page.text
    assert orders(database) == 0
    here = desk.path
    page = desk.post(here, {"bad_rows": "all_or_nothing", "version": page.value("version"), "move": "enter"})
    assert "Nothing was entered" in page.text
    assert orders(database) == 0
    sent = {"bad_rows": "good_ones", "version": page.value("version"), "move": "enter"}
    page = desk.post(here, sent)
    assert "1 order is entered" in page.text
    assert orders(database) == 1
    desk.get("/orders/files/new")
    desk.post(here, sent, status=409)
    assert orders(database) == 1
    bad = list(csv.reader(io.StringIO(desk.client.get(f"{here}/refused.csv").text.removeprefix("\ufeff"))))
    assert (bad[0], [(row[0], row[COLUMNS.index("item")]) for row in bad[1:]]) == (list(COLUMNS), [("A-2", "4711")])
    rows = CalamineWorkbook.from_filelike(io.BytesIO(desk.client.get(f"{here}/rows.xlsx").data)).get_sheet_by_index(0)
    assert [row[1] for row in rows.to_python()[1:]] == ["entered", "entered", "refused"]
    assert hand_in(desk, business, data).heading == "orders.csv"
    assert desk.path == here, "the same file is the one that is there"
    with queries(database) as ran:
        desk.get(here)
    assert len(ran) <= MOST
    assert "Files 1" in desk.get("/orders/files?refused=1").text


def test_the_template_is_a_file_that_can_be_handed_in(desk, business, database):
    for kind in ("csv", "xlsx"):
        data = desk.client.get(f"/orders/files/template.{kind}").data
        page = hand_in(desk, business, data, name=f"template.{kind}")
        assert "A-1" in page.text
        assert "A-2" in page.text
    assert orders(database) == 0


def test_a_file_that_is_none_says_why_and_keeps_nothing(desk, business, database):
    page = hand_in(desk, business, b"order,site\n", status=422)
    assert "The columns of orders.csv are not those of the template" in page.errors()[0]
    assert "No file of orders yet" in desk.get("/orders/files").text


def test_anothers_file_does_not_exist(desk, business, database, tmp_path, clock):
    hand_in(desk, business, a_csv({"order": "A-1"}))
    here = desk.path
    other = Browser(desk.app)
    other.sign_in(a_person(database, "customer_service", site=business.site, clock=clock))
    other.get(here, status=404)
    assert "No file of orders yet" in other.get("/orders/files").text
    other.get("/orders/files/new")
    page = other.post("/orders/files/new", {"entity": business.entity, "file": (io.BytesIO(a_csv({"order": "A-1"})), "b.csv")}, status=409)  # fmt: skip
    assert "Somebody else handed" in page.text
