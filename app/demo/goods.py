"""The counter at which the occasions of the demo are played: its customers, articles and suppliers, and the steps of an order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app.composition.letters import keep_contact
from app.composition.policies import RegisterRules
from app.demo.addresses import address_of
from app.demo.desk import Desk, NodeKey, invoice_numbers, working_day
from app.demo.variants import departure, said
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.records import InvoiceRow
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.direct import release_with_purchases
from erpcore.fulfilment.leaving import send_off
from erpcore.fulfilment.models import Shipment
from erpcore.fulfilment.services import DeliverShipment, PickOrder, deliver_shipments, pick_orders
from erpcore.inventory.stock import ChangeStock, open_stock, receive_stock
from erpcore.kernel.actor import Actor
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.addresses import add_address
from erpcore.masterdata.services import NewCustomer, NewItem, add_customers, add_items, ensure_item_group
from erpcore.masterdata.substitutes import KeepSubstitute, keep_substitutes
from erpcore.masterdata.suppliers import NewSupplier, OfferItem, add_suppliers, offer_items
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.documents import Order
from erpcore.orders.models import OrderState
from erpcore.orders.records import lock_orders
from erpcore.orders.services import CaptureOrder, NewLine, capture_orders
from erpcore.pricing.newprice import NewPrice
from erpcore.pricing.services import add_prices
from governance.variants.register import Scope

#: Where the occasions are played: it has been live since before the programme, and no gate looks at it.
HERE: NodeKey = ("live", "KOL")
_SINCE = date(2020, 1, 1)
#: Code, name, cost and list price; the last four run out.
_ARTICLES = (
    ("90-1001", "Drainage pipe 100 mm, slotted", "6.10", "9.60"), ("90-1002", "Drainage pipe 100 mm, plain", "3.20", "5.10"),
    ("90-1003", "Formwork oil 5 l", "8.40", "13.20"), ("90-1004", "Gully DN 110", "11.00", "17.50"),
    ("90-1101", "Anchor M12", "0.90", "1.60"), ("90-1102", "Anchor M16", "1.40", "2.30"),
    ("90-1103", "Anchor M20", "2.10", "3.40"), ("90-1104", "Anchor M24", "3.00", "4.90"),
    ("90-1201", "Roof window to measure", "240.00", "389.00"),
)  # fmt: skip
_CUSTOMERS = (
    ("19001", "Pauels Tiefbau", 2), ("19002", "Zimmerei Orth", 2), ("19003", "Rheinbau Rahmenkunde", 1), ("19004", "Dach und Rinne Lotz", 3),
)  # fmt: skip
#: The rule by which each of the scarce articles is shared out, and how their backorders are treated; the first keeps the standard.
_SHARED = ("first_come", "priority", "contract_protection", "fair_share")
_LASTS = timedelta(days=400)


class Shop:
    """The branch in Cologne after hours."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        node = desk.world.nodes[HERE]
        self.site, self.entity = node.id, node.entity
        self.channel = desk.world.channels["branch"]
        self.rules: RegisterRules = desk.rules
        self.both: dict[str, Any] = {"rules": desk.rules, "cells": desk.cells}
        self.goods: list[int] = []
        self.scarce: list[int] = []
        self.customers: list[int] = []
        self.second_address = self.supplier = self.direct = self.made_to_measure = 0

    def today(self) -> date:
        return self.desk.today(self.desk.world.nodes[HERE])

    def day_after(self, days: int) -> date:
        """So many days on, or the Monday after."""
        return working_day(self.today() + timedelta(days=days))

    def work(self, duty: str) -> AbstractContextManager[UnitOfWork]:
        """In the name of somebody of the branch."""
        return self.work_as(self.desk.staff.at(HERE[1], duty))

    @contextmanager
    def work_as(self, actor: Actor, *, source: str = "screen", serves: bool = True) -> Iterator[UnitOfWork]:
        """``serves`` false: what becomes free waits for a person, who looks at a run first."""
        desk = self.desk if serves else replace(self.desk, database=replace(self.desk.database, followers=()))
        with desk.work(actor, HERE[0], source) as work:
            yield work

    def furnish(self) -> None:
        """Customers, articles with prices and stock, suppliers, and the rules by which the scarce ones are shared out."""
        with self.work_as(Actor.system("demo")) as work:
            self._people(work)
            groups = [ensure_item_group(work, code, name).id for code, name in _GROUPS]
            rows = add_items(
                work,
                [
                    NewItem(
                        entity=self.entity, code=code, name=name, abc="B", standard_cost=Decimal(cost), replenishment_days=5,
                        group=groups[max(0, number - 3) if number < 8 else 0],
                    )
                    for number, (code, name, cost, _) in enumerate(_ARTICLES)
                ],
            )  # fmt: skip
            keys = [row.id for row in rows]
            self.goods, self.scarce, self.made_to_measure = keys[:4], keys[4:8], keys[8]
            add_prices(
                work,
                [
                    NewPrice(entity=self.entity, item=key, unit_price=Decimal(price), currency="EUR", valid_from=_SINCE)
                    for key, (_, _, _, price) in zip(keys, _ARTICLES, strict=True)
                ],
            )
            # The first three are sent for one another.
            keep_substitutes(
                work,
                [KeepSubstitute(item=keys[0], substitute=keys[1]), KeepSubstitute(item=keys[4], substitute=keys[5])],
            )
            self._suppliers(work)
            stock = [
                ChangeStock(site=self.site, item=key, quantity=Decimal(200), note="opening stock") for key in self.goods
            ]
            open_stock(work, stock, **self.both)
        for group, rule in zip(groups[1:], _SHARED, strict=True):
            if rule != "first_come":
                self._approve("allocation_rule", rule, group)
        self._approve("substitution_rule", "with_approval", groups[0])
        self._approve("substitution_rule", "same_group", groups[1])
        self._approve("backorder_rule", "cancel_after_days", groups[1])
        self._approve("backorder_cancel_days", 1, groups[1])
        self._approve("backorder_rule", "re_promise", groups[2])
        self._approve("take_back_rule", "second_person", None)

    def _people(self, work: UnitOfWork) -> None:
        rows = add_customers(
            work,
            [
                NewCustomer(
                    entity=self.entity, code=code, name=name, country="Germany", currency="EUR", tier=tier,
                    group=self.desk.world.groups["trade"], credit_limit_minor=2_000_000,
                )
                for code, name, tier in _CUSTOMERS
            ],
        )  # fmt: skip
        self.customers = [row.id for row in rows]
        for number, row in enumerate(rows):
            add_address(work, row.id, address_of(row.name, row.country, 900 + number), valid_from=_SINCE)
        # Told by letter what happens to their orders; the last one wants none. They go out where a mail server is named.
        for number, key in enumerate(self.customers):
            keep_contact(
                work, customer=key, email=f"einkauf@kunde-{number + 1}.example", language="de" if number else "en",
                wants_none=number == 3, seen=0,
            )  # fmt: skip
        site = replace(address_of(rows[0].name, "Germany", 950), code="site")
        self.second_address = add_address(work, rows[0].id, site, valid_from=_SINCE).id

    def _suppliers(self, work: UnitOfWork) -> None:
        self.supplier, self.direct = add_suppliers(
            work,
            [
                NewSupplier(entity=self.entity, code="KROHN", name="Krohn Baustoffe GmbH", country="Germany", lead_days=3),
                NewSupplier(
                    entity=self.entity, code="LICHT", name="Lichtwerk Fensterbau KG", country="Germany", lead_days=6,
                    ships_direct=True,
                ),
            ],
        )  # fmt: skip
        costs = [Decimal(cost) for _, _, cost, _ in _ARTICLES]
        asked = zip((*self.goods, *self.scarce), costs, strict=False)
        offer_items(work, [OfferItem(supplier=self.supplier, item=item, price=cost) for item, cost in asked])
        offer_items(work, [OfferItem(supplier=self.direct, item=self.made_to_measure, price=Decimal("231.00"))])

    def _approve(self, point: str, value: object, group: int | None) -> None:
        scope = Scope(entity=self.entity, item_group=group) if group is not None else Scope(site=self.site)
        departure(
            self.desk.database, self.desk.staff, self.desk.clock, {point: value}, scope,
            content=said("Tried in Cologne before the others decide."), agreed="Agreed for the trial.",
        )  # fmt: skip

    def new_prices(self) -> list[tuple[str, Decimal]]:
        """What the articles that do not run out shall cost, a little more."""
        return [
            (code, (Decimal(price) * Decimal("1.03")).quantize(Decimal("0.01"))) for code, _, _, price in _ARTICLES[:4]
        ]

    def capture(self, lines: Sequence[NewLine], *, customer: int, duty: str = "desk", **more: Any) -> Order:
        with self.work(duty) as work:
            command = CaptureOrder(
                site=self.site, channel=self.channel, customer=self.customers[customer], lines=lines, **more
            )
            return capture_orders(work, [command], **self.both)[0]

    def order_of(self, lines: Sequence[NewLine], *, customer: int) -> Order:
        """An order, let go and promised what there is."""
        return self.go_on(self.capture(lines, customer=customer).id)

    def order(self, lines: Sequence[tuple[int, int]], *, customer: int) -> Order:
        """As ``order_of``, of (article, pieces)."""
        return self.order_of(
            [NewLine(item=self.goods[good], quantity=Decimal(n)) for good, n in lines], customer=customer
        )

    def go_on(self, order: int, *, released: bool = False) -> Order:
        """Let it go, unless it has gone, and promise it stock; held it stays as it is."""
        with self.work_as(Actor.system("order-release"), source="system") as work:
            if not released:
                release_with_purchases(work, [order], **self.both)
            (found,) = lock_orders(work, [order])
            if found.state == OrderState.RELEASED:
                (found,) = allocate_orders(work, [order], **self.both)
        return found

    def line_of(self, order: int, item: int) -> int:
        with self.work("desk") as work:
            (found,) = lock_orders(work, [order])
        return next(line.id for line in found.lines if line.item_id == item)

    def receive(self, item: int, pieces: int, *, serves: bool = True) -> None:
        """A delivery nobody had written down."""
        with self.work_as(self.desk.staff.at(HERE[1], "warehouse"), serves=serves) as work:
            change = ChangeStock(site=self.site, item=item, quantity=Decimal(pieces), note="supplier delivery")
            receive_stock(work, [change], **self.both)

    def send(self, order: int) -> None:
        """What is allocated is taken over the counter, billed and paid."""
        self.hand_over(order)
        self.bill(order)

    def hand_over(self, order: int) -> None:
        """What is allocated is picked, leaves and arrives at once: the customer stands at the counter."""
        with self.work("warehouse") as work:
            (found,) = lock_orders(work, [order])
            if not any(line.allocated for line in found.lines):
                return
            shipments = [one.id for one in pick_orders(work, [PickOrder(order=order)], cells=self.desk.cells)]
        with self.work("warehouse.two") as work:
            send_off(work, shipments, **self.both)
        self.deliver(shipments)

    def arrive(self, order: int, shipments: Sequence[int]) -> None:
        """What has left arrives, is billed and paid."""
        self.deliver(shipments)
        self.bill(order)

    def deliver(self, shipments: Sequence[int]) -> None:
        """What has left arrives."""
        with self.work_as(Actor.system("carrier"), source="system") as work:
            deliver_shipments(work, [DeliverShipment(shipment=one) for one in shipments], **self.both)

    def bill(self, order: int) -> None:
        """What has arrived and is not billed yet is billed and paid."""
        self.pay(self.invoice(order))

    def invoice(self, order: int) -> list[InvoiceRow]:
        """What has arrived and is not billed yet is billed."""
        query = select(Shipment.id).where(
            Shipment.order_id == order, Shipment.invoice_id.is_(None), Shipment.state == "delivered"
        )
        with self.work_as(Actor.system("billing-run"), source="system") as work:
            due = list(work.session.scalars(query.order_by(Shipment.id)))
            drafts = draft_invoices(work, due, cells=self.desk.cells)
            return post_invoices(work, [one.id for one in drafts], cells=self.desk.cells)

    def pay(self, invoices: Sequence[InvoiceRow]) -> None:
        """All of it comes by the bank and names its invoice."""
        with self.work_as(Actor.system("bank"), source="system") as work:
            numbers = invoice_numbers(work, [one.id for one in invoices])
            for one in invoices:
                paid = ReceiveCash(
                    entity=self.entity,
                    customer=one.customer_id,
                    amount_minor=one.gross_minor,
                    reference=numbers[one.id],
                )
                (receipt,) = receive_cash(work, [paid])
                apply_cash(work, [ApplyCash(receipt=receipt, invoice=one.id, amount_minor=one.gross_minor)])


_GROUPS = (
    ("counter-goods", "Counter goods"), ("anchor-m12", "Anchors M12"), ("anchor-m16", "Anchors M16"),
    ("anchor-m20", "Anchors M20"), ("anchor-m24", "Anchors M24"),
)  # fmt: skip
