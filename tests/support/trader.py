"""People who do legal and illegal things with orders and stock, in any order; after each, the books prove themselves.

A refused move must leave every table as it was.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import inspect, text

from app.composition.uow import connect, reading
from app.security.permissions import Permission
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.credits import CreditInvoice, credit_invoices, credit_returns
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.direct import release_with_purchases
from erpcore.fulfilment.models import Disposition
from erpcore.fulfilment.return_deciding import authorise_returns, decline_returns, give_up_returns, settle_return
from erpcore.fulfilment.returned_goods import (
    Finding,
    InspectReturn,
    ReceiveReturn,
    inspect_returns,
    receive_returns,
)
from erpcore.fulfilment.returns import RequestReturn, ReturnedLine, request_returns
from erpcore.fulfilment.services import DeliverShipment, PickOrder, confirm_shipments, deliver_shipments, pick_orders
from erpcore.inventory.adjusting import CountStock, count_stock
from erpcore.inventory.stock import ChangeStock, adjust_stock, receive_stock
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import DomainError
from erpcore.masterdata.addresses import AddressContent, add_address
from erpcore.masterdata.services import NewCustomer, add_customers
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.holds import HoldOrder, ReleaseHold, hold_orders, release_holds
from erpcore.orders.models import HoldKind
from erpcore.orders.services import CaptureOrder, NewLine, capture_orders
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.suppliers import Supplied
from tests.support.trader_changes import Changed
from tests.support.trader_scarce import Scarce
from tests.support.walking import move

#: Quantities that a person might type, sensible and not.
QUANTITIES = (1, 2, 3, 5, 8, 13, 0, -1, 40, 500)
WHO, NUMBER = range(3), range(8)
#: Three persons who may do everything, so that only who asked and who decides keeps them apart.
PEOPLE = [Actor(id=key, role="super_user", permissions=frozenset(map(str, Permission))) for key in (31, 32, 33)]

#: What must never be, and the rows that would be it.
NEVER = {
    "an order line holds more than was ordered and the picker took":
        "SELECT id FROM order_line WHERE allocated + picked + shipped + cancelled > quantity + extra",
    "a line counts below nothing":
        "SELECT id FROM order_line WHERE allocated < 0 OR picked < 0 OR shipped < 0 OR cancelled < 0 OR quantity <= 0",
    "a shelf holds less than nothing": "SELECT item_id FROM stock_balance WHERE on_hand < 0",
    "more is promised than may be sent": "SELECT item_id FROM stock_balance WHERE reserved + blocked > on_hand",
    "a bin holds less than nothing": "SELECT item_id FROM stock_bin WHERE quantity < 0",
    "more was received than was bought": "SELECT id FROM purchase_order_line WHERE received < 0 OR cancelled < 0",
    "an order has been quoted twice": "SELECT journey_id FROM quote WHERE state = 'accepted' GROUP BY 1 HAVING COUNT(*) > 1",
    "an order is over and has something open":
        "SELECT o.id FROM sales_order o JOIN order_line l ON l.order_id = o.id WHERE o.state IN ('closed', 'cancelled') "
        "AND l.quantity > l.shipped + l.cancelled",
}  # fmt: skip


class Trader(Supplied, Changed, Scarce):
    """One small business with two items, few in stock, and a customer near the limit. ``make_url`` is set by the test."""

    make_url: Callable[[], str]
    done = refused = 0
    #: How often each move was seen to succeed, by its name or by what of it came off.
    succeeded: Counter[str]
    doing = "begin"

    def __init__(self) -> None:
        self.database = connect(type(self).make_url())
        self.business = a_business(self.database, items=2, stock=40, limit=150_000)
        type(self).succeeded = Counter()
        self.set_up_customers()
        self.set_up_supply()
        self.set_up_shortages()
        self.seen: dict[int, int] = {}

    def set_up_customers(self) -> None:
        """The usual customer, a key account and a small one; the two have no limit, so that shortages meet all three."""
        business = self.business
        with business.work() as work:
            made = add_customers(
                work,
                [
                    NewCustomer(entity=business.entity, code=code, name=name, country="Germany", currency="EUR", tier=tier)
                    for code, name, tier in (("10500", "Werk Nord", 1), ("10600", "Laden Ecke", 3))
                ],
            )  # fmt: skip
            for row in made:
                content = AddressContent(
                    code="main",
                    name=row.name,
                    street="Am Hof 1",
                    postal_code="47051",
                    city="Duisburg",
                    country="Germany",
                )
                add_address(work, row.id, content, valid_from=date(2020, 1, 1))
        self.customers = [business.customer, *(row.id for row in made)]

    def end(self) -> None:
        self.database.dispose()

    def begin(self) -> None:
        """Some orders are there."""
        self.prove()
        for item, quantity, other, buyer in ((0, 3, 1, 0), (1, 13, 8, 2), (0, 12, 2, 2), (1, 25, 5, 0), (0, 25, 8, 1)):
            self.take_order(0, item, quantity, other, buyer=buyer)
            self.prove()
        for number in (4, 3, 2, 0):
            self.go_on(1, number, 2)

    def attempt(self, who: int, act: Callable[[Any], Any], what: str = "") -> Any:
        """Do it in a unit of work of its own; when it is refused, nothing may have changed. ``what``: as what it counts."""
        try:
            with self.business.work(actor=PEOPLE[who]) as work:
                result = act(work)
        except DomainError:
            type(self).refused += 1
            assert fingerprint_of(self.database) == self._fingerprint, "a refused move left something behind"
            return None
        type(self).done += 1
        type(self).succeeded[what or self.doing] += 1
        return result

    def pick(self, rows: list[Any], number: int) -> Any:
        return rows[number % len(rows)] if rows else None

    def an_order(self, number: int) -> int | None:
        """One that is still open, the newest first; the highest numbers also meet those that are over."""
        open_ones = "" if number > 5 else "WHERE state IN ('captured', 'held', 'released')"
        return self.pick(self.ids(f"SELECT id FROM sales_order {open_ones} ORDER BY id DESC"), number)

    def ids(self, sql: str) -> list[int]:
        with reading(self.database) as session:
            return [row[0] for row in session.execute(text(sql))]

    @move(
        often=2, who=WHO, item=range(2), other=QUANTITIES, quantity=QUANTITIES, rush=(False, False, True),
        direct=(False, False, True), buyer=range(3),
    )  # fmt: skip
    def capture(self, who: int, item: int, quantity: int, other: int, rush: bool, direct: bool, buyer: int) -> None:
        self.take_order(who, item, quantity, other, rush=rush, direct=direct, buyer=buyer)

    def take_order(
        self,
        who: int,
        item: int,
        quantity: int,
        other: int,
        *,
        rush: bool = False,
        direct: bool = False,
        buyer: int = 0,
    ) -> None:
        business = self.business
        command = CaptureOrder(
            site=business.site, channel=business.channel, customer=self.customers[buyer],
            rush=rush,
            lines=[NewLine(item=business.items[item], quantity=Decimal(quantity), drop_ship=direct),
                   NewLine(item=business.items[1 - item], quantity=Decimal(max(other, 1)))],
        )  # fmt: skip
        found = self.attempt(who, lambda work: capture_orders(work, [command], rules=RULES, cells=OPEN))
        if found:
            self.seen[found[0].id] = found[0].version

    @move(often=6, who=WHO, number=NUMBER, steps=range(1, 8))
    def go_on(self, who: int, number: int, steps: int) -> None:
        """Take an order so many usual steps further, so that random moves also meet what is far on."""
        order = self.an_order(number)
        if order is None:
            return
        for _ in range(steps):
            if self.attempt(who, self._usual_step(order)) is None:
                return
            self.prove()

    def _usual_step(self, order: int) -> Callable[[Any], Any]:
        of = f"WHERE order_id = {order}"
        holds = self.ids(
            f"SELECT id FROM order_hold {of} AND released_at IS NULL AND kind <> 'substitution' ORDER BY id"
        )
        shipped = self.ids(f"SELECT id FROM shipment {of} AND state = 'picked' ORDER BY id")
        to_bill = self.ids(f"SELECT id FROM shipment {of} AND state <> 'picked' AND invoice_id IS NULL")
        drafts = self.ids(f"SELECT id FROM invoice {of} AND state = 'draft'")
        if holds:
            return lambda work: release_holds(work, [ReleaseHold(hold=holds[0], reason="settled")])
        if drafts:
            return lambda work: post_invoices(work, drafts, cells=OPEN)
        if to_bill:
            return lambda work: draft_invoices(work, to_bill, cells=OPEN)
        if shipped:
            return lambda work: confirm_shipments(work, shipped, rules=RULES, cells=OPEN)
        if self.ids(f"SELECT id FROM order_line {of} AND allocated > 0"):
            return lambda work: pick_orders(work, [PickOrder(order=order)], cells=OPEN)
        if self.ids(f"SELECT id FROM sales_order WHERE id = {order} AND state = 'released'"):
            return lambda work: allocate_orders(work, [order], rules=RULES, cells=OPEN)
        return lambda work: release_with_purchases(work, [order], rules=RULES, cells=OPEN)

    @move(who=WHO, number=NUMBER, stale=(False, True))
    def release(self, who: int, number: int, stale: bool) -> None:
        order = self.an_order(number)
        if order is not None:
            seen = {order: self.seen.get(order, 1)} if stale else None
            self.attempt(who, lambda work: release_with_purchases(work, [order], rules=RULES, cells=OPEN, seen=seen))

    @move(who=WHO, number=NUMBER)
    def hold(self, who: int, number: int) -> None:
        order = self.an_order(number)
        if order is not None:
            command = HoldOrder(order=order, kind=HoldKind.MANUAL, reason="asked by the customer")
            self.attempt(who, lambda work: hold_orders(work, [command]))

    @move(who=WHO, number=NUMBER)
    def end_hold(self, who: int, number: int) -> None:
        hold = self.pick(self.ids("SELECT id FROM order_hold ORDER BY id"), number)
        if hold is not None:
            self.attempt(who, lambda work: release_holds(work, [ReleaseHold(hold=hold, reason="settled")]))

    @move(who=WHO, first=NUMBER, second=NUMBER)
    def allocate(self, who: int, first: int, second: int) -> None:
        wanted = {order for order in (self.an_order(first), self.an_order(second)) if order}
        if wanted:
            self.attempt(who, lambda work: allocate_orders(work, sorted(wanted), rules=RULES, cells=OPEN))

    @move(who=WHO, number=NUMBER, short=(0, 0, 1, 4, 99))
    def take_from_shelf(self, who: int, number: int, short: int) -> None:
        order = self.an_order(number)
        if order is None:
            return
        line = self.ids(f"SELECT id FROM order_line WHERE order_id = {order} ORDER BY id")[0]
        command = PickOrder(order=order, short={line: short * 1000} if short else {})
        self.attempt(who, lambda work: pick_orders(work, [command], cells=OPEN))

    @move(who=WHO, number=NUMBER)
    def ship(self, who: int, number: int) -> None:
        shipment = self.pick(self.ids("SELECT id FROM shipment ORDER BY id"), number)
        if shipment is not None:
            self.attempt(who, lambda work: confirm_shipments(work, [shipment], rules=RULES, cells=OPEN))

    @move(who=WHO, number=NUMBER, damaged=(False, True))
    def deliver(self, who: int, number: int, damaged: bool) -> None:
        shipment = self.pick(self.ids("SELECT id FROM shipment ORDER BY id"), number)
        if shipment is None:
            return
        sql = f"SELECT order_line_id FROM shipment_line WHERE shipment_id = {shipment} ORDER BY 1"
        broken = {self.ids(sql)[0]: 1000} if damaged else {}
        command = DeliverShipment(shipment=shipment, damaged=broken)
        self.attempt(who, lambda work: deliver_shipments(work, [command], rules=RULES, cells=OPEN))

    @move(who=WHO, number=NUMBER, quantity=(None, 1, 3, 50), by_customer=(False, True))
    def cancel(self, who: int, number: int, quantity: int | None, by_customer: bool) -> None:
        order = self.an_order(number)
        if order is None:
            return
        line = self.ids(f"SELECT id FROM order_line WHERE order_id = {order} ORDER BY id")[0]
        lines = None if quantity is None else {line: quantity * 1000}
        command = CancelLines(order=order, reason="not wanted", by_customer=by_customer, lines=lines)
        self.attempt(who, lambda work: cancel_lines(work, [command]))

    @move(who=WHO, number=NUMBER)
    def invoice(self, who: int, number: int) -> None:
        shipment = self.pick(self.ids("SELECT id FROM shipment ORDER BY id"), number)
        if shipment is not None:
            self.attempt(who, lambda work: draft_invoices(work, [shipment], cells=OPEN))

    @move(who=WHO, number=NUMBER)
    def post(self, who: int, number: int) -> None:
        invoice = self.pick(self.ids("SELECT id FROM invoice ORDER BY id"), number)
        if invoice is not None:
            self.attempt(who, lambda work: post_invoices(work, [invoice], cells=OPEN))

    @move(who=WHO, number=NUMBER, amount=(1, 5_000, 10_000_000))
    def pay(self, who: int, number: int, amount: int) -> None:
        invoice = self.pick(self.ids("SELECT id FROM invoice ORDER BY id"), number)
        if invoice is None:
            return

        (payer,) = self.ids(f"SELECT customer_id FROM invoice WHERE id = {invoice}")  # a number

        def act(work: Any) -> None:
            paid = ReceiveCash(entity=self.business.entity, customer=payer, amount_minor=amount)
            (receipt,) = receive_cash(work, [paid])
            apply_cash(work, [ApplyCash(receipt=receipt, invoice=invoice, amount_minor=amount)])

        self.attempt(who, act)

    @move(who=WHO, number=NUMBER, price=("1.00", "10.00", "11.00"))
    def credit(self, who: int, number: int, price: str) -> None:
        invoice = self.pick(self.ids("SELECT id FROM invoice ORDER BY id"), number)
        if invoice is None:
            return
        sql = f"SELECT order_line_id FROM invoice_line WHERE invoice_id = {invoice} ORDER BY 1"
        command = CreditInvoice(
            invoice=invoice, order_line=self.ids(sql)[0], quantity=Decimal(1), unit_price=Decimal(price),
            reason="price agreed lower", fault="ours",
        )  # fmt: skip
        self.attempt(who, lambda work: credit_invoices(work, [command]))

    @move(who=WHO, item=range(2), quantity=QUANTITIES, restock=(False, True))
    def ask_to_return(self, who: int, item: int, quantity: int, restock: bool) -> None:
        business = self.business
        line = ReturnedLine(
            item=business.items[item], quantity=Decimal(quantity),
            disposition=Disposition.RESTOCK if restock else Disposition.SCRAP,
        )  # fmt: skip
        command = RequestReturn(
            site=business.site, channel=business.channel, customer=business.customer, reason="too many",
            fault="customer", lines=[line],
        )  # fmt: skip
        self.attempt(who, lambda work: request_returns(work, [command], rules=RULES, cells=OPEN))

    @move(
        often=2,
        who=WHO,
        number=NUMBER,
        move=("authorise", "agree", "refuse", "decline", "give up", "receive", "inspect", "credit"),
        quantity=QUANTITIES,
        other=(False, True),
        goods=tuple(Disposition),
    )
    def move_return(self, who: int, number: int, move: str, quantity: int, other: bool, goods: Disposition) -> None:
        found = self.pick(self.ids("SELECT id FROM return_order ORDER BY id"), number)
        if found is None:
            return
        (line, *_), counted = (
            self.ids(f"SELECT id FROM return_line WHERE return_id = {found} ORDER BY id"),
            Decimal(quantity),
        )
        came = ReceiveReturn(
            id=found,
            came={line: counted} if quantity % 2 else {},
            others=[ReturnedLine(item=self.business.items[1], quantity=Decimal(1))] if other else (),
        )
        (there,) = self.ids(f"SELECT quantity FROM return_line WHERE id = {line}")
        part = min(counted, Decimal(there) / 1000)
        found_out = [
            Finding(line=line, quantity=part, disposition=goods),
            Finding(line=line, quantity=Decimal(there) / 1000 - part, disposition=Disposition.SCRAP),
        ]
        moves: dict[str, Callable[[Any], Any]] = {
            # Outside of its policy a return waits for others.
            "authorise": lambda work: authorise_returns(
                work, [found], reason="he is a good customer" if other else None
            ),
            "agree": lambda work: settle_return(work, found, agreed=True, note="agreed"),
            "refuse": lambda work: settle_return(work, found, agreed=False, note="too late"),
            "decline": lambda work: decline_returns(work, [found], "too late"),
            "give up": lambda work: give_up_returns(work, [found], "nothing came"),
            "receive": lambda work: receive_returns(work, [came], cells=OPEN),
            "inspect": lambda work: inspect_returns(
                work, [InspectReturn(id=found, findings=found_out if other else ())], cells=OPEN
            ),
            "credit": lambda work: credit_returns(work, [found], cells=OPEN),
        }
        self.attempt(who, moves[move])

    @move(often=3, who=WHO, item=range(2), quantity=QUANTITIES, way=("receive", "adjust", "count"))
    def change_stock(self, who: int, item: int, quantity: int, way: str) -> None:
        site, key = self.business.site, self.business.items[item]
        change = ChangeStock(site=site, item=key, quantity=Decimal(quantity), note="found")
        counted = CountStock(site=site, item=key, counted=Decimal(abs(quantity)))
        ways: dict[str, Callable[[Any], Any]] = {
            "receive": lambda work: receive_stock(work, [change], rules=RULES, cells=OPEN),
            "adjust": lambda work: adjust_stock(work, [change], rules=RULES, cells=OPEN),
            "count": lambda work: count_stock(work, [counted], rules=RULES, cells=OPEN),
        }
        self.attempt(who, ways[way])

    def prove(self) -> None:
        """The books prove themselves."""
        assert_books_agree(self.database)
        for what, sql in NEVER.items():
            assert self.ids(sql) == [], what
        self._fingerprint = fingerprint_of(self.database)


def fingerprint_of(database: Any, *, but: Collection[str] = ()) -> str:
    """One word for everything that stands in every table, but for those named."""
    digest = hashlib.sha256()
    with reading(database, snapshot=True) as session:
        connection = session.connection()
        for name in _tables(database):
            if name in but:
                continue
            rows = connection.exec_driver_sql(f'SELECT * FROM "{name}"').all()
            digest.update(f"{name}:{sorted(map(repr, rows))}".encode())
    return digest.hexdigest()


@cache
def _tables(database: Any) -> list[str]:
    with reading(database) as session:
        return sorted(inspect(session.connection()).get_table_names())
