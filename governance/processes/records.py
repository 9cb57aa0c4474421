"""How are a process, a version and its steps read and written as rows?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

import orjson
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from erpcore.kernel.errors import Conflict, NotFound
from erpcore.kernel.work import UnitOfWork
from governance.processes.content import Content, ExceptionPath, HandOff, Step
from governance.processes.models import BusinessProcess, ProcessStep, ProcessVersion, StepException, StepHandOff

_PLAIN = (
    "code", "name", "role", "owner", "system", "trigger", "standard", "level", "otherwise", "approval", "automation",
    "reference",
)  # fmt: skip
_LISTS = ("inputs", "decisions", "measures", "points")


def lock_process(work: UnitOfWork, process_id: int) -> BusinessProcess:
    """The process, which puts the moves of its versions in order. Raises ``NotFound``."""
    row = work.session.get(BusinessProcess, process_id, with_for_update={"key_share": True}, populate_existing=True)
    if row is None:
        raise NotFound("process_not_found", process=process_id)
    return row


def lock_version(
    work: UnitOfWork, version_id: int, seen_version: int | None = None
) -> tuple[BusinessProcess, ProcessVersion]:
    """A version with its process, both locked. Raises ``NotFound``, and ``Conflict`` when it changed since it was seen."""
    process_id = work.session.scalar(select(ProcessVersion.process_id).where(ProcessVersion.id == version_id))
    if process_id is None:
        raise NotFound("process_version_not_found", version=version_id)
    process = lock_process(work, process_id)
    row = work.session.get_one(ProcessVersion, version_id, with_for_update={"key_share": True}, populate_existing=True)
    if seen_version is not None and seen_version != row.version:
        raise Conflict("changed_meanwhile", document=f"{process.name}, version {row.number}")
    return process, row


def contents(session: Session, version_ids: Collection[int]) -> dict[int, Content]:
    """What these versions say. Three queries however many there are; a version without steps is empty."""
    found: dict[int, list[Step]] = {key: [] for key in version_ids}
    if not found:
        return {}
    keys = sorted(found)
    within = select(ProcessStep.id).where(ProcessStep.version_id.in_(keys))
    paths: dict[int, list[ExceptionPath]] = defaultdict(list)
    for path in session.scalars(
        select(StepException)
        .where(StepException.step_id.in_(within))
        .order_by(StepException.step_id, StepException.position)
    ):
        paths[path.step_id].append(
            ExceptionPath(
                code=path.code, name=path.name, when=path.occasion, actions=tuple(orjson.loads(path.actions)), role=path.role,
                approval=path.approval, otherwise=path.otherwise,
            )
        )  # fmt: skip
    handoffs: dict[int, list[HandOff]] = defaultdict(list)
    for one in session.scalars(
        select(StepHandOff).where(StepHandOff.step_id.in_(within)).order_by(StepHandOff.step_id, StepHandOff.position)
    ):
        handoffs[one.step_id].append(HandOff(to=one.to_step, what=one.what))
    for row in session.scalars(
        select(ProcessStep)
        .where(ProcessStep.version_id.in_(keys))
        .order_by(ProcessStep.version_id, ProcessStep.position)
    ):
        said: dict[str, Any] = {name: getattr(row, name) for name in _PLAIN}
        said |= {name: tuple(orjson.loads(getattr(row, name))) for name in _LISTS}
        found[row.version_id].append(Step(**said, exceptions=tuple(paths[row.id]), handoffs=tuple(handoffs[row.id])))
    return {key: Content(tuple(steps)) for key, steps in found.items()}


def content_of(session: Session, version_id: int) -> Content:
    """What one version says. Three queries."""
    return contents(session, [version_id])[version_id]


def write_steps(work: UnitOfWork, version_id: int, steps: Sequence[Step]) -> None:
    """Add these steps to a draft that has none."""
    for position, step in enumerate(steps, start=1):
        key = work.ids.one()
        work.session.add(
            ProcessStep(
                id=key, version_id=version_id, position=position, **{name: getattr(step, name) for name in _PLAIN},
                **{name: orjson.dumps(list(getattr(step, name))).decode() for name in _LISTS},
            )
        )  # fmt: skip
        work.session.flush()  # its paths and hand-offs name it
        for number, path in enumerate(step.exceptions, start=1):
            work.session.add(
                StepException(
                    id=work.ids.one(), step_id=key, position=number, code=path.code, name=path.name, occasion=path.when,
                    actions=orjson.dumps(list(path.actions)).decode(), role=path.role, approval=path.approval,
                    otherwise=path.otherwise,
                )
            )  # fmt: skip
        for number, one in enumerate(step.handoffs, start=1):
            work.session.add(
                StepHandOff(id=work.ids.one(), step_id=key, position=number, to_step=one.to, what=one.what)
            )
    work.session.flush()


def rewrite_steps(work: UnitOfWork, version_id: int, steps: Sequence[Step]) -> None:
    """Let a draft say this instead of what it says."""
    mine = select(ProcessStep.id).where(ProcessStep.version_id == version_id)
    for table in (StepException, StepHandOff):
        work.session.execute(
            delete(table).where(table.step_id.in_(mine)), execution_options={"synchronize_session": False}
        )
    work.session.execute(
        delete(ProcessStep).where(ProcessStep.version_id == version_id),
        execution_options={"synchronize_session": False},
    )
    work.session.expire_all()
    write_steps(work, version_id, steps)
