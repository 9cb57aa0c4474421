"""Bodies and answers of scarce stock: short items, runs, taking back, protections, backorders."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from app.api.lists import only, part_of, which
from app.api.v1.numbers import Key
from app.api.values import Amount, Answer, Body, PageQuery, Quantity, Realm
from erpcore.orders.allocation_models import RunState, RunTrigger


class ShortItemAnswer(Answer):
    """An item at a site that lines wait for. `value`: what the unmet part is worth at the orders' prices."""

    site_id: int
    site: str
    item_id: int
    item: str
    lines: int
    unmet: Quantity
    since: datetime
    free: Quantity
    coming: Quantity
    next_on: date | None
    value: Amount
    currency: str


class ShortQuery(PageQuery):
    """Which short items."""

    realm: Realm = "live"
    text: str = Field("", max_length=120, description="A part of the item's code or name.")
    site: Key | None = None
    free: bool = Field(default=False, description="Only where something is free, so that a run has something to share.")


class ClaimAnswer(Answer):
    """A line that waits, in its rank: what it would get now and why, and what every rule would give it."""

    line: int
    order_id: int
    order: str
    customer: str
    rank: int
    priority: int
    tier: int
    since: datetime
    promised_on: date | None
    leaves_whole: bool
    wanted: Quantity
    gets: Quantity
    why: str
    by_rule: dict[str, Quantity]


class HolderAnswer(Answer):
    """A line that has stock allocated and not picked."""

    line: int
    order_id: int
    order: str
    customer: str
    allocated: Quantity
    promised_at: datetime


class PlaceAnswer(Answer):
    """Who waits for an item at a site and who holds it."""

    site_id: int
    item_id: int
    item: str
    rule: str
    free: Quantity
    kept_by_contract: Quantity
    claims: list[ClaimAnswer]
    holders: list[HolderAnswer]


class RunQuery(PageQuery):
    """Which runs. `moved`: somebody ranked a line by hand."""

    realm: Realm = "live"
    site: Key | None = None
    state: RunState | None = Field(None, description="simulated, committed or rejected")
    trigger: RunTrigger | None = Field(None, description="person, or stock: it came or became free")
    moved: bool = only("those in which somebody ranked a line by hand")
    text: str = Field("", max_length=120, description="A part of the item's code or name.")


class RunAnswer(Answer):
    """A run. `moved_by`: who changed its ranking by hand; that person never commits it."""

    id: int
    site_id: int
    item: str | None
    state: str
    trigger: str
    simulated_at: datetime
    simulated_by: int
    decided_at: datetime | None
    decided_by: int | None
    moved_by: int | None
    moved_reason: str | None
    reason: str | None
    places: int
    lines: int
    winners: int
    version: int


class RunPlaceAnswer(Answer):
    """The inputs of one item of a run."""

    item_id: int
    item: str
    rule: str
    free: Quantity
    wanted: Quantity
    given: Quantity
    protected: Quantity


class RunLineAnswer(Answer):
    """One line of a run with its explanation."""

    line_id: int
    order_id: int
    order: str
    item_id: int
    rank: int
    moved_to: int | None
    wanted: Quantity
    got: Quantity
    why: str
    since: datetime
    priority: int
    tier: int
    by_first_come: Quantity
    by_priority: Quantity
    by_contract: Quantity
    by_fair_share: Quantity


class RunDetail(RunAnswer):
    """A run with its inputs and its explanation."""

    inputs: list[RunPlaceAnswer]
    explained: list[RunLineAnswer]


class SimulateBody(Body):
    """Look at a site, or one item of it."""

    site: Key
    item: Key | None = None


class RankBody(Body):
    """Another rank for a line, by hand: served before every rule, and committed by somebody else."""

    line: Key
    rank: int = Field(ge=1, le=100_000)
    reason: str = Field(min_length=1, max_length=500)
    version: int | None = None


class CommitBody(Body):
    """Commit what was simulated."""

    version: int | None = Field(None, description="The version that was seen.")


class RejectBody(Body):
    """Put a run aside."""

    reason: str = Field(min_length=1, max_length=500)


class TakeBackBody(Body):
    """So much of what `line` holds should go to `to`, which ranks better and waits for the same item there."""

    line: Key
    to: Key
    quantity: Quantity
    reason: str = Field(min_length=1, max_length=500)


class TakenBackAnswer(Answer):
    """`done`, or `proposed` as `wish` where a second person decides."""

    state: str
    wish: int | None


class WishAnswer(Answer):
    """A wish to take stock back that waits for a second person."""

    id: int
    site_id: int
    item_id: int
    item: str
    from_order: str
    to_order: str
    quantity: Quantity
    reason: str
    asked_by: int
    asked_at: datetime


class WishList(Answer):
    """Wishes that nobody has decided yet."""

    count: int
    items: list[WishAnswer]


class DecideBody(Body):
    """Agree, or reject with a note."""

    agreed: bool
    note: str = Field("", max_length=500)


class ProtectBody(Body):
    """Keep so much of an item at a site for a customer, by contract."""

    site: Key
    item: Key
    customer: Key
    quantity: Quantity
    contract: str = Field(min_length=1, max_length=120)
    valid_from: date
    valid_until: date | None = None


class ProtectionAnswer(Answer):
    """So much is kept for a customer by contract, from a day until before another."""

    id: int
    site_id: int
    item_id: int
    item: str
    customer_id: int
    customer: str
    quantity: Quantity
    contract: str
    valid_from: date
    valid_until: date | None


class ProtectionQuery(Body):
    """Which protections, as on their page."""

    realm: Realm = "live"
    site: Key | None = None
    item: Key | None = None
    customer: Key | None = None
    open: bool = only("those without an end")
    text: str = part_of("the item, the customer or the contract")


class ProtectionList(Answer):
    """Protections that fit, by site and item."""

    count: int
    items: list[ProtectionAnswer]


class BackorderQuery(PageQuery):
    """Which backorders."""

    realm: Realm = "live"
    late: bool = only("those whose promised day has passed")
    text: str = part_of("the order, customer or item")
    channel: Key | None = which("Only lines of orders of this channel.")
    site: Key | None = which("Only lines that ship from this site.")


class BackorderAnswer(Answer):
    """A line that waits. `since`: when it was short first; no new promise makes it younger."""

    line_id: int
    line_no: int
    order_id: int
    order: str
    customer: str
    priority: int
    tier: int
    site_id: int
    item_id: int
    item: str
    unmet: Quantity
    since: datetime
    age_days: int
    promised_on: date
    promise_reason: str
    is_late: bool
    value: Amount
    currency: str


class RepromiseBody(Body):
    """Promise waiting lines anew: for `day`, or without one for the day on which what comes covers each."""

    lines: list[Key] = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=500)
    day: date | None = None


class CancelBackordersBody(Body):
    """Cancel what these lines wait for; what is allocated to them stays."""

    lines: list[Key] = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=500)


class ActedLine(Answer):
    """What became of one line."""

    line: int
    done: bool
    code: str | None = None
    detail: str | None = None


class ActedLines(Answer):
    """What became of each, in their order."""

    done: int
    results: list[ActedLine]


class StateAnswer(Answer):
    """How it stands now."""

    id: int
    state: str
