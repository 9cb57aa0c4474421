"""What the demo's companies sell besides goods, and one order that has it all: a rush, its charge, freight, fitting, a part, one more."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select

from app.composition.core_approvals import BY_RULES
from app.composition.uow import reading
from app.demo.desk import Desk
from app.demo.variants import departure, said
from erpcore.fulfilment.floor.picking import ConfirmPick, confirm_pick, finish_pick, start_task
from erpcore.fulfilment.floor.planning import pick_now
from erpcore.fulfilment.leaving import send_off
from erpcore.fulfilment.services import PickOrder, pick_orders
from erpcore.inventory.models import Reservation, StockBalance
from erpcore.masterdata.charges import DeclareCharge, declare_charges
from erpcore.masterdata.models import ChargeLeaves, Customer, Entity, ItemKind, Realm
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.amendment_rules import Amend
from erpcore.orders.amendments import StageAmendment, apply_amendments, stage_amendments
from erpcore.orders.documents import Order
from erpcore.orders.models import ChangeKind, OrderState
from erpcore.orders.quotes.services import NewQuote, Terms, enter_quotes, send_quotes
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import CaptureOrder, NewLine, capture_orders
from erpcore.pricing.newprice import NewPrice
from erpcore.pricing.services import add_prices
from governance.variants.kinds import Rationale
from governance.variants.register import Scope

_SITE = (Realm.LIVE.value, "DUI")
_QUANTITY, _MORE = 50, 51
#: Of so many of another line so many leave a week later.
_SPLIT, _LATER = 20, 8
#: Code, name, kind, when it leaves, whether a rush costs it, price.
_SOLD = (
    ("FREIGHT", "Freight", ItemKind.CHARGE, ChargeLeaves.FIRST_GOODS, False, "24.00"),
    ("FITTING", "Fitting on site", ItemKind.SERVICE, ChargeLeaves.BY_ITSELF, False, "180.00"),
    ("RUSH", "Rush surcharge", ItemKind.CHARGE, ChargeLeaves.FIRST_GOODS, True, "35.00"),
)
_VALUES = (
    ("rush_rule", "allow_with_charge", "A rush costs two people an hour; customers have always paid for it."),
    ("over_ship_tolerance_permille", 20, "A pallet that has a piece more is not opened for it."),
)


def sell_besides_goods(desk: Desk) -> None:
    """Declare charges in every live company; at one site allow and take a rush with all of them."""
    items = {
        entity: _declare(desk, entity)
        for (realm, _), entity in sorted(desk.world.entities.items())
        if realm == Realm.LIVE
    }
    node = desk.world.nodes[_SITE]
    with reading(desk.database) as session:
        free = StockBalance.on_hand - StockBalance.reserved - StockBalance.blocked
        waited = select(Reservation.item_id).where(Reservation.site_id == node.id, Reservation.unmet > 0)
        goods = session.scalars(
            select(StockBalance.item_id)
            .where(
                StockBalance.site_id == node.id, free >= (_MORE + _SPLIT) * 1000, StockBalance.item_id.not_in(waited)
            )
            .order_by(free.desc(), StockBalance.item_id)
            .limit(2)
        ).all()
        buyer = session.scalar(
            select(Customer.id)
            .where(
                Customer.entity_id == node.entity, Customer.credit_limit_minor.is_(None), Customer.is_unknown.is_(False)
            )
            .order_by(Customer.id)
            .limit(1)
        )
    if len(goods) < 2 or buyer is None:
        return
    _allow(desk, node.entity)
    order = _take(desk, goods[0], buyer, items[node.entity])
    if order is not None:
        _send(desk, order, goods[0])
    _pick_a_little_more(desk, goods[1], buyer)
    _offer_a_rush(desk, goods[1], buyer)


def _declare(desk: Desk, entity: int) -> dict[str, int]:
    with desk.work(desk.staff["data"], Realm.LIVE) as work:
        commands = [
            DeclareCharge(entity=entity, code=code, name=name, kind=kind, leaves=leaves, is_rush=is_rush)
            for code, name, kind, leaves, is_rush, _ in _SOLD
        ]
        found = declare_charges(work, commands)
        company = work.session.get_one(Entity, entity)
        prices = [
            NewPrice(
                entity=entity,
                item=item,
                unit_price=Decimal(one[5]),
                currency=company.currency,
                valid_from=desk.clock.now().date(),
            )
            for item, one in zip(found, _SOLD, strict=True)
        ]
        add_prices(work, prices)
    return {one[0]: item for one, item in zip(_SOLD, found, strict=True)}


def _allow(desk: Desk, entity: int) -> None:
    for point, value, reason in _VALUES:
        departure(
            desk.database, desk.staff, desk.clock, {point: value}, Scope(entity=entity),
            content=said(reason, rationale=Rationale.CUSTOMER_VALUE), agreed="Agreed for a year.",
        )  # fmt: skip


def _take(desk: Desk, good: int, buyer: int, items: dict[str, int]) -> Order | None:
    node = desk.world.nodes[_SITE]
    wanted = [NewLine(item=good, quantity=Decimal(quantity)) for quantity in (_QUANTITY, _SPLIT)]
    wanted += [NewLine(item=items[code], quantity=Decimal(1)) for code in ("FREIGHT", "FITTING")]
    command = CaptureOrder(
        site=node.id, channel=desk.world.channels["wholesale"], customer=buyer, lines=wanted, rush=True,
        customer_reference="by tonight, please",
    )  # fmt: skip
    with desk.work(desk.staff.at(_SITE[1], "desk"), Realm.LIVE, "screen") as work:
        (order,) = capture_orders(work, [command], rules=desk.rules, cells=desk.cells)
    with desk.work(desk.staff.at(_SITE[1], "lead"), Realm.LIVE, "screen") as work:
        (order,) = release_orders(work, [order.id], rules=desk.rules, cells=desk.cells)
        if order.state != OrderState.RELEASED:
            return None
        (order,) = allocate_orders(work, [order.id], rules=desk.rules, cells=desk.cells)
        later = Amend(
            kind=ChangeKind.SPLIT,
            line=order.lines[1].id,
            quantity=Decimal(_LATER),
            day=order.lines[1].promised_on + timedelta(days=7),
        )
        change = StageAmendment(
            order=order.id, by_customer=False, reason="no room at the building site before", changes=[later]
        )
        (staged,) = stage_amendments(work, [change], rules=desk.rules, cells=desk.cells)
        (order,) = apply_amendments(work, [staged.id], rules=desk.rules, cells=desk.cells)
    return order


def _send(desk: Desk, order: Order, good: int) -> None:
    """One piece more than was ordered leaves with all that goes along; the fitting is still to be done."""
    alone = [line.id for line in order.lines if line.kind == ItemKind.SERVICE or line.split_from_id]
    lines = {line.id: line.allocated if line.has_stock else line.open for line in order.lines if line.id not in alone}
    goods = next(line for line in order.lines if line.item_id == good)
    if not goods.unallocated:
        lines[goods.id] = _MORE * 1000
    with desk.work(desk.staff.at(_SITE[1], "warehouse"), Realm.LIVE, "screen") as work:
        shipments = pick_orders(work, [PickOrder(order=order.id, lines=lines)], cells=desk.cells, rules=desk.rules)
        send_off(work, [one.id for one in shipments], rules=desk.rules, cells=desk.cells)


def _pick_a_little_more(desk: Desk, good: int, buyer: int) -> None:
    """A picker takes a whole layer with the scanner, one piece more than was ordered."""
    node = desk.world.nodes[_SITE]
    lines = [NewLine(item=good, quantity=Decimal(_QUANTITY))]
    command = CaptureOrder(
        site=node.id,
        channel=desk.world.channels["wholesale"],
        customer=buyer,
        lines=lines,
        customer_reference="a layer",
    )
    with desk.work(desk.staff.at(_SITE[1], "desk"), Realm.LIVE, "screen") as work:
        (order,) = capture_orders(work, [command], rules=desk.rules, cells=desk.cells)
    with desk.work(desk.staff.at(_SITE[1], "lead"), Realm.LIVE, "screen") as work:
        (order,) = release_orders(work, [order.id], rules=desk.rules, cells=desk.cells)
        if order.state != OrderState.RELEASED:
            return
        (order,) = allocate_orders(work, [order.id], rules=desk.rules, cells=desk.cells)
    if order.lines[0].unallocated:
        return
    with desk.work(desk.staff.at(_SITE[1], "supervisor"), Realm.LIVE, "screen") as work:
        (task,) = pick_now(work, [order.id], site=node.id, rules=desk.rules, cells=desk.cells)
    picker = desk.staff.at(_SITE[1], "warehouse")
    with desk.work(picker, Realm.LIVE, "screen") as work:
        places = start_task(work, task.id).lines
    for place in places:
        more = 1000 if place is places[-1] else 0
        with desk.work(picker, Realm.LIVE, "screen") as work:
            done = ConfirmPick(task=task.id, line=place.line_no, quantity=place.quantity + more)
            confirm_pick(work, done, rules=desk.rules)
    with desk.work(picker, Realm.LIVE, "screen") as work:
        finish_pick(work, task.id, rules=desk.rules, cells=desk.cells)


def _offer_a_rush(desk: Desk, good: int, buyer: int) -> None:
    """A customer asks what it costs to have something tomorrow."""
    node = desk.world.nodes[_SITE]
    terms = Terms(
        lines=[NewLine(item=good, quantity=Decimal(_SPLIT))], valid_until=desk.clock.now().date() + timedelta(days=8),
        note="As asked by telephone: before all others.", rush=True,
    )  # fmt: skip
    command = NewQuote(site=node.id, channel=desk.world.channels["wholesale"], customer=buyer, terms=terms)
    clerk = desk.staff.at(_SITE[1], "desk")
    with desk.work(clerk, Realm.LIVE, "screen") as work:
        (quote,) = enter_quotes(work, [command], rules=desk.rules, cells=desk.cells)
    with desk.work(clerk, Realm.LIVE, "screen") as work:
        send_quotes(work, [quote.id], rules=desk.rules, authority=BY_RULES)
