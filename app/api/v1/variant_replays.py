"""What would a variant change, for programs: recent orders replayed under it, followed, and read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from app.api.framework import operation
from app.api.values import Answer, Body, Page, PageQuery, page_of
from app.composition.replaying.asking import ask_replay
from app.composition.request import now, reader
from app.queries.replays import OrderThatDiffers, ReplayRow, may_see_orders, orders_that_differ, replay_of, replays_of
from app.queries.variants import variant_row
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork
from governance.replays.flow import ReplayState
from governance.replays.services import MOST_DAYS, MOST_ORDERS, AskReplay

TAG = "Variants"


class PartOf(Answer):
    """So many out of how many."""

    part: int
    whole: int


class WorthOfLeft(Answer):
    """Price and margin of what left, in minor units; lines whose cost is not known are left out."""

    price_minor: int
    margin_minor: int


class SideAnswer(Answer):
    """One side of a replay. `held` counts orders by kind of hold (`price:site_lead`: who may end it), `refused` by code;
    `promise` are lines promised for the day asked for, `in_time` lines that left whole by it, `first` lines that left whole with the
    first shipment of orders that left, `shipments` shipments of orders that left; `worth` by currency.
    """

    taken: int
    refused: dict[str, int]
    lines: int
    held_orders: int
    held: dict[str, int]
    promise: PartOf
    in_time: PartOf
    first: PartOf
    shipments: PartOf
    waiting_lines: int
    cancelled_lines: int
    cost_unknown: int
    worth: dict[str, WorthOfLeft]


class ReplayAnswer(Answer):
    """A replay. `standard` and `proposed` are null until it is done. `is_outdated`: the variant asks for something else since;
    `is_moved`: other variants began or ended since. `inputs` hashes all that both sides began with.
    """

    id: int
    number: int
    variant: int
    variant_version: int
    period_from: datetime
    period_until: datetime
    most: int
    state: ReplayState
    asked_at: datetime
    finished_at: datetime | None
    steps: int
    steps_done: int
    note: str | None
    is_outdated: bool
    is_moved: bool
    inputs: str | None
    orders: int
    lines: int
    differing: int
    standard: SideAnswer | None
    proposed: SideAnswer | None


class DifferenceAnswer(Answer):
    """What differs of an order: `refused`, `held`, `value`, `site`, `promise`, `left` or `cancelled`; by the standard, and with the
    variant. `left` is day, site and number of lines of each shipment. `why` is the reason that the rule gives.
    """

    what: str
    line: int | None
    before: Any
    after: Any
    why: str | None


class OrderDifferenceAnswer(Answer):
    """An order that went another way; `points` are those of which its own rules have another value, none where others caused it."""

    id: int
    number: str
    points: list[str]
    differs: list[DifferenceAnswer]


class ReplayQuery(PageQuery):
    """Which part of a list."""


class ReplayBody(Body):
    """Which orders to replay: those of the last days, at most so many of the newest."""

    days: int = Field(28, ge=1, le=MOST_DAYS)
    most: int = Field(10_000, ge=1, le=MOST_ORDERS)


#: Of an answer what a row does not have as it stands.
_OWN = ("inputs", "standard", "proposed")
_PARTS = ("promise", "in_time", "first", "shipments")


def _side(said: dict[str, Any]) -> SideAnswer:
    parts = {name: PartOf(part=said[name][0], whole=said[name][1]) for name in _PARTS}
    worth = {key: WorthOfLeft(price_minor=one[0], margin_minor=one[1]) for key, one in said["worth"].items()}
    return SideAnswer(**{**said, **parts, "worth": worth})


def _answer(row: ReplayRow) -> ReplayAnswer:
    both = row.figures
    return ReplayAnswer(
        **{name: getattr(row, name) for name in ReplayAnswer.model_fields if name not in _OWN}, inputs=row.inputs or None,
        standard=None if both is None else _side(both["standard"]), proposed=None if both is None else _side(both["proposed"]),
    )  # fmt: skip


def _order(one: OrderThatDiffers) -> OrderDifferenceAnswer:
    said = [
        DifferenceAnswer(
            what=each["what"], line=each.get("line"), before=each["before"], after=each["after"], why=each["why"]
        )
        for each in one.differs
    ]
    return OrderDifferenceAnswer(id=one.id, number=one.number, points=list(one.points), differs=said)


@operation(
    "GET", "/variants/{variant_id}/replays", permission=Permission.VARIANT_VIEW, summary="Replays of a variant", tag=TAG,
    query=ReplayQuery, answer=Page[ReplayAnswer],
)  # fmt: skip
def list_replays(variant_id: int, query: ReplayQuery) -> Page[ReplayAnswer]:
    variant_row(reader(), actor(), variant_id, now())
    rows = sorted(replays_of(reader(), variant_id), key=lambda row: row.id)
    rows = [row for row in rows if row.id > query.after][: query.limit + 1]
    return page_of([_answer(row) for row in rows], [row.id for row in rows], query.limit)


@operation(
    "GET", "/variants/{variant_id}/replays/{replay_id}", permission=Permission.VARIANT_VIEW, summary="One replay", tag=TAG,
    answer=ReplayAnswer,
)  # fmt: skip
def show_replay(variant_id: int, replay_id: int) -> ReplayAnswer:
    variant_row(reader(), actor(), variant_id, now())
    return _answer(replay_of(reader(), variant_id, replay_id))


@operation(
    "GET", "/variants/{variant_id}/replays/{replay_id}/orders", permission=Permission.VARIANT_VIEW,
    summary="Orders that would have gone another way", tag=TAG, query=ReplayQuery, answer=Page[OrderDifferenceAnswer],
)  # fmt: skip
def list_replayed_orders(variant_id: int, replay_id: int, query: ReplayQuery) -> Page[OrderDifferenceAnswer]:
    row = variant_row(reader(), actor(), variant_id, now())
    replay_of(reader(), variant_id, replay_id)
    if not may_see_orders(actor(), row.site_id):
        raise NotFound("not_found")
    # Positions count from nought; what a page goes on behind counts from one.
    found = orders_that_differ(reader(), replay_id, after=query.after - 1, limit=query.limit + 1)
    places = list(range(query.after + 1, query.after + 1 + len(found)))
    return page_of([_order(one) for one in found], places, query.limit)


@operation(
    "POST", "/variants/{variant_id}/replays", permission=Permission.VARIANT_VIEW, summary="Replay recent orders under a variant",
    tag=TAG, body=ReplayBody, answer=ReplayAnswer, status=201, example={"days": 28, "most": 10000},
)  # fmt: skip
def replay_orders(work: UnitOfWork, variant_id: int, body: ReplayBody) -> ReplayAnswer:
    variant_row(work.session, work.actor, variant_id, work.now)
    asked = ask_replay(work, AskReplay(variant=variant_id, days=body.days, most=body.most))
    work.session.flush()
    return _answer(replay_of(work.session, variant_id, asked.id))
