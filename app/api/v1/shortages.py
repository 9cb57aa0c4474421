"""Short lines for programs: the ways compared, the choice, substitutes, and the answer to a substitution that waits."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from app.api.framework import check_version, operation
from app.api.lists import asked_of, only, part_of, which
from app.api.v1.numbers import Key, as_amount, fresh, pointing
from app.api.values import Amount, Answer, Body, Quantity, Realm
from app.composition.order_approvals import BY_RULES, decide_on_substitution
from app.composition.request import now, reader
from app.composition.trading import cells, rules
from app.queries.items import item_page
from app.queries.shortages import Rank, ShortagePage, short_lines, shortage_page
from app.queries.substitutes import SUBSTITUTES, asked_substitution, substitutes_of
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.fulfilment.shortage import Choose, choose
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.substitutes import KeepSubstitute, drop_substitute, keep_substitutes
from erpcore.orders.substitution import DecideSubstitution

TAG = "Shortages"


class ShortLineAnswer(Answer):
    """A line that waits for stock."""

    line_id: int
    order_id: int
    order: str
    line_no: int
    customer: str
    tier: int
    unmet: Quantity
    since: datetime
    promised_on: date
    margin: Amount | None = Field(description="Of what is missing; null without a known cost, or not for your role.")
    credit_left: Amount | None = Field(description="Null: no limit is checked.")


class ShortQuery(Body):
    """Which lines, as on their page, and what leads the list: `margin` needs the permission to read costs."""

    realm: Realm = "live"
    rank: Rank = Rank.TIER
    site: Key | None = None
    channel: Key | None = None
    customer: Key | None = which("Only lines of this customer.")
    item: Key | None = which("Only lines of this item.")
    tier: int | None = Field(None, ge=1, le=3, description="1 key account, 2 usual, 3 small.")
    late: bool = only("those promised for a later day than was wished")
    text: str = part_of("the order, the customer or the item")


class ShortLineList(Answer):
    """At most 200, who ranks first leading."""

    count: int
    items: list[ShortLineAnswer]


class WayAnswer(Answer):
    """One way. `margin` null: no cost is known, or not for your role. `closed`: why it is not open. `expected`: of what is short,
    what need not be bought, since it is there or comes anyway.
    """

    option: str
    title: str
    covers: Quantity
    promised_on: date
    margin: Amount | None
    closed: str | None
    expected: Quantity


class ShortageDetail(Answer):
    """A short line with everything one decides by. `version`: of its order."""

    line_id: int
    order_id: int
    short: Quantity
    tier: int
    credit_left: Amount | None
    ways: list[WayAnswer]
    version: int


class ChoiceBody(Body):
    """One of the options, and why."""

    option: str = Field(min_length=1, max_length=48)
    reason: str = Field(min_length=1, max_length=500)


class SubstituteAnswer(Answer):
    item_id: int
    substitute_id: int
    rank: int
    same_group: bool


class SubstituteQuery(Body):
    """Which substitutes, as on their page: of the `same_group` as the item, or of another one, so that somebody has to agree."""

    realm: Realm = "live"
    item: Key | None = which("Only those of this item.")
    entity: Key | None = None
    same_group: bool = only("those of the same group of items")
    other_group: bool = only("those of another group, which need approval")
    text: str = part_of("either item")


class SubstituteList(Answer):
    """What may be sent instead of what."""

    count: int
    items: list[SubstituteAnswer]


class SubstituteBody(Body):
    """`substitute` may be sent instead of `item`; given again it gets the new rank."""

    item: Key
    substitute: Key
    rank: int = Field(1, ge=1, le=99)


class SubstitutionBody(Body):
    """The answer to a substitution that waits."""

    approve: bool
    reason: str = Field(min_length=1, max_length=500)


class SubstitutionAnswer(Answer):
    """Whether it still waits."""

    hold: int
    order_id: int
    is_open: bool


def _detail(page: ShortagePage, who: Actor) -> ShortageDetail:
    sees = who.may(Permission.COST_READ)
    ways = [
        WayAnswer(
            option=one.key, title=one.title, covers=one.covers, promised_on=one.promised_on, closed=one.closed or None,
            expected=one.expected,
            margin=as_amount(one.margin_minor, page.currency) if sees and one.margin_minor is not None else None,
        )
        for one in page.ways
    ]  # fmt: skip
    left = page.credit_left_minor
    return ShortageDetail(
        line_id=page.line_id, order_id=page.order_id, short=page.short, tier=page.tier, ways=ways, version=page.version,
        credit_left=None if left is None else as_amount(left, page.currency),
    )  # fmt: skip


def _filters(query: ShortQuery) -> dict[str, object]:
    return {name: value for name, value in asked_of(query).values.items() if name != "rank"}


@operation(
    "GET", "/shortages", permission=Permission.ORDER_READ, summary="List lines that wait for stock", tag=TAG,
    query=ShortQuery, answer=ShortLineList,
)  # fmt: skip
def list_shortages(query: ShortQuery) -> ShortLineList:
    sees = actor().may(Permission.COST_READ)
    if query.rank == Rank.MARGIN:
        actor().require(Permission.COST_READ)
    rows = [
        ShortLineAnswer(
            line_id=row.line_id, order_id=row.order_id, order=row.order, line_no=row.line_no, customer=row.customer,
            tier=row.tier, unmet=row.unmet, since=row.since, promised_on=row.promised_on,
            margin=None if row.margin_minor is None or not sees else as_amount(row.margin_minor, row.currency),
            credit_left=None if row.credit_left_minor is None else as_amount(row.credit_left_minor, row.currency),
        )
        for row in short_lines(reader(), actor(), now(), realm=query.realm, rank=query.rank, **_filters(query))
    ]  # fmt: skip
    return ShortLineList(count=len(rows), items=rows)


@operation(
    "GET", "/shortages/{line_id}", permission=Permission.ORDER_READ, summary="Compare what can be done for a short line",
    tag=TAG, answer=ShortageDetail,
)  # fmt: skip
def show_shortage(line_id: int) -> ShortageDetail:
    return _detail(shortage_page(reader(), actor(), now(), line_id, rules=rules(), cells=cells()), actor())


@operation(
    "POST", "/shortages/{line_id}", permission=Permission.SHORTAGE_CHOOSE, summary="Choose a way for a short line", tag=TAG,
    body=ChoiceBody, answer=ShortageDetail, versioned=True, example={"option": "other_site:1001", "reason": "key account"},
)  # fmt: skip
def choose_way(work: UnitOfWork, line_id: int, version: int, body: ChoiceBody) -> ShortageDetail:
    page = shortage_page(work.session, work.actor, work.now, line_id, rules=rules(), cells=cells())
    check_version(version, page.version)
    work.realm = page.realm
    with pointing():
        choose(
            work,
            Choose(line=line_id, option=body.option, reason=body.reason),
            rules=rules(),
            cells=cells(),
            authority=BY_RULES,
        )
    return _detail(shortage_page(fresh(work), work.actor, work.now, line_id, rules=rules(), cells=cells()), work.actor)


@operation(
    "GET",
    "/substitutes",
    permission=Permission.MASTERDATA_READ,
    summary="List substitutes",
    tag=TAG,
    query=SubstituteQuery,
    answer=SubstituteList,
)
def list_substitutes(query: SubstituteQuery) -> SubstituteList:
    rows = [
        SubstituteAnswer.model_validate(row) for row in SUBSTITUTES.every(reader(), actor(), asked_of(query), now())
    ]
    return SubstituteList(count=len(rows), items=rows)


@operation(
    "POST", "/substitutes", permission=Permission.MASTERDATA_CHANGE, summary="Keep a substitute", tag=TAG, body=SubstituteBody,
    answer=SubstituteList, status=201, example={"item": 1004, "substitute": 1005, "rank": 1},
)  # fmt: skip
def add_substitute(work: UnitOfWork, body: SubstituteBody) -> SubstituteList:
    # One of a company of whose sites the token sees one.
    work.realm = item_page(work.session, work.actor, body.item).realm
    with pointing():
        keep_substitutes(work, [KeepSubstitute(**dict(body))])
    rows = substitutes_of(fresh(work), work.actor, body.item)
    return SubstituteList(count=len(rows), items=[SubstituteAnswer.model_validate(row) for row in rows])


@operation(
    "DELETE", "/substitutes/{item_id}/{substitute_id}", permission=Permission.MASTERDATA_CHANGE, summary="Drop a substitute",
    tag=TAG, answer=None,
)  # fmt: skip
def remove_substitute(work: UnitOfWork, item_id: int, substitute_id: int) -> None:
    rows = substitutes_of(work.session, work.actor, item_id)
    kept = next((row for row in rows if row.substitute_id == substitute_id), None)
    if kept is None:
        raise NotFound("substitute_unknown", item=item_page(work.session, work.actor, item_id).code)
    work.realm = kept.realm
    drop_substitute(work, item_id, substitute_id)


@operation(
    "POST", "/substitutions/{hold_id}", permission=Permission.SUBSTITUTION_APPROVE, summary="Answer a substitution that waits",
    tag=TAG, body=SubstitutionBody, answer=SubstitutionAnswer, example={"approve": True, "reason": "the customer agrees"},
)  # fmt: skip
def answer_substitution(work: UnitOfWork, hold_id: int, body: SubstitutionBody) -> SubstitutionAnswer:
    work.realm = asked_substitution(work.session, work.actor, hold_id).realm
    command = DecideSubstitution(hold=hold_id, approve=body.approve, reason=body.reason)
    with pointing():
        order, waits = decide_on_substitution(work, command, rules=rules(), cells=cells())
    return SubstitutionAnswer(hold=hold_id, order_id=order, is_open=waits)
