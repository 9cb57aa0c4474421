"""What stands on the pages of processes: streams with their owners, steps with what leads in and out, versions side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.identity.models import Account
from app.queries.listing import Asked
from app.queries.worked_out import MemoryList
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.history import Transition
from governance.processes.content import Content, ExceptionPath, Step
from governance.processes.flow import WRITE
from governance.processes.queries import (
    ProcessView,
    StepRef,
    StreamView,
    VersionView,
    in_review,
    moves_of,
    process,
    process_of_version,
    step_codes,
    step_refs,
    streams,
)
from governance.processes.records import content_of
from governance.processes.rules import StepChange, compare


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody by name; ``left``: the account is closed."""

    id: int
    name: str
    left: bool


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """A hand-off as seen from a step: from or to which other one, what, and whether that one is there."""

    code: str
    name: str
    process: str
    what: str
    is_there: bool


@dataclass(frozen=True, kw_only=True)
class StepPage:
    """A step with what leads in and out, and the steps before and after it."""

    ref: StepRef
    into: tuple[Arrow, ...]
    out: tuple[Arrow, ...]
    before: StepRef | None
    after: StepRef | None


@dataclass(frozen=True, kw_only=True)
class VersionPage:
    """A version with its steps and what happened to it."""

    process: ProcessView
    version: VersionView
    content: Content
    moves: tuple[Transition, ...]
    #: The names of all steps there are, by their full codes: what a hand-off leads to.
    names: Mapping[str, str]

    @property
    def writers(self) -> set[int]:
        """Who began, changed or handed it in: none of them approves it."""
        row = self.version
        changed = {one.actor for one in self.moves if one.move == WRITE}
        return changed | {key for key in (row.author, row.submitted_by) if key is not None}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two versions of a process side by side."""

    process: ProcessView
    old: VersionView
    new: VersionView
    steps: tuple[StepChange, ...]

    @property
    def changed(self) -> tuple[StepChange, ...]:
        return tuple(one for one in self.steps if one.what != "same")


@dataclass(frozen=True, kw_only=True)
class PathRow:
    """An exception path with the step it belongs to."""

    ref: StepRef
    path: ExceptionPath


@dataclass(frozen=True, kw_only=True)
class ToApprove:
    """A version that waits for somebody's word."""

    process: ProcessView
    version: VersionView


def people(session: Session, ids: Iterable[int | None]) -> dict[int, Person]:
    """Names by id, with who has left. One query, none for nobody."""
    wanted = sorted({one for one in ids if one})
    if not wanted:
        return {}
    rows = session.execute(select(Account.id, Account.name, Account.closed_at).where(Account.id.in_(wanted)))
    return {row.id: Person(id=row.id, name=row.name, left=row.closed_at is not None) for row in rows}


def people_here(session: Session) -> list[tuple[int, str]]:
    """Everybody whose account is open, by name. One query."""
    rows = session.execute(select(Account.id, Account.name).where(Account.closed_at.is_(None)).order_by(Account.name))
    return [(row.id, row.name) for row in rows]


def stream_pages(session: Session) -> tuple[list[StreamView], list[StepRef]]:
    """All value streams, and every step of the versions that count. Seven queries."""
    found = streams(session)
    return found, step_refs(session, [process for stream in found for process in stream.processes])


def step_page(session: Session, process_code: str, step_code: str) -> StepPage:
    """One step of the version that counts; raises ``NotFound``. Six queries."""
    refs = step_refs(session)
    by_code = {one.code: one for one in refs}
    ref = by_code.get(f"{process_code}.{step_code}")
    if ref is None:
        raise NotFound("process_step_not_found", step=f"{process_code}.{step_code}")
    mine = [one for one in refs if one.process.id == ref.process.id]
    at = mine.index(ref)
    out = tuple(_arrow(one.to, one.what, by_code) for one in ref.step.handoffs)
    into = tuple(
        _arrow(other.code, one.what, by_code) for other in refs for one in other.step.handoffs if one.to == ref.code
    )
    return StepPage(
        ref=ref, into=into, out=out, before=mine[at - 1] if at else None,
        after=mine[at + 1] if at + 1 < len(mine) else None,
    )  # fmt: skip


def _arrow(code: str, what: str, by_code: dict[str, StepRef]) -> Arrow:
    found = by_code.get(code)
    return Arrow(
        code=code, what=what, is_there=found is not None, name=found.name if found else code,
        process=found.process.name if found else "",
    )  # fmt: skip


def version_page(session: Session, process_code: str, number: int | None = None) -> VersionPage:
    """A version by its number, or the one that counts. Raises ``NotFound``."""
    found = process(session, process_code)
    row = found.current if number is None else next((one for one in found.versions if one.number == number), None)
    if row is None:
        raise NotFound("process_version_not_found", version=number or 1)
    return _version_page(session, found, row)


def version_by_id(session: Session, version_id: int) -> VersionPage:
    """A version by its id. Raises ``NotFound``."""
    found = process_of_version(session, version_id)
    return _version_page(session, found, next(one for one in found.versions if one.id == version_id))


def _version_page(session: Session, found: ProcessView, row: VersionView) -> VersionPage:
    return VersionPage(
        process=found, version=row, content=content_of(session, row.id), moves=tuple(moves_of(session, [row.id])),
        names=step_codes(session),
    )  # fmt: skip


def compare_versions(session: Session, process_code: str, old: int, new: int) -> Comparison:
    """Two versions by their numbers. Raises ``NotFound``."""
    found = process(session, process_code)
    by_number = {one.number: one for one in found.versions}
    for number in (old, new):
        if number not in by_number:
            raise NotFound("process_version_not_found", version=number)
    before, after = by_number[old], by_number[new]
    changes = compare(content_of(session, before.id), content_of(session, after.id))
    return Comparison(process=found, old=before, new=after, steps=tuple(changes))


def versions_to_approve(session: Session, who: Actor) -> list[ToApprove]:
    """Versions that this person may approve: written by others, and its own process where the process has an owner.

    One query.
    """
    return [
        ToApprove(process=one, version=version)
        for one, wrote_of in in_review(session)
        for version in one.versions
        if who.id not in (wrote := wrote_of[version.id])
        and (one.owner is None or one.owner in wrote or one.owner == who.id)
    ]


def _steps(session: Session, _actor: Actor, _asked: Asked, _now: datetime) -> Sequence[StepRef]:
    return step_refs(session)


def _paths(session: Session, _actor: Actor, _asked: Asked, _now: datetime) -> Sequence[PathRow]:
    return [PathRow(ref=one, path=path) for one in step_refs(session) for path in one.step.exceptions]


def _texts(step: Step) -> str:
    return " ".join((step.name, step.standard, step.trigger, step.approval, step.system, step.automation, *step.inputs))


STEPS: MemoryList[StepRef] = MemoryList(
    rows=_steps, text=lambda one: f"{one.code} {_texts(one.step)}",
    by=("process", lambda one: one.process.code), flags=("paths", "unmeasured"),
    sorts={"step": lambda one: one.name.lower(), "role": lambda one: one.step.role, "system": lambda one: one.step.system.lower()},
    wanted={
        "process": lambda one, value, _: one.process.code == value, "role": lambda one, value, _: one.step.role == value,
        "paths": lambda one, _value, _: bool(one.step.exceptions),
        "unmeasured": lambda one, _value, _: not one.step.measures,
        "point": lambda one, value, _: value in one.step.points,
    },
)  # fmt: skip
PATHS: MemoryList[PathRow] = MemoryList(
    rows=_paths, text=lambda one: f"{one.path.name} {one.path.when} {' '.join(one.path.actions)} {one.ref.name}",
    by=("process", lambda one: one.ref.process.code), flags=("agreed",),
    sorts={"name": lambda one: one.path.name.lower(), "role": lambda one: one.path.role},
    wanted={
        "process": lambda one, value, _: one.ref.process.code == value, "role": lambda one, value, _: one.path.role == value,
        "agreed": lambda one, _value, _: bool(one.path.approval),
    },
)  # fmt: skip
