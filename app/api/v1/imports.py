"""Imports for programs: runs, their counts, and the lines that were rejected."""

from __future__ import annotations

from datetime import datetime
from typing import IO, Annotated, Any

from pydantic import Field

from app.api.framework import operation
from app.api.lists import OneOf, asked_of, only, part_of, which
from app.api.v1.numbers import Key
from app.api.values import Answer, Body
from app.composition.imports import Purpose
from app.composition.request import installation, now, reader
from app.importers.uploads import HandIn, Received, accept, import_again, receive
from app.queries.imports import STATES, RunRow, list_runs, run_page
from app.queries.uploads import UploadRow, list_uploads, upload_page
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.work import UnitOfWork

TAG = "Imports"


class RunAnswer(Answer):
    """One run. Lines = posted + rejected + known from before, once it is done."""

    id: int
    profile: str
    file_name: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    lines: int
    lines_posted: int
    lines_rejected: int
    lines_known: int
    documents: int


class RunsAnswer(Answer):
    """The newest runs first."""

    items: list[RunAnswer]
    total: int


class RejectAnswer(Answer):
    """A line that was kept and not posted."""

    document: str
    position: int
    reason: str
    text: str | None


class RunDetail(RunAnswer):
    """One run with a page of what it rejected."""

    rejects: list[RejectAnswer]
    reject_total: int


class PartQuery(Body):
    """Which part of a list that grows at its beginning."""

    page: int = Field(1, ge=1, le=100_000)


class RunQuery(PartQuery):
    """Which imports."""

    state: Annotated[str | None, OneOf(STATES)] = None
    rejected: bool = only("those with rejected lines")
    text: str = part_of("the file's name or the profile")
    site: Key | None = which("Only those of this site.")


def _run(row: RunRow) -> RunAnswer:
    return RunAnswer.model_validate(row)


@operation(
    "GET",
    "/imports",
    permission=Permission.IMPORT_READ,
    summary="List imports",
    tag=TAG,
    query=RunQuery,
    answer=RunsAnswer,
)
def list_imports(query: RunQuery) -> RunsAnswer:
    rows, total = list_runs(reader(), actor(), asked_of(query), now(), query.page)
    return RunsAnswer(items=[_run(row) for row in rows], total=total)


@operation(
    "GET", "/imports/{run_id}", permission=Permission.IMPORT_READ, summary="One import with its rejects", tag=TAG,
    query=PartQuery, answer=RunDetail,
)  # fmt: skip
def show_import(run_id: int, query: PartQuery) -> RunDetail:
    found = run_page(reader(), actor(), run_id, query.page)
    return RunDetail(
        **_run(found.row).model_dump(), reject_total=found.reject_total,
        rejects=[RejectAnswer.model_validate(one) for one in found.rejects],
    )  # fmt: skip


class FileQuery(Body):
    """What the file is and what is wanted of it."""

    profile: str = Field(max_length=120)
    file_name: str = Field(max_length=300)
    purpose: Purpose = Purpose.DRY_RUN


class FileAnswer(Answer):
    """A file that was handed in. ``run_id`` is the import it became; ``seconds_left`` is by the pace so far."""

    id: int
    profile: str
    purpose: str
    file_name: str
    file_hash: str
    size_bytes: int
    state: str
    received_at: datetime
    finished_at: datetime | None
    lines: int
    lines_done: int
    seconds_left: int | None = None
    run_id: int | None
    note: str | None


class FilesAnswer(Answer):
    """Files that wait or are read, then dry runs and failed ones, the newest first."""

    items: list[FileAnswer]


class DryRunAnswer(Answer):
    """What an import of the file would do; ``rejected`` names the first thousand lines."""

    documents: int
    documents_known: int
    lines: int
    lines_posted: int
    lines_rejected: int
    lines_known: int
    items_opened: int
    outcomes: dict[str, int]
    rejected: list[dict[str, Any]]


class FileDetail(FileAnswer):
    """One file, with what trying it found."""

    found: DryRunAnswer | None


def _file(row: UploadRow) -> FileAnswer:
    names = set(FileAnswer.model_fields) - {"seconds_left"}
    return FileAnswer(**{name: getattr(row, name) for name in names}, seconds_left=row.seconds_left(now()))


def _receive(query: FileQuery, file: IO[bytes]) -> Received:
    wanted = HandIn(profile=query.profile, purpose=query.purpose, file_name=query.file_name)
    where = installation()
    return receive(where.database, file, wanted, actor=actor(), clock=where.clock)


@operation(
    "POST", "/imports/files", permission=Permission.IMPORT_RUN, summary="Hand in a file to try or to import", tag=TAG,
    query=FileQuery, answer=FileAnswer, status=202, takes_file=True, prepare=_receive,
)  # fmt: skip
def hand_in_file(work: UnitOfWork, query: FileQuery, prepared: Received) -> FileAnswer:
    upload = accept(work, prepared)
    return FileAnswer.model_validate(upload, from_attributes=True)


@operation(
    "GET", "/imports/files", permission=Permission.IMPORT_READ, summary="List files handed in", tag=TAG, answer=FilesAnswer
)  # fmt: skip
def list_files() -> FilesAnswer:
    return FilesAnswer(items=[_file(row) for row in list_uploads(reader(), actor())])


@operation(
    "GET", "/imports/files/{upload_id}", permission=Permission.IMPORT_READ, summary="One file handed in", tag=TAG,
    answer=FileDetail,
)  # fmt: skip
def show_file(upload_id: int) -> FileDetail:
    page = upload_page(reader(), actor(), upload_id)
    found = None if page.found is None else DryRunAnswer.model_validate(page.found, from_attributes=True)
    return FileDetail(**_file(page.row).model_dump(), found=found)


@operation(
    "POST", "/imports/files/{upload_id}/import", permission=Permission.IMPORT_RUN, summary="Import a file that was tried",
    tag=TAG, answer=FileAnswer, status=202,
)  # fmt: skip
def import_file(work: UnitOfWork, upload_id: int) -> FileAnswer:
    upload_page(reader(), actor(), upload_id)
    return FileAnswer.model_validate(import_again(work, upload_id), from_attributes=True)
