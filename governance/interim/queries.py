"""What is said of a wave's interim state, and which of its links are open: nobody masters them, or an interface is overdue?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from erpcore.kernel.errors import NotFound
from governance.interim.kinds import DOMAINS, Direction, LinkKind, Master, domains_of, process_title
from governance.interim.models import InterimInterface, InterimLink


class Open(StrEnum):
    """Why a link is open."""

    NO_MASTER = "no_master"
    OVERDUE = "overdue"
    NO_OWNER = "no_owner"


@dataclass(frozen=True, kw_only=True)
class InterfaceView:
    """A temporary interface. ``opens``: why it is open, empty for one that is looked after and in time, or has ended."""

    id: int
    link_id: int
    name: str
    direction: Direction
    frequency: str
    owner: int | None
    has_left: bool
    ends_on: date
    when_it_stops: str
    version: int
    ended_at: datetime | None
    opens: tuple[Open, ...]


@dataclass(frozen=True, kw_only=True)
class SlotView:
    """A process step or data domain in the wave's scope, with who masters it. ``inherited``: said of its whole process.

    ``id`` and ``version`` are those of what was said of exactly this; ``None`` where nothing was.
    """

    kind: LinkKind
    code: str
    title: str
    id: int | None
    version: int | None
    master: Master | None
    inherited: bool
    rule: str
    evidence: str
    interfaces: tuple[InterfaceView, ...]

    @property
    def opens(self) -> tuple[Open, ...]:
        """Why it is open: itself, or by one of its interfaces; each once."""
        own = () if self.master is not None else (Open.NO_MASTER,)
        return tuple(dict.fromkeys([*own, *(why for one in self.interfaces for why in one.opens)]))


@dataclass(frozen=True, kw_only=True)
class InterimState:
    """The interim state of a wave: whole processes first, then their steps, then data.

    ``beyond``: what is in the wave's scope no more, such as a step that its process has lost, and still has interfaces that carry.
    """

    processes: tuple[SlotView, ...]
    steps: tuple[SlotView, ...]
    data: tuple[SlotView, ...]
    beyond: tuple[SlotView, ...]
    without_steps: tuple[str, ...]

    @property
    def open(self) -> list[SlotView]:
        """Unmapped links: steps and data without a master, and whatever has an interface that is overdue or nobody's.

        A process of which no step is known is one itself: nobody can say that it is mastered step by step.
        """
        whole = [
            one for one in self.processes
            if (one.code in self.without_steps and one.master is None) or any(each.opens for each in one.interfaces)
        ]  # fmt: skip
        return [*whole, *(one for one in (*self.steps, *self.data, *self.beyond) if one.opens)]

    @property
    def slots(self) -> int:
        """How many steps, processes without known steps and data must have a master."""
        return len(self.steps) + len(self.data) + len(self.without_steps)

    @property
    def interfaces(self) -> list[InterfaceView]:
        """All interfaces that still carry, the one that ends first at the top."""
        every = [one for slot in (*self.processes, *self.steps, *self.data, *self.beyond) for one in slot.interfaces]
        return sorted((one for one in every if one.ended_at is None), key=lambda one: (one.ends_on, one.id))


def interim_state(
    session: Session, wave_id: int, *, processes: Mapping[str, str], steps: Mapping[str, str], today: date,
    gone: ColumnElement[bool],
) -> InterimState:  # fmt: skip
    """The interim state of a wave over its processes and their steps (names by code), on a day. ``gone``: whether whoever
    looks after an interface left, which is as good as nobody. One query.
    """
    query = (
        select(InterimLink, InterimInterface, gone.label("gone"))
        .outerjoin(InterimInterface, InterimInterface.link_id == InterimLink.id)
        .where(InterimLink.wave_id == wave_id)
        .order_by(InterimInterface.ends_on, InterimInterface.id, InterimLink.id)
    )
    rows = [(link, interface, bool(has_left)) for link, interface, has_left in session.execute(query)]
    return state_of(rows, processes=processes, steps=steps, today=today)


def state_of(
    rows: Iterable[tuple[InterimLink, InterimInterface | None, bool]], *, processes: Mapping[str, str], steps: Mapping[str, str],
    today: date,
) -> InterimState:  # fmt: skip
    """The same out of what is said of the wave: each link with each of its interfaces, and whether who looks after that left."""
    said: dict[tuple[str, str], InterimLink] = {}
    carried: dict[int, list[InterfaceView]] = defaultdict(list)
    for link, interface, has_left in rows:
        said[link.kind, link.code] = link
        if interface is not None:
            carried[link.id].append(_interface(interface, today, has_left))

    def slot(kind: LinkKind, code: str, title: str) -> SlotView:
        row = said.get((kind, code))
        whole = said.get((kind, code.partition(".")[0])) if row is None and "." in code else None
        shown = row or whole
        return SlotView(
            kind=kind, code=code, title=title, id=row.id if row else None, version=row.version if row else None,
            master=Master(shown.master) if shown else None, inherited=row is None and whole is not None,
            rule=shown.rule if shown else "", evidence=shown.evidence if shown else "",
            interfaces=tuple(carried[row.id]) if row else (),
        )  # fmt: skip

    with_steps = {code.partition(".")[0] for code in steps}
    data = {one.value: DOMAINS[one] for one in domains_of(list(processes))}
    return InterimState(
        processes=tuple(slot(LinkKind.PROCESS, code, name) for code, name in processes.items()),
        steps=tuple(slot(LinkKind.PROCESS, code, name) for code, name in steps.items()),
        data=tuple(slot(LinkKind.DATUM, code, name) for code, name in data.items()),
        beyond=tuple(
            slot(LinkKind(kind), code, process_title(code.rpartition(".")[2]))
            for (kind, code), row in said.items()
            if code not in (data if kind == LinkKind.DATUM else {*processes, *steps})
            and any(one.ended_at is None for one in carried[row.id])
        ),
        without_steps=tuple(code for code in processes if code not in with_steps),
    )


def _interface(row: InterimInterface, today: date, has_left: bool) -> InterfaceView:
    why = []
    if row.ended_at is None and row.ends_on < today:
        why.append(Open.OVERDUE)
    if row.ended_at is None and (row.owner_id is None or has_left):
        why.append(Open.NO_OWNER)
    return InterfaceView(
        id=row.id, link_id=row.link_id, name=row.name, direction=Direction(row.direction), frequency=row.frequency,
        owner=row.owner_id, has_left=has_left, ends_on=row.ends_on, when_it_stops=row.when_it_stops, version=row.version,
        ended_at=row.ended_at, opens=tuple(why),
    )  # fmt: skip


def wave_of_link(session: Session, link_id: int) -> int:
    """The wave that a link belongs to. Raises ``NotFound``."""
    found = session.scalar(select(InterimLink.wave_id).where(InterimLink.id == link_id))
    if found is None:
        raise NotFound("interim_link_not_found", link=link_id)
    return found


def wave_of_interface(session: Session, interface_id: int) -> int:
    """The wave that an interface belongs to. Raises ``NotFound``."""
    found = session.scalar(
        select(InterimLink.wave_id)
        .join(InterimInterface, InterimInterface.link_id == InterimLink.id)
        .where(InterimInterface.id == interface_id)
    )
    if found is None:
        raise NotFound("interim_interface_not_found", interface=interface_id)
    return found
