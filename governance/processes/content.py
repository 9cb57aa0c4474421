"""What does a version of a process say? Its steps with their standard, exception paths and hand-offs, as plain values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from erpcore.kernel.canonical import fingerprint


@dataclass(frozen=True, kw_only=True)
class ExceptionPath:
    """What is done when a step cannot go by its standard: when, what, who, who agrees, and what goes wrong otherwise."""

    code: str
    name: str
    when: str
    actions: tuple[str, ...]
    role: str
    otherwise: str
    approval: str = ""


@dataclass(frozen=True, kw_only=True)
class HandOff:
    """What a step passes on, and to which step (``process.step``)."""

    to: str
    what: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step. ``role`` does it, ``owner`` answers for its standard; ``level`` is the service level; ``otherwise`` is what goes
    wrong where the standard is not kept; ``reference`` the id of an element of a public framework, never its text.
    """

    code: str
    name: str
    role: str
    owner: str
    system: str
    trigger: str
    standard: str
    level: str
    otherwise: str
    inputs: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    approval: str = ""
    measures: tuple[str, ...] = ()
    automation: str = ""
    points: tuple[str, ...] = ()
    reference: str = ""
    exceptions: tuple[ExceptionPath, ...] = ()
    handoffs: tuple[HandOff, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Known:
    """What steps may refer to that lives elsewhere: codes of measures, roles, and policy points."""

    measures: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    points: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Content:
    """All steps of a version, in order."""

    steps: tuple[Step, ...] = field(default_factory=tuple)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what is said: what was approved can be compared with what stands there."""
        return fingerprint([asdict(step) for step in self.steps])

    def step(self, code: str) -> Step | None:
        return next((one for one in self.steps if one.code == code), None)


def lines(text: str) -> tuple[str, ...]:
    """What was typed line by line, without the empty ones."""
    return tuple(one.strip() for one in text.splitlines() if one.strip())


def step_of(raw: dict[str, Any]) -> Step:
    """A step as data files and programs write it. Raises ``TypeError`` for a name that a step does not have."""
    listed: dict[str, Any] = {
        name: tuple(raw[name]) for name in ("inputs", "decisions", "measures", "points") if name in raw
    }
    paths = tuple(_path_of(one) for one in raw.get("exceptions", ()))
    handoffs = tuple(HandOff(to=to, what=what) for to, what in raw.get("handoffs", ()))
    made: dict[str, Any] = {**raw, **listed, "exceptions": paths, "handoffs": handoffs}
    return Step(**made)


def _path_of(raw: dict[str, Any]) -> ExceptionPath:
    return ExceptionPath(**{**raw, "actions": tuple(raw["actions"])})


def read_content(raw: Iterable[dict[str, Any]]) -> Content:
    """The steps of a version as data files and programs write them."""
    return Content(tuple(step_of(one) for one in raw))
