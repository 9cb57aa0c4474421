"""Imports for programs: runs, their counts, and the lines that were rejected."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from app.api.framework import operation
from app.api.values import Answer, Body
from app.composition.request import reader
from app.queries.imports import RunRow, list_runs, run_page
from app.security.permissions import Permission
from app.security.require import actor

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


def _run(row: RunRow) -> RunAnswer:
    return RunAnswer.model_validate(row)


@operation(
    "GET",
    "/imports",
    permission=Permission.IMPORT_READ,
    summary="List imports",
    tag=TAG,
    query=PartQuery,
    answer=RunsAnswer,
)
def list_imports(query: PartQuery) -> RunsAnswer:
    rows, total = list_runs(reader(), actor(), query.page)
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
