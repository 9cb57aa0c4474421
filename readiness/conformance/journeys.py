"""The working form of a journey while its steps are judged: plain objects, loaded and saved by store.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from erpcore.kernel.eventlog import LoggedEvent
from readiness.conformance import activities as a
from readiness.conformance.catalogue import PROCESSES, VERSION
from readiness.conformance.checker import Finding, Plan, Run
from readiness.conformance.ports import Coverage, Where
from readiness.conformance.templates import Step


class Standing(StrEnum):
    """How a journey stands to the standard."""

    CONFORMING = "conforming"
    COVERED = "covered"
    UNCOVERED = "uncovered"


PLANS: Mapping[str, Plan] = {key: Plan(process) for key, process in PROCESSES.items()}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

steps_to_text = msgspec.json.Encoder().encode
steps_from_text = msgspec.json.Decoder(list[Step]).decode
_lines_from_text = msgspec.json.Decoder(list[tuple[int, int]]).decode


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def instant(at: int) -> datetime:
    """The instant of so many microseconds."""
    return _EPOCH + at * _MICROSECOND


class Journey(msgspec.Struct, gc=False):
    """A journey; attributes are the columns of ``conformance_journey`` in their order, absent ones have these values."""

    root_id: int
    process: str = ""
    realm: str = ""
    entity: int = 0
    site: int | None = None
    channel: int | None = None
    customer_group: int | None = None
    grant_id: int | None = None
    currency: str | None = None
    ruleset: str | None = None
    variants: str = ""
    stamped_at: datetime | None = None
    stamped_on: date | None = None
    is_expired: bool = False
    points: str = ""
    opened_at: datetime | None = None
    opened_on: date | None = None
    ended_at: datetime | None = None
    ended_on: date | None = None
    due_on: date | None = None
    standing: str = Standing.CONFORMING.value
    executed: int = 0
    off: int = 0
    version: int = VERSION
    lines: str = "[]"
    steps: str = "[]"

    @property
    def where(self) -> Where:
        return Where(self.realm, self.entity, self.site, self.channel, self.customer_group)


class Deviation(msgspec.Struct, gc=False):
    """A departure; attributes are the columns of ``conformance_deviation`` in their order."""

    root_id: int
    code: str
    seq: int
    process: str
    realm: str
    entity: int
    site: int | None
    channel: int | None
    occurred_at: datetime
    occurred_on: date
    is_step: bool
    is_due: bool
    covered_by: int | None


class Course:
    """A journey with its steps and departures: what one batch loads, changes and saves."""

    __slots__ = ("_lines", "_new", "deviations", "journey", "steps")

    def __init__(self, journey: Journey, deviations: Sequence[Deviation] = ()) -> None:
        self.journey = journey
        self.steps: list[Step] = steps_from_text(journey.steps)
        self.deviations: list[Deviation] = list(deviations)
        self._lines: dict[int, int] | None = None
        self._new: list[Step] = []

    def apply(self, event: LoggedEvent, done: a.Done, register: Coverage) -> None:
        """Take an event: its dimensions where it is the first, how much is ordered, and the step that it is."""
        one = self.journey
        family = a.FAMILIES[event.type.partition(".")[0]]
        if not one.process:
            one.process, one.realm, one.entity, one.site, one.channel = (
                family, event.realm, event.entity, event.site, event.channel,
            )  # fmt: skip
            one.customer_group, one.grant_id, one.currency = event.customer_group, event.grant, event.currency
        elif one.process == "warehouse" and family != one.process:
            # A task was heard of before the document that it belongs to.
            one.process = family
        if one.ruleset is None and event.ruleset is not None:
            _stamp(one, event, register)
        activity = done.activity
        if done.changes is not None:
            activity = self._ordered(activity, done.changes)
        if activity is not None:
            self._new.append(Step(micros(event.at), event.seq, activity, done.key, event.on.toordinal()))

    def _ordered(self, activity: int | None, changes: Sequence[Any]) -> int | None:
        """What the change leaves ordered; taking back the last of it is another activity than taking back some."""
        lines = self._lines
        if lines is None:
            lines = self._lines = dict(_lines_from_text(self.journey.lines))
        for one in changes:
            if activity is None:
                lines[one.line] = lines.get(one.line, 0) - one.quantity
                lines[one.part] = one.quantity
            elif activity == a.ORDER_CANCELLED:
                lines[one.line] = lines.get(one.line, 0) - one.quantity
            else:
                lines[one.line] = one.quantity
        if activity == a.ORDER_CANCELLED and all(quantity <= 0 for quantity in lines.values()):
            return a.ORDER_CANCELLED_WHOLE
        return activity

    def judge(self, register: Coverage) -> None:
        """Say how it stands now. What was judged before is not asked again; a variant is asked at the time of the step."""
        one = self.journey
        one.version = VERSION
        run = Run(PLANS[one.process], self.steps)
        for step in sorted(self._new):
            run.feed(step)
        if self._new:
            one.steps = steps_to_text(run.steps).decode()
        self.steps, self._new = run.steps, []
        known = {(old.code, old.seq): old for old in self.deviations}
        found = run.findings()
        self.deviations = [self._deviation(finding, known, register) for finding in found] if found else []
        if self._lines is not None:
            one.lines = steps_to_text(sorted(self._lines.items())).decode()
        self._sum_up(run.end)

    def judge_anew(self, register: Coverage) -> None:
        """Forget every verdict and judge by the rules of today."""
        self.deviations = []
        self.judge(register)

    def _deviation(self, finding: Finding, known: Mapping[tuple[str, int], Deviation], register: Coverage) -> Deviation:
        one, code = self.journey, finding.rule.code
        at = instant(finding.at)
        old = known.get((code, finding.seq))
        if finding.is_due:
            # Nobody knows yet what will hold then.
            covered = None
        elif old is not None and not old.is_due and old.occurred_at == at:
            covered = old.covered_by
        else:
            covered = register.covering(code, one.where, at)
        return Deviation(
            one.root_id, code, finding.seq, one.process, one.realm, one.entity, one.site, one.channel, at,
            date.fromordinal(finding.day), finding.is_step, finding.is_due, covered,
        )  # fmt: skip

    def _sum_up(self, end: Step | None) -> None:
        one = self.journey
        one.executed = len(self.steps)
        if self.steps:
            first = self.steps[0]
            one.opened_at, one.opened_on = instant(first.at), date.fromordinal(first.day)
            one.due_on = date.fromordinal(first.day + PROCESSES[one.process].overdue_days)
        one.ended_at = None if end is None else instant(end.at)
        one.ended_on = None if end is None else date.fromordinal(end.day)
        one.standing, one.off = Standing.CONFORMING.value, 0
        if self.deviations:
            said = [deviation for deviation in self.deviations if not deviation.is_due]
            bare = [deviation for deviation in said if deviation.covered_by is None]
            if said:
                one.standing = (Standing.UNCOVERED if bare else Standing.COVERED).value
            one.off = len({deviation.seq for deviation in bare if deviation.is_step})


def _stamp(one: Journey, event: LoggedEvent, register: Coverage) -> None:
    """The rules that the document runs under, from its first event that names any."""
    one.ruleset, one.variants = event.ruleset, event.variants
    one.stamped_at, one.stamped_on = event.at, event.on
    if event.variants and event.ruleset is not None:
        one.points = ",".join(sorted(set(register.points(event.ruleset))))
        # What was entered afterwards happened before it got its rules: the moment counts at which it got them.
        one.is_expired = not all(register.in_force(variant, event.recorded_at) for variant in _ids(event.variants))


def _ids(variants: str) -> Iterable[int]:
    return (int(one) for one in variants.split(","))
