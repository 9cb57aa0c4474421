"""Every move of every flow from every state: it leads where the table says, or it is refused."""

import pytest

from erpcore.kernel.errors import IllegalMove, RuleBroken
from governance.decisions.flow import CONDITION_FLOW, DECISION_FLOW
from readiness.gates.flow import GATE_FLOW, WAIVER_FLOW
from readiness.waves.flow import GRANT_FLOW, WAVE_FLOW

FLOWS = {flow.document: flow for flow in (DECISION_FLOW, CONDITION_FLOW, GATE_FLOW, WAIVER_FLOW, WAVE_FLOW, GRANT_FLOW)}

#: document: "state move target" of every pair that is allowed. Everything else is not.
ALLOWED = {
    "decision": """
        draft open open / draft withdraw lapsed / open withdraw lapsed / open decide decided / open lapse lapsed
        decided lapse lapsed / open outdate outdated / decided outdate outdated / decided supersede superseded
        outdated supersede superseded / decided revoke revoked""",
    "condition": "open meet met / open miss missed / missed meet_late met_late / open withdraw withdrawn",
    "gate": "draft freeze frozen / draft close closed / frozen close closed / closed reopen draft",
    "waiver": """
        requested grant granted / requested refuse refused / requested withdraw withdrawn / granted end ended""",
    "wave": """
        planned prepare preparing / preparing rehearse in_rehearsal / in_rehearsal end_rehearsal preparing
        preparing approve approved / in_rehearsal approve approved / approved withdraw_approval preparing
        approved go_live live / planned record_live live / preparing record_live live / live start_hypercare hypercare
        hypercare close closed / live roll_back preparing / hypercare roll_back preparing / planned cancel cancelled
        preparing cancel cancelled / in_rehearsal cancel cancelled""",
    "grant": """
        open drain draining / in_fallback drain draining / draining close_drained closed / open close_unused closed
        open declare_fallback in_fallback / in_fallback end_fallback open""",
}  # fmt: skip


def pairs(document):
    words = ALLOWED[document].replace("/", " ").split()
    return {(words[i], words[i + 1]): words[i + 2] for i in range(0, len(words), 3)}


CASES = [(name, state, move) for name, flow in FLOWS.items() for state in flow.states for move in flow.moves]


@pytest.mark.parametrize(("document", "state", "move"), CASES)
def test_a_move_leads_where_the_table_says_or_is_refused(document, state, move):
    flow = FLOWS[document]
    expected = pairs(document).get((state, move))
    if expected is None:
        with pytest.raises(IllegalMove) as refused:
            flow.target(move, state, reason="because")
        assert refused.value.facts == {"document": document, "move": move, "state": state}
    else:
        assert flow.target(move, state, reason="because") == expected


@pytest.mark.parametrize("document", FLOWS)
def test_the_table_names_no_pair_that_the_flow_does_not_have(document):
    flow = FLOWS[document]
    found = {(state, move.name) for move in flow.moves.values() for state in move.sources}
    assert set(pairs(document)) == found


@pytest.mark.parametrize("document", FLOWS)
def test_every_state_is_reached(document):
    flow = FLOWS[document]
    assert {flow.initial} | {move.target for move in flow.moves.values()} == set(flow.states)


FINALS = {
    "decision": {"lapsed", "superseded", "revoked"},
    "condition": {"met", "met_late", "withdrawn"},
    "gate": set(),
    "waiver": {"refused", "withdrawn", "ended"},
    "wave": {"closed", "cancelled"},
    "grant": {"closed"},
}


@pytest.mark.parametrize("document", FLOWS)
def test_what_is_not_final_has_a_way_out(document):
    assert FLOWS[document].finals() == FINALS[document]


@pytest.mark.parametrize(
    ("document", "move", "state"),
    [
        (name, move.name, move.sources[0])
        for name, flow in FLOWS.items()
        for move in flow.moves.values()
        if move.reason_required
    ],
)
@pytest.mark.parametrize("reason", [None, "", "   "])
def test_a_move_that_needs_a_reason_asks_for_it(document, move, state, reason):
    with pytest.raises(RuleBroken, match="reason_required"):
        FLOWS[document].target(move, state, reason=reason)
