"""Returns that are not everyday: outside of the window, approved by others and waiting for them; goods without a receipt, a fee;
and pieces that are for their supplier, with what it credits.

They come to the Cologne branch on the last day, when the trading has thrown its dice.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from app.composition.approving import Answer, answer
from app.composition.core_approvals import waiting_request
from app.composition.return_approvals import BY_RULES, RETURN_OUTSIDE
from app.composition.uow import reading
from app.demo.desk import Desk
from app.demo.variants import departure, said
from erpcore.billing.credits import credit_returns
from erpcore.fulfilment.models import Condition, Disposition, ReturnLine, Shipment, ShipmentLine
from erpcore.fulfilment.return_deciding import authorise_returns
from erpcore.fulfilment.return_exchange import OrderReplacement, order_replacement
from erpcore.fulfilment.returned_goods import InspectReturn, ReceiveReturn, inspect_returns, receive_returns
from erpcore.fulfilment.returns import RequestReturn, ReturnedLine, request_returns
from erpcore.fulfilment.sending_back.services import SendBack, SentBack, send_back
from erpcore.fulfilment.sending_back.settling import AcceptDifference, TakeCredit, accept_difference, take_credit
from erpcore.kernel.clock import local_day
from erpcore.kernel.money import from_minor
from erpcore.masterdata.models import Customer, Item, ItemKind, Realm, SupplierItem
from erpcore.orders.models import OrderLine, SalesOrder
from governance.variants.register import Scope

_SITE = (Realm.LIVE.value, "KOL")
_WINDOW = timedelta(days=32)


def return_some(desk: Desk) -> None:
    """Two customers come after the window, one of them waits for an answer still; one has no receipt."""
    old, recent = _sold(desk, before=desk.clock.now() - _WINDOW), _sold(desk)
    if len(old) >= 2:
        late = _asked(desk, old[0], "not wanted", Condition.OPENED)
        _authorised(desk, late, "Buys here every month, and the box is as new.")
        _approved(desk, late, "Agreed once, for a good customer.")
        _taken_in(desk, late)
        _authorised(desk, _asked(desk, old[1], "too much", Condition.SEALED), "The building site was put off.")
    if len(recent) > 2:
        _exchanged(desk, recent[2])
    if recent:
        _with_fee(desk, recent[1] if len(recent) > 1 else recent[0])
        found = _asked(desk, recent[0], "not wanted", Condition.SEALED, stranger=_stranger(desk, recent[0].item_id))
        _authorised(desk, found, "No receipt, but our label is on the box.")
        _approved(desk, found, "At the lowest price of the year.")
        _taken_in(desk, found)
    _sent_back(desk)


def _sent_back(desk: Desk) -> None:
    """Pieces have a fault of their maker: they are set apart, and the buyer sends them back to whom they came from. For the first the
    supplier has credited less than was expected, for the second nothing yet; the third waits.
    """
    for position, sale in enumerate(_sold(desk, is_bought=True)):
        faulty = _asked(desk, sale, "damaged", Condition.DAMAGED, fault="ours", becomes=Disposition.SUPPLIER)
        with desk.work(desk.staff.at("KOL", "lead"), Realm.LIVE, "screen") as work:
            authorise_returns(work, [faulty])
        _taken_in(desk, faulty)
        if position < 2:
            left = _left(desk, faulty, _supplier_of(desk, sale.item_id))
        if not position:
            _credited(desk, left)


def _credited(desk: Desk, left: SentBack) -> None:
    """The supplier credits nine tenths, and Finance accepts that."""
    credited = (from_minor(left.expected, "EUR") * 9 / 10).quantize(Decimal("0.01"))
    with desk.work(desk.staff["billing"], Realm.LIVE, "screen") as work:
        paper_on = local_day(desk.clock.now(), desk.world.nodes[_SITE].zone)
        rest = take_credit(
            work, TakeCredit(document=left.id, paper="GS-40718", amount=credited, paper_on=paper_on)
        ).left
    if rest:
        with desk.work(desk.staff["finance"], Realm.LIVE, "screen") as work:
            accept_difference(
                work, AcceptDifference(document=left.id, reason="They keep a tenth for handling, as agreed.", seen=rest)
            )


def _left(desk: Desk, faulty: int, supplier: int) -> SentBack:
    """The buyer sends all of a return back to a supplier."""
    with desk.work(desk.staff["buyer"], Realm.LIVE, "screen") as work:
        lines = list(work.session.scalars(select(ReturnLine.id).where(ReturnLine.return_id == faulty)))
        command = SendBack(
            site=desk.world.nodes[_SITE].id, supplier=supplier, lines=lines, note="The thread is cut too short."
        )
        return send_back(work, command, rules=desk.rules, cells=desk.cells)


def _supplier_of(desk: Desk, item: int) -> int:
    """Whom the item is bought from first."""
    query = select(SupplierItem.supplier_id).where(SupplierItem.item_id == item)
    with reading(desk.database) as session:
        return session.scalars(query.order_by(SupplierItem.rank, SupplierItem.supplier_id).limit(1)).one()


def _exchanged(desk: Desk, sale: Any) -> None:
    """The wrong piece was packed: it comes back, and the right one is on order before it does."""
    wrong = _asked(desk, sale, "wrong item", Condition.SEALED, fault="ours")
    with desk.work(desk.staff.at("KOL", "lead"), Realm.LIVE, "screen") as work:
        authorise_returns(work, [wrong])
    with desk.work(desk.staff.at("KOL", "desk"), Realm.LIVE, "screen") as work:
        order_replacement(work, OrderReplacement(id=wrong), rules=desk.rules, cells=desk.cells)


def _with_fee(desk: Desk, sale: Any) -> None:
    """From now on the branch keeps a part of what customers do not want; the first who learns of it gets the rest credited."""
    departure(
        desk.database, desk.staff, desk.clock, {"restocking_fee_permille": 100}, Scope(site=desk.world.nodes[_SITE].id),
        content=said(
            "Counter customers give back what they bought on trial; each piece is tested and packed anew.",
            title="Cologne keeps a tenth of what customers do not want", step="returns_to_credit.credit",
            exit_condition="fewer than one line in a hundred comes back",
        ),
        agreed="For a year, and told at the counter.",
    )  # fmt: skip
    kept = _asked(desk, sale, "not wanted", Condition.OPENED)
    with desk.work(desk.staff.at("KOL", "lead"), Realm.LIVE, "screen") as work:
        authorise_returns(work, [kept])
    _taken_in(desk, kept)
    with desk.work(desk.staff["billing"], Realm.LIVE, "screen") as work:
        credit_returns(work, [kept], cells=desk.cells)


def _sold(desk: Desk, before: Any = None, *, is_bought: bool = False) -> list[Any]:
    """Goods that customers of the branch have and could give back; ``before``: that arrived before then; ``is_bought``: that a
    supplier sells us.
    """
    query = (
        select(OrderLine.id, OrderLine.item_id, OrderLine.unit_price, SalesOrder.customer_id, SalesOrder.channel_id)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .join(Item, Item.id == OrderLine.item_id)
        .join(ShipmentLine, ShipmentLine.order_line_id == OrderLine.id)
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(
            SalesOrder.site_id == desk.world.nodes[_SITE].id, Item.kind == ItemKind.STOCK, OrderLine.returned == 0,
            OrderLine.shipped >= 2, OrderLine.unit_price > 0, Shipment.delivered_at.is_not(None),
        )
        .group_by(OrderLine.id, OrderLine.item_id, OrderLine.unit_price, SalesOrder.customer_id, SalesOrder.channel_id)
        .order_by(func.max(Shipment.delivered_at).desc(), OrderLine.id)
        .limit(3)
    )  # fmt: skip
    if is_bought:
        query = query.where(OrderLine.item_id.in_(select(SupplierItem.item_id)))
    if before is not None:
        query = query.having(func.max(Shipment.delivered_at) < before)
    with reading(desk.database) as session:
        return list(session.execute(query))


def _stranger(desk: Desk, item: int) -> int | None:
    """A customer of the branch who never ordered the item."""
    bought = (
        select(SalesOrder.customer_id)
        .join(OrderLine, OrderLine.order_id == SalesOrder.id)
        .where(OrderLine.item_id == item)
    )
    query = (
        select(func.min(SalesOrder.customer_id))
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .where(
            SalesOrder.site_id == desk.world.nodes[_SITE].id, SalesOrder.customer_id.not_in(bought), Customer.is_unknown.is_(False)
        )
    )  # fmt: skip
    with reading(desk.database) as session:
        found: int | None = session.scalar(query)
    return found


def _asked(
    desk: Desk, sale: Any, reason: str, condition: Condition, *, stranger: int | None = None, fault: str = "customer",
    becomes: Disposition = Disposition.RESTOCK,
) -> int:  # fmt: skip
    """A customer asks to give one piece back; who never bought it (``stranger``) at half of what it costs."""
    line = ReturnedLine(
        item=sale.item_id, quantity=Decimal(1), order_line=sale.id if stranger is None else None,
        unit_price=None if stranger is None else (sale.unit_price / 2).quantize(Decimal("0.01")), disposition=becomes,
    )  # fmt: skip
    node = desk.world.nodes[_SITE]
    command = RequestReturn(
        site=node.id, channel=sale.channel_id, customer=stranger or sale.customer_id, reason=reason,
        fault=fault, lines=[line], condition=condition,
    )  # fmt: skip
    with desk.work(desk.staff.at("KOL", "desk"), Realm.LIVE, "screen") as work:
        return request_returns(work, [command], rules=desk.rules, cells=desk.cells)[0].id


def _authorised(desk: Desk, key: int, reason: str) -> None:
    with desk.work(desk.staff.at("KOL", "lead"), Realm.LIVE, "screen") as work:
        authorise_returns(work, [key], authority=BY_RULES, reason=reason)


def _approved(desk: Desk, key: int, reason: str) -> None:
    with desk.work(desk.staff["process.billing"], Realm.LIVE, "screen") as work:
        request = waiting_request(work.session, RETURN_OUTSIDE, key)
        if request is not None:
            answer(work, Answer(request=request.id, verdict="approve", reason=reason))


def _taken_in(desk: Desk, key: int) -> None:
    with desk.work(desk.staff.at("KOL", "warehouse"), Realm.LIVE, "screen") as work:
        receive_returns(work, [ReceiveReturn(id=key)], cells=desk.cells)
        inspect_returns(work, [InspectReturn(id=key)], cells=desk.cells)
