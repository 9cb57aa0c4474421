"""What is done about an entry: by whom, until when, and whether it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from governance.risks.content import LONGEST_TEXT, LONGEST_TITLE
from governance.risks.flow import ACTION_FLOW, ActionState
from governance.risks.models import RaidAction, RaidEntry
from governance.risks.permissions import RiskPermission
from governance.risks.records import locked, may_work, must_stand, note


@dataclass(frozen=True, kw_only=True)
class AddAction:
    """Something to be done about an entry."""

    entry: int
    title: str
    owner: int
    due_on: date
    today: date


@dataclass(frozen=True, kw_only=True)
class SettleAction:
    """Finish or drop an action; whoever drops it says why."""

    entry: int
    action: int
    move: str
    note: str = ""


def add_action(work: UnitOfWork, command: AddAction) -> RaidAction:
    """An open action. Raises ``NotAllowed`` for who neither owns the entry nor manages the register, ``RuleBroken`` for one without
    words or with a day that is past.
    """
    row = locked(work, command.entry, None)
    may_work(work, row)
    must_stand(row)
    if not command.title.strip():
        raise RuleBroken("risk_incomplete", field="title", what="title", kind="action")
    if len(command.title) > LONGEST_TITLE:
        raise RuleBroken("text_too_long", field="title", longest=LONGEST_TITLE)
    if command.due_on < command.today:
        raise RuleBroken("due_in_the_past", field="due_on", due_at=command.due_on)
    action = RaidAction(
        id=work.ids.one(), entry_id=row.id, title=command.title.strip(), owner_id=command.owner, due_on=command.due_on,
        state=ACTION_FLOW.initial, note="",
    )  # fmt: skip
    work.session.add(action)
    note(work, row, "act", action=action.title, owner=action.owner_id, due_on=action.due_on.isoformat())
    return action


def settle_action(work: UnitOfWork, command: SettleAction) -> RaidAction:
    """An action that is done or dropped. Its owner does it, the entry's owner, or who manages the register."""
    work.actor.require(RiskPermission.WORK)
    if command.move not in ACTION_FLOW.moves:
        raise RuleBroken("choice_unknown", field="move", value=command.move)
    action = work.session.get(RaidAction, command.action)
    if action is None or action.entry_id != command.entry:
        raise NotFound("risk_action_not_found", action=command.action)
    row = _entry_of(work, action)
    action = work.session.get_one(
        RaidAction, command.action, with_for_update={"key_share": True}, populate_existing=True
    )
    if len(command.note) > LONGEST_TEXT:
        raise RuleBroken("text_too_long", field="note", longest=LONGEST_TEXT)
    if action.state != ActionState.OPEN:
        raise Conflict("risk_action_settled", action=action.title, state=action.state)
    action.state = ACTION_FLOW.target(command.move, action.state, reason=command.note)
    action.settled_at, action.note = work.now, command.note.strip()
    note(work, row, "act", reason=command.note, action=action.title, state=action.state)
    return action


def _entry_of(work: UnitOfWork, action: RaidAction) -> RaidEntry:
    """The entry, locked; whoever owns the action sees it whatever its site."""
    if action.owner_id != work.actor.id:
        row = locked(work, action.entry_id, None)
        may_work(work, row)
        return row
    found = work.session.get(RaidEntry, action.entry_id, with_for_update={"key_share": True}, populate_existing=True)
    if found is None:
        raise NotAllowed("risk_of_another", entry=action.title)
    return found
