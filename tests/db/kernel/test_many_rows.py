"""Many rows changed by one call: the same outcome as one after the other, whichever way the database takes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import BigInteger, Column, Date, Integer, MetaData, String, Table, select, update
from sqlalchemy.exc import DBAPIError

from app.composition.uow import reading, unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Conflict
from erpcore.kernel.model import Scaled, UtcDateTime
from erpcore.kernel.rows import ARRAYS_FROM, Change, param, write_rows

ANN = Actor(id=7, role="pmo")
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
MANY = 3 * ARRAYS_FROM

SHELF = Table(
    "shelf", MetaData(),
    Column("id", BigInteger, primary_key=True), Column("label", String(12)), Column("held", Scaled(6)),
    Column("seen_at", UtcDateTime), Column("due_on", Date), Column("version", Integer),
)  # fmt: skip
_COLUMNS = tuple(column.name for column in SHELF.c)


def _changing():
    return (
        update(SHELF)
        .where(SHELF.c.id == param("of", SHELF.c.id), SHELF.c.version == param("was", SHELF.c.version))
        .values(
            held=SHELF.c.held + param("more", SHELF.c.held), label=param("new_label", SHELF.c.label),
            seen_at=param("at", SHELF.c.seen_at), due_on=param("on", SHELF.c.due_on), version=SHELF.c.version + 1,
        )
    )  # fmt: skip


def _adding():
    """By a part of the key alone, and no condition that two rows could not share."""
    return (
        update(SHELF)
        .where(SHELF.c.id == param("of", SHELF.c.id))
        .values(held=SHELF.c.held + param("more", SHELF.c.held))
    )


CHANGE, ADD = Change(_changing), Change(_adding)


@pytest.fixture
def shelves(database, clock):
    SHELF.metadata.create_all(database.write_engine)
    with unit_of_work(database, actor=ANN, clock=clock) as work:
        write_rows(work, SHELF, _COLUMNS, [(n, "empty", n * 1_000_000, AT, AT.date(), 1) for n in range(MANY)])
    yield database
    SHELF.metadata.drop_all(database.write_engine)


def _row(n, **other):
    return {
        "of": n, "was": 1, "more": Decimal(n) / 8, "new_label": None if n % 2 else f"no. {n}", "at": AT + timedelta(hours=n),
        "on": date(2026, 1, 1) + timedelta(days=n), **other,
    }  # fmt: skip


def _kept(database):
    with reading(database) as session:
        return [tuple(row) for row in session.execute(select(SHELF).order_by(SHELF.c.id))]


def test_many_rows_end_as_one_after_the_other(shelves, clock):
    with unit_of_work(shelves, actor=ANN, clock=clock) as work:
        assert CHANGE.run(work, [_row(n) for n in range(MANY)]) == MANY
    assert _kept(shelves) == [
        (
            n, None if n % 2 else f"no. {n}", Decimal(n) + Decimal(n) / 8, AT + timedelta(hours=n),
            date(2026, 1, 1) + timedelta(days=n), 2,
        )
        for n in range(MANY)
    ]  # fmt: skip


def test_one_row_meant_twice_is_changed_twice(shelves, clock):
    with unit_of_work(shelves, actor=ANN, clock=clock) as work:
        assert ADD.run(work, [{"of": n % 10, "more": Decimal(1)} for n in range(MANY)]) == MANY
    assert [row[2] for row in _kept(shelves)[:11]] == [n + Decimal(MANY) / 10 for n in range(10)] + [10]


def test_one_row_of_many_that_was_changed_meanwhile_refuses_all(shelves, clock):
    before = _kept(shelves)
    with pytest.raises(Conflict, match="changed_meanwhile"), unit_of_work(shelves, actor=ANN, clock=clock) as work:
        CHANGE.run(work, [_row(n, was=2 if n == 7 else 1) for n in range(MANY)])
    assert _kept(shelves) == before


def test_rows_that_were_changed_meanwhile_are_left_out_where_that_is_asked_for(shelves, clock):
    with unit_of_work(shelves, actor=ANN, clock=clock) as work:
        assert CHANGE.run(work, [_row(n, was=1 + n % 2) for n in range(MANY)], expect_all=False) == MANY / 2
    assert [row[-1] for row in _kept(shelves)] == [2, 1] * (MANY // 2)


@pytest.mark.parametrize("many", [1, MANY])
def test_a_text_that_is_too_long_is_refused_and_never_cut(shelves, clock, many):
    if shelves.is_sqlite:
        pytest.skip("SQLite's columns have no length")
    before = _kept(shelves)
    with pytest.raises(Exception, match="too long") as refused, unit_of_work(shelves, actor=ANN, clock=clock) as work:
        CHANGE.run(work, [_row(n, new_label="thirteen long") for n in range(many)])
    assert not isinstance(refused.value, DBAPIError), "the driver says so itself"
    assert _kept(shelves) == before


def test_the_server_keeps_one_plan_however_wide_a_number_is(database, clock):
    """Statements are kept by the types of their values; were those as wide as each value, there would be a plan for each mix."""
    if database.is_sqlite:
        pytest.skip("SQLite has one whole number")
    with unit_of_work(database, actor=ANN, clock=clock) as work:
        for number in (1, 70_000, 5_000_000_000):
            found = work.driver.execute(
                "SELECT pg_typeof(%s)::text, pg_typeof(%s)::text", (number, [number])
            ).fetchone()
            assert found == ("bigint", "bigint[]")
