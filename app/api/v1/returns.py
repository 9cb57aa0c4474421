"""Returns for programs: request, authorise, decline, receive, credit, through the services that screens use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from app.api.framework import check_version, operation
from app.api.lists import REALM, OneOf, listed, part_of, which
from app.api.v1.numbers import Key, fresh, pointing
from app.api.v1.papers import PaperAnswer, paper_answer
from app.api.values import Answer, Body, Page, PageQuery, Quantity, Realm, UnitPrice
from app.composition.request import now, reader
from app.composition.return_approvals import BY_RULES
from app.composition.trading import cells, condition_named, disposition_named, returned_line, rules
from app.queries.companies import address_at
from app.queries.places import realm_of_site
from app.queries.returns import RETURNS, STATES, ReturnPage, ReturnRow, return_page
from app.reports.papers import return_label
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.billing.credits import credit_returns
from erpcore.fulfilment.return_deciding import authorise_returns, decline_returns, give_up_returns
from erpcore.fulfilment.return_exchange import OrderReplacement, order_replacement
from erpcore.fulfilment.returned_goods import Finding, InspectReturn, ReceiveReturn, inspect_returns, receive_returns
from erpcore.fulfilment.returns import RequestReturn, ReturnedLine, request_returns
from erpcore.kernel.work import UnitOfWork

TAG = "Returns"


class Fault(StrEnum):
    """Whose fault it is."""

    OURS = "ours"
    CUSTOMER = "customer"
    UNDECIDED = "undecided"


class ReturnAnswer(Answer):
    """One return of a list."""

    id: int
    number: str
    state: str
    reason: str
    fault: str
    customer: str
    site_id: int
    order_id: int | None
    requested_at: datetime
    version: int
    condition: str


class ReturnQuery(PageQuery):
    """Which returns."""

    realm: Realm | None = REALM
    state: Annotated[str | None, OneOf(STATES)] = None
    text: str = part_of("the number, the customer or the order")
    site: Key | None = which("Only returns to this site.")


class ReturnLineAnswer(Answer):
    """So much of an item given back; `unlinked` says why no sale stands behind it.

    `quantity` is what is to come, and once received what came; `asked` what was asked for.
    """

    id: int
    line_no: int
    item_id: int
    item: str
    asked: Quantity
    quantity: Quantity
    unit_price: UnitPrice
    disposition: str
    order_id: int | None
    unlinked: str | None


class PolicyAnswer(Answer):
    """What the policy of the return says of it. `days` after delivery of `window` allowed (0: the day is not looked at); `accepts`:
    which condition; `exception`: who may authorise it all the same; `against`: `window`, `condition`, `no_sale`.
    """

    days: int | None
    window: int
    accepts: str
    approval: str
    exception: str
    against: list[str]
    fee: int = Field(description="Per mille of the net credit that is kept for restocking.")


class ReturnDetail(ReturnAnswer):
    """One return with its lines and its credit memo."""

    lines: list[ReturnLineAnswer]
    credit_memo_id: int | None
    policy: PolicyAnswer | None
    approval_request_id: int | None
    replacement_order_id: int | None


class ReturnedBody(Body):
    """One item given back. Without `order_line` the latest sale not yet returned is taken."""

    item: Key
    quantity: Quantity
    order_line: Key | None = None
    unit_price: UnitPrice | None = None
    disposition: str = "restock"


class ReturnBody(Body):
    """What a customer wants to give back."""

    site: Key
    channel: Key
    customer: Key
    reason: str = Field(min_length=1, max_length=48)
    fault: Fault = Fault.UNDECIDED
    condition: str = "unstated"
    lines: list[ReturnedBody] = Field(min_length=1, max_length=500)


class CameBody(Body):
    """How much of a line came, where it is not what was to come."""

    line: Key
    quantity: Quantity


class OtherBody(Body):
    """What came and was not asked for. Without `order_line` it is tied to the latest sale, or worth nothing."""

    item: Key
    quantity: Quantity
    order_line: Key | None = None


class ReceiveBody(Body):
    """What came, where it differs from what was to come. Without a body everything came."""

    came: list[CameBody] = Field(default=[], max_length=500)
    others: list[OtherBody] = Field(default=[], max_length=500)


class FindingBody(Body):
    """So much of a line becomes this: `restock`, `quarantine`, `supplier` or `scrap`; `none` for a charge."""

    line: Key
    quantity: Quantity
    disposition: str


class InspectBody(Body):
    """What becomes of each piece that came. A line that nothing is said of becomes what its request said."""

    findings: list[FindingBody] = Field(default=[], max_length=2000)
    note: str | None = Field(default=None, max_length=500)


class WantedBody(Body):
    """So much of an item instead."""

    item: Key
    quantity: Quantity


class ReplacementBody(Body):
    """What the customer gets instead; without lines what he asked to give back."""

    lines: list[WantedBody] = Field(default=[], max_length=500)


class AuthoriseBody(Body):
    """Why it may come back although it is outside of its policy; not needed within."""

    reason: str = Field(default="", max_length=500)


class ReasonBody(Body):
    """Why."""

    reason: str = Field(min_length=1, max_length=500)


def _answer(row: ReturnRow) -> ReturnAnswer:
    return ReturnAnswer.model_validate(row)


def _detail(page: ReturnPage) -> ReturnDetail:
    return ReturnDetail(
        **_answer(page.row).model_dump(), credit_memo_id=page.memo_id, approval_request_id=page.request_id, replacement_order_id=page.replacement_id,
        policy=None if page.judgement is None else PolicyAnswer.model_validate(page.judgement),
        lines=[
            ReturnLineAnswer(
                id=line.id, line_no=line.line_no, item_id=line.item_id, item=line.code, asked=line.asked,
                quantity=line.quantity, unit_price=line.unit_price, disposition=line.disposition, order_id=line.order_id, unlinked=line.unlinked,
            )
            for line in page.lines
        ],
    )  # fmt: skip


@operation(
    "GET", "/returns", permission=Permission.RETURN_READ, summary="List returns", tag=TAG, query=ReturnQuery,
    answer=Page[ReturnAnswer],
)  # fmt: skip
def list_returns(query: ReturnQuery) -> Page[ReturnAnswer]:
    return listed(RETURNS, query, _answer)


@operation(
    "GET", "/returns/{return_id}", permission=Permission.RETURN_READ, summary="One return", tag=TAG, answer=ReturnDetail
)
def show_return(return_id: int) -> ReturnDetail:
    return _detail(return_page(reader(), actor(), return_id))


@operation(
    "POST", "/returns", permission=Permission.RETURN_REQUEST, summary="Request a return", tag=TAG, body=ReturnBody,
    answer=ReturnDetail, status=201,
    example={
        "site": 1001, "channel": 1002, "customer": 1003, "reason": "damaged", "lines": [{"item": 1004, "quantity": "2"}],
    },
)  # fmt: skip
def request_return(work: UnitOfWork, body: ReturnBody) -> ReturnDetail:
    work.realm = realm_of_site(work.session, work.actor, body.site)
    command = RequestReturn(
        site=body.site, channel=body.channel, customer=body.customer, reason=body.reason, fault=body.fault.value,
        condition=condition_named(body.condition),
        lines=[
            returned_line(line.item, line.quantity, line.order_line, line.disposition, line.unit_price)
            for line in body.lines
        ],
    )  # fmt: skip
    with pointing():
        (made,) = request_returns(work, [command], rules=rules(), cells=cells())
    return _detail(return_page(fresh(work), work.actor, made.id))


@operation(
    "GET", "/returns/{return_id}/label", permission=Permission.RETURN_READ, summary="The return label as a PDF", tag=TAG,
    answer=PaperAnswer,
)  # fmt: skip
def print_return_label(return_id: int) -> PaperAnswer:
    page = return_page(reader(), actor(), return_id)
    return paper_answer(return_label(page, address_at(reader(), page.row.entity_id, now())))


@operation(
    "POST", "/returns/{return_id}/replacement", permission=Permission.ORDER_CAPTURE,
    summary="Order what the customer gets instead", tag=TAG, body=ReplacementBody, answer=ReturnDetail, versioned=True,
    example={"lines": [{"item": 1004, "quantity": "2"}]},
)  # fmt: skip
def replace_return(work: UnitOfWork, return_id: int, version: int, body: ReplacementBody) -> ReturnDetail:
    """An order like any other, at the prices of today; the return is credited at those of its sale."""
    command = OrderReplacement(id=return_id, wanted={one.item: one.quantity for one in body.lines})
    return _moved(work, return_id, version, lambda: order_replacement(work, command, rules=rules(), cells=cells()))


def _moved(work: UnitOfWork, return_id: int, version: int, move: Callable[[], Any]) -> ReturnDetail:
    row = return_page(work.session, work.actor, return_id).row
    check_version(version, row.version)
    work.realm = row.realm
    move()
    return _detail(return_page(fresh(work), work.actor, return_id))


@operation(
    "POST", "/returns/{return_id}/authorise", permission=Permission.RETURN_AUTHORISE, summary="Allow the goods to come back",
    tag=TAG, body=AuthoriseBody, answer=ReturnDetail, versioned=True, example={"reason": "promised on the telephone"},
)  # fmt: skip
def authorise_return(work: UnitOfWork, return_id: int, version: int, body: AuthoriseBody) -> ReturnDetail:
    """Outside of the policy it waits until those have agreed whom the rules of approval name."""
    return _moved(
        work, return_id, version, lambda: authorise_returns(work, [return_id], authority=BY_RULES, reason=body.reason)
    )


@operation(
    "POST", "/returns/{return_id}/decline", permission=Permission.RETURN_AUTHORISE, summary="Refuse the goods", tag=TAG,
    body=ReasonBody, answer=ReturnDetail, versioned=True, example={"reason": "used"},
)  # fmt: skip
def decline_return(work: UnitOfWork, return_id: int, version: int, body: ReasonBody) -> ReturnDetail:
    return _moved(work, return_id, version, lambda: decline_returns(work, [return_id], body.reason))


@operation(
    "POST", "/returns/{return_id}/give-up", permission=Permission.RETURN_RECEIVE, summary="Nothing came: end the return",
    tag=TAG, body=ReasonBody, answer=ReturnDetail, versioned=True, example={"reason": "not sent within 30 days"},
)  # fmt: skip
def give_up_return(work: UnitOfWork, return_id: int, version: int, body: ReasonBody) -> ReturnDetail:
    return _moved(work, return_id, version, lambda: give_up_returns(work, [return_id], body.reason))


@operation(
    "POST", "/returns/{return_id}/receive", permission=Permission.RETURN_RECEIVE, summary="Take in what came", tag=TAG,
    body=ReceiveBody, answer=ReturnDetail, versioned=True, example={"came": [{"line": 1001, "quantity": "1"}]},
)  # fmt: skip
def receive_return(work: UnitOfWork, return_id: int, version: int, body: ReceiveBody) -> ReturnDetail:
    command = ReceiveReturn(
        id=return_id, came={one.line: one.quantity for one in body.came},
        others=[
            ReturnedLine(
                item=one.item, quantity=one.quantity, order_line=one.order_line, disposition=disposition_named("quarantine")
            )
            for one in body.others
        ],
    )  # fmt: skip
    return _moved(work, return_id, version, lambda: receive_returns(work, [command], cells=cells()))


@operation(
    "POST", "/returns/{return_id}/inspect", permission=Permission.RETURN_RECEIVE, summary="Say what becomes of what came",
    tag=TAG, body=InspectBody, answer=ReturnDetail, versioned=True,
    example={"findings": [{"line": 1001, "quantity": "1", "disposition": "scrap"}], "note": "dropped"},
)  # fmt: skip
def inspect_return(work: UnitOfWork, return_id: int, version: int, body: InspectBody) -> ReturnDetail:
    command = InspectReturn(
        id=return_id, note=body.note,
        findings=[
            Finding(line=one.line, quantity=one.quantity, disposition=disposition_named(one.disposition))
            for one in body.findings
        ],
    )  # fmt: skip
    return _moved(work, return_id, version, lambda: inspect_returns(work, [command], cells=cells()))


@operation(
    "POST", "/returns/{return_id}/credit", permission=Permission.CREDIT_POST, summary="Post the credit memo", tag=TAG,
    answer=ReturnDetail, versioned=True,
)  # fmt: skip
def credit_return(work: UnitOfWork, return_id: int, version: int) -> ReturnDetail:
    return _moved(work, return_id, version, lambda: credit_returns(work, [return_id], cells=cells()))
