"""What does not happen every day: quotes, changes of orders, scarce stock shared out, holds of every kind, papers of a fallback.

Each occasion is a story of some evenings at the Cologne branch, with customers, articles and dice of its own, so that the trading
of the day stays as it is. Everything goes through the services and in the names of those who may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from random import Random

from sqlalchemy import select

from app.composition.cases import (
    AssignCases,
    Document,
    NoteCases,
    SnoozeCases,
    Subject,
    assign_cases,
    note_cases,
    snooze_cases,
)
from app.composition.core_approvals import BY_RULES
from app.composition.paper import PaperLine, PaperOrder, enter_order
from app.composition.quote_approvals import accept, approve, decline
from app.composition.saved_views import SaveView, save_view
from app.demo.agreements import Agreements
from app.demo.desk import Desk, moment
from app.demo.goods import HERE, Shop
from app.demo.shelves import Shelves
from app.demo.supplies import supply_stories
from app.importers.priceapprovals import plan_now, settle
from app.importers.pricechanges import hand_in
from app.importers.pricelists import COLUMNS, read_list
from app.jobs.backorders import settle_backorders
from app.security.roles import Role
from erpcore.kernel.actor import Actor
from erpcore.orders.amendment_rules import Amend
from erpcore.orders.amendments import StageAmendment, apply_amendments, stage_amendments, withdraw_amendments
from erpcore.orders.documents import Order
from erpcore.orders.holds import HoldOrder, ReleaseHold, hold_orders, release_holds
from erpcore.orders.models import ChangeKind, HoldKind, OrderHold
from erpcore.orders.protections import ProtectStock, protect_stock
from erpcore.orders.quotes.accepting import AcceptQuote
from erpcore.orders.quotes.services import (
    DeclineQuote,
    NewQuote,
    Terms,
    enter_quotes,
    revise_quotes,
    send_quotes,
)
from erpcore.orders.runs import MoveLine, SimulateRun, commit_run, move_line, reject_run, simulate_run
from erpcore.orders.services import NewLine
from erpcore.orders.takeback import TakeBack, decide_take_back, take_back
from erpcore.pricing.flow import PriceListState
from erpcore.pricing.lists import SettleList
from readiness.waves.grants import declare_fallback, end_fallback

_SATURDAY = 5
Story = Iterator[None]


class Occasions:
    """Plays the stories, each from its own evening on; what waits for the next evening yields."""

    def __init__(self, desk: Desk) -> None:
        # Dice of their own: however many evenings there are, the days stay the same.
        self.desk = replace(desk, random=Random(desk.options.seed + 1))
        self.shop = Shop(self.desk)
        self.shelves = Shelves(self.shop)
        self.agreements = Agreements(self.shop, self.shelves)
        self._evening = 0
        self._running: list[Story] = []

    def evening(self, day: date, *, is_last: bool) -> None:
        """One working evening. None begins on the last one; a short demo ends in the middle of some."""
        if day.weekday() >= _SATURDAY or is_last or HERE not in self.desk.open:
            return
        self.desk.clock.set(max(self.desk.clock.now(), moment(day, 18, 15, "Europe/Berlin")))
        if self._evening == 0:
            self.shop.furnish()
            self.shelves.furnish()
            self.agreements.furnish()
        stories = (
            *self._stories(),
            *supply_stories(self.shop, self.shelves),
            *self.shelves.stories(),
            self.agreements.by_lane,
        )
        if self._evening < len(stories):
            self._running.append(stories[self._evening]())
        self._running = [story for story in self._running if next(story, "over") is None]
        self._evening += 1

    def end(self) -> None:
        """The floor is in the middle of its work when the demo ends, where it began any."""
        if self._evening:
            self.shelves.leave_work()

    def _stories(self) -> tuple[Callable[[], Story], ...]:
        return (
            self.quotes,
            *self.agreements.stories(),
            self.changes,
            self.shortage,
            self.holds,
            self.price,
            self.fallback,
            self.order_board,
        )

    def quotes(self) -> Story:
        """One is accepted at prices somebody else approved, one is revised and declined, one still waits for its
        answer, and one for somebody to agree to a price below the floor.
        """
        shop, made = self.shop, []
        offered: Sequence[tuple[int, tuple[int, int], str | None]] = (
            (0, (0, 40), "8.90"), (1, (1, 25), None), (2, (2, 60), None), (1, (3, 30), "12.40"),
        )  # fmt: skip
        for customer, (good, pieces), price in offered:
            line = NewLine(
                item=shop.goods[good], quantity=Decimal(pieces), unit_price=None if price is None else Decimal(price),
                price_reason=None if price is None else "a building site for the whole year",
            )  # fmt: skip
            terms = Terms(lines=[line], valid_until=shop.today() + timedelta(days=90), note="as spoken of by telephone")
            with shop.work("desk") as work:
                command = NewQuote(site=shop.site, channel=shop.channel, customer=shop.customers[customer], terms=terms)
                (quote,) = enter_quotes(work, [command], **shop.both)
            with shop.work("desk") as work:
                made += send_quotes(work, [quote.id], rules=shop.rules, authority=BY_RULES)
        if made[0].state == "waiting":
            with shop.work("lead") as work:
                approve(work, made[0].id)
        yield
        with shop.work("desk.two") as work:
            (order,) = accept(work, [AcceptQuote(quote=made[0].id, customer_reference="B-4711")], **shop.both)
        shop.go_on(order.id)
        with shop.work("desk") as work:
            (again,) = revise_quotes(work, [made[1].id], rules=shop.rules)
        with shop.work("desk") as work:
            send_quotes(work, [again.id], rules=shop.rules, authority=BY_RULES)
        yield
        shop.send(order.id)
        with shop.work("desk") as work:
            decline(work, [DeclineQuote(quote=again.id, reason="bought elsewhere", by_customer=True)])

    def changes(self) -> Story:
        """The customer calls after the release: more of one, none of another, something else, another day and address."""
        shop = self.shop
        order = shop.order([(0, 10), (1, 6), (2, 4)], customer=0)
        lines = [line.id for line in order.lines]
        yield
        asked = [
            Amend(kind=ChangeKind.QUANTITY, line=lines[0], quantity=Decimal(14)),
            Amend(kind=ChangeKind.DROP, line=lines[1]),
            Amend(kind=ChangeKind.ADD, item=shop.goods[3], quantity=Decimal(5)),
            Amend(kind=ChangeKind.DATE, line=lines[2], day=shop.day_after(3)),
            Amend(kind=ChangeKind.ADDRESS, line=lines[2], ship_to=shop.second_address),
        ]
        self._amend(order, asked, "the site starts later")
        unwanted = self._stage(order, [Amend(kind=ChangeKind.QUANTITY, line=lines[0], quantity=Decimal(2))], "too many")
        with shop.work("desk") as work:
            withdraw_amendments(work, [unwanted])
        shop.go_on(order.id, released=True)
        yield
        shop.send(order.id)

    def _stage(self, order: Order, asked: list[Amend], reason: str) -> int:
        with self.shop.work("desk") as work:
            command = StageAmendment(order=order.id, by_customer=True, reason=reason, changes=asked)
            return stage_amendments(work, [command], **self.shop.both)[0].id

    def _amend(self, order: Order, asked: list[Amend], reason: str) -> None:
        staged = self._stage(order, asked, reason)
        with self.shop.work("desk") as work:
            apply_amendments(work, [staged], **self.shop.both)

    def shortage(self) -> Story:
        """Four articles run out, each shared out by another rule: simulated, ranked by hand, committed, and taken back."""
        shop, scarce = self.shop, self.shop.scarce
        with shop.work("lead") as work:
            kept = ProtectStock(
                site=shop.site, item=scarce[2], customer=shop.customers[2], quantity=Decimal(4), contract="Rahmen 88",
                valid_from=shop.today(),
            )  # fmt: skip
            protect_stock(work, [kept])
        waiting = [
            shop.order_of([NewLine(item=item, quantity=Decimal(pieces)) for item in scarce], customer=customer)
            for customer, pieces in ((1, 10), (3, 6), (2, 10))
        ]
        yield
        for item in scarce:
            shop.receive(item, 12, serves=False)
        with shop.work("supervisor") as work:
            looked = simulate_run(work, SimulateRun(site=shop.site), **shop.both)
        with shop.work("lead") as work:
            reject_run(work, looked.id, "the key account is not asked yet")
        with shop.work("supervisor") as work:
            run = simulate_run(work, SimulateRun(site=shop.site), **shop.both)
        with shop.work("lead") as work:
            line = next(line.id for line in waiting[1].lines if line.item_id == scarce[3])
            move_line(work, MoveLine(run=run.id, line=line, rank=1, reason="his scaffold stands"), **shop.both)
        with shop.work("supervisor") as work:
            commit_run(work, run.id, **shop.both)
        yield
        self._take_back(waiting)
        settle_backorders(self.desk.database, clock=self.desk.clock)
        yield
        for order in waiting:
            shop.send(order.id)
        yield
        for item in scarce:
            shop.receive(item, 20)
        yield
        for order in waiting:
            shop.send(order.id)

    def _take_back(self, waiting: list[Order]) -> None:
        """Two pieces of the second customer go to the key account; a lead asks, and the process owner agrees."""
        shop = self.shop
        lines = {order.id: shop.line_of(order.id, shop.scarce[3]) for order in waiting}
        loser, winner = lines[waiting[1].id], lines[waiting[2].id]
        command = TakeBack(line=loser, to=winner, quantity=1000, reason="the frame contract comes first")
        with shop.work("lead") as work:
            (asked,) = take_back(work, [command], **shop.both)
        if asked.wish is not None:
            with shop.work_as(self.desk.staff["process"]) as work:
                decide_take_back(work, asked.wish, agreed=True, note="as the contract says", **shop.both)

    def holds(self) -> Story:
        """Every kind of doubt stops an order, and whoever may settles it."""
        shop, kinds = self.shop, (HoldKind.MANUAL, HoldKind.DATA, HoldKind.ADDRESS, HoldKind.EXPORT, HoldKind.DUPLICATE)
        orders = [
            shop.capture([NewLine(item=shop.goods[n % 4], quantity=Decimal(2 + n))], customer=n % 4)
            for n, _ in enumerate(kinds)
        ]
        for order, kind in zip(orders, kinds, strict=True):
            with shop.work("desk") as work:
                hold_orders(work, [HoldOrder(order=order.id, kind=kind, reason=_DOUBTS[kind])])
        given = NewLine(
            item=shop.goods[1], quantity=Decimal(20), unit_price=Decimal("3.40"), price_reason="to win back the account"
        )  # fmt: skip
        orders.append(shop.capture([given], customer=2))
        self._look_after(orders)
        yield
        for order in orders:
            self._settle(order)
            shop.go_on(order.id)
        yield
        for order in orders:
            shop.send(order.id)

    def _settle(self, order: Order) -> None:
        query = select(OrderHold.id, OrderHold.permission).where(
            OrderHold.order_id == order.id, OrderHold.released_at.is_(None)
        )
        with self.shop.work("lead") as work:
            found = work.session.execute(query).all()
        for hold, permission in found:
            who = next(one for one in self._deciders() if one.may(permission))
            with self.shop.work_as(who) as work:
                release_holds(work, [ReleaseHold(hold=hold, reason="asked the customer; it is as it should be")])

    def _deciders(self) -> tuple[Actor, ...]:
        staff = self.desk.staff
        return (staff.at("KOL", "lead"), staff["process"], staff["collections"], staff["finance"], staff["data"])

    def _look_after(self, orders: list[Order]) -> None:
        """Who looks after which of them, with a word, and one left alone until tomorrow."""
        shop = self.shop
        documents = [Document(subject=Subject.ORDER, id=order.id, site=shop.site) for order in orders]
        with shop.work("lead") as work:
            assign_cases(
                work, AssignCases(documents=documents[:2], person=self.desk.staff.ids["kol.desk"], note="please call")
            )
            assign_cases(work, AssignCases(documents=documents[2:4], role=Role.CUSTOMER_SERVICE))
            note_cases(work, NoteCases(documents=documents[:1], text="the customer is on holiday until Thursday"))
            snooze_cases(
                work, SnoozeCases(documents=documents[4:5], until=work.now + timedelta(days=1), reason="he calls back")
            )

    def price(self) -> Story:
        """A list of prices comes as a file, is looked at and applied; one that lowers a price is approved by another person, and
        one waits.
        """
        shop = self.shop
        day = shop.day_after(7)
        rows = [
            {"kind": "list", "item": code, "unit_price": str(price), "currency": "EUR", "valid_from": day.isoformat()}
            for code, price in shop.new_prices()
        ]
        text = "\n".join([",".join(COLUMNS), *(",".join(row.get(name, "") for name in COLUMNS) for row in rows)])
        read = read_list("autumn.csv", BytesIO(text.encode()))
        owner = self.desk.staff["data"]
        with shop.work_as(owner) as work:
            kept = hand_in(work, shop.entity, read)
        self._settle_list(kept, "the suppliers have raised theirs")
        yield
        lowered = [
            {
                **row,
                "kind": "promotion",
                "unit_price": str((Decimal(row["unit_price"]) * Decimal("0.70")).quantize(Decimal("0.01"))),
            }
            for row in rows[:2]
        ]
        text = "\n".join([",".join(COLUMNS), *(",".join(row.get(name, "") for name in COLUMNS) for row in lowered)])
        read = read_list("house-fair.csv", BytesIO(text.encode()))
        with shop.work_as(owner) as work:
            kept = hand_in(work, shop.entity, read)
        self._settle_list(kept, "the house fair of the Cologne branch")

    def _settle_list(self, kept: int, why: str) -> None:
        """Apply the list where its rules ask nobody; else ask, and have those who are asked agree."""
        staff, shop = self.desk.staff, self.shop
        with shop.work_as(staff["data"]) as work:
            seen = plan_now(work, kept, rules=shop.rules).digest
            state = settle(work, SettleList(list=kept, move="ask", reason=why, seen=seen), rules=shop.rules).state
        for who in (staff["process"], staff["finance"]):
            if state == PriceListState.ASKED:
                with shop.work_as(who) as work:
                    decided = SettleList(list=kept, move="approve", reason="looked through row by row", seen=seen)
                    state = settle(work, decided, rules=shop.rules).state

    def fallback(self) -> Story:
        """The line is cut for an evening: what was sold on paper is entered the same night, under the paper's number."""
        shop, clock = self.shop, self.desk.clock
        with shop.work("lead") as work:
            declare_fallback(work, shop.site, reason="an excavator cut the line")
        began = clock.now()
        clock.advance(timedelta(minutes=70))
        with shop.work("lead") as work:
            end_fallback(work, shop.site, reason="the line is mended")
        for number, (good, pieces) in enumerate(((0, 3), (1, 8)), 1):
            paper = PaperOrder(
                site=shop.site, channel=shop.channel, customer=shop.customers[number], number=f"KOL-P-{number:03}",
                taken_at=began + timedelta(minutes=10 * number), left_at=began + timedelta(minutes=10 * number + 4),
                delivered_at=began + timedelta(minutes=10 * number + 5),
                lines=[PaperLine(item=shop.goods[good], quantity=Decimal(pieces))],
            )  # fmt: skip
            with shop.work_as(self.desk.staff["superuser.kol"], source="back-entry") as work:
                order = enter_order(work, paper, **shop.both)
            shop.bill(order.id)
        yield

    def order_board(self) -> Story:
        """People keep the lists they work with."""
        shop = self.shop
        for duty, name, views in _VIEWS:
            with shop.work(duty) as work:
                for list_name, filters, shared in views:
                    save_view(work, SaveView(list_name=list_name, name=name, filters=filters, share=shared))
        yield


_DOUBTS = {
    HoldKind.MANUAL: "the customer wants to think it over",
    HoldKind.DATA: "the name on the order is not the one we know",
    HoldKind.ADDRESS: "no house number",
    HoldKind.EXPORT: "goes on to a building site abroad",
    HoldKind.DUPLICATE: "the same fax came twice",
}
_VIEWS = (
    ("desk", "Mine to call", (("exceptions", {"queue": ["blocked"]}, False),)),
    ("lead", "Blocked at Cologne", (("exceptions", {"queue": ["blocked"]}, True),)),
)
