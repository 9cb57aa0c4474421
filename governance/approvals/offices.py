"""In which capacity, and for whom, may a person answer a request?

A capacity is a role that one acts in, something that one may do at the site, a seat of a body, or being the person named. Others act for one: the delegate of a seat for
that seat, the delegate for approvals for everything that the giver may decide, and neither passes it on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from sqlalchemy import BigInteger, Integer, String, cast, null, select
from sqlalchemy.orm import Session

from erpcore.kernel.actor import Actor
from governance.approvals.models import ApprovalDelegation
from governance.approvals.ports import Surroundings
from governance.approvals.rules import Asked, Given, Link, kept_out
from governance.programme.kinds import BodyKind
from governance.programme.models import Body, Delegation, ProgrammeCell, Seat

ROLE, MAY, BODY, PERSON = "role", "may", "body", "person"


class Chair(NamedTuple):
    """A seat of a body of a kind, with its holder."""

    seat: int
    body: int
    kind: str
    programme: int
    holder: int | None


class Way(NamedTuple):
    """How somebody may answer: for whom, in which capacity, for which need."""

    on_behalf_of: int
    capacity: str
    need: int


@dataclass(frozen=True, kw_only=True)
class Place:
    """What of a request decides who may answer it."""

    site: int | None
    asked_at: datetime
    excluded: frozenset[int]


@dataclass
class Offices:
    """Seats, and who acts for whom, as one session reads them; each is read once, when it is first asked for."""

    session: Session
    around: Surroundings
    now: datetime
    _chairs: list[Chair] | None = None
    _links: tuple[list[Link], list[tuple[int, Link]]] | None = None
    _sites: dict[int, set[int]] | None = None
    _roles: dict[int, Mapping[int | None, AbstractSet[str]]] = field(default_factory=dict)
    _somebody: dict[int, bool] = field(default_factory=dict)

    def chairs(self, kind: str, site: int | None) -> list[Chair]:
        """The seats of the bodies of this kind: of the programmes that roll out the site, else of all."""
        found = [chair for chair in self._all_chairs() if chair.kind == kind]
        here = self._programmes(site) if found else set()
        return [chair for chair in found if chair.programme in here] if here else found

    def _all_chairs(self) -> list[Chair]:
        return self._read_seats()[0]

    def _read_seats(self) -> tuple[list[Chair], dict[int, set[int]]]:
        """The seats, and the programmes that roll out each site; one query."""
        if self._chairs is None or self._sites is None:
            rows = self.session.execute(
                select(
                    Seat.id.label("seat"), Body.id.label("body"), Body.kind, Body.programme_id.label("programme"),
                    Seat.person_id.label("holder"), Seat.position, cast(null(), BigInteger).label("site"),
                )
                .join(Body, Body.id == Seat.body_id)
                .where(Seat.ended_at.is_(None))
                .union_all(
                    select(
                        *(cast(null(), kind) for kind in (BigInteger, BigInteger, String)), ProgrammeCell.programme_id,
                        *(cast(null(), kind) for kind in (BigInteger, Integer)), ProgrammeCell.site_id,
                    ).group_by(ProgrammeCell.programme_id, ProgrammeCell.site_id)
                )
            ).all()  # fmt: skip
            seats = sorted((row for row in rows if row.seat is not None), key=lambda row: (row.body, row.position))
            self._chairs = [Chair(*row[:5]) for row in seats]
            self._sites = {}
            for row in rows:
                if row.site is not None:
                    self._sites.setdefault(row.site, set()).add(row.programme)
        return self._chairs, self._sites

    def _programmes(self, site: int | None) -> set[int]:
        return set() if site is None else self._read_seats()[1].get(site, set())

    def quorum(self, kind: str, site: int | None, excluded: Collection[int]) -> int:
        """How many people a body of this kind decides with: its quorum of the seats that are not excluded, the largest of several."""
        chairs = self.chairs(kind, site)
        shares = {
            row.id: Fraction(row.quorum_seats, row.quorum_of)
            for row in self.session.execute(
                select(Body.id, Body.quorum_seats, Body.quorum_of).where(Body.id.in_({chair.body for chair in chairs}))
            )
        }
        counts = [
            ceil(share * sum(1 for chair in chairs if chair.body == body and chair.holder not in excluded))
            for body, share in shares.items()
        ]
        return max([1, *counts])

    def links(self) -> list[Link]:
        """Who acts for whom, now or once: delegates for approvals and delegates of seats."""
        return self._given() + [link for _, link in self._stood_in()]

    def _given(self) -> list[Link]:
        return self._read_links()[0]

    def _stood_in(self) -> list[tuple[int, Link]]:
        return self._read_links()[1]

    def _read_links(self) -> tuple[list[Link], list[tuple[int, Link]]]:
        """Delegates for approvals, and those of seats by seat; one query."""
        if self._links is None:
            given, seat = ApprovalDelegation, Delegation
            rows = self.session.execute(
                select(
                    cast(null(), BigInteger).label("seat"), given.giver_id.label("giver"), given.delegate_id.label("taker"),
                    given.valid_from.label("since"), given.valid_until.label("until"),
                ).union_all(
                    select(Seat.id, Seat.person_id, seat.delegate_id, seat.valid_from, seat.valid_until)
                    .join(Seat, Seat.id == seat.seat_id)
                    .where(Seat.person_id.is_not(None), Seat.ended_at.is_(None))
                )
            ).all()  # fmt: skip
            read = [
                (row.seat, Link(giver=row.giver, taker=row.taker, since=row.since, until=row.until)) for row in rows
            ]
            self._links = [link for of, link in read if of is None], [(of, link) for of, link in read if of is not None]
        return self._links

    def acts_for(self, person: int) -> list[int]:
        """Whose delegate for approvals somebody is now."""
        return sorted({link.giver for link in self._given() if link.taker == person and self._holds(link)})

    def _holds(self, link: Link) -> bool:
        return link.since <= self.now < link.until

    def kept_out(self, place: Place) -> frozenset[int]:
        """Who may not decide on this request, in whatever capacity."""
        return kept_out(place.excluded, self.links(), asked_at=place.asked_at, now=self.now)

    def _holds_there(self, person: int, kind: str, name: str, site: int | None) -> bool:
        """Whether the person has the role, or any that permits it, at the site or at all; a person is asked about once."""
        if person not in self._roles:
            self._roles[person] = self.around.roles_of(self.session, person, self.now)
        known = self._roles[person]
        roles = {*known.get(None, ()), *(known.get(site, ()) if site is not None else ())}
        return name in roles if kind == ROLE else any(self.around.permits(role, name) for role in roles)

    def ways(
        self, actor: Actor, place: Place, needs: Sequence[Asked], given: Sequence[Given], *, lacking: Collection[int]
    ) -> list[Way]:
        """All ways in which this person may answer now: first those for oneself and for what is still lacking."""
        out = self.kept_out(place)
        if actor.is_system or actor.id in out:
            return []
        spent = {person for answer in given for person in (answer.person, answer.on_behalf_of)}
        if actor.id in spent:
            return []
        found = [
            Way(principal, capacity, need.position)
            for need in needs
            for capacity in need.capacities
            for principal in self._principals(actor, capacity, place.site)
            if principal not in out and principal not in spent
        ]
        order = {way: number for number, way in enumerate(found)}
        return sorted(order, key=lambda way: (way.need not in lacking, way.on_behalf_of != actor.id, order[way]))

    def _principals(self, actor: Actor, capacity: str, site: int | None) -> Iterator[int]:
        """For whom the actor would answer in this capacity: oneself, or somebody that one acts for."""
        if self._has_oneself(actor, capacity, site):
            yield actor.id
        kind, _, name = capacity.partition(":")
        if kind == BODY:
            seats = {chair.seat: chair.holder for chair in self.chairs(name, site)}
            for seat, link in self._stood_in():
                if seat in seats and link.taker == actor.id and seats[seat] == link.giver and self._holds(link):
                    yield from self._if_somebody(link.giver)
        for giver in self.acts_for(actor.id):
            if self._has(giver, capacity, site):
                yield from self._if_somebody(giver)

    def _if_somebody(self, giver: int) -> Iterator[int]:
        """The giver, unless their account is closed: who left has no voice that another could give. One query a person, none
        where their roles were read.
        """
        if giver not in self._somebody:
            self._somebody[giver] = bool(self._roles.get(giver)) or self.around.is_somebody(self.session, giver)
        if self._somebody[giver]:
            yield giver

    def _has_oneself(self, actor: Actor, capacity: str, site: int | None) -> bool:
        """A role counts as one acts in it now, as everywhere: what somebody else might be is not what they are."""
        kind, _, name = capacity.partition(":")
        if kind in {ROLE, MAY}:
            is_there = actor.sites is None or site in actor.sites
            return is_there and (actor.role == name if kind == ROLE else actor.may(name))
        return self._has(actor.id, capacity, site)

    def _has(self, person: int, capacity: str, site: int | None) -> bool:
        kind, _, name = capacity.partition(":")
        if kind in {ROLE, MAY}:
            return self._holds_there(person, kind, name, site)
        if kind == BODY:
            return any(chair.holder == person for chair in self.chairs(name, site))
        return kind == PERSON and name == str(person)


def is_capacity(session: Session, around: Surroundings, capacity: str) -> bool:
    """Whether there is such a role, body or person."""
    kind, _, name = capacity.partition(":")
    if kind == ROLE:
        return name in around.roles()
    if kind == MAY:
        return name in around.permissions()
    if kind == BODY:
        return name in set(BodyKind)
    return kind == PERSON and name.isascii() and name.isdecimal() and around.is_somebody(session, int(name))
