"""Which processes are there, which version of each counts now, and does a step exist?

The version that counts is the one in force; without one the newest approved design, else the newest that was not given up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from erpcore.kernel.errors import NotFound
from erpcore.kernel.history import Transition
from governance.processes.content import Step
from governance.processes.flow import WRITE, VersionKind, VersionState
from governance.processes.models import BusinessProcess, ProcessStep, ProcessVersion, ValueStream
from governance.processes.records import contents

#: The more a version counts, the earlier it stands.
_RANK = {
    VersionState.LIVE: 0, VersionState.APPROVED: 1, VersionState.IN_REVIEW: 2, VersionState.DRAFT: 3, VersionState.RETIRED: 4,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class VersionView:
    """A version without its steps."""

    id: int
    process_id: int
    number: int
    kind: VersionKind
    state: VersionState
    version: int
    summary: str
    based_on: int | None
    author: int
    drafted_at: datetime
    submitted_by: int | None
    submitted_at: datetime | None
    fingerprint: str | None
    approved_by: int | None
    approved_at: datetime | None
    live_at: datetime | None
    retired_at: datetime | None
    steps: int


@dataclass(frozen=True, kw_only=True)
class ProcessView:
    """A process with its versions, newest first; ``current`` is the one that counts, ``None`` where nobody wrote one."""

    id: int
    code: str
    name: str
    purpose: str
    owner: int | None
    version: int
    stream_id: int
    stream_code: str
    stream: str
    versions: tuple[VersionView, ...]

    @property
    def current(self) -> VersionView | None:
        return counting(self.versions)

    @property
    def live(self) -> VersionView | None:
        """The version in force."""
        return next((one for one in self.versions if one.state is VersionState.LIVE), None)


@dataclass(frozen=True, kw_only=True)
class StreamView:
    """A value stream with its processes, in order."""

    id: int
    code: str
    name: str
    purpose: str
    processes: tuple[ProcessView, ...]


@dataclass(frozen=True, kw_only=True)
class StepRef:
    """A step of the version that counts, by its full code, with where it belongs."""

    code: str
    step: Step
    number: int
    process: ProcessView
    version: VersionView

    @property
    def name(self) -> str:
        return self.step.name


def counting(versions: Sequence[VersionView]) -> VersionView | None:
    """The version that counts among those of one process."""
    alive = [one for one in versions if one.state is not VersionState.WITHDRAWN]
    return min(
        alive,
        key=lambda one: (_RANK[one.state], one.kind is VersionKind.AS_IS, -one.number),
        default=None,
    )


def streams(session: Session) -> list[StreamView]:
    """All value streams with their processes and versions. Four queries."""
    by_stream: dict[int, list[ProcessView]] = defaultdict(list)
    for one in processes(session):
        by_stream[one.stream_id].append(one)
    return [
        StreamView(id=row.id, code=row.code, name=row.name, purpose=row.purpose, processes=tuple(by_stream[row.id]))
        for row in session.scalars(select(ValueStream).order_by(ValueStream.position, ValueStream.id))
    ]


def processes(session: Session, *, code: str | None = None) -> list[ProcessView]:
    """All processes, or the one with this code, in the order of their streams. Three queries."""
    query = select(BusinessProcess, ValueStream.code, ValueStream.name).join(
        ValueStream, ValueStream.id == BusinessProcess.stream_id
    )
    if code is not None:
        query = query.where(BusinessProcess.code == code)
    rows = session.execute(query.order_by(ValueStream.position, BusinessProcess.position, BusinessProcess.id)).all()
    by_process = _versions(session, [row.BusinessProcess.id for row in rows])
    return [_process(row, stream_code, stream, by_process[row.id]) for row, stream_code, stream in rows]


def _versions(session: Session, process_ids: list[int]) -> dict[int, list[VersionView]]:
    counted = session.execute(
        select(ProcessStep.version_id, func.count().label("steps"))
        .join(ProcessVersion, ProcessVersion.id == ProcessStep.version_id)
        .where(ProcessVersion.process_id.in_(process_ids))
        .group_by(ProcessStep.version_id)
    )
    counts = {row.version_id: row.steps for row in counted}
    found: dict[int, list[VersionView]] = defaultdict(list)
    query = select(ProcessVersion).where(ProcessVersion.process_id.in_(process_ids))
    for row in session.scalars(query.order_by(ProcessVersion.process_id, ProcessVersion.number.desc())):
        found[row.process_id].append(_version(row, counts.get(row.id, 0)))
    return found


def _version(row: ProcessVersion, steps: int) -> VersionView:
    return VersionView(
        id=row.id, process_id=row.process_id, number=row.number, kind=VersionKind(row.kind),
        state=VersionState(row.state), version=row.version, summary=row.summary, based_on=row.based_on,
        author=row.author_id, drafted_at=row.drafted_at, submitted_by=row.submitted_by, submitted_at=row.submitted_at,
        fingerprint=row.fingerprint, approved_by=row.approved_by, approved_at=row.approved_at, live_at=row.live_at,
        retired_at=row.retired_at, steps=steps,
    )  # fmt: skip


#: The moves by which somebody wrote a version.
_WROTE = and_(
    Transition.document_type == "process_version", Transition.document_id == ProcessVersion.id, Transition.move == WRITE
)  # fmt: skip


def in_review(session: Session) -> list[tuple[ProcessView, dict[int, set[int]]]]:
    """The processes of which a version waits for approval, in the order of their streams, with these versions alone, and who wrote
    each of them. One query.
    """
    steps = select(func.count()).where(ProcessStep.version_id == ProcessVersion.id).scalar_subquery()
    rows = session.execute(
        select(BusinessProcess, ValueStream.code, ValueStream.name, ProcessVersion, steps, Transition.actor)
        .join(ValueStream, ValueStream.id == BusinessProcess.stream_id)
        .join(ProcessVersion, ProcessVersion.process_id == BusinessProcess.id)
        .join(Transition, _WROTE, isouter=True)
        .where(ProcessVersion.state == VersionState.IN_REVIEW)
        .order_by(ValueStream.position, BusinessProcess.position, BusinessProcess.id, ProcessVersion.number.desc())
    )
    found: dict[int, ProcessView] = {}
    wrote: dict[int, dict[int, set[int]]] = defaultdict(dict)
    for row, stream_code, stream, version, counted, actor in rows:
        if version.id not in wrote[row.id]:
            before = found[row.id].versions if row.id in found else ()
            found[row.id] = _process(row, stream_code, stream, (*before, _version(version, counted)))
        people = {version.author_id, version.submitted_by, actor} - {None}
        wrote[row.id].setdefault(version.id, set()).update(people)
    return [(one, wrote[key]) for key, one in found.items()]


def _process(row: BusinessProcess, stream_code: str, stream: str, versions: Sequence[VersionView]) -> ProcessView:
    return ProcessView(
        id=row.id, code=row.code, name=row.name, purpose=row.purpose, owner=row.owner_id, version=row.version,
        stream_id=row.stream_id, stream_code=stream_code, stream=stream, versions=tuple(versions),
    )  # fmt: skip


def process(session: Session, code: str) -> ProcessView:
    """One process. Raises ``NotFound``."""
    # A zero byte is part of no code, and one of the databases would not even look for it.
    found = processes(session, code=code) if "\0" not in code else []
    if not found:
        raise NotFound("process_not_found", process=code)
    return found[0]


def process_of_version(session: Session, version_id: int) -> ProcessView:
    """The process that a version belongs to. Raises ``NotFound``."""
    code = session.scalar(
        select(BusinessProcess.code)
        .join(ProcessVersion, ProcessVersion.process_id == BusinessProcess.id)
        .where(ProcessVersion.id == version_id)
    )
    if code is None:
        raise NotFound("process_version_not_found", version=version_id)
    return process(session, code)


def process_by_id(session: Session, process_id: int) -> ProcessView:
    """One process by its id. Raises ``NotFound``."""
    row = session.get(BusinessProcess, process_id)
    if row is None:
        raise NotFound("process_not_found", process=process_id)
    return process(session, row.code)


def step_refs(session: Session, known: Sequence[ProcessView] | None = None) -> list[StepRef]:
    """Every step of the versions that count, in order. Six queries, three where all processes are known."""
    found = [(one, one.current) for one in (processes(session) if known is None else known)]
    said = contents(session, [version.id for _, version in found if version])
    return [
        StepRef(code=f"{one.code}.{step.code}", step=step, number=number, process=one, version=version)
        for one, version in found
        if version is not None
        for number, step in enumerate(said[version.id].steps, start=1)
    ]


def step_codes(session: Session) -> dict[str, str]:
    """The name of every step by its full code, of all versions that were not given up: what may be referred to. One query."""
    rows = session.execute(
        select(BusinessProcess.code, ProcessStep.code, ProcessStep.name)
        .join(ProcessVersion, ProcessVersion.id == ProcessStep.version_id)
        .join(BusinessProcess, BusinessProcess.id == ProcessVersion.process_id)
        .where(ProcessVersion.state != VersionState.WITHDRAWN)
        .order_by(BusinessProcess.position, ProcessVersion.number, ProcessStep.position)
    )
    return {f"{process}.{step}": name for process, step, name in rows}


def counting_steps(session: Session, process_codes: Collection[str]) -> dict[str, str]:
    """The name of every step by its full code, of the version that counts of each of these processes. One query."""
    rows = session.execute(
        select(
            BusinessProcess.code, ProcessVersion.id, ProcessVersion.state, ProcessVersion.kind, ProcessVersion.number,
            ProcessStep.code.label("step"), ProcessStep.name,
        )
        .join(ProcessVersion, ProcessVersion.process_id == BusinessProcess.id)
        .join(ProcessStep, ProcessStep.version_id == ProcessVersion.id)
        .where(BusinessProcess.code.in_(sorted(process_codes)), ProcessVersion.state != VersionState.WITHDRAWN)
        .order_by(BusinessProcess.position, ProcessVersion.number, ProcessStep.position)
    ).all()  # fmt: skip
    return steps_that_count(rows)


def steps_that_count(rows: Sequence[Any]) -> dict[str, str]:
    """The same out of the steps of all versions that were not given up, each row with its process' code, the version's id,
    state, kind and number, and the step's code and name.
    """
    best: dict[str, tuple[tuple[int, bool, int], int]] = {}
    for row in rows:
        rank = (_RANK[VersionState(row.state)], row.kind == VersionKind.AS_IS, -row.number)
        best[row.code] = min(best.get(row.code, (rank, row.id)), (rank, row.id))
    return {f"{row.code}.{row.step}": row.name for row in rows if best[row.code][1] == row.id}


def step_exists(session: Session, code: str) -> bool:
    """Whether ``process.step`` is a step of a version that was not given up."""
    process_code, _, step_code = code.partition(".")
    if "\0" in code:  # part of no code, and one of the databases would not even look for it
        return False
    return (
        session.scalar(
            select(ProcessStep.id)
            .join(ProcessVersion, ProcessVersion.id == ProcessStep.version_id)
            .join(BusinessProcess, BusinessProcess.id == ProcessVersion.process_id)
            .where(
                BusinessProcess.code == process_code, ProcessStep.code == step_code,
                ProcessVersion.state != VersionState.WITHDRAWN,
            )
            .limit(1)
        )
        is not None
    )  # fmt: skip


def writers(session: Session, version_ids: Sequence[int]) -> dict[int, set[int]]:
    """Who began, changed or handed in these versions: none of them approves it. One query."""
    rows = session.execute(
        select(ProcessVersion.id, ProcessVersion.author_id, ProcessVersion.submitted_by, Transition.actor)
        .join(Transition, _WROTE, isouter=True)
        .where(ProcessVersion.id.in_(sorted(version_ids)))
        .distinct()
    )
    found: dict[int, set[int]] = defaultdict(set)
    for key, *people in rows:
        found[key].update(one for one in people if one is not None)
    return found


def moves_of(session: Session, version_ids: Sequence[int]) -> list[Transition]:
    """Who moved these versions, newest first. One query."""
    return list(
        session.scalars(
            select(Transition)
            .where(Transition.document_type == "process_version", Transition.document_id.in_(sorted(version_ids)))
            .order_by(Transition.id.desc())
        )
    )
