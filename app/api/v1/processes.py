"""Processes for programs: value streams, steps of the versions that count, versions written, approved and compared, procedures."""

from __future__ import annotations

from app.api.framework import operation
from app.api.lists import asked_of
from app.api.v1.papers import PaperAnswer, paper_answer
from app.api.v1.process_models import (
    CompareQuery,
    ComparisonAnswer,
    ContentAnswer,
    DraftBody,
    HandOffModel,
    MadeAnswer,
    MoveBody,
    OwnerBody,
    PathModel,
    PathQuery,
    PathRefAnswer,
    PathsAnswer,
    ProcessAnswer,
    ProcessBody,
    PutBody,
    RemoveBody,
    StepChangeAnswer,
    StepModel,
    StepQuery,
    StepRefAnswer,
    StepsAnswer,
    StreamAnswer,
    StreamBody,
    StreamsAnswer,
    TakenAnswer,
    VersionAnswer,
)
from app.composition.process_desk import begin_process, give_owner, known, take_set_over
from app.composition.request import now, reader
from app.queries.processes import PATHS, STEPS, VersionPage, compare_versions, version_by_id
from app.reports.procedures import procedures
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.work import UnitOfWork
from governance.processes.content import ExceptionPath, HandOff, Step
from governance.processes.queries import ProcessView, VersionView, process_by_id, streams
from governance.processes.services import (
    CreateProcess,
    CreateStream,
    DraftVersion,
    MoveVersion,
    PutStep,
    create_stream,
    draft_version,
    move_on,
    put_step,
    remove_step,
)

TAG = "Processes"


def _version(row: VersionView) -> VersionAnswer:
    return VersionAnswer(**{name: getattr(row, name) for name in VersionAnswer.model_fields})


def _process(one: ProcessView) -> ProcessAnswer:
    return ProcessAnswer(
        id=one.id, code=one.code, name=one.name, purpose=one.purpose, owner=one.owner, stream=one.stream_code,
        current=one.current.id if one.current else None, versions=[_version(row) for row in one.versions],
    )  # fmt: skip


def _path(path: ExceptionPath) -> PathModel:
    others = {name: getattr(path, name) for name in PathModel.model_fields if name != "actions"}
    return PathModel(**others, actions=list(path.actions))


def _step(step: Step) -> StepModel:
    paths = [_path(one) for one in step.exceptions]
    handoffs = [HandOffModel(to=one.to, what=one.what) for one in step.handoffs]
    others = {name: getattr(step, name) for name in StepModel.model_fields if name not in ("exceptions", "handoffs")}
    lists = {name: list(value) for name, value in others.items() if isinstance(value, tuple)}
    return StepModel.model_validate({**others, **lists, "exceptions": paths, "handoffs": handoffs})


def _read(model: StepModel) -> Step:
    raw = {name: getattr(model, name) for name in StepModel.model_fields if name not in ("exceptions", "handoffs")}
    lists = {name: tuple(value) for name, value in raw.items() if isinstance(value, list)}
    return Step(
        **{**raw, **lists},
        exceptions=tuple(
            ExceptionPath(**{**one.model_dump(), "actions": tuple(one.actions)}) for one in model.exceptions
        ),
        handoffs=tuple(HandOff(to=one.to, what=one.what) for one in model.handoffs),
    )


def _content(page: VersionPage) -> ContentAnswer:
    return ContentAnswer(
        process=page.process.id, id=page.version.id, version=page.version.version, content=_version(page.version),
        steps=[_step(one) for one in page.content.steps],
    )  # fmt: skip


def _again(work: UnitOfWork, version_id: int) -> ContentAnswer:
    work.session.flush()
    work.session.expire_all()
    return _content(version_by_id(work.session, version_id))


@operation("GET", "/value-streams", permission=Permission.PROCESS_VIEW, summary="Value streams with their processes", tag=TAG, answer=StreamsAnswer)  # fmt: skip
def list_value_streams() -> StreamsAnswer:
    return StreamsAnswer(
        items=[
            StreamAnswer(
                id=one.id, code=one.code, name=one.name, purpose=one.purpose,
                processes=[_process(each) for each in one.processes],
            )
            for one in streams(reader())
        ]
    )  # fmt: skip


@operation("GET", "/process-steps", permission=Permission.PROCESS_VIEW, summary="Every step of the versions that count", tag=TAG, query=StepQuery, answer=StepsAnswer)  # fmt: skip
def list_process_steps(query: StepQuery) -> StepsAnswer:
    return StepsAnswer(
        items=[
            StepRefAnswer(code=one.code, process=one.process.id, number=one.number, step=_step(one.step))
            for one in STEPS.every(reader(), actor(), asked_of(query), now())
        ]
    )


@operation("GET", "/exception-paths", permission=Permission.PROCESS_VIEW, summary="Every exception path of the versions that count", tag=TAG, query=PathQuery, answer=PathsAnswer)  # fmt: skip
def list_exception_paths(query: PathQuery) -> PathsAnswer:
    return PathsAnswer(
        items=[
            PathRefAnswer(process=row.ref.process.id, step=row.ref.code, path=_path(row.path))
            for row in PATHS.every(reader(), actor(), asked_of(query), now())
        ]
    )


@operation("GET", "/processes/{process_id}", permission=Permission.PROCESS_VIEW, summary="A process", tag=TAG, answer=ProcessAnswer)  # fmt: skip
def show_process(process_id: int) -> ProcessAnswer:
    return _process(process_by_id(reader(), process_id))


@operation(
    "GET", "/processes/{process_id}/comparison", permission=Permission.PROCESS_VIEW, summary="What differs between two versions",
    tag=TAG, query=CompareQuery, answer=ComparisonAnswer,
)  # fmt: skip
def compare_process(process_id: int, query: CompareQuery) -> ComparisonAnswer:
    page = compare_versions(reader(), process_by_id(reader(), process_id).code, query.old, query.new)
    return ComparisonAnswer(items=[StepChangeAnswer.model_validate(one) for one in page.changed])


@operation("GET", "/process-versions/{version_id}", permission=Permission.PROCESS_VIEW, summary="A version with its steps", tag=TAG, answer=ContentAnswer)  # fmt: skip
def show_process_version(version_id: int) -> ContentAnswer:
    return _content(version_by_id(reader(), version_id))


@operation(
    "GET", "/process-versions/{version_id}/procedures", permission=Permission.PROCESS_VIEW,
    summary="The procedures of a version as a PDF", tag=TAG, answer=PaperAnswer,
)  # fmt: skip
def print_process_version(version_id: int) -> PaperAnswer:
    return paper_answer(procedures(version_by_id(reader(), version_id), now()))


@operation(
    "POST", "/process-set", permission=Permission.PROCESS_MANAGE, summary="Begin with the distributor's set", tag=TAG,
    answer=TakenAnswer, status=201,
)  # fmt: skip
def take_process_set_over(work: UnitOfWork) -> TakenAnswer:
    return TakenAnswer(items=[row.id for row in take_set_over(work)])


@operation(
    "POST", "/value-streams", permission=Permission.PROCESS_MANAGE, summary="Set up a value stream", tag=TAG, body=StreamBody,
    answer=MadeAnswer, status=201, example={"code": "customer", "name": "Customer to cash"},
)  # fmt: skip
def set_up_value_stream(work: UnitOfWork, body: StreamBody) -> MadeAnswer:
    return MadeAnswer(id=create_stream(work, CreateStream(code=body.code, name=body.name, purpose=body.purpose)).id)


@operation(
    "POST", "/processes", permission=Permission.PROCESS_MANAGE, summary="Set up a process", tag=TAG, body=ProcessBody,
    answer=MadeAnswer, status=201, example={"stream": 4711, "code": "order_to_cash", "name": "Order to cash"},
)  # fmt: skip
def set_up_process(work: UnitOfWork, body: ProcessBody) -> MadeAnswer:
    command = CreateProcess(stream=body.stream, code=body.code, name=body.name, purpose=body.purpose, owner=body.owner)
    return MadeAnswer(id=begin_process(work, command).id)


@operation(
    "PUT", "/processes/{process_id}/owner", permission=Permission.PROCESS_MANAGE, summary="Say who answers for a process",
    tag=TAG, body=OwnerBody, answer=MadeAnswer, example={"owner": 12, "reason": "takes over from the first wave on"},
)  # fmt: skip
def set_process_owner(work: UnitOfWork, process_id: int, body: OwnerBody) -> MadeAnswer:
    row = give_owner(work, process_id, body.owner, reason=body.reason)
    return MadeAnswer(id=row.id, version=row.version)


@operation(
    "POST", "/processes/{process_id}/versions", permission=Permission.PROCESS_WRITE, summary="Draft a version", tag=TAG,
    body=DraftBody, answer=ContentAnswer, status=201, example={"kind": "to_be", "summary": "Confirmations leave by themselves"},
)  # fmt: skip
def draft_process_version(work: UnitOfWork, process_id: int, body: DraftBody) -> ContentAnswer:
    command = DraftVersion(process=process_id, kind=body.kind, summary=body.summary, based_on=body.based_on)
    return _again(work, draft_version(work, command, known=known()).id)


@operation(
    "POST", "/process-versions/{version_id}/steps", permission=Permission.PROCESS_WRITE, summary="Write a step of a draft",
    tag=TAG, body=PutBody, answer=ContentAnswer, versioned=True,
    example={"step": {"code": "capture", "name": "Take the order", "role": "customer_service", "standard": "By search."}},
)  # fmt: skip
def put_process_step(work: UnitOfWork, version_id: int, version: int, body: PutBody) -> ContentAnswer:
    command = PutStep(version=version_id, step=_read(body.step), code=body.takes_place_of, seen_version=version)
    put_step(work, command, known=known())
    return _again(work, version_id)


@operation(
    "POST", "/process-versions/{version_id}/steps/remove", permission=Permission.PROCESS_WRITE, summary="Take a step out of a draft",
    tag=TAG, body=RemoveBody, answer=ContentAnswer, versioned=True, example={"code": "capture"},
)  # fmt: skip
def remove_process_step(work: UnitOfWork, version_id: int, version: int, body: RemoveBody) -> ContentAnswer:
    remove_step(work, version_id, body.code, seen_version=version)
    return _again(work, version_id)


@operation(
    "POST", "/process-versions/{version_id}/moves", permission=Permission.PROCESS_VIEW,
    summary="Hand in, approve, return, put in force, withdraw or retire a version", tag=TAG, body=MoveBody, answer=ContentAnswer,
    versioned=True, example={"move": "approve", "reason": "read with the council"},
)  # fmt: skip
def move_process_version(work: UnitOfWork, version_id: int, version: int, body: MoveBody) -> ContentAnswer:
    move_on(work, MoveVersion(version=version_id, move=body.move, reason=body.reason, seen_version=version))
    return _again(work, version_id)
