"""What a gate asks of the world around it: figures of cells, and on which bodies a person sits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from readiness.measures.reading import Reading


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadingRequest:
    """One figure over ``cells`` (live site, channel; channel ``None``: the whole site) taken together, in one realm.

    In another realm than *live* the twins of the cells are read. The reading's ``scope`` is the one asked for.
    ``window_days`` ``None``: the measure's own window.
    """

    scope: str
    measure: str
    statistic: str | None
    version: int
    realm: str
    cells: tuple[tuple[int, int | None], ...]
    window_days: int | None = None
    dimension: str | None = None
    customer_group: int | None = None


@dataclass(frozen=True, kw_only=True)
class Readout:
    """The figures by what was asked; one that is missing cannot be read. ``read_to`` is the event sequence they go up to,
    ``behind_seconds`` how far the slowest consumer was behind.
    """

    readings: Mapping[ReadingRequest, Reading]
    read_to: int
    behind_seconds: int | None = None


class Readings(Protocol):
    """Reads figures. What it cannot read it leaves out, or marks as stale; it never makes one up."""

    def read_many(self, session: Session, requests: Sequence[ReadingRequest], *, now: datetime) -> Readout: ...


class Authority(Protocol):
    """On which bodies of a programme does a person sit now? By code; true for the steering committee."""

    def bodies(self, session: Session, person: int, programme_id: int, now: datetime) -> Mapping[str, bool]: ...
