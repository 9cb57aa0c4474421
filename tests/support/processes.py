"""Builders: processes of the distributor's set, and people who write, approve and own them."""

from __future__ import annotations

from app.composition.process_desk import known, take_set_over
from app.composition.uow import unit_of_work
from governance.processes.content import Content, Step
from governance.processes.flow import VersionKind
from governance.processes.queries import process
from governance.processes.services import DraftVersion, MoveVersion, draft_version, move_on
from tests.support.approvals import acting

PMO = acting(81, "pmo")
OWNER = acting(82, "process_owner")
COUNCIL = acting(83, "design_authority")
OTHER = acting(84, "process_owner")


def work_as(database, clock, who):
    """A unit of work of this person."""
    return unit_of_work(database, actor=who, clock=clock)


def the_set(database, clock, owner=None):
    """The distributor's set as drafts; ``owner`` is an account. Ids of versions by process code."""
    with work_as(database, clock, PMO) as work:
        owners = {} if owner is None else {"order_to_cash": owner, "warehouse": owner}
        rows = take_set_over(work, owners)
        return {row.process_id: row.id for row in rows}, {
            code: process(work.session, code).versions[0].id for code in ("order_to_cash", "warehouse")
        }


def move(database, clock, version, name, *, by=COUNCIL, reason="as agreed", seen=None):
    """The state of a version after the move."""
    with work_as(database, clock, by) as work:
        return move_on(work, MoveVersion(version=version, move=name, reason=reason, seen_version=seen)).state


def a_step(code="capture", **changes):
    """A complete step."""
    said = {
        "name": "Take the order", "role": "customer_service", "owner": "process_owner", "system": "Orders",
        "trigger": "A customer orders.", "standard": "By search.", "level": "The same day.", "otherwise": "It is wrong later.",
    }  # fmt: skip
    return Step(code=code, **(said | changes))


def a_draft(database, clock, code, *steps, by=PMO, kind=VersionKind.TO_BE, based_on=None):
    """The id of a new version of the process."""
    with work_as(database, clock, by) as work:
        content = Content(tuple(steps)) if steps else None
        command = DraftVersion(
            process=process(work.session, code).id, kind=kind, summary="what the rehearsal taught", based_on=based_on, content=content
        )  # fmt: skip
        return draft_version(work, command, known=known()).id
