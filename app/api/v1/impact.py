"""Impact for programs: where a walk may begin, and what a thing touches and what touches it, one to three steps away."""

from __future__ import annotations

from pydantic import Field

from app.api.framework import operation
from app.api.values import Answer, Body
from app.composition.request import now, reader
from app.queries.impact.consequences import consequences
from app.queries.impact.kinds import Ref
from app.queries.impact.walk import MOST_ROWS, USUAL, Level, Walk, read_kind, search, walk
from app.security.permissions import Permission
from app.security.require import actor

TAG = "Impact"


class ThingAnswer(Answer):
    """A thing of the graph. `kind` and `id` are what the next walk begins at; a count of documents has none further."""

    kind: str
    id: str
    label: str
    detail: str


class EdgeAnswer(Answer):
    """That a change of `source` touches `target`, and why."""

    source_kind: str
    source: str
    target_kind: str
    target: str
    why: str = Field(description="A whole sentence, with both names.")


class GroupAnswer(Answer):
    """Things of one kind; `left_out` more were not read. `is_exact` false: more relations may lead to more of them."""

    kind: str
    things: list[ThingAnswer]
    edges: list[EdgeAnswer]
    left_out: int
    is_exact: bool


class LevelAnswer(Answer):
    """All that is so many steps away. `unfollowed`: how many of these the walk did not go on from."""

    distance: int
    groups: list[GroupAnswer]
    unfollowed: int


class OpenAnswer(Answer):
    """Documents under way that hang on it directly, as a count."""

    what: str
    of_kind: str
    of: str
    number: int


class ConsequencesAnswer(Answer):
    """What follows if it changes, up to as many steps away as the walk went. `is_bounded`: there is more than was followed."""

    sites: list[ThingAnswer]
    open_documents: list[OpenAnswer]
    gates: list[str]
    roles: list[ThingAnswer]
    people_in_roles: int
    owners: list[ThingAnswer]
    is_bounded: bool


class ImpactAnswer(Answer):
    """A thing with what it touches and what touches it."""

    thing: ThingAnswer
    touches: list[LevelAnswer]
    touched_by: list[LevelAnswer]
    if_it_changes: ConsequencesAnswer


class WalkQuery(Body):
    """How far, and how much of each relation."""

    depth: int = Field(2, ge=1, le=3)
    most: int = Field(
        USUAL, ge=1, le=MOST_ROWS, description="Rows read of one relation, and things of a kind followed."
    )


class BeginQuery(Body):
    """Where to begin."""

    text: str = Field(min_length=2, max_length=80, description="Part of a name or code.")


class BeginAnswer(Answer):
    """Things to begin at, at most eight of a kind."""

    items: list[ThingAnswer]


def _thing(found: Walk, ref: Ref) -> ThingAnswer:
    name = found.name(ref)
    return ThingAnswer(kind=ref.kind.value, id=ref.id, label=name.label, detail=name.sub)


def _level(found: Walk, level: Level) -> LevelAnswer:
    return LevelAnswer(
        distance=level.distance, unfollowed=level.unfollowed,
        groups=[
            GroupAnswer(
                kind=group.kind.value, things=[_thing(found, ref) for ref in group.things], left_out=group.left,
                is_exact=group.is_exact,
                edges=[
                    EdgeAnswer(
                        source_kind=one.source.kind.value, source=one.source.id, target_kind=one.target.kind.value,
                        target=one.target.id, why=found.sentence(one),
                    )
                    for edges in group.things.values()
                    for one in edges
                ],
            )
            for group in level.groups
        ],
    )  # fmt: skip


@operation("GET", "/impact", permission=Permission.PROCESS_VIEW, summary="Things to begin a walk at", tag=TAG, query=BeginQuery, answer=BeginAnswer)  # fmt: skip
def list_impact_beginnings(query: BeginQuery) -> BeginAnswer:
    found = search(reader(), actor(), query.text, now())
    return BeginAnswer(
        items=[
            ThingAnswer(kind=ref.kind.value, id=ref.id, label=name.label, detail=name.sub)
            for things in found.values()
            for ref, name in things.items()
        ]
    )


@operation(
    "GET", "/impact/{kind}/{key}", permission=Permission.PROCESS_VIEW, summary="What a thing touches, and what touches it",
    tag=TAG, query=WalkQuery, answer=ImpactAnswer, texts=frozenset({"kind", "key"}),
)  # fmt: skip
def show_impact(kind: str, key: str, query: WalkQuery) -> ImpactAnswer:
    found = walk(reader(), actor(), read_kind(kind), key, now(), out=query.depth, into=query.depth, most=query.most)
    then = consequences(reader(), actor(), found, now())
    return ImpactAnswer(
        thing=_thing(found, found.centre), touches=[_level(found, one) for one in found.touches],
        touched_by=[_level(found, one) for one in found.touched_by],
        if_it_changes=ConsequencesAnswer(
            sites=[_thing(found, ref) for ref in then.sites], gates=list(then.gates), people_in_roles=then.people,
            roles=[_thing(found, ref) for ref in then.roles], owners=[_thing(found, ref) for ref in then.owners],
            open_documents=[
                OpenAnswer(what=one.tally.many, of_kind=one.of.kind.value, of=one.of.id, number=one.number) for one in then.open
            ],
            is_bounded=then.is_bounded,
        ),
    )  # fmt: skip
