"""Duties for programs: the matrix with its gaps, giving duties, and ending one."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.api.framework import operation
from app.api.lists import asked_of, only, part_of, which
from app.api.v1.numbers import Key
from app.api.values import Answer, Body
from app.composition.raci_desk import give
from app.composition.request import now, reader
from app.queries.raci import RACI, SubjectRow, raci_row
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.work import UnitOfWork
from governance.raci.rules import Duty, Gap, HolderKind, SubjectKind
from governance.raci.services import LONGEST_REASON, GiveDuty, end_duty

TAG = "Duties"


class DutyAnswer(Answer):
    """A duty; `person` is whoever has it now, `null` for a vacant seat."""

    id: int
    duty: Duty
    holder_kind: HolderKind
    holder_id: int
    person: int | None
    is_here: bool
    given_at: datetime
    reason: str


class SubjectAnswer(Answer):
    """A process, data domain or wave with its duties and what is not clear. `subject` is a code, or the id of a wave."""

    kind: SubjectKind
    subject: str
    name: str
    duties: list[DutyAnswer]
    gaps: list[Gap]


class MatrixAnswer(Answer):
    """The whole matrix."""

    items: list[SubjectAnswer]


class MatrixQuery(Body):
    """Which part of it."""

    kind: SubjectKind | None = None
    gap: Gap | Literal["any"] | None = which("Only those with this gap; `any`: with one at all.")
    mine: bool = only("those for which the caller has a duty")
    text: str = part_of("the name, or of a name of whoever has a duty")


class GiveBody(Body):
    """A duty for a process, data domain or wave, to a person or a seat. `subject` is a code, or the id of a wave."""

    kind: SubjectKind
    subject: str = Field(min_length=1, max_length=40)
    duty: Duty
    holder_kind: HolderKind
    holder: Key
    reason: str = Field("", max_length=LONGEST_REASON)


class EndDutyBody(Body):
    """Why a duty ends."""

    reason: str = Field(min_length=1, max_length=LONGEST_REASON)


def _again(work: UnitOfWork, kind: SubjectKind, subject: str) -> SubjectAnswer:
    work.session.flush()
    return _answer(raci_row(work.session, kind, subject))


def _answer(row: SubjectRow) -> SubjectAnswer:
    return SubjectAnswer.model_validate(row)


@operation("GET", "/raci", permission=Permission.RACI_VIEW, summary="Duties of processes, data domains and waves", tag=TAG, query=MatrixQuery, answer=MatrixAnswer)  # fmt: skip
def list_raci(query: MatrixQuery) -> MatrixAnswer:
    rows = RACI.every(reader(), actor(), asked_of(query), now())
    return MatrixAnswer(items=[_answer(row) for row in rows])


@operation(
    "POST", "/raci", permission=Permission.RACI_ASSIGN, summary="Give a duty", tag=TAG, body=GiveBody, answer=SubjectAnswer,
    status=201,
    example={
        "kind": "data_domain", "subject": "customer", "duty": "accountable", "holder_kind": "person", "holder": 12,
        "reason": "answers for customers",
    },
)  # fmt: skip
def give_raci_duty(work: UnitOfWork, body: GiveBody) -> SubjectAnswer:
    command = GiveDuty(
        kind=body.kind, subject=body.subject, duty=body.duty, holder_kind=body.holder_kind, holder=body.holder,
        reason=body.reason,
    )  # fmt: skip
    give(work, [command])
    return _again(work, body.kind, body.subject)


@operation(
    "POST", "/raci/{duty_id}/end", permission=Permission.RACI_ASSIGN, summary="End a duty", tag=TAG, body=EndDutyBody,
    answer=SubjectAnswer, example={"reason": "moved to another team"},
)  # fmt: skip
def end_raci_duty(work: UnitOfWork, duty_id: int, body: EndDutyBody) -> SubjectAnswer:
    row = end_duty(work, duty_id, reason=body.reason)
    return _again(work, SubjectKind(row.subject_kind), row.subject)
