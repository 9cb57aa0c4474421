"""Does a journey do what the standard of its process says? Checked as it goes on; a step that comes late is put in its place.

``check`` over all steps and a ``Run`` that was handed them in any order find the same.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from readiness.conformance.catalogue import Process, Rule
from readiness.conformance.templates import Step, Watch


class Finding(NamedTuple):
    """A departure from a rule; see ``templates.Found``. ``seq`` and ``rule`` name it for good."""

    rule: Rule
    at: int
    day: int
    seq: int
    is_step: bool
    is_due: bool


class Plan:
    """The rules of a process, by the activity that matters to each: most steps matter to few of them."""

    __slots__ = ("always", "by_activity", "ends", "rules")

    def __init__(self, process: Process) -> None:
        self.rules: tuple[Rule, ...] = process.rules
        self.ends = process.ends
        found: dict[int, list[int]] = defaultdict(list)
        for number, rule in enumerate(process.rules):
            for activity in rule.template.activities:
                found[activity].append(number)
        self.by_activity = {activity: tuple(numbers) for activity, numbers in found.items()}
        self.always = tuple(number for number, rule in enumerate(process.rules) if rule.template.asks_absent)


class Run:
    """One journey under the rules of its process."""

    __slots__ = ("_end", "_plan", "_watches", "steps")

    def __init__(self, plan: Plan, steps: Iterable[Step] = ()) -> None:
        """``steps`` in their order, as ``steps`` of another run had them."""
        self._plan = plan
        self.steps: list[Step] = list(steps)
        self._restart()

    def _restart(self) -> None:
        self._watches: dict[int, Watch] = {}
        self._end: Step | None = None
        for step in self.steps:
            self._take(step)

    def _take(self, step: Step) -> None:
        watches, rules = self._watches, self._plan.rules
        for number in self._plan.by_activity.get(step.activity, ()):
            watch = watches.get(number)
            if watch is None:
                watch = watches[number] = rules[number].template.watch()
            watch.feed(step)
        if self._end is None and step.activity in self._plan.ends:
            self._end = step

    def feed(self, step: Step) -> None:
        """Take a step that was heard of now. One that lies before others is put in its place, and the journey judged anew."""
        if not self.steps or step > self.steps[-1]:
            self.steps.append(step)
            self._take(step)
            return
        place = bisect_left(self.steps, step)
        if self.steps[place : place + 1] != [step]:
            insort(self.steps, step)
            self._restart()

    @property
    def end(self) -> Step | None:
        """The step that ended the journey; the first, where several would."""
        return self._end

    def findings(self) -> list[Finding]:
        """Every departure so far, in the order in which they count."""
        out = []
        for number, watch in self._watches.items():
            rule = self._plan.rules[number]
            out += [Finding(rule, *found) for found in watch.found(self._end)]
        if self._end is not None:
            for number in self._plan.always:
                if number not in self._watches:
                    rule = self._plan.rules[number]
                    out += [Finding(rule, *found) for found in rule.template.watch().found(self._end)]
        if len(out) > 1:
            out.sort(key=_place)
        return out


def _place(finding: Finding) -> tuple[int, int, str]:
    return finding.at, finding.seq, finding.rule.code


def check(plan: Plan, steps: Sequence[Step]) -> list[Finding]:
    """Every departure of a journey of these steps, whatever order they are given in."""
    return Run(plan, sorted(steps)).findings()
