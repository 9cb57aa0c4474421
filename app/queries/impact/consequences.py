"""What follows if a thing changes: the sums of a walk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, literal
from sqlalchemy.orm import Session

from app.queries.impact.kinds import Kind, Ref
from app.queries.impact.tallies import TALLIES, people_query
from app.queries.impact.walk import Counted, Walk
from erpcore.kernel.actor import Actor

#: Kinds that are counted in open documents themselves; for them a count of anything near counts the same documents again.
_COUNTED = frozenset(one.source for one in TALLIES if one.is_open)


@dataclass(frozen=True, kw_only=True)
class Consequences:
    """What follows if the thing changes, from up to three steps away. ``is_bounded``: something was left off, so there may be more."""

    sites: tuple[Ref, ...]
    open: tuple[Counted, ...]
    gates: tuple[str, ...]
    roles: tuple[Ref, ...]
    people: int
    owners: tuple[Ref, ...]
    trainings: tuple[tuple[Ref, str], ...]
    tests: tuple[tuple[Ref, str], ...]
    is_bounded: bool


def consequences(session: Session, actor: Actor, found: Walk, now: datetime) -> Consequences:
    """The sums of a walk: where, which open documents, gates, who has to learn, whom to ask. One statement, none without roles."""
    criteria = [found.name(ref).keys[2] for ref in found.reached(Kind.CRITERION)]
    gates = [found.name(ref).label for ref in found.reached(Kind.GATE)]
    roles = found.reached(Kind.ROLE, within=2)
    of = {ref: found.name(ref) for ref in found.reached(Kind.VARIANT, within=1)}
    return Consequences(
        sites=tuple(found.reached(Kind.SITE)), gates=tuple(dict.fromkeys([*gates, *criteria])), roles=tuple(roles),
        open=tuple(_open(found)), people=_people(session, actor, [ref.id for ref in roles], now),
        owners=tuple(found.reached(Kind.PERSON, within=2)),
        trainings=tuple((ref, name.keys[0]) for ref, name in of.items() if name.keys[0]),
        tests=tuple((ref, name.keys[1]) for ref, name in of.items() if name.keys[1]), is_bounded=found.is_cut,
    )  # fmt: skip


def _open(found: Walk) -> list[Counted]:
    """Open documents that hang on it, each counted once: its own, or those of the one kind of thing next to it that stands first in
    the catalogue. An order that runs under a variant stands at its site as well.
    """
    if found.centre.kind in _COUNTED:
        return [one for one in found.counts if one.tally.is_open and one.of == found.centre]
    near = {ref for level in found.touches[:1] for group in level.groups for ref in group.things}
    counts = [one for one in found.counts if one.tally.is_open and one.of in near]
    return [one for one in counts if one.of.kind is _narrowest(each.of.kind for each in counts)]


def _narrowest(kinds: Iterable[Kind]) -> Kind:
    order = list(Kind)
    return min(kinds, key=order.index)


def _people(session: Session, actor: Actor, roles: Sequence[str], now: datetime) -> int:
    """How many different people do the work of these roles."""
    if not roles:
        return 0
    row = session.execute(people_query(literal("all", String).label("id"), roles, actor, now)).one()
    return int(row.number)
