"""When was each control last compared, and what did it find?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.proofs import last_proof, waiting_proof
from app.queries.controls import CONTROLS
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Entity, Site
from readiness.measures.models import ControlResultRow

#: Controls are compared at least daily; an older result no longer speaks for now.
LIFE = timedelta(hours=26)


@dataclass(frozen=True, kw_only=True)
class Result:
    """The last comparison of a control where it was made."""

    realm: str
    where: str
    unit: str
    difference: int
    tolerance: int
    read_to: int
    compared_at: datetime

    @property
    def agrees(self) -> bool:
        return abs(self.difference) <= self.tolerance


@dataclass(frozen=True, kw_only=True)
class ControlLine:
    """A control with what it found everywhere; ``verdict`` is what a gate would say of it."""

    name: str
    title: str
    unit: str
    results: tuple[Result, ...]
    verdict: str
    compared_at: datetime | None

    @property
    def differing(self) -> tuple[Result, ...]:
        return tuple(one for one in self.results if not one.agrees)


@dataclass(frozen=True, kw_only=True)
class Side:
    """Both sides of a control at one place, as of the last comparison."""

    control: str
    title: str
    unit: str
    entity: int | None
    site: int | None
    left: int
    right: int
    difference: int
    first_key: str | None


@dataclass(frozen=True, kw_only=True)
class Whole:
    """The last comparison of all controls at one moment; ``waiting``: since when another one is asked for."""

    made_at: datetime | None
    read_to: int | None
    sides: tuple[Side, ...]
    waiting: datetime | None


@dataclass(frozen=True, kw_only=True)
class Proof:
    """All controls; ``other`` are compared ones that are not of the books (journeys, buckets)."""

    lines: tuple[ControlLine, ...]
    compared_at: datetime | None
    read_to: int | None
    names: dict[int | None, str]

    @property
    def differing(self) -> int:
        return sum(1 for line in self.lines if line.verdict == "fail")


def proof(session: Session, now: datetime, actor: Actor) -> Proof:
    """The last comparison of every control, at the sites that the person sees. Three queries."""
    entities = {row.id: row.name for row in session.execute(select(Entity.id, Entity.name))}
    sites = {row.id: row.name for row in session.execute(select(Site.id, Site.name))}
    by_control: dict[str, list[Result]] = defaultdict(list)
    for row in session.scalars(select(ControlResultRow).order_by(ControlResultRow.entity, ControlResultRow.site)):
        if actor.sites is not None and row.site not in actor.sites:
            continue
        where = sites.get(row.site) or entities.get(row.entity, f"entity {row.entity}")
        by_control[row.control].append(
            Result(
                realm=row.realm, where=where, unit=row.unit, difference=row.difference, tolerance=row.tolerance,
                read_to=row.read_to, compared_at=row.compared_at,
            )
        )  # fmt: skip
    titles = {control.name: (control.title, control.unit) for control in CONTROLS}
    names = [*titles, *sorted(set(by_control) - set(titles))]
    lines = [_line(name, titles.get(name), by_control.get(name, []), now) for name in names]
    every = [result for found in by_control.values() for result in found]
    return Proof(
        lines=tuple(lines), compared_at=min((one.compared_at for one in every), default=None),
        read_to=max((one.read_to for one in every), default=None), names={**entities, **sites},
    )  # fmt: skip


def whole_proof(session: Session, actor: Actor, starts: tuple[str, ...] = ()) -> Whole:
    """Both sides of the controls whose names start so, at the sites that the person sees. Two queries."""
    run, waiting = last_proof(session), waiting_proof(session)
    known = {control.name: (control.title, control.unit) for control in CONTROLS}
    sides = [
        Side(
            control=one["control"], title=known[one["control"]][0], unit=known[one["control"]][1], entity=one["entity"],
            site=one["site"], left=one["left"], right=one["right"], difference=one["difference"], first_key=one["first_key"],
        )
        for one in (orjson.loads(run.found or "[]") if run else [])
        if one["control"] in known and one["control"].startswith(starts or ("",))
        and (actor.sites is None or one["site"] in actor.sites)
    ]  # fmt: skip
    return Whole(
        made_at=run.done_at if run else None, read_to=run.read_to if run else None, sides=tuple(sides),
        waiting=waiting.asked_at if waiting else None,
    )  # fmt: skip


def _line(name: str, said: tuple[str, str] | None, found: list[Result], now: datetime) -> ControlLine:
    oldest = min((one.compared_at for one in found), default=None)
    if any(not one.agrees for one in found):
        verdict = "fail"
    elif oldest is None or now - oldest > LIFE:
        verdict = "no evidence"
    else:
        verdict = "pass"
    unit = said[1] if said else (found[0].unit if found else "")
    return ControlLine(
        name=name, title=said[0] if said else name.replace("_", " ").capitalize(), unit=unit, results=tuple(found),
        verdict=verdict, compared_at=oldest,
    )  # fmt: skip
