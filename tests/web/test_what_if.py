"""What would it change? On the screen: asked for, followed, shown to who asks and to who decides."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.composition.replaying.runs import run_replays
from app.composition.uow import reading
from governance.programme.kinds import BodyKind
from governance.replays.models import VariantReplay
from tests.support.approvals import a_body, acting
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.queries import MOST, queries
from tests.support.replays import taken
from tests.web.test_register import typed


@pytest.fixture
def business(database, clock):
    """Ten of each item: an order took six, the next wants eight and gets four."""
    made = a_business(database, stock=10, at=clock.now())
    open_cells(made)
    made.first = taken(made, ((0, 6), (1, 3)), ships=True)
    made.second = taken(made, ((0, 8), (1, 2)), ships=True)
    made.clock = clock
    return made


def replayed(database, clock):
    return run_replays(database, clock=clock)


def test_who_asks_sees_before_the_decision_what_it_would_change_and_so_does_who_decides(
    signed_in, business, database, clock
):
    owner = signed_in("process_owner")
    judge = signed_in("design_authority")
    a_body(business, BodyKind.DESIGN_AUTHORITY, [acting(judge.who.id, "design_authority")], quorum=(1, 1))
    owner.get("/register/ask?point=partial_shipment")
    owner.post("/register/ask?point=partial_shipment", typed(business))
    here = owner.path
    page = owner.get(f"{here}/what-if")
    assert page.heading == "What would it change?"
    assert "Nothing was replayed yet" in page.text
    page = owner.post(f"{here}/what-if", {"days": "28", "most": "0", "request_key": "w1"}, status=422)
    assert page.value("most") == "0"
    clock.advance(timedelta(minutes=10))
    page = owner.post(f"{here}/what-if", {"days": "28", "most": "100", "request_key": "w2"})
    assert "Waits for the worker" in page.text
    assert replayed(database, clock) == 1
    page = owner.get(f"{here}/what-if")
    assert "1 of 2 orders would have gone another way." in page.text
    # By today's rules both leave, the second in part; whole, only the first does.
    assert "2 shipments of 2 orders" in page.text
    assert "1 shipment of 1 order" in page.text
    assert business.second in page.text
    assert business.first not in page.text
    assert "Partial shipment: the order leaves whole or not at all" in page.text
    with queries(database) as ran:
        page = judge.get(here)
    assert "1 of 2 orders would have gone another way." in page.text
    assert len(ran) <= MOST
    with reading(database) as session:
        key = session.scalars(select(VariantReplay.id)).one()
    with queries(database) as ran:
        assert "Replay 1" in judge.get(f"{here}/what-if?replay={key}").text
    assert len(ran) <= MOST
    judge.get(f"{here}/what-if?replay={key + 1}", status=404)
    request = next(
        link for link in judge.get("/approvals").links() if link.startswith("/approvals/") and link[11:].isdigit()
    )
    assert "1 of 2 orders would have gone another way." in judge.get(request).text


def test_points_of_which_orders_tell_nothing_are_named_and_nobody_else_is_offered_a_replay(signed_in, business):
    owner, desk = signed_in("process_owner"), signed_in("auditor")
    owner.get("/register/ask?point=count_freeze")
    owner.post("/register/ask?point=count_freeze", typed(business, value="yes"))
    page = owner.get(f"{owner.path}/what-if")
    assert "A replay can show no effect of" in page.text
    assert "Freeze while counting" in page.text
    assert "Replay them" not in page.text
    assert "Replay them" not in desk.get(f"{owner.path}").text


def test_who_sees_one_site_is_not_offered_a_replay_that_reaches_beyond_it(signed_in, business):
    owner, lead = signed_in("process_owner"), signed_in("site_lead", site=business.site)
    owner.get("/register/ask?point=partial_shipment")
    owner.post("/register/ask?point=partial_shipment", typed(business, site=0, entity=business.entity))
    wide = owner.path
    owner.get("/register/ask?point=partial_shipment")
    owner.post("/register/ask?point=partial_shipment", typed(business, key="k2"))
    assert "Replay them" in lead.get(f"{owner.path}/what-if").text
    page = lead.get(f"{wide}/what-if")
    assert "Replay them" not in page.text
    assert "and sees all sites of its scope, has orders replayed" in page.text


def test_where_nothing_is_in_scope_it_says_so_and_keeps_what_was_chosen(signed_in, database, clock):
    empty = a_business(database, at=clock.now())
    empty.clock = clock
    open_cells(empty)
    owner = signed_in("process_owner")
    owner.get("/register/ask?point=partial_shipment")
    owner.post("/register/ask?point=partial_shipment", typed(empty))
    page = owner.post(f"{owner.path}/what-if", {"days": "7", "most": "50", "request_key": "w3"}, status=422)
    assert "nothing to replay and no figure" in page.text
    assert page.value("most") == "50"
