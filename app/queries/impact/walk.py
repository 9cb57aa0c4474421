"""What does this touch, and what touches it, how many steps away, and what follows if it changes?

Away from a thing one walks along what it touches, towards it along what touches it; no walk turns round. Each level is one
statement over all readers, whatever is on it. What is left off is counted and said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.orm import Session

from app.queries.impact.declared import World
from app.queries.impact.kinds import BEGINNINGS, Kind, Ref, is_readable, kind_of
from app.queries.impact.moment import Moment
from app.queries.impact.reading import Cut, Desk, Read, by_kind, read_level, read_names, read_tallies, search_names
from app.queries.impact.shelves import Name
from app.queries.impact.touches import Edge, Tally, edge
from app.queries.impact.turns import turned
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound

#: How far a walk may be asked to go; a page shows two steps, and sums up three.
LEAST_DEPTH, MOST_DEPTH = 1, 3
#: So many things of one relation are read, and so many things of one kind followed further.
USUAL, MOST_ROWS = 25, 200
#: Of each kind so many are found by a search; a trail remembers so many steps.
MOST_FOUND, LONGEST_TRAIL = 8, 8
LEAST_LETTERS = 2


@dataclass(frozen=True, kw_only=True)
class Group:
    """Things of one kind that one level found, each with the edges that lead to it; ``left`` more were not read.

    ``is_exact`` false: there may be more, since several relations lead to the kind, or things before were cut.
    """

    kind: Kind
    things: Mapping[Ref, tuple[Edge, ...]]
    left: int = 0
    is_exact: bool = True

    @property
    def total(self) -> int:
        return len(self.things) + self.left


@dataclass(frozen=True, kw_only=True)
class Level:
    """All that is so many steps away, by kind in the order of the catalogue. ``unfollowed``: things that were not walked on from."""

    distance: int
    groups: tuple[Group, ...]
    unfollowed: int = 0
    #: Whether there are things that were not read, be it that all that was read of their kind was met before.
    is_short: bool = False

    @property
    def edges(self) -> list[Edge]:
        return [one for group in self.groups for edges in group.things.values() for one in edges]

    @property
    def total(self) -> int:
        return sum(group.total for group in self.groups)

    @property
    def is_cut(self) -> bool:
        """Whether something was left off."""
        return self.unfollowed > 0 or self.is_short


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A count that hangs on a thing: so many documents, or people."""

    tally: Tally
    of: Ref
    number: int

    @property
    def ref(self) -> Ref:
        return Ref(Kind.DOCUMENTS, f"{self.tally.name}.{self.of.kind}.{self.of.id}")

    @property
    def words(self) -> str:
        return f"{self.number:,} {self.tally.one if self.number == 1 else self.tally.many}"


@dataclass(frozen=True, kw_only=True)
class Walk:
    """A thing with what it touches and what touches it, level by level, with the names of everything on them."""

    centre: Ref
    touches: tuple[Level, ...]
    touched_by: tuple[Level, ...]
    counts: tuple[Counted, ...]
    names: Mapping[Ref, Name]
    trail: tuple[Ref, ...] = ()
    #: What a change reaches against the way in which edges point, by the catalogue of ``turns``.
    turned: tuple[Ref, ...] = ()

    def name(self, ref: Ref) -> Name:
        """How a thing on the walk is called."""
        return self.names[ref]

    def sentence(self, one: Edge) -> str:
        """Why an edge exists."""
        return one.sentence(self.names[one.source].said, self.names[one.target].said)

    def reached(self, kind: Kind, *, within: int = MOST_DEPTH) -> list[Ref]:
        """Things of a kind that are touched, the nearest first; the centre itself is one, where it is of the kind."""
        own = [self.centre] if self.centre.kind is kind else []
        levels = [level for level in self.touches if level.distance <= within]
        found = [ref for level in levels for group in level.groups if group.kind is kind for ref in group.things]
        return list(dict.fromkeys([*own, *found, *(ref for ref in self.turned if ref.kind is kind)]))

    @property
    def is_cut(self) -> bool:
        """Whether anything was left off on the way out."""
        return any(level.is_cut for level in self.touches)


@dataclass
class _Way:
    """A walk in one direction while it is under way."""

    is_out: bool
    at: dict[Kind, list[str]]
    seen: set[Ref]
    levels: list[Level] = field(default_factory=list)
    was_cut: bool = False

    def take(self, read: Read, most: int) -> None:
        """The next level, from what was read of this one."""
        edges = read.outward if self.is_out else read.inward
        found: dict[Kind, dict[Ref, list[Edge]]] = {}
        for one in edges:
            far = one.target if self.is_out else one.source
            if far not in self.seen:
                kept = found.setdefault(far.kind, {}).setdefault(far, [])
                if one not in kept:
                    kept.append(one)
        cuts = read.cut(self.is_out)
        groups = [self._group(kind, found[kind], cuts.get(kind)) for kind in Kind if kind in found]
        self.seen.update(ref for group in groups for ref in group.things)
        follow = {group.kind: [ref.id for ref in group.things][:most] for group in groups}
        unfollowed = sum(len(group.things) - len(follow[group.kind]) for group in groups)
        level = Level(distance=len(self.levels) + 1, groups=tuple(groups), unfollowed=unfollowed, is_short=bool(cuts))
        self.levels.append(level)
        self.was_cut = self.was_cut or level.is_cut
        self.at = follow

    def _group(self, kind: Kind, things: Mapping[Ref, list[Edge]], cut: Cut | None) -> Group:
        """Things of a kind, and how many more there are at least: of those not read, so many may have been met before."""
        is_first = not self.levels
        met = 0 if is_first else sum(1 for ref in self.seen if ref.kind is kind)
        left = 0 if cut is None else max(0, cut.things - met - len(things))
        is_exact = not self.was_cut and (cut is None or (is_first and cut.is_only))
        return Group(
            kind=kind, things={ref: tuple(edges) for ref, edges in things.items()}, left=left, is_exact=is_exact
        )


def read_kind(word: str) -> Kind:
    """A kind by its word; raises ``NotFound`` with those there are."""
    found = kind_of(word)
    if found is None or found is Kind.DOCUMENTS:
        known = ", ".join(one.value for one in Kind if one is not Kind.DOCUMENTS)
        raise NotFound("impact_kind_unknown", kind=word[:40], kinds=known)
    return found


def walk(
    session: Session, actor: Actor, kind: Kind, key: str, now: datetime, *, out: int = MOST_DEPTH, into: int = 2,
    most: int = USUAL, trail: Sequence[Ref] = (),
) -> Walk:  # fmt: skip
    """The walk from one thing. Raises ``NotAllowed`` for a kind that is not the person's to see, ``NotFound`` for a thing that is
    not there or not for them. Sixteen statements at most, whatever is found.
    """
    actor.require(kind.permission)
    desk = Desk(session=session, actor=actor, now=Moment(session, now), world=World(session), most=most)
    centre = Ref(kind, key)
    if not is_readable(kind, key) or centre not in read_names(desk, [centre]):
        raise NotFound("impact_unknown", thing=kind.one, id=key[:40].replace("\0", ""))
    away, towards = (_Way(is_out, {kind: [key]}, {centre}) for is_out in (True, False))
    for distance in range(max(out, into)):
        read = read_level(desk, away.at if distance < out else {}, towards.at if distance < into else {})
        if distance < out:
            away.take(read, most)
        if distance < into:
            towards.take(read, most)
    if kind is Kind.PERSON and not any(level.groups for level in towards.levels):
        # Whom no record that one may see names, one does not learn the name of.
        raise NotFound("impact_unknown", thing=kind.one, id=key[:40])
    counts = _counts(desk, centre, away.levels[: max(out - 1, 0)])
    found = Walk(
        centre=centre, touches=tuple(away.levels), touched_by=tuple(towards.levels), counts=tuple(counts), names={},
        turned=turned(desk, centre, away.levels, towards.levels),
    )  # fmt: skip
    return _named(desk, found, [one for one in trail if one != centre][-LONGEST_TRAIL:])


def _counts(desk: Desk, centre: Ref, levels: Iterable[Level]) -> list[Counted]:
    things = [centre, *(ref for level in levels for group in level.groups for ref in list(group.things)[: desk.most])]
    order = {ref: number for number, ref in enumerate(things)}
    found = [Counted(tally=tally, of=ref, number=number) for tally, ref, number in read_tallies(desk, by_kind(things))]
    return sorted((one for one in found if one.of in order), key=lambda one: order[one.of])


def _named(desk: Desk, found: Walk, trail: Sequence[Ref]) -> Walk:
    """With names, the trail, and counts as things of the level after what they hang on."""
    levels = (*found.touches, *found.touched_by)
    refs = {
        found.centre,
        *trail,
        *found.turned,
        *(ref for level in levels for group in level.groups for ref in group.things),
    }
    met = refs - {one for one in trail if one.kind is Kind.PERSON and not _is_on(levels, one)}
    names = read_names(desk, sorted(met))
    counts = found.counts
    for one in counts:
        names[one.ref] = Name(label=one.words, keys=(one.tally.name, one.of.kind, one.of.id))
    return replace(
        found, names=names, trail=tuple(one for one in trail if one in names), turned=tuple(one for one in found.turned if one in names),
        touches=tuple(_kept(_with_counts(level, found, counts), names) for level in found.touches),
        touched_by=tuple(_kept(level, names) for level in found.touched_by),
    )  # fmt: skip


def _is_on(levels: Iterable[Level], ref: Ref) -> bool:
    return any(ref in group.things for level in levels for group in level.groups)


def _with_counts(level: Level, found: Walk, counts: Sequence[Counted]) -> Level:
    before = {found.centre} if level.distance == 1 else set()
    for earlier in found.touches[level.distance - 2 : level.distance - 1] if level.distance > 1 else ():
        before.update(ref for group in earlier.groups for ref in group.things)
    hang = {one.ref: (edge(one.of, one.ref, one.tally.says),) for one in counts if one.of in before}
    return replace(level, groups=(*level.groups, Group(kind=Kind.DOCUMENTS, things=hang))) if hang else level


def _kept(level: Level, names: Mapping[Ref, Name]) -> Level:
    """Without what has no name: it went, or is hidden, since its edge was read."""
    groups = []
    for group in level.groups:
        things = {
            ref: kept
            for ref, edges in group.things.items()
            if ref in names and (kept := tuple(one for one in edges if one.source in names and one.target in names))
        }
        if things:
            groups.append(replace(group, things=things))
    return replace(level, groups=tuple(groups))


def search(session: Session, actor: Actor, text: str, now: datetime) -> dict[Kind, dict[Ref, Name]]:
    """Where a walk may begin: things whose name or code has the text, by kind. Seven statements."""
    typed = text.strip()
    if len(typed) < LEAST_LETTERS or not typed.isprintable():
        return {}
    desk = Desk(session=session, actor=actor, now=Moment(session, now), world=World(session), most=MOST_FOUND)
    found: dict[Kind, dict[Ref, Name]] = {}
    for ref, name in search_names(desk, BEGINNINGS, typed, MOST_FOUND).items():
        group = found.setdefault(ref.kind, {})
        if len(group) < MOST_FOUND:
            group[ref] = name
    return {kind: found[kind] for kind in Kind if kind in found}
