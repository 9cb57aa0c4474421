"""How do processes come to be, and how does a version of one get written, agreed, put in force and replaced?

Whoever wrote a step of a version or handed it in never approves it. The process's owner approves; what the owner wrote, somebody else of
those who may. Nothing of a version changes once it is handed in.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from erpcore.kernel.errors import NotAllowed, NotFound, RuleBroken
from erpcore.kernel.first import add_first
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from governance.processes.content import Content, Known, Step
from governance.processes.flow import VERSION_FLOW, WRITE, VersionKind, VersionState, move_version
from governance.processes.models import BusinessProcess, ProcessVersion, ValueStream
from governance.processes.permissions import ProcessPermission
from governance.processes.queries import step_exists, writers
from governance.processes.records import content_of, lock_process, lock_version, rewrite_steps, write_steps
from governance.processes.rules import LONGEST_NAME, MOST_STEPS, check_code, check_complete, check_step


@dataclass(frozen=True, kw_only=True)
class CreateStream:
    """A value stream."""

    code: str
    name: str
    purpose: str = ""


@dataclass(frozen=True, kw_only=True)
class CreateProcess:
    """A process of a value stream; ``owner``: the person who answers for it."""

    stream: int
    code: str
    name: str
    purpose: str = ""
    owner: int | None = None


@dataclass(frozen=True, kw_only=True)
class DraftVersion:
    """A version to be written: empty, with these steps, or as ``based_on`` says it."""

    process: int
    kind: VersionKind
    summary: str
    based_on: int | None = None
    content: Content | None = None


@dataclass(frozen=True, kw_only=True)
class PutStep:
    """A step of a draft as it shall be. ``code`` names the one it takes the place of; ``None``: a further one at the end."""

    version: int
    step: Step
    code: str | None = None
    seen_version: int | None = None


@dataclass(frozen=True, kw_only=True)
class MoveVersion:
    """What somebody makes of a version; ``move`` is one of the flow's."""

    version: int
    move: str
    reason: str = ""
    seen_version: int | None = None


def create_stream(work: UnitOfWork, command: CreateStream) -> ValueStream:
    """A value stream after the others. Raises ``RuleBroken`` for a code that is none or is taken."""
    work.actor.require(ProcessPermission.MANAGE)
    _check_named(command.code, command.name)
    if work.session.scalar(select(ValueStream.id).where(ValueStream.code == command.code)) is not None:
        raise RuleBroken("code_taken", field="code", code=command.code)
    last = work.session.scalar(select(func.max(ValueStream.position))) or 0
    row = ValueStream(
        id=work.ids.one(), code=command.code, name=command.name.strip(), purpose=command.purpose, position=last + 1
    )
    add_first(work, row, "code_just_taken", taken=command.code)
    work.audit("value_stream.created", "value_stream", row.id, code=row.code, name=row.name)
    return row


def create_process(work: UnitOfWork, command: CreateProcess) -> BusinessProcess:
    """A process without a version yet. Raises ``RuleBroken`` for a code that is none or is taken, ``NotFound`` for the stream."""
    work.actor.require(ProcessPermission.MANAGE)
    _check_named(command.code, command.name)
    if work.session.get(ValueStream, command.stream) is None:
        raise NotFound("value_stream_not_found", field="stream", stream=command.stream)
    if work.session.scalar(select(BusinessProcess.id).where(BusinessProcess.code == command.code)) is not None:
        raise RuleBroken("code_taken", field="code", code=command.code)
    last = work.session.scalar(
        select(func.max(BusinessProcess.position)).where(BusinessProcess.stream_id == command.stream)
    )
    row = BusinessProcess(
        id=work.ids.one(), stream_id=command.stream, code=command.code, name=command.name.strip(), purpose=command.purpose,
        position=(last or 0) + 1, owner_id=command.owner, version=1,
    )  # fmt: skip
    add_first(work, row, "code_just_taken", taken=command.code)
    work.audit("process.created", "process", row.id, code=row.code, name=row.name, owner=row.owner_id)
    return row


def _check_named(code: str, name: str) -> None:
    check_code(code)
    if not name.strip():
        raise RuleBroken("name_missing", field="name")
    if len(name) > LONGEST_NAME:
        raise RuleBroken("text_too_long", field="name", longest=LONGEST_NAME)


def set_owner(work: UnitOfWork, process_id: int, person: int | None, *, reason: str) -> BusinessProcess:
    """Say who answers for a process; ``None``: nobody for now."""
    work.actor.require(ProcessPermission.MANAGE)
    row = lock_process(work, process_id)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="process", move="set owner")
    work.audit("process.owner_set", "process", row.id, before=row.owner_id, after=person, reason=reason.strip())
    row.owner_id = person
    row.version += 1
    return row


def draft_version(work: UnitOfWork, command: DraftVersion, *, known: Known) -> ProcessVersion:
    """A draft with the next number. Raises ``RuleBroken`` where a step cannot be kept, or without a word on what it is for."""
    work.actor.require(ProcessPermission.WRITE)
    process = lock_process(work, command.process)
    if not command.summary.strip():
        raise RuleBroken("summary_missing", field="summary")
    content = command.content or Content()
    if command.based_on is not None:
        base = work.session.get(ProcessVersion, command.based_on)
        if base is None or base.process_id != process.id:
            raise NotFound("process_version_not_found", field="based_on", version=command.based_on)
        content = content_of(work.session, base.id)
    else:
        _check_steps(content, known)
    last = work.session.scalar(select(func.max(ProcessVersion.number)).where(ProcessVersion.process_id == process.id))
    row = ProcessVersion(
        id=work.ids.one(), process_id=process.id, number=(last or 0) + 1, kind=command.kind, state=VERSION_FLOW.initial,
        version=1, summary=command.summary.strip(), based_on=command.based_on, author_id=work.actor.id, drafted_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # the steps name it
    write_steps(work, row.id, content.steps)
    work.audit("process_version.drafted", "process_version", row.id, process=process.code, number=row.number)
    return row


def _check_steps(content: Content, known: Known) -> None:
    if len(content.steps) > MOST_STEPS:
        raise RuleBroken("too_many_steps", field="steps", most=MOST_STEPS)
    seen: set[str] = set()
    for step in content.steps:
        check_step(step, known)
        if step.code in seen:
            raise RuleBroken("code_taken", field="code", code=step.code)
        seen.add(step.code)


def put_step(work: UnitOfWork, command: PutStep, *, known: Known) -> ProcessVersion:
    """Write a step of a draft anew, or a further one. Raises ``RuleBroken`` for what cannot be kept or a version that was handed
    in, ``Conflict`` when the draft changed since it was seen.
    """
    row = _draft(work, command.version, command.seen_version)
    steps = list(content_of(work.session, row.id).steps)
    if command.code is None:
        steps.append(command.step)
    else:
        steps[_place(steps, command.code)] = command.step
    _check_steps(Content(tuple(steps)), known)
    return _rewrite(work, row, steps, "step_put", command.step.code)


def remove_step(work: UnitOfWork, version_id: int, code: str, *, seen_version: int | None = None) -> ProcessVersion:
    """Take a step out of a draft."""
    row = _draft(work, version_id, seen_version)
    steps = list(content_of(work.session, row.id).steps)
    steps.pop(_place(steps, code))
    return _rewrite(work, row, steps, "step_removed", code)


def shift_step(
    work: UnitOfWork, version_id: int, code: str, by: int, *, seen_version: int | None = None
) -> ProcessVersion:
    """Let a step of a draft stand so many places later, or earlier below nil; at most at either end."""
    row = _draft(work, version_id, seen_version)
    steps = list(content_of(work.session, row.id).steps)
    at = _place(steps, code)
    step = steps.pop(at)
    steps.insert(min(max(at + by, 0), len(steps)), step)
    return _rewrite(work, row, steps, "step_shifted", code)


def _draft(work: UnitOfWork, version_id: int, seen_version: int | None) -> ProcessVersion:
    work.actor.require(ProcessPermission.WRITE)
    process, row = lock_version(work, version_id, seen_version)
    if row.state != VersionState.DRAFT:
        raise RuleBroken("version_not_draft", process=process.name, number=row.number, state=row.state)
    return row


def _place(steps: list[Step], code: str) -> int:
    found = next((at for at, step in enumerate(steps) if step.code == code), None)
    if found is None:
        raise NotFound("process_step_not_found", field="code", step=code)
    return found


def _rewrite(work: UnitOfWork, row: ProcessVersion, steps: list[Step], what: str, code: str) -> ProcessVersion:
    key = row.id
    rewrite_steps(work, key, steps)
    row = work.session.get_one(ProcessVersion, key)
    row.version += 1
    record_move(work, "process_version", key, WRITE, row.state, row.state)
    work.audit(f"process_version.{what}", "process_version", key, step=code)
    return row


def move_on(work: UnitOfWork, command: MoveVersion) -> ProcessVersion:
    """Hand in, approve, return, put in force, withdraw or retire a version.

    Raises ``NotAllowed`` when who wrote it or handed it in approves, or somebody but the owner where the owner can;
    ``RuleBroken`` for a version that nobody could work by; ``Conflict`` when it changed since it was seen.
    """
    if command.move not in VERSION_FLOW.moves:
        raise RuleBroken("choice_unknown", field="move", value=command.move)
    work.actor.require(VERSION_FLOW.moves[command.move].permission)
    process, row = lock_version(work, command.version, command.seen_version)
    VERSION_FLOW.target(command.move, row.state, reason=command.reason)
    if command.move == "submit":
        _hand_in(work, row)
    elif command.move == "approve":
        _check_approver(work, process, row)
        row.approved_by, row.approved_at = work.actor.id, work.now
    elif command.move == "go_live":
        _replace_live(work, process, row)
        row.live_at = work.now
    elif command.move == "return":
        row.submitted_by = row.submitted_at = row.fingerprint = None
    elif command.move == "retire":
        row.retired_at = work.now
    move_version(work, row, command.move, reason=command.reason.strip() or None)
    work.audit(
        f"process_version.{row.state}", "process_version", row.id, process=process.code, number=row.number, move=command.move,
        fingerprint=row.fingerprint, reason=command.reason.strip(),
    )  # fmt: skip
    work.session.flush()
    return row


def _hand_in(work: UnitOfWork, row: ProcessVersion) -> None:
    content = content_of(work.session, row.id)
    check_complete(content, lambda code: step_exists(work.session, code))
    row.submitted_by, row.submitted_at, row.fingerprint = work.actor.id, work.now, content.fingerprint


def _check_approver(work: UnitOfWork, process: BusinessProcess, row: ProcessVersion) -> None:
    wrote = writers(work.session, [row.id])[row.id]
    if work.actor.id in wrote:
        raise NotAllowed("own_request", document=f"version {row.number} of {process.name}")
    if process.owner_id is not None and process.owner_id not in wrote and work.actor.id != process.owner_id:
        raise NotAllowed("process_owner_approves", process=process.name)


def _replace_live(work: UnitOfWork, process: BusinessProcess, row: ProcessVersion) -> None:
    """At most one version of a process is in force; the one before retires in the same moment."""
    if row.kind != VersionKind.TO_BE:
        raise RuleBroken("as_is_stays", process=process.name, number=row.number)
    before = work.session.scalar(
        select(ProcessVersion)
        .where(ProcessVersion.process_id == process.id, ProcessVersion.state == VersionState.LIVE)
        .with_for_update(key_share=True)
    )
    if before is not None:
        before.retired_at = work.now
        move_version(work, before, "retire", reason=f"version {row.number} is in force")
        work.session.flush()  # before the other goes live: one of a process at a time
