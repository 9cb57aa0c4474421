"""How the branch keeps its shelves: zones and places, lots and serial numbers, pallets, goods put away and picked by zone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import select

from app.composition.order_names import order_names
from app.demo.goods import Shop
from erpcore.fulfilment.carriers.models import Trouble, TroubleKind
from erpcore.fulfilment.carriers.troubles import Report, keep_proof, report_trouble, resolve_trouble, settle_freight
from erpcore.fulfilment.floor.models import PickMethod
from erpcore.fulfilment.floor.picking import ConfirmPick, confirm_pick, finish_pick, start_task
from erpcore.fulfilment.floor.waves import PlanPickWave, plan_pick_wave, release_pick_wave
from erpcore.fulfilment.packing.models import CartonType
from erpcore.fulfilment.packing.services import PackCarton, pack_cartons
from erpcore.fulfilment.services import DeliverShipment, deliver_shipments
from erpcore.fulfilment.shipping import ShipShipment, ship_shipments
from erpcore.fulfilment.taking_back import take_back_shipment
from erpcore.inventory.cost_kinds import CostMethod, LateCostKind
from erpcore.inventory.costing.choosing import ChooseCosting, choose_costing
from erpcore.inventory.costing.late import AddLateCost, add_late_costs
from erpcore.inventory.count_plan import OPEN_STATES, PlanCount, plan_counts, plan_due_counts, set_cadence
from erpcore.inventory.counting import decide_count, record_count, start_count
from erpcore.inventory.documents import CountState, CountTask, ExpectedReceipt, StockArrival
from erpcore.inventory.models import LocationKind, Lot, StockStatus
from erpcore.inventory.places import AddLocation, KeepItem, add_locations, add_zone, keep_item
from erpcore.inventory.receiving import ReceivedLine, ReceiveGoods
from erpcore.inventory.shifting import MoveBin, PutAway, move_bins, put_away
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Tracking
from erpcore.masterdata.services import NewItem, add_items
from erpcore.masterdata.suppliers import OfferItem, offer_items
from erpcore.masterdata.units import AddPack, add_packs
from erpcore.orders.services import NewLine
from erpcore.pricing.newprice import NewPrice
from erpcore.pricing.services import add_prices
from erpcore.purchasing.receiving import receive_purchased
from erpcore.purchasing.services import PlacePurchase, WantedLine, place_purchases

Story = Iterator[None]
_SINCE = date(2020, 1, 1)
#: Code, name, how it is tracked, cost, price, class.
_ARTICLES = (
    ("90-1301", "Flexible tile adhesive C2, 25 kg", Tracking.LOT, "9.80", "15.90", "A"),
    ("90-1302", "Sanitary silicone 310 ml", Tracking.LOT, "2.60", "4.80", "A"),
    ("90-1303", "Angle grinder 125 mm", Tracking.SERIAL, "61.00", "98.00", "B"),
)
_ADHESIVE, _SILICONE, _GRINDER = range(3)
#: Article, code of the pack, name, pieces in it, barcode.
_PACKS = (
    (_ADHESIVE, "PAL", "Pallet", 24, "4099999130112"),
    (_SILICONE, "CTN", "Carton", 12, "4099999130211"),
)
_ZONES = (("HALL", "Hall"), ("YARD", "Yard under roof"))
#: Code, kind, zone, place on the way.
_PLACES = (
    ("DOCK", LocationKind.RECEIVING, None, 0), ("H-01-1", LocationKind.STORAGE, "HALL", 10),
    ("H-01-2", LocationKind.STORAGE, "HALL", 20), ("H-02-1", LocationKind.STORAGE, "HALL", 30),
    ("Y-01", LocationKind.STORAGE, "YARD", 40), ("Y-02", LocationKind.STORAGE, "YARD", 50),
    ("Q-01", LocationKind.QUARANTINE, None, 90),
)  # fmt: skip
#: Days between two counts by class, and how many shelves two people count on an evening.
_CADENCE, _AN_EVENING = {"A": 21, "B": 120}, 30
_EVENINGS, _SLIP = 4, 15
"""Evenings of counting. On every so many shelves one piece more or less is found."""


class Shelves:
    """The places of the branch and what lies there."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.staff = shop, shop.desk.staff
        self.places: dict[str, int] = {}
        self.goods: list[int] = []

    def stories(self) -> tuple[Callable[[], Story], ...]:
        """Each to be begun on an evening of its own, in this order."""
        return (self.lots, self.troubles, self.counts)

    def furnish(self) -> None:
        """Zones and places, articles that are known by lot or piece, their packs, and how often each class is counted."""
        shop = self.shop
        with shop.work("supervisor") as work:
            for code, name in _ZONES:
                add_zone(work, shop.site, code, name)
            made = add_locations(
                work,
                [
                    AddLocation(site=shop.site, code=code, kind=kind, zone=zone, walk=walk)
                    for code, kind, zone, walk in _PLACES
                ],
            )
            self.places = {code: key for (code, *_), key in zip(_PLACES, made, strict=True)}
            for abc, days in _CADENCE.items():
                set_cadence(work, shop.site, abc, days)
        with shop.work_as(Actor.system("demo")) as work:
            rows = add_items(
                work,
                [
                    NewItem(entity=shop.entity, code=code, name=name, abc=abc, standard_cost=Decimal(cost))
                    for code, name, _, cost, _, abc in _ARTICLES
                ],
            )
            self.goods = [row.id for row in rows]
            add_prices(
                work,
                [
                    NewPrice(
                        entity=shop.entity, item=key, unit_price=Decimal(price), currency="EUR", valid_from=_SINCE
                    )
                    for key, (*_, price, _) in zip(self.goods, _ARTICLES, strict=True)
                ],
            )  # fmt: skip
            offer_items(
                work,
                [
                    OfferItem(supplier=shop.supplier, item=key, price=Decimal(cost))
                    for key, (_, _, _, cost, *_) in zip(self.goods, _ARTICLES, strict=True)
                ],
            )
            for key, (_, _, tracking, *_) in zip(self.goods, _ARTICLES, strict=True):
                keep_item(work, KeepItem(item=key, tracking=tracking))
            add_packs(
                work,
                [
                    AddPack(item=self.goods[good], code=code, name=name, numerator=pieces, barcode=barcode)
                    for good, code, name, pieces, barcode in _PACKS
                ],
            )

    def lots(self) -> Story:
        """Two lots come by pallet, one past its last day; grinders come by number. A customer's order is picked zone by zone.

        From then on the branch keeps cost layers; the forwarder's invoice comes when part of the goods is sold.
        """
        shop = self.shop
        today = shop.today()
        wanted = (("PAL", _ADHESIVE, 2), ("CTN", _SILICONE, 10), (None, _GRINDER, 6))
        lines = [WantedLine(item=self.goods[good], quantity=Decimal(n), unit=unit) for unit, good, n in wanted]
        with shop.work_as(self.staff["buyer"]) as work:
            (purchase,) = place_purchases(
                work, [PlacePurchase(site=shop.site, supplier=shop.supplier, lines=lines)], **shop.both
            )
        with shop.work_as(self.staff["finance"]) as work:
            reason = "The auditor asks what pallets cost that lie here longest"
            choose_costing(work, [ChooseCosting(site=shop.site, method=CostMethod.FIFO, reason=reason)])
        yield
        adhesive, silicone, grinder = self.goods
        expected = self._expected(purchase.id)
        numbers = [f"AG125-{7300 + n}" for n in range(6)]

        def came(item: int, pieces: int, **more: object) -> ReceivedLine:
            return ReceivedLine(item=item, quantity=Decimal(pieces), expected=expected[item], **more)  # type: ignore[arg-type]  # by name

        parts = [
            came(adhesive, 1, unit="PAL", lot="C2-2608", expires_on=today + timedelta(days=160)),
            came(adhesive, 1, unit="PAL", lot="C2-2611", expires_on=today + timedelta(days=270)),
            came(silicone, 9, unit="CTN", lot="S-118", expires_on=today + timedelta(days=400)),
            came(silicone, 1, unit="CTN", lot="S-094", expires_on=today - timedelta(days=3)),
            came(grinder, 6, serials=numbers),
        ]
        with shop.work("warehouse") as work:
            goods = ReceiveGoods(site=shop.site, paper="LS 88120", lines=parts)
            receipt = receive_purchased(work, goods, **shop.both)
        self.clear_dock()
        self._set_aside(silicone, "S-094")
        yield
        sold = [
            NewLine(item=adhesive, quantity=Decimal(1), unit="PAL"),
            NewLine(item=adhesive, quantity=Decimal(4)),
            NewLine(item=silicone, quantity=Decimal(2), unit="CTN"),
            NewLine(item=grinder, quantity=Decimal(2)),
        ]
        order = shop.order_of(sold, customer=1)
        shipments = {one for zone, _ in _ZONES for one in self._pick_zone(order.id, zone)}
        yield
        self.arrive_signed(order.id, self.leave(sorted(shipments), on="PALLET", kg="738"), "J. Orth", "at the ramp")
        yield
        freight = AddLateCost(
            receipt=receipt.id, paper="FR 20871", amount=Decimal("96.00"), kind=LateCostKind.FREIGHT,
            note="Two pallets and a parcel from Neuss, billed after the goods came",
        )  # fmt: skip
        with shop.work_as(self.staff["finance"]) as work:
            add_late_costs(work, [freight])

    def _expected(self, purchase: int) -> Mapping[int, int]:
        query = select(ExpectedReceipt.item_id, ExpectedReceipt.id).where(ExpectedReceipt.document_id == purchase)
        with self.shop.work("warehouse") as work:
            return {row.item_id: row.id for row in work.session.execute(query)}

    def clear_dock(self) -> None:
        """What waits at the dock is put away: heavy goods under the roof, small ones in the hall, others on their usual shelf."""
        shop, dock = self.shop, self.places["DOCK"]
        query = (
            select(StockArrival)
            .where(StockArrival.site_id == shop.site, StockArrival.put_away < StockArrival.quantity)
            .order_by(StockArrival.id)
        )
        with shop.work("warehouse.two") as work:
            waiting = [(one.item_id, one.slot, one.quantity - one.put_away) for one in work.session.scalars(query)]
            put_away(
                work,
                [
                    PutAway(
                        site=shop.site, item=item, quantity=left, source=dock, location=self._shelf_of(item),
                        lot=int(slot.split("/")[1]) or None,
                    )
                    for item, slot, left in waiting
                ],
                order_names=order_names, **shop.both,
            )  # fmt: skip

    def _set_aside(self, item: int, lot: str) -> None:
        """What came too old blocks the dock no longer, and waits for the supplier's lorry."""
        shop = self.shop
        with shop.work("warehouse.two") as work:
            key = work.session.scalars(select(Lot.id).where(Lot.item_id == item, Lot.code == lot)).one()
            carried = MoveBin(
                site=shop.site, item=item, quantity=Decimal(12), source=self.places["DOCK"], location=self.places["Q-01"],
                lot=key, status=StockStatus.QUARANTINE,
            )  # fmt: skip
            move_bins(work, [carried], order_names=order_names, **shop.both)

    def _shelf_of(self, item: int) -> int | None:
        usual = dict(zip(self.goods, ("Y-01", "H-01-1", "H-02-1"), strict=True))
        return self.places[usual[item]] if item in usual else None

    def _pick_zone(self, order: int, zone: str) -> list[int]:
        """A wave of the zone's part of an order, one round; returns its shipments."""
        shop = self.shop
        with shop.work("supervisor") as work:
            planned = PlanPickWave(site=shop.site, zone=zone, method=PickMethod.ZONE, totes=4, orders=[order])
            wave, tasks = plan_pick_wave(work, planned, **shop.both)
            release_pick_wave(work, wave.id)
        done: list[int] = []
        for task in tasks:
            with shop.work("warehouse") as work:
                for line in start_task(work, task.id).lines:
                    confirm_pick(work, ConfirmPick(task=task.id, line=line.line_no, quantity=line.quantity))
                done += [one.id for one in finish_pick(work, task.id, **shop.both).shipments]
        return done

    def leave(self, shipments: Sequence[int], *, on: str = "BOX", kg: str = "24.6") -> Sequence[int]:
        """Each is packed, weighed, labelled and handed to the carrier of its rule."""
        shop = self.shop
        with shop.work("warehouse") as work:
            box = work.session.scalars(select(CartonType.id).where(CartonType.code == on)).one()
            pack_cartons(work, [PackCarton(shipment=key, carton_type=box, weight_kg=Decimal(kg)) for key in shipments])
        with shop.work("warehouse.two") as work:
            leaves = [ShipShipment(shipment=key, tracking_number=f"RTL{key:09}") for key in shipments]
            ship_shipments(work, leaves, **shop.both)
        return shipments

    def arrive_signed(self, order: int, shipments: Sequence[int], name: str, note: str) -> None:
        """Somebody signs for what arrives; it is billed, and the carrier's charge is settled."""
        shop = self.shop
        with shop.work("supervisor") as work:
            missed = select(Trouble.id).where(Trouble.shipment_id.in_(shipments), Trouble.resolved_at.is_(None))
            for key in work.session.scalars(missed).all():
                resolve_trouble(work, key, "left with the collection of the next morning")
            for key in shipments:
                deliver_shipments(work, [DeliverShipment(shipment=key)], **shop.both)
                keep_proof(work, key, name, note)
            for key in shipments:
                settle_freight(work, key, 4_350)
        shop.bill(order)

    def troubles(self) -> Story:
        """A shipment is late, one was thought lost, one is refused at the door and comes again; somebody looks after each until it is settled."""
        shop = self.shop
        orders = [shop.order([wanted], customer=number) for number, wanted in enumerate(((2, 7), (3, 9), (2, 5)))]
        sent = [self.leave(self._pick(one.id)) for one in orders]
        yield
        owner = self.staff.ids["kol.desk"]
        reports = (
            Report(
                shipment=sent[0][0], kind=TroubleKind.DELAYED, reason="closed motorway, the lorry turned back",
                expected_on=shop.day_after(1), owner=owner,
            ),
            Report(shipment=sent[1][0], kind=TroubleKind.LOST, reason="no scan since the depot", owner=owner),
            Report(shipment=sent[2][0], kind=TroubleKind.REFUSED, reason="nobody at the site signs", owner=owner),
        )  # fmt: skip
        with shop.work("desk") as work:
            late, lost, refused = report_trouble(work, reports)
        yield
        with shop.work("desk") as work:
            resolve_trouble(work, late.id, "came a day later; the customer was told at noon")
            resolve_trouble(work, refused.id, "his foreman takes it from seven to nine")
        self.arrive_signed(orders[0].id, sent[0], "M. Pauels", "one day late")
        self.arrive_signed(orders[2].id, sent[2], "H. Kolb", "second attempt")
        yield
        with shop.work("desk.two") as work:
            resolve_trouble(work, lost.id, "stood at the depot without its label; goes out tomorrow")
        yield
        self._arrive_broken(orders[1].id, sent[1])

    def _pick(self, order: int) -> list[int]:
        shop = self.shop
        with shop.work("supervisor") as work:
            wave, tasks = plan_pick_wave(work, PlanPickWave(site=shop.site, orders=[order]), **shop.both)
            release_pick_wave(work, wave.id)
        with shop.work("warehouse.two") as work:
            for line in start_task(work, tasks[0].id).lines:
                confirm_pick(work, ConfirmPick(task=tasks[0].id, line=line.line_no, quantity=line.quantity))
            return [one.id for one in finish_pick(work, tasks[0].id, **shop.both).shipments]

    def _arrive_broken(self, order: int, shipments: Sequence[int]) -> None:
        """What was found again has suffered: two pieces arrive damaged, and the rest is billed."""
        shop = self.shop
        line = shop.line_of(order, shop.goods[3])
        with shop.work("supervisor") as work:
            one = DeliverShipment(shipment=shipments[0], damaged={line: 2000}, damage_reason="crushed at the depot")
            deliver_shipments(work, [one], **shop.both)
            keep_proof(work, shipments[0], "R. Orth", "two pieces crushed, seen by the driver")
        shop.bill(order)

    def counts(self) -> Story:
        """Shelves whose turn it is are counted blind, some an evening; what differs a second person counts, a third one books."""
        shop = self.shop
        with shop.work("supervisor") as work:
            plan_due_counts(work, shop.site)
        for evening in range(_EVENINGS):
            for number, task in enumerate(self._open_counts()[:_AN_EVENING]):
                off = number % _SLIP == _SLIP - 1
                state = self._count(task, "warehouse", -1 if off else 0)
                if state == CountState.RECOUNT:
                    state = self._count(task, "warehouse.two", -1)
                if state == CountState.PROPOSED:
                    with shop.work("lead") as work:
                        decide_count(work, task, approved=True, note="looked for it in the row", **shop.both)
            if evening < _EVENINGS - 1:
                yield

    def leave_work(self) -> None:
        """What stands on the floor when the demo ends: a wave half picked, a shipment taken back, shelves being counted."""
        shop = self.shop
        for good in (2, 3):
            shop.receive(shop.goods[good], 60)
        back, *orders = (shop.order([wanted], customer=n) for n, wanted in enumerate(((2, 6), (3, 8), (2, 4), (3, 5))))
        (shipment,) = self._pick(back.id)
        with shop.work("warehouse.two") as work:
            take_back_shipment(work, shipment, "the customer asks us to wait for the scaffold", cells=shop.desk.cells)
        with shop.work("supervisor") as work:
            planned = PlanPickWave(site=shop.site, method=PickMethod.ORDER, orders=[one.id for one in orders])
            wave, (first, *_) = plan_pick_wave(work, planned, **shop.both)
            release_pick_wave(work, wave.id)
        with shop.work("warehouse") as work:
            line = start_task(work, first.id).lines[0]
            confirm_pick(work, ConfirmPick(task=first.id, line=line.line_no, quantity=line.quantity - 1000))
        with shop.work("supervisor") as work:
            asked = plan_counts(work, [PlanCount(site=shop.site, item=good) for good in shop.goods[:4]], **shop.both)
        with shop.work("warehouse.two") as work:
            start_count(work, asked[0], **shop.both)

    def _open_counts(self) -> list[int]:
        query = (
            select(CountTask.id)
            .where(CountTask.site_id == self.shop.site, CountTask.state == OPEN_STATES[0])
            .order_by(CountTask.id)
        )
        with self.shop.work("supervisor") as work:
            return list(work.session.scalars(query))

    def _count(self, task: int, duty: str, off: int) -> CountState:
        """Begin and end a count, so many pieces off the book; returns what becomes of it."""
        shop = self.shop
        with shop.work(duty) as work:
            start_count(work, task, **shop.both)
        with shop.work(duty) as work:
            book = work.session.scalar(select(CountTask.opening_book).where(CountTask.id == task)) or Decimal(0)
            return record_count(work, task, max(Decimal(0), book + off), **shop.both).state
