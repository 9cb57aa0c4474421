"""Every flow, every move from every state: what is possible, what is refused, and that nothing is a dead end by accident."""

from __future__ import annotations

import pytest

from erpcore.billing.flow import INVOICE
from erpcore.fulfilment.flow import RETURN, SHIPMENT
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import IllegalMove, RuleBroken
from erpcore.kernel.flow import Closed
from erpcore.orders.flow import ORDER

FLOWS = [ORDER, SHIPMENT, RETURN, INVOICE]
#: Where a document may rest for good.
ENDS = {
    "order": {"closed", "cancelled"},
    "shipment": {"delivered", "taken_back"},
    "return": {"declined", "credited"},
    "invoice": {"posted"},
}
PAIRS = [(flow, move, state) for flow in FLOWS for move in flow.moves.values() for state in flow.states]


@pytest.mark.parametrize(("flow", "move", "state"), PAIRS, ids=lambda part: getattr(part, "name", str(part))[:24])
def test_a_move_leads_to_its_target_or_is_refused_by_name(flow, move, state):
    if state in move.sources:
        assert flow.target(move.name, state, reason="because") == move.target
    else:
        with pytest.raises(IllegalMove) as refusal:
            flow.target(move.name, state, reason="because")
        assert refusal.value.facts == {"document": flow.document, "move": move.name, "state": state}


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.document)
def test_every_state_is_reached_and_only_ends_have_no_way_out(flow):
    reached = {flow.initial} | {move.target for move in flow.moves.values()}
    assert reached == set(flow.states)
    assert {str(state) for state in flow.finals()} == ENDS[flow.document]


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.document)
def test_a_move_that_needs_a_reason_asks_for_it(flow):
    for move in flow.moves.values():
        if move.reason_required:
            with pytest.raises(RuleBroken, match="reason_required"):
                flow.target(move.name, move.sources[0], reason="  ")


def test_a_screen_offers_only_what_this_person_may_do():
    clerk = Actor(id=1, role="customer_service", permissions=frozenset({"orders:order:release"}))
    assert [name for name in ORDER.moves if ORDER.why_not(name, "captured", clerk) is None] == ["release"]
    assert ORDER.why_not("cancel", "captured", clerk) is Closed.PERMISSION
    assert {ORDER.why_not(name, "closed", Actor.system("x")) for name in ORDER.moves} == {Closed.STATE}


def test_the_diagram_shows_every_move():
    drawn = SHIPMENT.diagram()
    assert "picked --> confirmed: confirm" in drawn
    assert "delivered --> [*]" in drawn
