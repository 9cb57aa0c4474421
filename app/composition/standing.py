"""What is a decision worth now? Its own rows beside the gates, waivers and the wave that it stands on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from governance.decisions.flow import ConditionState, DecisionState
from governance.decisions.models import Condition, Decision
from governance.decisions.records import bases_of
from governance.decisions.rules import Outcome
from governance.decisions.standing import Condition as AgreedCondition
from governance.decisions.standing import DecisionFacts, ReliedWaiver, Standing, Validity, is_valid
from readiness.gates.models import WaiverRecord
from readiness.gates.queries import latest_words
from readiness.gates.rules import GateWord, is_worse
from readiness.waves.models import Wave

#: States that say all there is to say.
_ENDED = {
    DecisionState.LAPSED: Standing.LAPSED,
    DecisionState.SUPERSEDED: Standing.REVOKED,
    DecisionState.OUTDATED: Standing.OUTDATED,
    DecisionState.REVOKED: Standing.REVOKED,
}


def validity(session: Session, decision: Decision, now: datetime) -> Validity:
    """What the decision is worth now, derived from its gates, waivers and conditions."""
    return validities(session, [decision], now)[decision.id]


def validities(session: Session, found: Sequence[Decision], now: datetime) -> dict[int, Validity]:
    """What each decision is worth now, in at most five queries, however many there are."""
    ended = {each.id: Validity(_ENDED[DecisionState(each.state)]) for each in found if each.state in _ENDED}
    standing = [each for each in found if each.id not in ended]
    if not standing:
        return ended
    ids = [each.id for each in standing]
    bases = bases_of(session, ids)
    words = latest_words(session, {basis.gate_id for each in bases.values() for basis in each})
    relied = {waiver for each in bases.values() for basis in each for waiver, _, _ in basis.waivers}
    waivers = select(WaiverRecord.id, WaiverRecord.ended_at).where(WaiverRecord.id.in_(relied))
    ends = {row.id: row.ended_at for row in session.execute(waivers)} if relied else {}
    live = {
        row.id: row.live_at
        for row in session.execute(
            select(Wave.id, Wave.live_at).where(Wave.id.in_({each.wave_id for each in standing}))
        )
    }
    conditions: dict[int, list[AgreedCondition]] = {}
    for row in session.scalars(
        select(Condition).where(Condition.decision_id.in_(ids), Condition.state != ConditionState.WITHDRAWN)
    ):
        met = row.settled_at if row.state in {ConditionState.MET, ConditionState.MET_LATE} else None
        conditions.setdefault(row.decision_id, []).append(
            AgreedCondition(id=str(row.id), owner=str(row.owner_id), due=row.due_at, met_at=met)
        )
    result = dict(ended)
    for each in standing:
        stands_on = bases.get(each.id, ())
        went_live = live.get(each.wave_id)
        executed = went_live is not None and each.closed_at is not None and went_live >= each.closed_at
        facts = DecisionFacts(
            outcome=Outcome(each.outcome) if each.outcome else None,
            gates=frozenset(str(basis.gate_id) for basis in stands_on),
            gates_gone=frozenset(str(basis.gate_id) for basis in stands_on if basis.gate_id not in words),
            gates_worse=frozenset(
                str(basis.gate_id)
                for basis in stands_on
                if basis.gate_id in words and is_worse(GateWord(words[basis.gate_id].word), GateWord(basis.word))
            ),
            criteria_changed=frozenset(
                str(basis.gate_id)
                for basis in stands_on
                if basis.gate_id in words and words[basis.gate_id].criteria_version != basis.criteria_version
            ),
            waivers=tuple(
                ReliedWaiver(id=str(waiver), until=until, ended_at=ends.get(waiver))
                for basis in stands_on
                for waiver, _, until in basis.waivers
            ),
            conditions=tuple(conditions.get(each.id, ())) if each.outcome == Outcome.CONDITIONAL_GO else (),
            went_live_at=went_live if executed else None,
        )
        # A draft stands on nothing yet.
        result[each.id] = Validity(Standing.VALID) if each.state == DecisionState.DRAFT else is_valid(facts, now)
    return result
