"""How are edges, counts and names read? For any number of things in one statement: a level of the walk, never a thing, costs one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, cast, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from app.queries.impact.declared import DECLARED, World
from app.queries.impact.kinds import Kind, Ref
from app.queries.impact.moment import Moment
from app.queries.impact.of_rollout import ANSWERS, GATES, INTERIM, MEASURES, WAVES
from app.queries.impact.of_rules import DOUBTS, PRICES, VARIANTS
from app.queries.impact.shelves import SHELVES, TEXTS, Name
from app.queries.impact.tallies import TALLIES
from app.queries.impact.touches import Edge, Tally, Touches
from app.queries.listing import like
from erpcore.kernel.actor import Actor

#: Every reader there is. A new relation is a row here, read in both directions.
READERS: tuple[Touches, ...] = (*VARIANTS, *PRICES, *DOUBTS, *WAVES, *GATES, *MEASURES, *INTERIM, *ANSWERS)
_OUT, _IN = "out", "in"
_BY_WORD = {one.value: one for one in Kind}

Ids = Mapping[Kind, Collection[str]]


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Who looks, when, and how many things of one relation are read at a time."""

    session: Session
    actor: Actor
    now: Moment
    world: World
    most: int

    def may(self, kind: Kind) -> bool:
        """Whether the person may see things of this kind at all."""
        return self.actor.may(kind.permission)


@dataclass(frozen=True, kw_only=True)
class Cut:
    """That not all things of a kind were read: one relation alone has ``things`` of them. ``is_only``: no other leads to the kind."""

    things: int
    is_only: bool


@dataclass(frozen=True, kw_only=True)
class Read:
    """What one level brought: edges away from and towards where one stood, and what was cut, by direction and kind."""

    outward: tuple[Edge, ...]
    inward: tuple[Edge, ...]
    cuts: Mapping[tuple[str, Kind], Cut]

    def cut(self, outward: bool) -> Mapping[Kind, Cut]:
        """The kinds of which not all were read in this direction."""
        way = _OUT if outward else _IN
        return {kind: one for (to, kind), one in self.cuts.items() if to == way}


def by_kind(refs: Iterable[Ref]) -> dict[Kind, list[str]]:
    """Ids by kind, in their order."""
    found: dict[Kind, list[str]] = {}
    for ref in refs:
        found.setdefault(ref.kind, []).append(ref.id)
    return found


def read_level(desk: Desk, outward: Ids, inward: Ids, *, sources: Collection[Kind] = tuple(Kind)) -> Read:
    """What these things touch, and what of these kinds touches those. One statement, and what is declared."""
    parts: list[Any] = []
    totals: dict[tuple[str, int], int] = {}
    for number, reader in enumerate(READERS):
        if not (desk.may(reader.source) and desk.may(reader.target) and reader.source in sources):
            continue
        if ids := outward.get(reader.source):
            parts.append(_part(desk, reader, number, _OUT, ids))
        if (ids := inward.get(reader.target)) and not reader.is_one_way:
            parts.append(_part(desk, reader, number, _IN, ids))
    out, into = _declared(desk, outward, inward)
    declared = {(_OUT, one.target.kind) for one in out} | {(_IN, one.source.kind) for one in into}
    rows = desk.session.execute(union_all(*parts)).all() if parts else []
    for row in sorted(rows, key=lambda row: (row.number, row.target, row.source, row.what)):
        reader = READERS[row.number]
        found = reader.edge(Ref(reader.source, row.source), Ref(reader.target, row.target), row.what)
        if not (desk.world.has(found.source) and desk.world.has(found.target)):
            continue
        (out if row.way == _OUT else into).append(found)
        totals[row.way, row.number] = row.total
    return Read(outward=tuple(out), inward=tuple(into), cuts=_cuts(desk, totals, declared))


def _cuts(
    desk: Desk, totals: Mapping[tuple[str, int], int], declared: Collection[tuple[str, Kind]]
) -> dict[tuple[str, Kind], Cut]:
    by_far: dict[tuple[str, Kind], list[int]] = {}
    for (way, number), total in totals.items():
        far = READERS[number].target if way == _OUT else READERS[number].source
        by_far.setdefault((way, far), []).append(total)
    return {
        far: Cut(things=max(found), is_only=len(found) == 1 and far not in declared)
        for far, found in by_far.items()
        if max(found) > desk.most
    }


def _declared(desk: Desk, outward: Ids, inward: Ids) -> tuple[list[Edge], list[Edge]]:
    world = desk.world
    out = [
        one
        for kind, ids in outward.items()
        if kind in DECLARED
        for key in ids
        for one in world.outward.get(Ref(kind, key), ())
    ]
    into = [
        one
        for kind, ids in inward.items()
        if kind in DECLARED
        for key in ids
        for one in world.inward.get(Ref(kind, key), ())
    ]
    if prices := outward.get(Kind.PRICE_RULE):
        out += world.price_edges(Ref(Kind.PRICE_RULE, key) for key in prices)
    return (
        [one for one in out if desk.may(one.target.kind)],
        [one for one in into if desk.may(one.source.kind)],
    )  # fmt: skip


def _ids(column: Any, ids: Iterable[str]) -> list[Any]:
    """Ids as the column keeps them."""
    return list(ids) if isinstance(column.type, String) else [int(one) for one in ids]


def _part(desk: Desk, reader: Touches, number: int, way: str, ids: Collection[str]) -> Any:
    """The edges of one reader from these things to at most so many others, each with how many others there are in all."""
    near, far, kind = (
        (reader.source_id, reader.target_id, reader.target)
        if way == _OUT
        else (reader.target_id, reader.source_id, reader.source)
    )
    what = literal("", String) if reader.what is None else func.coalesce(cast(reader.what, String), "")
    query: Any = select(
        cast(reader.source_id, String).label("source"),
        cast(reader.target_id, String).label("target"),
        what.label("what"),
    )
    if reader.base is not None:
        query = query.select_from(reader.base)
    for table, condition in reader.joins:
        query = query.join(table, condition)
    query = query.where(*reader.where, near.in_(_ids(near, ids)), far.is_not(None), *_to_be_seen(desk, kind, far))
    rows = query.distinct().subquery()
    # Several rows may lead to one thing, of which all are read or none.
    nth = func.dense_rank().over(order_by=rows.c.target if way == _OUT else rows.c.source)
    ranked = select(rows.c.source, rows.c.target, rows.c.what, nth.label("nth")).subquery()
    counted = select(*ranked.c, func.max(ranked.c.nth).over().label("total")).subquery()
    columns = (counted.c.source, counted.c.target, counted.c.what, counted.c.total)
    found = select(literal(way, String).label("way"), literal(number).label("number"), *columns)
    return found.where(counted.c.nth <= desk.most)


def _to_be_seen(desk: Desk, kind: Kind, far: Any) -> list[Any]:
    """That the other end is there for this person, and not over."""
    if kind not in SHELVES:
        return []
    shelf = SHELVES[kind]
    again, row = shelf.other()
    conditions = [*shelf.seen(row, desk.actor), *shelf.alive(row, desk.now)]
    if not conditions:
        return []
    same = cast(row.id, String) == far if isinstance(far.type, String) and kind.is_number else row.id == far
    return [exists(select(literal(1)).select_from(again).where(same, *conditions))]


def read_tallies(desk: Desk, things: Ids) -> list[tuple[Tally, Ref, int]]:
    """What hangs on these things, as counts. One statement; a count of nothing is left out."""
    parts: list[Any] = []
    asked: list[Tally] = []
    for tally in TALLIES:
        ids = things.get(tally.source)
        if not ids or not desk.actor.may(tally.permission):
            continue
        rows = tally.rows([int(one) for one in ids] if tally.source.is_number else list(ids), desk.actor, desk.now)
        if rows is not None:
            part = rows.subquery()
            parts.append(select(literal(len(asked)).label("tally"), part.c.id, part.c.number))
            asked.append(tally)
    found = desk.session.execute(union_all(*parts)).all() if parts else []
    return [(asked[row.tally], Ref(asked[row.tally].source, row.id), int(row.number)) for row in found if row.number]


def read_names(desk: Desk, refs: Collection[Ref]) -> dict[Ref, Name]:
    """The names of these things, as far as they are there for this person. One statement."""
    found = {
        ref: desk.world.name(ref) for ref in refs if ref.kind in DECLARED and desk.may(ref.kind) and desk.world.has(ref)
    }
    parts = []
    for kind, ids in by_kind(refs).items():
        if kind in SHELVES and desk.may(kind):
            shelf = SHELVES[kind]
            row = shelf.row()
            wanted = ids if not kind.is_number else [int(one) for one in ids]
            parts.append(shelf.select(kind).where(row.id.in_(wanted), *shelf.seen(row, desk.actor)))
    for row in desk.session.execute(union_all(*parts)) if parts else ():
        kind = _BY_WORD[row.kind]
        found[Ref(kind, row.id)] = SHELVES[kind].called(_texts(row))
    return found


def _texts(row: Any) -> Sequence[str]:
    return [getattr(row, f"t{number}") for number in range(TEXTS)]


def search_names(desk: Desk, kinds: Iterable[Kind], text: str, most: int) -> dict[Ref, Name]:
    """Things whose name or code has this text, so many of each kind, and not what is over. One statement, and what is declared."""
    wanted, small = [kind for kind in kinds if desk.may(kind)], text.casefold()
    found = {
        ref: name
        for ref, name in desk.world.names()
        if ref.kind in wanted and (small in name.label.casefold() or small in ref.id.casefold())
    }
    parts = []
    for kind in wanted:
        shelf = SHELVES.get(kind)
        if shelf is not None and shelf.searched:
            row, fits = shelf.row(), [one.ilike(like(text), escape="\\") for one in shelf.searched]
            query = shelf.select(kind).where(or_(*fits), *shelf.seen(row, desk.actor), *shelf.alive(row, desk.now))
            parts.append(select(query.order_by(row.id).limit(most).subquery()))
    for row in desk.session.execute(union_all(*parts)) if parts else ():
        kind = _BY_WORD[row.kind]
        found[Ref(kind, row.id)] = SHELVES[kind].called(_texts(row))
    return found
