"""What do programs send and get where processes are concerned? Steps look the same coming in and going out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from app.api.lists import OneOf, only, part_of, which
from app.api.v1.numbers import Key
from app.api.values import Answer, Body
from app.security.roles import Role
from erpcore.ports import POLICY_POINTS
from governance.processes.flow import VERSION_FLOW, VersionKind, VersionState
from governance.processes.rules import LONGEST_CODE, LONGEST_NAME, LONGEST_TEXT, MOST_LINES


class VersionAnswer(Answer):
    """A version without its steps."""

    id: int
    number: int
    kind: VersionKind
    state: VersionState
    version: int
    summary: str
    author: int
    fingerprint: str | None
    approved_by: int | None
    approved_at: datetime | None
    live_at: datetime | None
    steps: int


class ProcessAnswer(Answer):
    """A process; `current` is the id of the version that counts."""

    id: int
    code: str
    name: str
    purpose: str
    owner: int | None
    stream: str
    current: int | None
    versions: list[VersionAnswer]


class StreamAnswer(Answer):
    """A value stream with its processes."""

    id: int
    code: str
    name: str
    purpose: str
    processes: list[ProcessAnswer]


class StreamsAnswer(Answer):
    """All value streams in order."""

    items: list[StreamAnswer]


class PathModel(Body):
    """What is done when a step cannot go by its standard."""

    code: str = Field(max_length=LONGEST_CODE)
    name: str = Field(max_length=LONGEST_NAME)
    when: str = Field(max_length=LONGEST_TEXT)
    actions: list[str] = Field(min_length=1, max_length=MOST_LINES)
    role: str = Field(max_length=64)
    approval: str = Field("", max_length=LONGEST_TEXT)
    otherwise: str = Field(max_length=LONGEST_TEXT)


class HandOffModel(Body):
    """What is handed over to which step."""

    to: str = Field(max_length=81)
    what: str = Field(max_length=LONGEST_TEXT)


class StepModel(Body):
    """A step, coming in and going out."""

    code: str = Field(max_length=LONGEST_CODE)
    name: str = Field(max_length=LONGEST_NAME)
    role: str = Field("", max_length=64)
    owner: str = Field("", max_length=64)
    system: str = Field("", max_length=LONGEST_NAME)
    trigger: str = Field("", max_length=LONGEST_TEXT)
    standard: str = Field("", max_length=LONGEST_TEXT)
    level: str = Field("", max_length=LONGEST_TEXT)
    otherwise: str = Field("", max_length=LONGEST_TEXT)
    inputs: list[str] = Field([], max_length=MOST_LINES)
    decisions: list[str] = Field([], max_length=MOST_LINES)
    approval: str = Field("", max_length=LONGEST_TEXT)
    measures: list[str] = Field([], max_length=100)
    automation: str = Field("", max_length=LONGEST_TEXT)
    points: list[str] = Field([], max_length=100)
    reference: str = Field("", max_length=24)
    exceptions: list[PathModel] = Field([], max_length=MOST_LINES)
    handoffs: list[HandOffModel] = Field([], max_length=MOST_LINES)


class StepRefAnswer(Answer):
    """A step of a version that counts, by its full code."""

    code: str
    process: int
    number: int
    step: StepModel


class StepsAnswer(Answer):
    """Every step of the versions that count."""

    items: list[StepRefAnswer]


class StepQuery(Body):
    """Which steps."""

    process: str | None = Field(None, max_length=LONGEST_CODE, description="Only those of the process with this code.")
    paths: bool = only("those with exception paths")
    unmeasured: bool = only("those without a measure")
    text: str = part_of("what the step says")
    role: Role | None = which("Only those that this role does.")
    point: Annotated[str | None, OneOf(tuple(POLICY_POINTS))] = which("Only those where this policy point is asked.")


class PathRefAnswer(Answer):
    """An exception path with the full code of the step that it belongs to."""

    process: int
    step: str
    path: PathModel


class PathsAnswer(Answer):
    """Exception paths of the versions that count."""

    items: list[PathRefAnswer]


class PathQuery(Body):
    """Which exception paths."""

    process: str | None = Field(None, max_length=LONGEST_CODE, description="Only those of the process with this code.")
    agreed: bool = only("those that somebody has to agree to")
    text: str = part_of("what the path says, or of its step's name")
    role: Role | None = which("Only those that this role does.")


class ContentAnswer(Answer):
    """A version with its steps."""

    process: int
    id: int
    version: int
    content: VersionAnswer
    steps: list[StepModel]


class StreamBody(Body):
    """A new value stream."""

    code: str = Field(max_length=LONGEST_CODE)
    name: str = Field(max_length=LONGEST_NAME)
    purpose: str = Field("", max_length=LONGEST_TEXT)


class ProcessBody(StreamBody):
    """A new process."""

    stream: Key
    owner: Key | None = None


class OwnerBody(Body):
    """Who answers for a process; null: nobody for now."""

    owner: Key | None
    reason: str = Field(min_length=1, max_length=LONGEST_TEXT)


class DraftBody(Body):
    """A new version; without `based_on` it begins empty."""

    kind: VersionKind = VersionKind.TO_BE
    summary: str = Field(min_length=1, max_length=LONGEST_TEXT)
    based_on: Key | None = None


class PutBody(Body):
    """A step as it shall be; `takes_place_of` is the code of the step it replaces, without one it comes at the end."""

    step: StepModel
    takes_place_of: str | None = Field(None, max_length=LONGEST_CODE)


class RemoveBody(Body):
    """A step to be taken out."""

    code: str = Field(max_length=LONGEST_CODE)


class MoveBody(Body):
    """What becomes of a version."""

    move: str = Field(description="One of " + ", ".join(VERSION_FLOW.moves))
    reason: str = Field("", max_length=LONGEST_TEXT)


class CompareQuery(Body):
    """Two versions by their numbers."""

    old: int = Field(ge=1, lt=2**31)
    new: int = Field(ge=1, lt=2**31)


class ChangeAnswer(Answer):
    """A field that differs."""

    field: str
    before: str
    after: str


class StepChangeAnswer(Answer):
    """A step that differs: `added`, `removed`, `changed` or `moved`."""

    code: str
    name: str
    what: str
    was: int | None
    now: int | None
    changes: list[ChangeAnswer]


class ComparisonAnswer(Answer):
    """What differs between two versions."""

    items: list[StepChangeAnswer]


class MadeAnswer(Answer):
    """What was made."""

    id: int
    version: int = 1


class TakenAnswer(Answer):
    """The drafts that were made, by id."""

    items: list[int]
