"""Asking for a replay, doing it in a worker's hands, and keeping what came of it once and for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select, update

from erpcore.kernel.canonical import canonical_json, fingerprint
from erpcore.kernel.errors import NotAllowed, RuleBroken
from erpcore.kernel.work import UnitOfWork
from governance.replays.flow import OPEN, REPLAY_FLOW, ReplayState
from governance.replays.models import ReplayOrder, ReplayRecord, VariantReplay
from governance.variants.checks import refuse_overlap, values_of
from governance.variants.flow import DECIDERS, VariantState
from governance.variants.models import Variant
from governance.variants.permissions import VariantPermission
from governance.variants.records import lock_variant
from governance.variants.register import scope_of

#: The longest period and the most orders that one replay takes.
MOST_DAYS, MOST_ORDERS = 366, 50_000
#: A worker that has said nothing for so long was killed, and another begins anew.
SILENT = timedelta(minutes=2)
MOST_TRIES = 3
#: So many orders that differ are kept by name; all are counted.
NAMED = 1_000
_BEFORE_DECISION = (VariantState.DRAFT, VariantState.SUBMITTED)


@dataclass(frozen=True, kw_only=True)
class AskReplay:
    """Replay the orders of the last ``days``, at most so many of the newest."""

    variant: int
    days: int = 28
    most: int = 10_000
    seen_version: int | None = None


def proposal_of(row: Variant, values: Mapping[str, Any]) -> str:
    """A hash of what the variant would change: its values, for whom, and what it takes the place of. When it would begin and
    end does not matter to a replay.
    """
    return fingerprint(
        {"kind": row.kind, "scope": list(scope_of(row)), "values": dict(values), "supersedes": row.supersedes_id}
    )


def may_replay(work_or_actor: Any) -> bool:
    """Whether this person may have orders replayed: who asks for variants, and who decides on them."""
    actor = getattr(work_or_actor, "actor", work_or_actor)
    return any(actor.may(permission) for permission in (VariantPermission.REQUEST, *DECIDERS.values()))


def check_ask(work: UnitOfWork, command: AskReplay) -> Variant:
    """The variant, locked, where a replay of it may be asked for.

    Raises ``NotAllowed`` for who neither asks for nor decides on variants, ``RuleBroken`` for one that is decided on and for a
    period or number out of range.
    """
    if not may_replay(work):
        raise NotAllowed("not_allowed", permission=VariantPermission.REQUEST)
    row = lock_variant(work, command.variant, command.seen_version)
    if row.state not in _BEFORE_DECISION:
        raise RuleBroken("replay_decided", variant=row.code, state=row.state)
    if not 1 <= command.days <= MOST_DAYS:
        raise RuleBroken("replay_days", field="days", most=MOST_DAYS)
    if not 1 <= command.most <= MOST_ORDERS:
        raise RuleBroken("replay_most", field="most", most=MOST_ORDERS)
    return row


def ask_replay(work: UnitOfWork, command: AskReplay) -> VariantReplay:
    """Let a replay of what is proposed wait for the worker; one that waits or runs already for the same is returned.

    Raises as ``check_ask`` and, as an approval would, where another variant holds for the same scope.
    """
    row = check_ask(work, command)
    values = values_of(work, row.id)
    until = row.valid_until
    refuse_overlap(work, row, values, starts=max(row.valid_from, work.now), until=until)
    proposal = proposal_of(row, values)
    open_ = work.session.scalar(
        select(VariantReplay).where(VariantReplay.variant_id == row.id, VariantReplay.state.in_(OPEN))
    )
    if open_ is not None:
        if open_.proposal == proposal:
            return open_
        # The variant was written anew meanwhile: what the worker still makes of the old one is of no use.
        open_.state, open_.finished_at = REPLAY_FLOW.target("drop", open_.state), work.now
        open_.note = "The variant asks for something else since."
        work.session.flush()
    asked = VariantReplay(
        id=work.ids.one(), variant_id=row.id, variant_version=row.version, proposal=proposal,
        period_from=work.now - timedelta(days=command.days), period_until=work.now, most=command.most,
        state=REPLAY_FLOW.initial, asked_by=work.actor.id, asked_at=work.now, begun_at=None, beat_at=work.now,
        finished_at=None, tries=0, steps=0, steps_done=0, note=None,
    )  # fmt: skip
    work.session.add(asked)
    work.session.flush()
    work.audit("variant.replay_asked", "variant", row.id, code=row.code, replay=asked.id, days=command.days)
    return asked


def take_replay(work: UnitOfWork) -> VariantReplay | None:
    """The next replay, now in this worker's hands; one that broke its workers is given up instead."""
    query = select(VariantReplay).where(
        or_(
            VariantReplay.state == ReplayState.WAITING,
            (VariantReplay.state == ReplayState.RUNNING) & (VariantReplay.beat_at < work.now - SILENT),
        )
    )
    query = query.order_by(VariantReplay.id).limit(1).with_for_update(key_share=True, skip_locked=True)
    while (row := work.session.scalar(query)) is not None:
        row.state, row.beat_at = REPLAY_FLOW.target("begin", row.state), work.now
        if row.tries < MOST_TRIES:
            row.tries += 1
            row.steps = row.steps_done = 0
            row.begun_at = row.begun_at or work.now
            return row
        row.state, row.finished_at = REPLAY_FLOW.target("fail", row.state), work.now
        row.note = f"It broke off {MOST_TRIES} times."
        work.session.flush()
    return None


def tell_progress(work: UnitOfWork, replay: int, done: int, steps: int) -> None:
    """Keep how far it is."""
    mine = update(VariantReplay).where(VariantReplay.id == replay, VariantReplay.state == ReplayState.RUNNING)
    work.session.execute(mine.values(beat_at=work.now, steps=steps, steps_done=done))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a replay. ``differing`` counts all; ``named`` are id, number and what differs of the first of them."""

    inputs: str
    revision: str
    orders: int
    lines: int
    differing: int
    figures: Mapping[str, Any]
    named: Sequence[tuple[int, str, Mapping[str, Any]]]


def finish_replay(work: UnitOfWork, replay: int, outcome: Outcome) -> bool:
    """Keep the record; ``False`` where another worker, or a change of the variant, was faster: then nothing is kept."""
    row = _running(work, replay)
    if row is None:
        return False
    row.state, row.beat_at, row.finished_at = REPLAY_FLOW.target("finish", row.state), work.now, work.now
    row.steps_done = row.steps
    record = ReplayRecord(
        replay_id=row.id, inputs=outcome.inputs, revision=outcome.revision, orders=outcome.orders, lines=outcome.lines,
        differing=outcome.differing, figures=canonical_json(outcome.figures).decode(), made_at=work.now,
    )  # fmt: skip
    work.session.add(record)
    work.session.add_all(
        ReplayOrder(
            replay_id=row.id, position=place, order_id=key, number=number, differs=canonical_json(said).decode()
        )
        for place, (key, number, said) in enumerate(outcome.named[:NAMED])
    )
    work.session.flush()
    work.audit(
        "variant.replayed", "variant", row.variant_id, replay=row.id, inputs=outcome.inputs, orders=outcome.orders,
        differing=outcome.differing, proposal=row.proposal,
    )  # fmt: skip
    return True


def fail_replay(work: UnitOfWork, replay: int, note: str) -> None:
    """Give it up, saying why: there is no figure then."""
    row = _running(work, replay)
    if row is not None:
        row.state, row.beat_at, row.finished_at = REPLAY_FLOW.target("fail", row.state), work.now, work.now
        row.note = note


def _running(work: UnitOfWork, replay: int) -> VariantReplay | None:
    query = select(VariantReplay).where(VariantReplay.id == replay).with_for_update(key_share=True)
    row = work.session.scalar(query)
    return row if row is not None and row.state == ReplayState.RUNNING else None
