"""Changes to orders for programs: staged with what they would do, applied once, or withdrawn."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from app.api.framework import check_version, operation
from app.api.v1.numbers import Key, as_amount, fresh, pointing
from app.api.v1.order_models import OrderDetail
from app.api.v1.orders import detail
from app.api.values import Amount, Answer, Body, Quantity
from app.composition.amending import change_of
from app.composition.order_approvals import BY_RULES
from app.composition.request import reader
from app.composition.trading import cells, rules
from app.queries.amendments import AmendmentFact, Effect, amendments_of, one_amendment
from app.queries.order_answer import order_answered
from app.queries.order_detail import order_page
from app.queries.order_facts import OrderPage
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.fulfilment.direct_split import SUPPLIERS
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.amendments import StageAmendment, apply_amendments, stage_amendments, withdraw_amendments

TAG = "Orders"


class ChangeBody(Body):
    """One change: `quantity` and `day` are what shall be ordered in all and wanted then, `line` all but an added line has.

    `split`: so much of the line becomes one of its own, with its own day or address.
    """

    kind: str = Field(description="One of add, drop, quantity, date, address, split")
    line: Key | None = None
    item: Key | None = None
    quantity: Quantity | None = None
    day: date | None = None
    ship_to: Key | None = Field(None, description="An address of the customer's")


class AmendmentBody(Body):
    """Changes that are made together. `by_customer`: the customer's own wish. `replaces`: a staged amendment they take over."""

    by_customer: bool
    reason: str = Field(min_length=1, max_length=500)
    changes: list[ChangeBody] = Field(min_length=1, max_length=500)
    replaces: Key | None = None


class ChangeAnswer(Answer):
    """One change, with what stood before."""

    kind: str
    line: int | None
    line_no: int | None
    item_id: int
    item: str
    quantity: Quantity | None
    quantity_before: Quantity | None
    day: date | None
    day_before: date | None
    ship_to: int | None
    ship_to_before: int | None


class LineEffectAnswer(Answer):
    """What becomes of a line; `line_no` is null for a new one."""

    line_no: int | None
    item_id: int
    quantity: Quantity
    value: Amount
    value_before: Amount | None
    requested_on: date
    promised_on: date
    promised_before: date | None
    promise_reason: str
    freed: Quantity


class HoldEffect(Answer):
    """A hold that would come of it, at once or when the order is to be released."""

    kind: str
    reason: str
    at_once: bool


class EffectAnswer(Answer):
    """What the changes would have done when they were staged."""

    value: Amount
    value_before: Amount
    exposure: Amount
    exposure_before: Amount
    holds: list[HoldEffect]
    lines: list[LineEffectAnswer]


class AmendmentAnswer(Answer):
    """One amendment. `order_version` is the order they were checked against."""

    id: int
    order_id: int
    number: int
    state: str
    by_customer: bool
    reason: str
    order_version: int
    staged_at: datetime
    settled_at: datetime | None
    changes: list[ChangeAnswer]
    effect: EffectAnswer | None


class AmendmentList(Answer):
    """The order's amendments, the newest first."""

    items: list[AmendmentAnswer]


def _answer(order: OrderPage, one: AmendmentFact) -> AmendmentAnswer:
    return AmendmentAnswer(
        id=one.id, order_id=order.id, number=one.number, state=one.state, by_customer=one.by_customer, reason=one.reason,
        order_version=one.order_version, staged_at=one.staged_at, settled_at=one.settled_at,
        changes=[
            ChangeAnswer(
                kind=c.kind, line=c.line, line_no=c.line_no, item_id=c.item_id, item=c.code, quantity=c.quantity,
                quantity_before=c.quantity_before, day=c.day, day_before=c.day_before,
                ship_to=c.after.get("ship_to"), ship_to_before=c.before.get("ship_to"),
            )
            for c in one.changes
        ],
        effect=_effect(one.effect, order.currency) if one.effect else None,
    )  # fmt: skip


def _effect(effect: Effect, currency: str) -> EffectAnswer:
    return EffectAnswer(
        value=as_amount(effect.value[1], currency), value_before=as_amount(effect.value[0], currency),
        exposure=as_amount(effect.exposure[1], currency), exposure_before=as_amount(effect.exposure[0], currency),
        holds=[HoldEffect(kind=kind, reason=why, at_once=True) for kind, why in effect.holds]
        + [HoldEffect(kind=kind, reason=why, at_once=False) for kind, why in effect.on_release],
        lines=[
            LineEffectAnswer(
                line_no=line.line_no, item_id=line.item_id, quantity=line.quantity[1], value=as_amount(line.value[1], currency),
                value_before=None if line.value[0] is None else as_amount(line.value[0], currency),
                requested_on=line.requested[1], promised_on=line.promised[1], promised_before=line.promised[0],
                promise_reason=line.reason, freed=line.freed,
            )
            for line in effect.lines
        ],
    )  # fmt: skip


@operation(
    "GET", "/orders/{order_id}/amendments", permission=Permission.ORDER_READ, summary="List an order's amendments", tag=TAG,
    answer=AmendmentList,
)  # fmt: skip
def list_amendments(order_id: int) -> AmendmentList:
    order = order_page(reader(), actor(), order_id)
    return AmendmentList(items=[_answer(order, one) for one in amendments_of(reader(), order_id)])


@operation(
    "GET", "/orders/{order_id}/amendments/{amendment_id}", permission=Permission.ORDER_READ, summary="One amendment",
    tag=TAG, answer=AmendmentAnswer,
)  # fmt: skip
def show_amendment(order_id: int, amendment_id: int) -> AmendmentAnswer:
    order = order_page(reader(), actor(), order_id)
    return _answer(order, one_amendment(reader(), order_id, amendment_id))


@operation(
    "POST", "/orders/{order_id}/amendments", permission=Permission.ORDER_AMEND, summary="Stage changes to an order", tag=TAG,
    body=AmendmentBody, answer=AmendmentAnswer, status=201, versioned=True,
    example={
        "by_customer": True, "reason": "called", "changes": [{"kind": "quantity", "line": 1005, "quantity": "8"}],
    },
)  # fmt: skip
def stage_amendment(work: UnitOfWork, order_id: int, version: int, body: AmendmentBody) -> AmendmentAnswer:
    """Nothing of the order is different until they are applied; `effect` says what they would do."""
    page = order_page(work.session, work.actor, order_id)
    work.realm = page.realm
    check_version(version, page.version)
    with pointing():
        changes = [
            change_of(one.kind, line=one.line, item=one.item, quantity=one.quantity, day=one.day, ship_to=one.ship_to)
            for one in body.changes
        ]
        command = StageAmendment(
            order=order_id, by_customer=body.by_customer, reason=body.reason, changes=changes, seen_version=version,
            replaces=body.replaces,
        )  # fmt: skip
        (staged,) = stage_amendments(work, [command], rules=rules(), cells=cells(), senders=SUPPLIERS)
    session = fresh(work)
    return _answer(order_page(session, work.actor, order_id), one_amendment(session, order_id, staged.id))


@operation(
    "POST", "/orders/{order_id}/amendments/{amendment_id}/apply", permission=Permission.ORDER_AMEND,
    summary="Apply staged changes", tag=TAG, answer=OrderDetail,
)  # fmt: skip
def apply_amendment(work: UnitOfWork, order_id: int, amendment_id: int) -> OrderDetail:
    """All of them at once; refused with 409 when the order has moved since they were staged."""
    _own(work, order_id, amendment_id)
    apply_amendments(work, [amendment_id], rules=rules(), cells=cells(), senders=SUPPLIERS, authority=BY_RULES)
    return detail(order_answered(fresh(work), work.actor, order_id))


@operation(
    "POST", "/orders/{order_id}/amendments/{amendment_id}/withdraw", permission=Permission.ORDER_AMEND,
    summary="Withdraw staged changes", tag=TAG, answer=AmendmentAnswer,
)  # fmt: skip
def withdraw_amendment(work: UnitOfWork, order_id: int, amendment_id: int) -> AmendmentAnswer:
    page = _own(work, order_id, amendment_id)
    withdraw_amendments(work, [amendment_id])
    return _answer(page, one_amendment(fresh(work), order_id, amendment_id))


def _own(work: UnitOfWork, order_id: int, amendment_id: int) -> OrderPage:
    page = order_page(work.session, work.actor, order_id)
    work.realm = page.realm
    one_amendment(work.session, order_id, amendment_id)
    return page
