"""What comes from elsewhere and how the shelf is looked after: suppliers, other sites, substitutes, pick waves, counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import select

from app.composition.order_names import order_names
from app.demo.goods import Shop
from app.demo.shelves import Shelves
from erpcore.fulfilment.branch.services import (
    AskLine,
    AskTransfer,
    DecideTransfer,
    ShipAsked,
    ask_transfers,
    decide_transfers,
    ship_asked,
)
from erpcore.fulfilment.carriers.models import CarrierService
from erpcore.fulfilment.direct import ShipDirect, confirm_with_promises, ship_direct
from erpcore.fulfilment.direct_split import SUPPLIERS
from erpcore.fulfilment.floor.picking import ConfirmPick, confirm_pick, finish_pick, start_task
from erpcore.fulfilment.floor.waves import (
    PlanPickWave,
    interrupt_pick_wave,
    plan_pick_wave,
    release_pick_wave,
    resume_pick_wave,
)
from erpcore.fulfilment.packing.models import CartonType
from erpcore.fulfilment.packing.services import PackCarton, pack_cartons
from erpcore.fulfilment.shipping import ShipShipment, ship_shipments
from erpcore.fulfilment.shortage import Choose, Way, choose, compare, short_line
from erpcore.inventory.count_plan import PlanCount, plan_counts
from erpcore.inventory.counting import decide_count, record_count, start_count
from erpcore.inventory.documents import CountTask, ExpectedReceipt, StockTransferLine
from erpcore.inventory.losing import GiveUp, give_up
from erpcore.inventory.models import StockBalance
from erpcore.inventory.receiving import ReceivedLine, ReceiveGoods
from erpcore.inventory.transfers import ArrivedLine, ReceiveTransfer, receive_transfer
from erpcore.orders.amendment_rules import Amend
from erpcore.orders.amendments import StageAmendment, apply_amendments, stage_amendments
from erpcore.orders.models import ChangeKind, OrderHold
from erpcore.orders.services import NewLine
from erpcore.orders.substitution import DecideSubstitution, decide_substitution
from erpcore.purchasing.models import PurchaseOrder
from erpcore.purchasing.receiving import receive_purchased
from erpcore.purchasing.records import Purchase, lock_purchases
from erpcore.purchasing.services import (
    ConfirmedLine,
    ConfirmPurchase,
    EndPurchase,
    PlacePurchase,
    WantedLine,
    end_purchases,
    place_purchases,
)

Story = Iterator[None]
#: Of less than this the centre gives nothing away.
_PLENTY = 20


def supply_stories(shop: Shop, shelves: Shelves) -> tuple[Callable[[], Story], ...]:
    """The stories, each to be begun on an evening of its own."""
    supplies = Supplies(shop, shelves)
    return (supplies.wave, supplies.purchases, supplies.count, supplies.direct, supplies.substitutes, supplies.transfer)


class Supplies:
    """Stories of the same counter."""

    def __init__(self, shop: Shop, shelves: Shelves) -> None:
        self.shop, self.staff, self.shelves = shop, shop.desk.staff, shelves

    def purchases(self) -> Story:
        """One order comes as confirmed, with two pieces broken; one is confirmed short and late, and its rest given up."""
        shop = self.shop
        whole, short = self._buy((0, 40)), self._buy((1, 60))
        self._confirm(whole, 2)
        self._confirm(short, 5, Decimal(45))
        yield
        yield
        self._take_in(whole, Decimal(40), damaged=Decimal(2))
        self._take_in(short, Decimal(30))
        yield
        self._take_in(short, Decimal(10))
        with shop.work_as(self.staff["buyer"]) as work:
            end_purchases(work, [EndPurchase(purchase=short.id, reason="the rest comes too late")])

    def _buy(self, *wanted: tuple[int, int]) -> Purchase:
        lines = [WantedLine(item=self.shop.goods[good], quantity=Decimal(pieces)) for good, pieces in wanted]
        with self.shop.work_as(self.staff["buyer"]) as work:
            command = PlacePurchase(site=self.shop.site, supplier=self.shop.supplier, lines=lines)
            return place_purchases(work, [command], **self.shop.both)[0]

    def _confirm(self, purchase: Purchase, days: int, quantity: Decimal | None = None) -> None:
        self._confirm_for(purchase, [self.shop.day_after(days)] * len(purchase.lines), quantity)

    def _confirm_for(self, purchase: Purchase, days: Sequence[date], quantity: Decimal | None = None) -> None:
        """The supplier's word on each line: the day on which it comes."""
        said = [
            ConfirmedLine(line=line.id, on=day, quantity=quantity)
            for line, day in zip(purchase.lines, days, strict=True)
        ]
        with self.shop.work_as(self.staff["buyer"]) as work:
            command = ConfirmPurchase(purchase=purchase.id, lines=said, reference=f"AB-{purchase.id % 1000}")
            confirm_with_promises(work, [command])

    def _take_in(self, purchase: Purchase, quantity: Decimal, *, damaged: Decimal = Decimal(0)) -> None:
        (line,) = purchase.lines
        with self.shop.work("warehouse") as work:
            query = select(ExpectedReceipt.id).where(ExpectedReceipt.line_id == line.id)
            came = ReceivedLine(
                item=line.item_id, quantity=quantity, damaged=damaged, expected=work.session.scalar(query)
            )
            goods = ReceiveGoods(site=self.shop.site, paper=f"LS {purchase.id % 1000}", lines=[came])
            receive_purchased(work, goods, **self.shop.both)
        self.shelves.clear_dock()

    def direct(self) -> Story:
        """Windows to measure are sent by their maker straight to the customer, who has room for one of them first."""
        shop = self.shop
        line = NewLine(item=shop.made_to_measure, quantity=Decimal(2), drop_ship=True)
        order = shop.order_of([line], customer=1)
        change = Amend(kind=ChangeKind.SPLIT, line=order.lines[0].id, quantity=Decimal(1), day=shop.day_after(10))
        with shop.work("desk") as work:
            command = StageAmendment(
                order=order.id, by_customer=True, reason="room for one of them only", changes=[change]
            )
            (staged,) = stage_amendments(work, [command], **shop.both, senders=SUPPLIERS)
        with shop.work("desk") as work:
            apply_amendments(work, [staged.id], **shop.both, senders=SUPPLIERS)
        with shop.work_as(self.staff["buyer"]) as work:
            keys = list(work.session.scalars(select(PurchaseOrder.id).where(PurchaseOrder.order_id == order.id)))
            (purchase,) = lock_purchases(work, keys)
        later = purchase.lines[1].requested_on
        self._confirm_for(purchase, [shop.day_after(3), later])
        yield
        first = {purchase.lines[0].id: Decimal(1)}
        with shop.work_as(self.staff["buyer"]) as work:
            sent = ship_direct(work, ShipDirect(purchase=purchase.id, paper="LW 2210", lines=first), **shop.both)
        yield
        shop.arrive(order.id, [one.id for one in sent])
        while shop.today() < later:
            yield
        with shop.work_as(self.staff["buyer"]) as work:
            sent = ship_direct(work, ShipDirect(purchase=purchase.id, paper="LW 2214"), **shop.both)
        yield
        shop.arrive(order.id, [one.id for one in sent])

    def substitutes(self) -> Story:
        """What is short goes as another article: at once within its group, else when the lead has agreed."""
        shop = self.shop
        short = self._free(shop.goods[0]) + 15
        waiting = shop.order_of([NewLine(item=shop.goods[0], quantity=Decimal(short))], customer=0)
        line = waiting.lines[0].id
        yield
        self._take(line, Way.SUBSTITUTE)
        with shop.work("lead") as work:
            query = select(OrderHold.id).where(OrderHold.order_id == waiting.id, OrderHold.released_at.is_(None))
            hold = work.session.scalar(query)
        if hold is not None:
            with shop.work("lead") as work:
                answer = DecideSubstitution(hold=hold, approve=True, reason="the customer takes the pipes")
                decide_substitution(work, answer, **shop.both)
        shop.go_on(waiting.id)
        yield
        shop.send(waiting.id)

    def _take(self, line: int, way: str) -> None:
        """The first of the ways of that kind that is offered."""
        with self.shop.work("desk") as work:
            order, short = short_line(work, line)
            found = compare(work, self.shop.rules, self.shop.desk.cells, order, short)
            option = next(one for one in found if one.way == way and one.closed is None)
            choose(work, Choose(line=line, option=option.key, reason="he cannot wait"), **self.shop.both)

    def _free(self, item: int) -> int:
        return self._shelf(self.shop.site)[item]

    def _shelf(self, site: int) -> dict[int, int]:
        """Free pieces of each article at a site."""
        query = select(StockBalance).where(StockBalance.site_id == site)
        with self.shop.work_as(self.staff["buyer"]) as work:
            return {one.item_id: int(one.on_hand - one.reserved - one.blocked) for one in work.session.scalars(query)}

    def _plenty(self, site: int) -> int | None:
        """What the centre has most of, so that nobody there misses it; nothing before it is live."""
        if ("live", "DUI") not in self.shop.desk.open:
            return None
        pieces, item = max((free, -key) for key, free in self._shelf(site).items())
        return -item if pieces >= _PLENTY else None

    def wave(self) -> Story:
        """A wave of two orders is interrupted for the night; one place holds less than the book, one piece is broken."""
        shop = self.shop
        orders = [shop.order([(0, 6), (1, 4)], customer=1), shop.order([(2, 5)], customer=3)]
        yield
        with shop.work("supervisor") as work:
            parcel = work.session.scalars(select(CarrierService.id).where(CarrierService.code == "PARCEL")).one()
            # Its own two orders: what others brought may be picked at the desk while the wave rests.
            planned = PlanPickWave(site=shop.site, service=parcel, totes=2, orders=[one.id for one in orders])
            wave, tasks = plan_pick_wave(work, planned, **shop.both)
            release_pick_wave(work, wave.id)
        first = tasks[0]
        with shop.work("warehouse") as work:
            lines = start_task(work, first.id).lines
            confirm_pick(work, ConfirmPick(task=first.id, line=1, quantity=lines[0].quantity))
        with shop.work("supervisor") as work:
            interrupt_pick_wave(work, wave.id, "the gate closes")
        yield
        with shop.work("supervisor") as work:
            resume_pick_wave(work, wave.id)
        shipments: set[tuple[int, int]] = set()
        for task in tasks:
            shipments |= self._finish(task.id, is_first=task.id == first.id)
        for order in orders:
            keys = sorted(key for key, of in shipments if of == order.id)
            self._collected(keys)
            shop.arrive(order.id, keys)
        yield
        # What was broken is taken from the shelf once more.
        shop.go_on(orders[0].id, released=True)
        shop.send(orders[0].id)

    def _collected(self, shipments: Sequence[int]) -> None:
        """Each goes into a box, is weighed, and leaves with the carrier of its rule."""
        shop = self.shop
        with shop.work("warehouse") as work:
            box = work.session.scalars(select(CartonType.id).where(CartonType.code == "BOX")).one()
            pack_cartons(
                work, [PackCarton(shipment=key, carton_type=box, weight_kg=Decimal("14.2")) for key in shipments]
            )
        with shop.work("warehouse.two") as work:
            leaves = [ShipShipment(shipment=key, tracking_number=f"RTL{key:09}") for key in shipments]
            ship_shipments(work, leaves, **shop.both)

    def _finish(self, task: int, *, is_first: bool) -> set[tuple[int, int]]:
        with self.shop.work("warehouse.two") as work:
            lines = start_task(work, task).lines
            for number, line in enumerate(lines):
                left = line.quantity - line.picked
                if left <= 0:
                    continue
                if number == 1 and is_first:
                    one = ConfirmPick(task=task, line=line.line_no, quantity=left - 1000, damaged=1000)
                else:
                    one = ConfirmPick(task=task, line=line.line_no, quantity=left)
                confirm_pick(work, one)
            return {(one.id, one.order_id) for one in finish_pick(work, task, **self.shop.both).shipments}

    def count(self) -> Story:
        """A shelf holds fewer than the book: somebody else counts again, and a third person books what is missing."""
        shop = self.shop
        with shop.work("supervisor") as work:
            plan_counts(work, [PlanCount(site=shop.site, item=shop.goods[3])], **shop.both)
            query = select(CountTask.id).where(CountTask.site_id == shop.site, CountTask.item_id == shop.goods[3])
            task = work.session.scalars(query.order_by(CountTask.id.desc())).first() or 0
        book = self._free(shop.goods[3])
        self._count(task, "warehouse", book - 60)
        yield
        self._count(task, "warehouse.two", book - 58)
        with shop.work("lead") as work:
            decide_count(work, task, approved=True, note="sixty lay unlabelled in the yard and are gone", **shop.both)

    def _count(self, task: int, duty: str, found: int) -> None:
        with self.shop.work(duty) as work:
            start_count(work, task, **self.shop.both)
        with self.shop.work(duty) as work:
            record_count(work, task, Decimal(found), **self.shop.both)

    def transfer(self) -> Story:
        """Duisburg sends what the branch asks for; two pieces arrive broken, and one is lost on the way."""
        shop, centre = self.shop, self.shop.desk.world.nodes["live", "DUI"]
        while (found := self._plenty(centre.id)) is None:
            yield
        item = found
        with shop.work("lead") as work:
            command = AskTransfer(
                from_site=centre.id, to_site=shop.site, lines=[AskLine(item=item, quantity=Decimal(5))]
            )
            (asked,) = ask_transfers(work, [command], **shop.both)
        with shop.work_as(self.staff.at("DUI", "supervisor")) as work:
            decide_transfers(work, [DecideTransfer(order=asked.id, approve=True)], **shop.both)
        with shop.work_as(self.staff.at("DUI", "supervisor")) as work:
            sent = ship_asked(work, ShipAsked(order=asked.id), **shop.both)
        yield
        with shop.work("warehouse") as work:
            line = (
                work.session.scalar(select(StockTransferLine.id).where(StockTransferLine.transfer_id == sent.id)) or 0
            )
            arrived = ArrivedLine(line=line, quantity=Decimal(4), damaged=Decimal(2))
            receive_transfer(
                work, ReceiveTransfer(transfer=sent.id, lines=[arrived]), order_names=order_names, **shop.both
            )
        self.shelves.clear_dock()
        with shop.work("supervisor") as work:
            give_up(
                work, GiveUp(transfer=sent.id, line=line, quantity=Decimal(1), reason="fell off the truck"), **shop.both
            )
