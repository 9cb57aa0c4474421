"""How does a walk through the impact graph read on a page: groups with sentences, a drawing, and the sums?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from app.charts import Chart, ImpactBox, ImpactThread, impact_map
from app.queries.impact.consequences import Consequences
from app.queries.impact.kinds import Kind, Ref
from app.queries.impact.touches import Edge
from app.queries.impact.walk import LONGEST_TRAIL, Group, Level, Walk
from app.web.figures import counted
from app.web.impact.addresses import record_address, walk_address

#: So many things of a kind are listed; the rest is counted.
MOST_LISTED = 12
#: So many boxes stand in a column of the drawing before the fullest kinds become one box each.
MOST_BOXES = 9

Column = Literal[-2, -1, 0, 1, 2]


def trail_on(walk: Walk) -> list[Ref]:
    """The way to what lies one step further: the trail, and where one is."""
    return [*walk.trail, walk.centre][-LONGEST_TRAIL:]


def crumbs(walk: Walk) -> list[tuple[str, str]]:
    """Every thing by which one came, each leading back with its own trail."""
    before = [
        (walk.name(ref).said, walk_address(ref, walk.trail[:number])) for number, ref in enumerate(walk.trail)
    ]  # fmt: skip
    return [*before, (walk.name(walk.centre).said, "")]


def groups(walk: Walk, level: Level, *, outward: bool) -> list[dict[str, Any]]:
    """The things of a level by kind, each with why it is there."""
    return [_group(walk, group, outward=outward) for group in level.groups]


def _group(walk: Walk, group: Group, *, outward: bool) -> dict[str, Any]:
    listed = list(group.things.items())[:MOST_LISTED]
    rest = group.total - len(listed)
    return {
        "kind": group.kind, "title": group.kind.many, "count": _count(group),
        "rows": [_row(walk, ref, edges, outward=outward) for ref, edges in listed],
        "rest": f"and {'at least ' if not group.is_exact else ''}{rest:,} more" if rest else "",
    }  # fmt: skip


def _count(group: Group) -> str:
    if group.kind is Kind.DOCUMENTS:
        return ""
    return f"{group.total:,}" if group.is_exact else f"at least {len(group.things):,}"


def _row(walk: Walk, ref: Ref, edges: Sequence[Edge], *, outward: bool) -> dict[str, Any]:
    name = walk.name(ref)
    trail = trail_on(walk)
    between = {one.source if outward else one.target for one in edges} - {walk.centre}
    if len(between) == 1:
        trail = [*trail, next(iter(between))][-LONGEST_TRAIL:]
    return {
        "label": name.label, "sub": name.sub, "href": walk_address(ref, trail), "record": record_address(ref, name),
        "sentences": [walk.sentence(one) for one in edges[:MOST_LISTED]],
    }  # fmt: skip


def picture(walk: Walk) -> Chart | None:
    """The drawing of two steps on either side; ``None`` where nothing is around it."""
    drawing = _Drawing(walk)
    return drawing.chart() if len(drawing.boxes) > 1 else None


class _Drawing:
    """Boxes of the nearest things, or of whole kinds where there are many; what is two steps away stands by kind."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.boxes: list[ImpactBox] = []
        self.threads: list[ImpactThread] = []
        #: The box in which a thing stands, by side and thing.
        self._box_of: dict[tuple[bool, Ref], str] = {}
        name = walk.name(walk.centre)
        self._add("here", 0, name.label, _heading(walk.centre.kind), "")
        for outward, levels in ((False, walk.touched_by), (True, walk.touches)):
            for level in levels[:2]:
                self._level(level, outward=outward)

    def chart(self) -> Chart:
        title = f"Around {self.walk.name(self.walk.centre).said}"
        return impact_map(title, self.boxes, self.threads, key="around")

    def _add(self, key: str, column: Column, title: str, kind: str, href: str) -> None:
        self.boxes.append(ImpactBox(key=key, column=column, title=title, kind=kind, href=href))

    def _level(self, level: Level, *, outward: bool) -> None:
        column: Column = (1 if outward else -1) if level.distance == 1 else (2 if outward else -2)
        folded = _folded(level.groups) if level.distance == 1 else {group.kind for group in level.groups}
        for group in level.groups:
            if group.kind not in folded or group.total == 1:
                for ref in group.things:
                    self._thing(ref, column, outward=outward)
            else:
                key = f"{column}-{group.kind}"
                anchor = f"{'touches' if outward else 'touched-by'}-{level.distance}-{group.kind}"
                self._add(key, column, f"{_count(group)} {group.kind.many}".strip(), "", f"#{anchor}")
                self._box_of.update({(outward, ref): key for ref in group.things})
            self._draw(group, outward=outward)

    def _thing(self, ref: Ref, column: Column, *, outward: bool) -> None:
        key = f"{column}-{ref}"
        name = self.walk.name(ref)
        href = walk_address(ref, trail_on(self.walk)) or record_address(ref, name)
        kind = "" if ref.kind is Kind.DOCUMENTS else _heading(ref.kind)
        self._add(key, column, name.label, kind, href)
        self._box_of[outward, ref] = key

    def _draw(self, group: Group, *, outward: bool) -> None:
        """An arrow for each pair of boxes; where several things stand in one, how many they are instead of why."""
        pairs: dict[tuple[str, str], list[Edge]] = {}
        for edges in group.things.values():
            for one in edges:
                source, target = (self._key(ref, outward=outward) for ref in (one.source, one.target))
                pairs.setdefault((source, target), []).append(one)
        for (source, target), several in pairs.items():
            why = _why(several[0]) if len(several) == 1 else counted(len(several), "relation")
            self.threads.append(ImpactThread(source=source, target=target, why=why))

    def _key(self, ref: Ref, *, outward: bool) -> str:
        return "here" if ref == self.walk.centre else self._box_of[outward, ref]


def _heading(kind: Kind) -> str:
    return f"{kind.one[0].upper()}{kind.one[1:]}"


def _why(one: Edge) -> str:
    """An edge's words between two boxes that are named beside it."""
    return f"{one.verb} …{one.tail}" if one.tail else one.verb


def _folded(found: Sequence[Group]) -> set[Kind]:
    """The kinds that become one box each, the fullest first, until the column is short enough."""
    folded: set[Kind] = set()
    by_size = sorted((group for group in found if group.total > 1), key=lambda group: -group.total)
    boxes = sum(group.total for group in found)
    for group in by_size:
        if boxes <= MOST_BOXES:
            break
        folded.add(group.kind)
        boxes -= group.total - 1
    return folded


def sums(walk: Walk, found: Consequences) -> list[dict[str, Any]]:
    """“If this changes”: what it reaches, in lines that say so when there is nothing."""
    least = "at least " if found.is_bounded else ""
    who = f"{least}{counted(found.people, 'person', 'people')} in the roles that do or answer for this work"
    return [
        _line(
            "Sites", _things(walk, found.sites), "No record on the way names a site: it holds wherever the process runs."
        ),
        _line(
            "Open documents", [{"label": walk.sentence(one), "href": href} for one, href in _open(walk, found)],
            "No open document hangs on it directly.",
        ),
        _line("Gates", [{"label": one, "href": ""} for one in found.gates], "No gate reads what it touches, and none decides on it."),
        _line(
            "Who has to learn it", _things(walk, found.roles), "No role is named within two steps.",
            f"{who}." if found.roles else "",
        ),
        _line("Whom to ask", _things(walk, found.owners), "Nobody answers for it by name."),
        *_texts(walk, "Training named", found.trainings),
        *_texts(walk, "Tests named", found.tests),
    ]  # fmt: skip


def _line(label: str, things: list[dict[str, Any]], none: str, note: str = "") -> dict[str, Any]:
    """One line of the sums; ``none`` is said where there is nothing."""
    return {"label": label, "things": things, "none": none, "note": note}


def _things(walk: Walk, refs: Sequence[Ref]) -> list[dict[str, Any]]:
    return [
        {"label": walk.name(ref).label, "href": walk_address(ref, trail_on(walk)) if ref != walk.centre else ""}
        for ref in refs
    ]


def _open(walk: Walk, found: Consequences) -> list[tuple[Edge, str]]:
    edges = {one.target: one for level in walk.touches for one in level.edges}
    return [(edges[one.ref], record_address(one.ref, walk.name(one.ref))) for one in found.open if one.ref in edges]


def _texts(walk: Walk, label: str, said: Sequence[tuple[Ref, str]]) -> list[dict[str, Any]]:
    rows = [
        {
            "label": f"{walk.name(ref).said}: {text}",
            "href": walk_address(ref, trail_on(walk)) if ref != walk.centre else "",
        }
        for ref, text in said
    ]
    return [_line(label, rows, "")] if rows else []
