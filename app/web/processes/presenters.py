"""How do processes read on a page? States as words and shapes, maps out of the data, fields of a step by their names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from app.charts import Chart, MapProcess, MapStep, process_map, swimlanes
from app.queries.processes import VersionPage
from app.security.roles import title_of
from app.web.areas import closed
from app.web.steering_words import Look
from erpcore.kernel.actor import Actor
from governance.processes.content import Content, Step
from governance.processes.flow import VERSION_FLOW, VersionKind, VersionState
from governance.processes.queries import ProcessView, StepRef

STATES: Final[dict[str, Look]] = {
    VersionState.DRAFT: Look("not evaluated", "Draft"),
    VersionState.IN_REVIEW: Look("conditional", "Waits for approval"),
    VersionState.APPROVED: Look("ready", "Approved"),
    VersionState.LIVE: Look("ready", "In force"),
    VersionState.RETIRED: Look("no evidence", "Replaced"),
    VersionState.WITHDRAWN: Look("no evidence", "Withdrawn"),
}
KINDS: Final[dict[str, str]] = {VersionKind.AS_IS: "as is", VersionKind.TO_BE: "to be"}
#: The moves of a version, as buttons say them and as they read when done.
MOVES: Final = (
    ("submit", "Hand in for approval", "It is handed in. Somebody else approves it."),
    ("approve", "Approve", "It is approved, and stays as it is."),
    ("return", "Return to its author", "It is a draft again."),
    ("go_live", "Put in force", "It is in force; the one before is replaced."),
    ("retire", "Retire", "It is no longer worked by."),
    ("withdraw", "Withdraw", "It is given up."),
)
FIELDS: Final[dict[str, str]] = {
    "name": "Name", "role": "Who does it", "owner": "Who answers for it", "system": "System of record", "trigger": "Starts when",
    "standard": "Standard", "level": "Service level", "otherwise": "What goes wrong otherwise", "inputs": "Inputs",
    "decisions": "Decision points", "approval": "Approval", "measures": "Measures", "automation": "Automation idea",
    "points": "Policy points", "reference": "Framework id", "exceptions": "Exception path", "handoffs": "Hands over to",
}  # fmt: skip
CHANGES: Final[dict[str, Look]] = {
    "added": Look("pass", "new"), "removed": Look("fail", "gone"), "changed": Look("warn", "changed"),
    "moved": Look("waived", "moved"), "same": Look("not evaluated", "the same"),
}  # fmt: skip


def lanes(process: ProcessView, content: Content, names: dict[str, str]) -> Chart:
    """The process in lanes; ``names`` are the processes by their codes."""
    others = {code: name for code, name in names.items() if code != process.code}
    return swimlanes(f"{process.name}, step by step", [_step(one) for one in content.steps], others, key="lanes")


def whole_map(refs: Sequence[StepRef]) -> Chart:
    """All processes with what they hand over."""
    by_process: dict[int, list[StepRef]] = {}
    for one in refs:
        by_process.setdefault(one.process.id, []).append(one)
    rows = [
        MapProcess(
            code=mine[0].process.code, name=mine[0].process.name, stream=mine[0].process.stream,
            steps=tuple(_step(one.step) for one in mine),
        )
        for mine in by_process.values()
    ]  # fmt: skip
    return process_map("All processes", rows, key="map")


def _step(step: Step) -> MapStep:
    return MapStep(
        code=step.code, name=step.name, lane=title_of(step.role), asks=bool(step.approval), exceptions=len(step.exceptions),
        to=tuple((one.to, one.what) for one in step.handoffs),
    )  # fmt: skip


def open_moves(page: VersionPage, who: Actor) -> list[dict[str, str]]:
    """The moves of the flow's table for this version; one that is not open to the person says why."""
    out = []
    process, row, wrote = page.process, page.version, page.writers
    for name, label, _ in MOVES:
        if row.state not in VERSION_FLOW.moves[name].sources or (name == "go_live" and row.kind is VersionKind.AS_IS):
            continue
        why = closed(VERSION_FLOW, name, row.state, who)
        if not why and name == "approve" and who.id in wrote:
            why = "you wrote it or handed it in, so somebody else approves"
        if not why and name == "approve" and process.owner not in (None, who.id, *wrote):
            why = f"the owner of {process.name} approves"
        if not why and name == "submit" and not row.steps:
            why = "there is no step yet"
        out.append({"name": name, "label": label, "why": why})
    return out


def counted_paths(refs: Iterable[StepRef]) -> int:
    """How many exception paths these steps have."""
    return sum(len(one.step.exceptions) for one in refs)
