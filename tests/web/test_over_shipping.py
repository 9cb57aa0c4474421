"""The page on which goods are picked says what the tolerance allows, takes it, and refuses what is beyond; so does the API."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.policies import approve
from tests.support.steps import allocated


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now(), stock=200)
    made.clock = clock
    open_cells(made)
    approve(made, "over_ship_tolerance_permille", 50)
    return made


def shipped(database):
    with reading(database) as session:
        return tuple(session.execute(text("SELECT shipped, extra FROM order_line")).one())


def test_a_little_more_than_was_ordered_is_picked_on_the_page(signed_in, business, database):
    order = allocated(business, ((0, 100),))
    user, field = signed_in("super_user"), f"line_{order.lines[0].id}"
    page = user.get(f"/orders/{order.id}/pick")
    assert "at most 100 pc, 105 within the tolerance" in page.text
    page = user.post(f"/orders/{order.id}/pick", {field: "106"}, status=422)
    assert (page.value(field), shipped(database)) == ("106", (0, 0))
    said = page.root.find("p", id=f"{field}-error")[0].text
    assert "Line 10 of " in said, "at the line that it speaks of"
    page = user.post(f"/orders/{order.id}/pick", {field: "105"})
    assert shipped(database) == (105_000, 5_000)
    assert "5 more left" in page.text
    assert "line 10: 5 more than ordered" in page.text
    assert_books_agree(database)


def test_a_program_ships_a_little_more_and_no_more_than_that(caller, business, database):
    order, call = allocated(business, ((0, 100),)), caller("super_user")
    here, line = f"/orders/{order.id}", order.lines[0].id
    said = call("POST", f"{here}/ship", {"lines": [{"line": line, "quantity": "106"}]}, version=order.version)
    assert (said.status_code, said.json["code"], shipped(database)) == (422, "pick_too_much", (0, 0))
    done = call("POST", f"{here}/ship", {"lines": [{"line": line, "quantity": "105"}]}, version=order.version)
    assert (done.json["lines"][0]["shipped"], done.json["lines"][0]["extra"]) == ("105.000", "5.000")
    assert_books_agree(database)
