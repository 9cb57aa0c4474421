"""What would be made from a template, and what stands in its way? The same parts are shown before and made afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from erpcore.kernel.canonical import fingerprint
from erpcore.kernel.errors import DomainError
from erpcore.kernel.work import UnitOfWork


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a person says besides the template: its code and name, where it belongs, and facts that differ from the template's.

    ``starts_on`` is the first day of its calendar, commitments and rates; ``owner`` and ``until_on`` are of the variant that is
    proposed with its policy values.
    """

    code: str
    name: str
    reason: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    entity: int | None = None
    programme: int | None = None
    wave: int | None = None
    channels: tuple[int, ...] = ()
    sites: tuple[int, ...] = ()
    starts_on: date | None = None
    owner: int | None = None
    until_on: date | None = None

    def plain(self) -> dict[str, Any]:
        """As it is kept beside what was made; nothing that names a person by more than an id."""
        return {
            "code": self.code, "name": self.name, "reason": self.reason, "facts": dict(self.facts), "entity": self.entity,
            "programme": self.programme, "wave": self.wave, "channels": sorted(self.channels), "sites": sorted(self.sites),
            "starts_on": self.starts_on, "owner": self.owner, "until_on": self.until_on,
        }  # fmt: skip


@dataclass
class Made:
    """What has been made so far: the place, and what else, by name."""

    place: int = 0
    things: dict[str, Any] = field(default_factory=dict)


def _nothing(_work: UnitOfWork, _made: Made) -> None:
    """What is only looked at makes nothing."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Something that would be made: ``lines`` say what, ``problems`` why not, ``make`` makes it. ``of``: the section that says so."""

    title: str
    of: str
    lines: tuple[str, ...] = ()
    problems: tuple[DomainError, ...] = ()
    make: Callable[[UnitOfWork, Made], None] = _nothing


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All of it. ``digest`` is of what was shown and asked for: making it asks for the one that was seen."""

    parts: tuple[Part, ...]
    version: int
    asked: Asked

    @property
    def problems(self) -> Sequence[DomainError]:
        return [problem for part in self.parts for problem in part.problems]

    @property
    def digest(self) -> str:
        said = [[part.title, list(part.lines), [one.code for one in part.problems]] for part in self.parts]
        # Region, owner, last day and reason stand in no line, and are made all the same.
        return fingerprint([self.version, said, self.asked.plain()])[:32]
