"""What can a standard demand of a journey? Five templates, each a pure function over the steps in their order.

A watch is a template at work on one journey: it is handed the steps one by one, in order, and can be asked at any moment
what it has found so far. Templates are those of declarative process modelling (Declare: Pesic, Schonenberg, van der Aalst,
2007), with a time limit where one is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

#: Microseconds of a day: the unit of instants here, and what a limit is given in.
DAY = 86_400_000_000
HOUR = 3_600_000_000


class Step(NamedTuple):
    """One thing that was done: instants in microseconds since 1970, the ordinal of the site's day, and a part of the journey.

    Steps are ordered by when they were done, and by their place in the log where that is the same instant. ``key`` sets the
    shipments of an order apart, or its tasks; 0 belongs to none.
    """

    at: int
    seq: int
    activity: int
    key: int
    day: int


class Found(NamedTuple):
    """A departure. ``is_step``: the step with this ``seq`` is the departure; else it is what this step should have led to.

    ``is_due``: nothing is wrong before ``at``; the step that would prevent it may still come.
    """

    at: int
    day: int
    seq: int
    is_step: bool
    is_due: bool


class Watch(Protocol):
    """A template at work on one journey."""

    def feed(self, step: Step) -> None:
        """Take the next step."""

    def found(self, end: Step | None) -> list[Found]:
        """What departs so far; ``end`` is the step that ended the journey, ``None`` while it goes on."""


class Template(Protocol):
    """What is demanded. ``activities`` are the steps that matter to it; ``asks_absent``: also a journey without any departs."""

    @property
    def activities(self) -> frozenset[int]: ...

    @property
    def asks_absent(self) -> bool: ...

    def watch(self) -> Watch: ...


def departs(step: Step) -> Found:
    """The step itself is the departure."""
    return Found(step.at, step.day, step.seq, is_step=True, is_due=False)


@dataclass(frozen=True, kw_only=True)
class Precedence:
    """``then`` is not done before ``first`` was. ``keyed``: the ``first`` of the same shipment or task; without key it is free."""

    first: frozenset[int]
    then: frozenset[int]
    keyed: bool = False
    asks_absent: bool = False

    @property
    def activities(self) -> frozenset[int]:
        return self.first | self.then

    def watch(self) -> Watch:
        return _PrecedenceWatch(self)


class _PrecedenceWatch:
    __slots__ = ("_found", "_of", "_seen")

    def __init__(self, of: Precedence) -> None:
        self._of = of
        self._seen: set[int] = set()
        self._found: list[Found] = []

    def feed(self, step: Step) -> None:
        of = self._of
        key = step.key if of.keyed else 0
        if step.activity in of.first:
            self._seen.add(key)
        elif key not in self._seen and not (of.keyed and key == 0):
            self._found.append(departs(step))

    def found(self, end: Step | None) -> list[Found]:
        return self._found


@dataclass(frozen=True, kw_only=True)
class Response:
    """After ``first``, ``then`` is done before the journey ends; ``keyed``: for the same shipment or task."""

    first: frozenset[int]
    then: frozenset[int]
    keyed: bool = False
    asks_absent: bool = False

    @property
    def activities(self) -> frozenset[int]:
        return self.first | self.then

    def watch(self) -> Watch:
        return _ResponseWatch(self)


class _ResponseWatch:
    __slots__ = ("_of", "_open")

    def __init__(self, of: Response) -> None:
        self._of = of
        #: The first step that waits for an answer, by key.
        self._open: dict[int, Step] = {}

    def feed(self, step: Step) -> None:
        key = step.key if self._of.keyed else 0
        if step.activity in self._of.then:
            self._open.pop(key, None)
        else:
            self._open.setdefault(key, step)

    def found(self, end: Step | None) -> list[Found]:
        if end is None:
            return []
        return [
            Found(max(end.at, step.at), max(end.day, step.day), step.seq, is_step=False, is_due=False)
            for step in self._open.values()
        ]


@dataclass(frozen=True, kw_only=True)
class Absence:
    """``step`` is not done; with ``after``, not once one of these was done."""

    step: frozenset[int]
    after: frozenset[int] = frozenset()
    asks_absent: bool = False

    @property
    def activities(self) -> frozenset[int]:
        return self.step | self.after

    def watch(self) -> Watch:
        return _AbsenceWatch(self)


class _AbsenceWatch:
    __slots__ = ("_found", "_is_barred", "_of")

    def __init__(self, of: Absence) -> None:
        self._of = of
        self._is_barred = not of.after
        self._found: list[Found] = []

    def feed(self, step: Step) -> None:
        if step.activity in self._of.step:
            if self._is_barred:
                self._found.append(departs(step))
        else:
            self._is_barred = True

    def found(self, end: Step | None) -> list[Found]:
        return self._found


@dataclass(frozen=True, kw_only=True)
class ExactlyOnce:
    """``step`` is done once: a second time departs, and so does a journey that ended without it and without ``instead``."""

    step: frozenset[int]
    instead: frozenset[int] = frozenset()
    asks_absent: bool = True

    @property
    def activities(self) -> frozenset[int]:
        return self.step | self.instead

    def watch(self) -> Watch:
        return _ExactlyOnceWatch(self)


class _ExactlyOnceWatch:
    __slots__ = ("_found", "_has_happened", "_is_excused", "_of")

    def __init__(self, of: ExactlyOnce) -> None:
        self._of = of
        self._has_happened = self._is_excused = False
        self._found: list[Found] = []

    def feed(self, step: Step) -> None:
        if step.activity not in self._of.step:
            self._is_excused = True
        elif self._has_happened:
            self._found.append(departs(step))
        else:
            self._has_happened = True

    def found(self, end: Step | None) -> list[Found]:
        if end is None or self._has_happened or self._is_excused:
            return self._found
        return [Found(end.at, end.day, end.seq, is_step=False, is_due=False)]


@dataclass(frozen=True, kw_only=True)
class WithinTime:
    """After ``first``, ``then`` follows within ``limit`` microseconds; ``keyed``: for the same shipment or task.

    What came too late is the departure; what has not come departs from the moment it was due, unless the journey had ended by
    then. The day it was due is that of ``first`` and the whole days of the limit.
    """

    first: frozenset[int]
    then: frozenset[int]
    limit: int
    keyed: bool = False
    asks_absent: bool = False

    @property
    def activities(self) -> frozenset[int]:
        return self.first | self.then

    def watch(self) -> Watch:
        return _WithinTimeWatch(self)


class _WithinTimeWatch:
    __slots__ = ("_found", "_of", "_open")

    def __init__(self, of: WithinTime) -> None:
        self._of = of
        #: The first step that waits for an answer, by key.
        self._open: dict[int, Step] = {}
        self._found: list[Found] = []

    def feed(self, step: Step) -> None:
        of = self._of
        key = step.key if of.keyed else 0
        if step.activity in of.then:
            began = self._open.pop(key, None)
            if began is not None and step.at - began.at > of.limit:
                self._found.append(departs(step))
        else:
            self._open.setdefault(key, step)

    def found(self, end: Step | None) -> list[Found]:
        limit, out = self._of.limit, self._found
        for began in self._open.values():
            due = began.at + limit
            if end is None or end.at > due:
                missed = Found(due, began.day + limit // DAY, began.seq, is_step=False, is_due=end is None)
                out = [*out, missed]
        return out
