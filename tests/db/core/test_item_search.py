"""Items are found by any code or name through the words kept of them, the same on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import event, text, update

from app.composition.uow import reading
from app.queries.controls import compare_controls
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Item
from erpcore.masterdata.search import find_item_ids, keep_words, rebuild_words, search_items
from erpcore.masterdata.services import NewItem, add_items
from erpcore.masterdata.units import AddPack, add_packs
from tests.support.controls import assert_books_agree
from tests.support.core import a_business

NAMES = {
    "6120-15": "Press coupling 15 mm", "6124-15": "Press elbow 15 mm", "6124-22": "Press elbow 22 mm",
    "7000": "Wandhalterung Größe M", "X%_9": "Odd one", "15-6124": "Old elbow",
}  # fmt: skip


@pytest.fixture
def business(database):
    made = a_business(database, items=1)
    with made.work() as work:
        rows = add_items(work, [NewItem(entity=made.entity, code=code, name=name) for code, name in NAMES.items()])
        made.items = tuple(row.id for row in rows)
    return made


def found(business, typed, **more):
    with reading(business.database) as session:
        return [item.code for item in search_items(session, business.entity, typed, **more)]


@pytest.mark.parametrize(
    ("typed", "codes"),
    [
        ("6124-15", ["6124-15", "15-6124"]),
        ("6124", ["6124-15", "6124-22", "15-6124"]),
        ("press elb", ["6124-15", "6124-22"]),
        ("elb press 22", ["6124-22"]),
        ("bow", ["15-6124", "6124-15", "6124-22"]),
        ("halterung", ["7000"]),
        ("grosse", ["7000"]),
        ("GRÖSSE", ["7000"]),
        ("x%_9", ["X%_9"]),
        ("coup lings", []),
        ("%", []),
        ("_", []),
        ("  ", []),
        ("'; DROP TABLE item; --", []),
    ],
)
def test_what_is_typed_finds_the_items_it_names_the_nearest_first(business, typed, codes):
    assert found(business, typed) == codes


def test_the_limit_keeps_the_best(business):
    assert found(business, "6124", limit=1) == ["6124-15"]


def test_a_blocked_item_is_not_for_sale_but_is_found_for_who_looks_after_it(business):
    with business.work() as work:
        work.session.execute(update(Item).where(Item.code == "7000").values(is_blocked=True))
    assert found(business, "7000") == []
    with reading(business.database) as session:
        assert find_item_ids(session, [business.entity], "7000", limit=5) == [business.items[3]]


def test_another_companys_items_are_not_found(business):
    with reading(business.database) as session:
        assert search_items(session, business.entity + 1, "press") == []


def test_the_barcode_of_a_pack_finds_its_item(business):
    keeper = Actor(id=5, role="data_owner", permissions=frozenset({"masterdata:record:change"}))
    with business.work(keeper) as work:
        add_packs(work, [AddPack(item=business.items[1], code="box", name="Box", numerator=10, denominator=1, barcode="4006381333931")])  # fmt: skip
    assert found(business, "4006381333931") == ["6124-15"]


def test_another_name_leaves_no_old_word(business):
    with business.work() as work:
        item = work.session.get(Item, business.items[0])
        item.name = "Sleeve"
        keep_words(work, [item])
    assert found(business, "coupling") == []
    assert found(business, "slee") == ["6120-15"]
    assert_books_agree(business.database)


def test_words_that_are_lost_or_old_are_found_by_proof_and_kept_anew(business):
    with business.work() as work:
        work.session.execute(text("DELETE FROM item_word WHERE word = 'elbow'"))
        work.session.execute(text("UPDATE item SET name = 'Sleeve' WHERE code = '6120-15'"))
    with reading(business.database, snapshot=True) as session:
        wrong = {row.control: row.difference for row in compare_controls(session) if row.difference}
    assert wrong == {"items_words": 3, "items_named": 1}
    with business.work() as work:
        assert rebuild_words(work, batch=2) == 7
    assert found(business, "elbow") == ["15-6124", "6124-15", "6124-22"]
    assert_books_agree(business.database)


def test_two_words_that_many_items_have_are_intersected_by_the_database(business, monkeypatch):
    monkeypatch.setattr("erpcore.masterdata.search._MOST_LOOKED_AT", 1)
    assert found(business, "press elbow") == ["6124-15", "6124-22"]


def test_a_search_reads_by_the_index_and_never_walks_through_the_items(business):
    said = []

    def note(connection, cursor, statement, parameters, *rest):
        said.append((statement, parameters))

    event.listen(business.database.read_engine, "before_cursor_execute", note)
    try:
        found(business, "press elbow")
    finally:
        event.remove(business.database.read_engine, "before_cursor_execute", note)
    assert len(said) <= 8
    if business.database.is_sqlite:
        with reading(business.database) as session:
            for statement, parameters in said:
                if statement.startswith("SELECT"):
                    plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                    steps = [row[3] for row in plan]
                    assert not [one for one in steps if one.startswith("SCAN item") and "INDEX" not in one], steps
