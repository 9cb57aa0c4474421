"""What does a change reach against the way in which edges point? A gate points to the wave that it decides on, and a wave that
changes is a matter for its gate; so it is wherever the pointing end is what has to be looked at again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from app.queries.impact.kinds import Kind, Ref
from app.queries.impact.reading import Desk, read_level

#: By what one stands at: of what touches it directly, these are reached by its change too.
TURNS: Mapping[Kind, Collection[Kind]] = {
    Kind.POINT: (Kind.VARIANT,), Kind.STEP: (Kind.VARIANT,), Kind.CHECK: (Kind.VARIANT,),
    Kind.BODY: (Kind.GATE,), Kind.PERSON: (Kind.CRITERION,),
}  # fmt: skip
#: A wave so far away still has its gate within three steps.
_WAVES_WITHIN = 2


class _Level(Protocol):
    @property
    def distance(self) -> int: ...
    @property
    def groups(self) -> Sequence[_Group]: ...


class _Group(Protocol):
    @property
    def kind(self) -> Kind: ...
    @property
    def things(self) -> Mapping[Ref, object]: ...


def _on(levels: Sequence[_Level], kind: Kind, within: int) -> list[Ref]:
    near = [group for level in levels if level.distance <= within for group in level.groups]
    return [ref for group in near if group.kind is kind for ref in group.things]


def turned(desk: Desk, centre: Ref, touches: Sequence[_Level], touched_by: Sequence[_Level]) -> tuple[Ref, ...]:
    """The gates that decide on the waves on the way, the roles whose steps a process is made of, and what ``TURNS`` names."""
    found = [ref for kind in TURNS.get(centre.kind, ()) for ref in _on(touched_by, kind, 1)]
    waves = [centre] if centre.kind is Kind.WAVE else _on(touches, Kind.WAVE, _WAVES_WITHIN)
    if waves and desk.may(Kind.GATE):
        read = read_level(desk, {}, {Kind.WAVE: [ref.id for ref in waves]}, sources=(Kind.GATE,))
        found += [one.source for one in read.inward]
    processes = [centre] if centre.kind is Kind.PROCESS else []
    if centre.kind is Kind.WAVE:
        processes = _on(touched_by, Kind.PROCESS, 1)
    if desk.may(Kind.ROLE) and desk.may(Kind.STEP):
        found += _roles(desk, processes)
    return tuple(dict.fromkeys(found))


def _roles(desk: Desk, processes: Sequence[Ref]) -> list[Ref]:
    steps = [one.source for ref in processes for one in desk.world.inward.get(ref, ()) if one.source.kind is Kind.STEP]
    return [one.target for step in steps for one in desk.world.outward.get(step, ()) if one.target.kind is Kind.ROLE]
