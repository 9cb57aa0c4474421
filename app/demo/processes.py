"""How the demo's companies work: the distributor's set in force, what one site still does its own way, and a version to approve."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.composition.process_desk import known, take_set_over
from app.composition.uow import Database, unit_of_work
from app.demo.people import Staff
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from governance.processes.content import Content, ExceptionPath, Step
from governance.processes.flow import VersionKind
from governance.processes.queries import process, processes
from governance.processes.records import content_of
from governance.processes.services import DraftVersion, MoveVersion, PutStep, draft_version, move_on, put_step

#: Who answers for which process.
OWNERS = {
    "quote_to_order": "process", "order_to_cash": "process", "warehouse": "process", "returns_to_credit": "process.billing",
    "channel_settlement": "process.billing", "replenishment": "process", "procure_to_pay": "process",
    "record_to_report": "finance",
}  # fmt: skip
_AGREED = "Read with the process council; it is what we want to work by."
_TWICE_COUNTED = ExceptionPath(
    code="pallet_split", name="Pallet for two orders", when="One pallet holds goods of two orders of the same customer.",
    actions=(
        "Keep both orders' cartons apart on the pallet, with a sheet between them.", "Put both packing slips on the outside.",
        "Confirm both shipments before the driver leaves.",
    ),
    role="warehouse_supervisor", approval="",
    otherwise="The second order counts as missing until somebody unpacks the pallet.",
)  # fmt: skip


def write_processes(database: Database, staff: Staff, clock: Clock) -> None:
    """The set taken over and put in force; Leeds as it is; a second version of the warehouse in force, and one of orders to approve."""
    with unit_of_work(database, actor=staff["pmo"], clock=clock) as work:
        made = take_set_over(work, {code: staff.ids[name] for code, name in OWNERS.items()})
        for row in made:
            move_on(work, MoveVersion(version=row.id, move="submit"))
        owners = {one.id: one.owner for one in processes(work.session)}
        waiting = [(row.id, owners[row.process_id]) for row in made]
    by_id = {key: name for name, key in staff.ids.items()}
    for version, owner in waiting:
        with unit_of_work(database, actor=staff[by_id[owner or 0]], clock=clock) as work:
            for move, reason in (("approve", _AGREED), ("go_live", "In force from the first wave on.")):
                move_on(work, MoveVersion(version=version, move=move, reason=reason))
    _tell_leeds(database, staff, clock)
    _second_warehouse(database, staff, clock)
    _orders_to_approve(database, staff, clock)


def _draft(
    database: Database, actor: Actor, clock: Clock, code: str, kind: VersionKind, summary: str, steps: list[Step] | None
) -> int:
    """A draft of a process as it stands, or with these steps."""
    with unit_of_work(database, actor=actor, clock=clock) as work:
        found = process(work.session, code)
        base = found.current.id if found.current and steps is None else None
        content = Content(tuple(steps)) if steps is not None else None
        command = DraftVersion(process=found.id, kind=kind, summary=summary, based_on=base, content=content)
        return draft_version(work, command, known=known()).id


def _steps(database: Database, staff: Staff, clock: Clock, code: str) -> list[Step]:
    with unit_of_work(database, actor=staff["pmo"], clock=clock) as work:
        found = process(work.session, code).current
        return list(content_of(work.session, found.id).steps) if found else []


def _tell_leeds(database: Database, staff: Staff, clock: Clock) -> None:
    """How Leeds takes orders before its wave: checks by telephone, confirmations by hand, invoices once a week."""
    steps = [one for one in _steps(database, staff, clock, "order_to_cash") if one.code not in ("confirm", "apply")]
    changed: dict[str, dict[str, Any]] = {
        "capture": {
            "system": "Paper slips, typed in the evening", "level": "Typed the same evening, most of them.",
            "standard": "Whoever is at the counter writes a slip; the office types slips into the old system after six.",
            "automation": "", "exceptions": (), "measures": (),
        },
        "check": {
            "system": "A call to the office", "level": "When somebody answers.", "approval": "The office says yes on the telephone.",
            "standard": "For customers on the red list, call the office before the goods leave.", "exceptions": (), "measures": (),
        },
        "invoice": {
            "level": "Once a week, on Friday.", "standard": "The office writes the invoices of the week from the slips.",
            "exceptions": (), "measures": (),
        },
    }  # fmt: skip
    told = [replace(one, handoffs=(), **changed.get(one.code, {})) for one in steps]
    version = _draft(
        database, staff["pmo"], clock, "order_to_cash", VersionKind.AS_IS,
        "How Leeds takes and bills orders today, written down on two days at the counter.", told,
    )  # fmt: skip
    with unit_of_work(database, actor=staff["pmo"], clock=clock) as work:
        move_on(work, MoveVersion(version=version, move="submit"))
    with unit_of_work(database, actor=staff["process"], clock=clock) as work:
        move_on(work, MoveVersion(version=version, move="approve", reason="That is how it is done there."))


def _second_warehouse(database: Database, staff: Staff, clock: Clock) -> None:
    """What the rehearsal taught: an earlier release of waves, and pallets for two orders."""
    version = _draft(
        database, staff["design"], clock, "warehouse", VersionKind.TO_BE,
        "Waves are released earlier, and pallets for two orders have their own path.", None,
    )  # fmt: skip
    with unit_of_work(database, actor=staff["design"], clock=clock) as work:
        content = content_of(work.session, version)
        plan, ship = content.step("plan"), content.step("ship")
        if plan is None or ship is None:  # the set has both
            return
        longer = replace(plan, level="Released at least two hours before the cut-off.")
        put_step(work, PutStep(version=version, code="plan", step=longer), known=known())
        wider = replace(ship, exceptions=(*ship.exceptions, _TWICE_COUNTED))
        put_step(work, PutStep(version=version, code="ship", step=wider), known=known())
        move_on(work, MoveVersion(version=version, move="submit"))
    with unit_of_work(database, actor=staff["process"], clock=clock) as work:
        for move, reason in (
            ("approve", "As the rehearsal in Duisburg showed."),
            ("go_live", "From the next wave on."),
        ):
            move_on(work, MoveVersion(version=version, move=move, reason=reason))


def _orders_to_approve(database: Database, staff: Staff, clock: Clock) -> None:
    """A proposal that waits for the owner: orders without a finding are confirmed within ten minutes."""
    version = _draft(
        database, staff["design"], clock, "order_to_cash", VersionKind.TO_BE,
        "Confirmations leave within ten minutes, since they need no hand any more.", None,
    )  # fmt: skip
    with unit_of_work(database, actor=staff["design"], clock=clock) as work:
        step = content_of(work.session, version).step("confirm")
        if step is None:  # the set has it
            return
        faster = replace(step, level="Within ten minutes of release.", points=("promise_rule",))
        put_step(work, PutStep(version=version, code="confirm", step=faster), known=known())
        move_on(work, MoveVersion(version=version, move="submit"))
