"""The lives of shipments and returns as tables."""

from __future__ import annotations

from erpcore.fulfilment.models import ReturnState as R
from erpcore.fulfilment.models import ShipmentState as S
from erpcore.kernel.flow import Flow, Move

SHIPMENT = Flow(
    "shipment",
    S,
    S.PICKED,
    (
        Move(name="confirm", sources=(S.PICKED,), target=S.CONFIRMED, permission="warehouse:shipment:confirm",
             event="shipment.confirmed"),
        Move(name="put_back", sources=(S.PICKED,), target=S.TAKEN_BACK, permission="warehouse:shipment:pick",
             reason_required=True, event="shipment.taken_back"),
        Move(name="deliver", sources=(S.CONFIRMED,), target=S.DELIVERED, permission="warehouse:shipment:deliver",
             event="shipment.delivered"),
    ),
)  # fmt: skip

RETURN = Flow(
    "return",
    R,
    R.REQUESTED,
    (
        Move(name="authorise", sources=(R.REQUESTED,), target=R.AUTHORISED, permission="returns:return:authorise",
             event="return.authorised"),
        Move(name="decline", sources=(R.REQUESTED,), target=R.DECLINED, permission="returns:return:authorise",
             reason_required=True, event="return.declined"),
        Move(name="ask", sources=(R.REQUESTED,), target=R.WAITING, permission="returns:return:authorise", reason_required=True),
        Move(name="agree", sources=(R.WAITING,), target=R.AUTHORISED, permission="returns:return:authorise_outside",
             event="return.authorised"),
        Move(name="refuse", sources=(R.WAITING,), target=R.DECLINED, permission="returns:return:authorise_outside",
             reason_required=True, event="return.declined"),
        Move(name="receive", sources=(R.AUTHORISED,), target=R.RECEIVED, permission="warehouse:return:receive",
             event="return.received"),
        Move(name="give_up", sources=(R.AUTHORISED,), target=R.DECLINED, permission="warehouse:return:receive",
             reason_required=True, event="return.declined"),
        Move(name="inspect", sources=(R.RECEIVED,), target=R.INSPECTED, permission="warehouse:return:receive",
             event="return.inspected"),
        Move(name="credit", sources=(R.INSPECTED,), target=R.CREDITED, permission="billing:credit_memo:post",
             event="return.credited"),
    ),
)  # fmt: skip
