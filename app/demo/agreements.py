"""What is agreed with customers: prices of every kind, a weekly invoice, sales without tax, lanes, and the words of the company."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import select

from app.composition.letter_texts import Event, Situation
from app.composition.letters import keep_contact, save_script, save_template
from app.demo.addresses import address_of
from app.demo.goods import Shop
from app.demo.shelves import Shelves
from app.demo.variants import departure, said
from erpcore.billing.services import AmendInvoice, amend_invoices, draft_invoices, post_invoices
from erpcore.fulfilment.billing_due import trigger_shipments
from erpcore.fulfilment.leaving import send_off
from erpcore.fulfilment.models import Shipment
from erpcore.fulfilment.services import PickOrder, pick_orders
from erpcore.inventory.stock import ChangeStock, receive_stock
from erpcore.kernel.actor import Actor
from erpcore.kernel.model import PRICE_PLACES
from erpcore.masterdata.addresses import add_address
from erpcore.masterdata.lanes import KeepLane, keep_lanes
from erpcore.masterdata.models import Realm
from erpcore.masterdata.services import NewCustomer, add_customers, ensure_customer_group
from erpcore.masterdata.tax_keeping import NewExemption, keep_exemption
from erpcore.pricing.models import PriceKind
from erpcore.pricing.newprice import NewPrice
from erpcore.pricing.services import add_prices
from governance.variants.register import Scope

Story = Iterator[None]
_SINCE = date(2020, 1, 1)
_MONDAY = 0
#: Code, name, days to pay; they follow the customers of the counter.
_CUSTOMERS = (
    ("19005", "Hausbau Serie Rhein", 14), ("19006", "Bauamt der Verbündeten Streitkräfte", 30),
    ("19007", "Ausbau Henning", 7), ("19008", "Fassadenbau Tillich", 7),
)  # fmt: skip
SERIAL, EXEMPT, SLOW, BROKE = range(4, 8)
#: Site, country, days on the way, what a line costs.
_LANES = (
    ("DUI", "Germany", 1, 490), ("DUI", "Austria", 2, 1_150), ("KOL", "Germany", 1, 620), ("PRA", "Switzerland", 1, 690),
    ("PRA", "*", 3, 1_900), ("LDS", "United Kingdom", 1, 540), ("LDS", "Ireland", 3, 1_480),
)  # fmt: skip
_CONFIRMATION = (
    "Your order {order}",
    (
        "Dear {customer},\n\nthank you for your order {order}. This is what we have taken down:\n\n{lines}\n\n"
        "Whatever changes, we tell you before you have to ask.\n\nYour Aldenhoff branch"
    ),
)
_SCRIPTS = (
    (Situation.SHORT, "Say by line what is there. Offer Duisburg's stock first, it comes the next morning; then the other article."),
    (Situation.HOLD_CREDIT, "Say that the order waits for the account, not for the goods. Yvonne Harkness calls back within the hour."),
)  # fmt: skip


class Agreements:
    """The customers of the branch that are not served like everybody."""

    def __init__(self, shop: Shop, shelves: Shelves) -> None:
        self.shop, self.shelves = shop, shelves

    def stories(self) -> tuple[Callable[[], Story], ...]:
        """Each to be begun on an evening of its own, in this order."""
        return (self.weekly, self.without_tax)

    def furnish(self) -> None:
        """Customers, their prices and rules, lanes, and what the company writes and says."""
        shop, staff = self.shop, self.shop.desk.staff
        with shop.work_as(Actor.system("demo")) as work:
            frame = ensure_customer_group(work, "frame", "Frame contracts").id
            rows = add_customers(
                work,
                [
                    NewCustomer(
                        entity=shop.entity, code=code, name=name, country="Germany", currency="EUR", payment_days=days,
                        group=frame if number == 0 else shop.desk.world.groups["trade"], credit_limit_minor=1_500_000,
                    )
                    for number, (code, name, days) in enumerate(_CUSTOMERS)
                ],
            )  # fmt: skip
            for number, row in enumerate(rows):
                add_address(work, row.id, address_of(row.name, row.country, 960 + number), valid_from=_SINCE)
                keep_contact(
                    work,
                    customer=row.id,
                    email=f"buero@kunde-{number + 5}.example",
                    language="de",
                    wants_none=False,
                    seen=0,
                )
            shop.customers += [row.id for row in rows]
            add_prices(work, self._prices())
            keep_exemption(
                work,
                NewExemption(
                    customer=shop.customers[EXEMPT], certificate="Form 4/2026-117", valid_from=_SINCE,
                    valid_until=shop.today() + timedelta(days=700), country="Germany",
                ),
            )  # fmt: skip
        with shop.work_as(staff["data"]) as work:
            nodes = shop.desk.world.nodes
            keep_lanes(
                work,
                [
                    KeepLane(site=nodes[Realm.LIVE, code].id, country=country, transit_days=days, cost_minor=cost)
                    for code, country, days, cost in _LANES
                ],
            )
        for point, value in (("invoice_trigger", "periodic"), ("invoice_period", "week")):
            departure(
                shop.desk.database, staff, shop.desk.clock, {point: value}, Scope(customer_group=frame),
                content=said("A frame contract asks for one invoice a week; ten a week are more work than they are worth."),
                agreed="Agreed for frame contracts.",
            )  # fmt: skip
        departure(
            shop.desk.database, staff, shop.desk.clock, {"control_transfer": "delivered"}, Scope(customer_group=frame),
            content=said("A frame contract delivers at the building site; the goods are ours until they are there."),
            agreed="Agreed for frame contracts.",
        )  # fmt: skip
        departure(
            shop.desk.database, staff, shop.desk.clock, {"sourcing_rule": "commitment"}, Scope(customer_group=frame),
            content=said("A frame contract is served from where it costs least and still comes on its day."),
            agreed="Agreed for frame contracts.",
        )  # fmt: skip
        with shop.work_as(staff["process"]) as work:
            subject, body = _CONFIRMATION
            save_template(work, event=Event.CONFIRMATION, language="en", subject=subject, body=body, seen=0)
            for situation, words in _SCRIPTS:
                save_script(work, situation=situation, body=words, seen=0)

    def _prices(self) -> list[NewPrice]:
        """A contract, a customer's own discount, a group's, a promotion of a month, and a break by quantity."""
        shop, today = self.shop, self.shop.today()
        adhesive, silicone, grinder = self.shelves.goods
        usual = NewPrice(entity=shop.entity, currency="EUR", valid_from=_SINCE)
        contract, own, group, promotion, many = (
            PriceKind.CONTRACT,
            PriceKind.CUSTOMER,
            PriceKind.GROUP,
            PriceKind.PROMOTION,
            PriceKind.BREAK,
        )
        return [
            replace(
                usual, kind=contract, item=shop.goods[3], customer=shop.customers[2], unit_price=Decimal("15.80"),
                reference="Rahmen 88", valid_until=today + timedelta(days=300),
            ),
            replace(usual, kind=own, item=adhesive, customer=shop.customers[1], discount=Decimal("0.06")),
            replace(
                usual, kind=group, item=shop.goods[2], customer_group=shop.desk.world.groups["trade"], discount=Decimal("0.03")
            ),
            replace(
                usual, kind=promotion, item=silicone, channel=shop.channel, discount=Decimal("0.10"), reference="Autumn sealing",
                valid_from=today, valid_until=today + timedelta(days=45),
            ),
            replace(usual, kind=many, item=grinder, minimum_quantity=Decimal(5), unit_price=Decimal("91.00")),
        ]  # fmt: skip

    def weekly(self) -> Story:
        """Two orders of a week are taken on two days, and the week's end makes one invoice of them."""
        shop = self.shop
        while shop.today().weekday() != _MONDAY:
            yield
        sent = [self._sent((2, 12))]
        yield
        sent.append(self._sent((3, 6)))
        first = shop.today()
        while shop.today().weekday() != _MONDAY or shop.today() == first:
            yield
        self._bill_the_week(sent)

    def _sent(self, wanted: tuple[int, int], *, customer: int = SERIAL) -> int:
        order = self.shop.order([wanted], customer=customer)
        self.shop.hand_over(order.id)
        return order.id

    def by_lane(self) -> Story:
        """What a frame contract orders in Cologne leaves from Duisburg, which is cheaper and as soon, where it lies in both."""
        shop, duisburg = self.shop, self.shop.desk.world.nodes[Realm.LIVE, "DUI"].id
        item = shop.goods[3]
        with shop.work_as(shop.desk.staff.at("DUI", "warehouse")) as work:
            change = ChangeStock(site=duisburg, item=item, quantity=Decimal(160), note="for the frame contracts")
            receive_stock(work, [change], **shop.both)
        yield
        order = shop.order([(3, 24)], customer=SERIAL)
        with shop.work_as(shop.desk.staff.at("DUI", "warehouse")) as work:
            shipments = [one.id for one in pick_orders(work, [PickOrder(order=order.id)], **shop.both)]
        yield
        with shop.work_as(shop.desk.staff.at("DUI", "warehouse.two")) as work:
            send_off(work, shipments, **shop.both)
        shop.order([(3, 10)], customer=SERIAL)
        yield
        shop.deliver(shipments)
        while shop.today().weekday() != _MONDAY:
            yield
        self._bill_the_week([order.id])

    def _bill_the_week(self, orders: Sequence[int]) -> None:
        """One invoice of all that left for these orders, and its money."""
        shop = self.shop
        with shop.work_as(Actor.system("billing-run"), source="system") as work:
            due = work.session.scalars(
                select(Shipment.id).where(Shipment.order_id.in_(orders)).order_by(Shipment.id)
            ).all()
            trigger_shipments(work, due)
            drafts = draft_invoices(work, due[:1], cells=shop.desk.cells)
            invoices = post_invoices(work, [one.id for one in drafts], cells=shop.desk.cells)
        shop.pay(invoices)

    def without_tax(self) -> Story:
        """A customer with a certificate pays no tax; two others take goods and do not pay. Twice billing charges a price that was not
        ordered: one is put right the next day, the other waits for somebody who releases it.
        """
        shop = self.shop
        order = shop.order([(2, 8), (3, 4)], customer=EXEMPT)
        shop.send(order.id)
        yield
        for customer, wanted in ((SLOW, (3, 11)), (BROKE, (2, 4))):
            owed = shop.order([wanted], customer=customer)
            shop.hand_over(owed.id)
            shop.invoice(owed.id)
        wrong, ordered = self._charged_otherwise((1, 3), Decimal("1.05"))
        self._charged_otherwise((3, 2), Decimal("1.10"))
        yield
        with shop.work_as(shop.desk.staff["billing"]) as work:
            right = replace(wrong, unit_price=ordered, reason="freight goes on an invoice of its own")
            (invoice,) = amend_invoices(work, [right])
            invoices = post_invoices(work, [invoice.id], cells=shop.desk.cells)
        shop.pay(invoices)

    def _charged_otherwise(self, wanted: tuple[int, int], factor: Decimal) -> tuple[AmendInvoice, Decimal]:
        """An invoice that waits for its price; what billing did to it, and the price that was ordered."""
        shop = self.shop
        order = self._sent(wanted, customer=0)
        with shop.work_as(Actor.system("billing-run"), source="system") as work:
            due = work.session.scalars(select(Shipment.id).where(Shipment.order_id == order)).all()
            (draft,) = draft_invoices(work, due, **shop.both)
        (line,) = draft.lines
        ordered = Decimal(line.unit_price).scaleb(-PRICE_PLACES)
        charged = (ordered * factor).quantize(Decimal("0.01"))
        act = AmendInvoice(
            invoice=draft.id, order_line=line.order_line_id, unit_price=charged, reason="freight put on the price"
        )
        with shop.work_as(shop.desk.staff["billing"]) as work:
            amend_invoices(work, [act])
        return act, ordered
