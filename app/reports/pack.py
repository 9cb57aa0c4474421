"""What stands in a decision pack, story by story, in words and pictures ready to print. Page and PDF show the same.

Nothing here is computed: ``presenting.present`` fills it from a dossier, templates loop and print.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.charts import Chart, ScoreGroup
from app.charts.glyphs import Kind


@dataclass(frozen=True)
class Mark:
    """A verdict as shape and word; ``note`` is the line beneath it."""

    kind: Kind
    word: str
    note: str = ""


@dataclass(frozen=True)
class Fact:
    """A name with its value."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class CellReading:
    """One of several cells that a criterion reads; ``worst`` is the one that counts."""

    name: str
    value: str
    interval: str
    count: str
    worst: bool


@dataclass(frozen=True, kw_only=True)
class CriterionRow:
    """A criterion with what was asked, what was read and from where."""

    title: str
    code: str
    badges: tuple[str, ...]
    weight: str
    mark: Mark
    sentence: str
    threshold: str
    threshold_notes: tuple[str, ...]
    reading: str
    interval: str
    bar: Chart | None
    trend: Chart | None
    count: str
    count_note: str
    source: str
    window: str
    owner: str
    cells: tuple[CellReading, ...]
    blocks: bool


@dataclass(frozen=True, kw_only=True)
class CriterionGroup:
    """The criteria of one layer with the points they gave."""

    name: str
    note: str
    criteria: tuple[CriterionRow, ...]


@dataclass(frozen=True, kw_only=True)
class Holdback:
    """What costs the gate points or blocks it, with the figure's way there and when it would pass."""

    place: int
    title: str
    mark: Mark
    points: str
    blocks: str
    sentence: str
    forecast: str
    owner: str
    trend: Chart | None


@dataclass(frozen=True, kw_only=True)
class ChangeRow:
    """A criterion that reads differently than at the evaluation before. A missing mark: it was not there."""

    title: str
    before: Mark | None
    after: Mark | None
    points: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class LateChange:
    """A change of the criteria after they were frozen."""

    when: str
    version: int
    what: str
    by: str
    reason: str
    differences: tuple[tuple[str, str, str], ...]
    """Name, before, after."""


@dataclass(frozen=True, kw_only=True)
class WaiverRow:
    """A waiver as it stood at the evaluation."""

    title: str
    mark: Mark
    rationale: str
    mitigation: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, kw_only=True)
class SeatRow:
    """A seat with its vote. ``dissent``: it voted otherwise than the decision went."""

    function: str
    holder: str
    badges: tuple[str, ...]
    mark: Mark
    reason: str
    when: str
    dissent: bool


@dataclass(frozen=True, kw_only=True)
class ConditionRow:
    """A condition of a conditional go."""

    number: int
    text: str
    check: str
    owner: str
    due: str
    mark: Mark
    evidence: str


@dataclass(frozen=True, kw_only=True)
class Ballot:
    """The vote: what is asked, where it stands, who said what and why."""

    title: str
    question: str
    mark: Mark
    standing: str
    facts: tuple[Fact, ...]
    seats: tuple[SeatRow, ...]
    conditions: tuple[ConditionRow, ...]
    dissent: tuple[str, ...]
    earlier_votes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Pack:
    """A decision pack. Days and times are those of ``time_zone``; ``made_from`` is the latest instant in it."""

    title: str
    wave: str
    gate: str
    programme: str
    mark: Mark
    sentence: str
    score: str
    score_bar: Chart
    score_groups: tuple[ScoreGroup, ...]
    tally: tuple[Mark, ...]
    cover: tuple[Fact, ...]
    purpose: str
    cells: tuple[tuple[str, str, str], ...]
    scope: tuple[Fact, ...]
    calendar: tuple[Fact, ...]
    timeline: Chart
    closed_days: tuple[Fact, ...]
    depends_on: tuple[Fact, ...]
    groups: tuple[CriterionGroup, ...]
    rules: tuple[str, ...]
    attested: tuple[Fact, ...]
    holds: tuple[Holdback, ...]
    changed_since: str
    changes: tuple[ChangeRow, ...]
    late_changes: tuple[LateChange, ...]
    waivers: tuple[WaiverRow, ...]
    waiver_note: str
    ballot: Ballot | None
    earlier_decisions: tuple[Fact, ...]
    record: tuple[Fact, ...]
    missing: tuple[Fact, ...]
    fingerprint: str
    time_zone: str
    evaluated_at: datetime
    made_from: datetime
