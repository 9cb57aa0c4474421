"""What was done on paper during a fallback, entered afterwards with its times."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from app.api.framework import operation
from app.api.v1.numbers import Key, fresh, pointing
from app.api.v1.order_models import OrderDetail
from app.api.v1.orders import detail
from app.api.values import Body, Quantity, UnitPrice
from app.composition import paper
from app.composition.trading import cells, rules
from app.queries.order_answer import order_answered, order_head
from app.security.permissions import Permission
from erpcore.kernel.work import UnitOfWork

TAG = "Orders"


class PaperLineBody(Body):
    """A line of the paper; ``left`` is what left of it with the goods, all of it when not said."""

    item: Key
    quantity: Quantity
    unit_price: UnitPrice | None = None
    left: Quantity | None = None


class PaperOrderBody(Body):
    """An order taken on paper. Times lie within a fallback of the site and channel."""

    channel: Key
    customer: Key
    number: str = Field(min_length=1, max_length=40, description="The paper's own number: each paper is entered once")
    taken_at: AwareDatetime
    left_at: AwareDatetime | None = None
    delivered_at: AwareDatetime | None = None
    lines: list[PaperLineBody] = Field(min_length=1, max_length=300)


class LeftLineBody(Body):
    """What left of one line."""

    line: Key
    quantity: Quantity


class PaperShipmentBody(Body):
    """Goods that left on paper for an order; without lines all that was open."""

    left_at: AwareDatetime
    delivered_at: AwareDatetime | None = None
    number: str | None = Field(None, max_length=40)
    lines: list[LeftLineBody] | None = Field(None, max_length=300)


@operation(
    "POST", "/sites/{site_id}/paper-orders", permission=Permission.ORDER_BACK_ENTER, summary="Enter an order taken on paper",
    tag=TAG, body=PaperOrderBody, answer=OrderDetail, status=201, source=paper.SOURCE,
    example={
        "channel": 1002, "customer": 1003, "number": "P-0017", "taken_at": "2026-03-02T08:10:00Z",
        "left_at": "2026-03-02T10:30:00Z", "lines": [{"item": 1004, "quantity": "12", "left": "10"}],
    },
)  # fmt: skip
def enter_paper_order(work: UnitOfWork, site_id: int, body: PaperOrderBody) -> OrderDetail:
    """Captured, released and, where goods left, shipped as of the times given."""
    command = paper.PaperOrder(
        site=site_id, channel=body.channel, customer=body.customer, number=body.number, taken_at=body.taken_at,
        left_at=body.left_at, delivered_at=body.delivered_at,
        lines=[paper.PaperLine(item=one.item, quantity=one.quantity, unit_price=one.unit_price, left=one.left) for one in body.lines],
    )  # fmt: skip
    with pointing():
        order = paper.enter_order(work, command, rules=rules(), cells=cells())
    return detail(order_answered(fresh(work), work.actor, order.id))


@operation(
    "POST", "/orders/{order_id}/paper-shipment", permission=Permission.ORDER_BACK_ENTER, summary="Enter what left on paper",
    tag=TAG, body=PaperShipmentBody, answer=OrderDetail, source=paper.SOURCE,
    example={"left_at": "2026-03-02T10:30:00Z", "number": "D-0004"},
)  # fmt: skip
def enter_paper_shipment(work: UnitOfWork, order_id: int, body: PaperShipmentBody) -> OrderDetail:
    work.realm = order_head(work.session, work.actor, order_id).realm
    lines = None if body.lines is None else {one.line: int(one.quantity.scaleb(3)) for one in body.lines}
    with pointing():
        paper.enter_shipment(
            work,
            paper.PaperShipment(
                order=order_id, left_at=body.left_at, delivered_at=body.delivered_at, number=body.number, lines=lines
            ),
            rules=rules(), cells=cells(),
        )  # fmt: skip
    return detail(order_answered(fresh(work), work.actor, order_id))
