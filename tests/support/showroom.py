"""A small business in which every page of the desk, of supply and of the warehouse has something to show."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from app.composition.letter_consumer import LetterConsumer
from app.composition.letters import Event, Situation, keep_contact, save_script, save_template
from app.importers.pricechanges import hand_in
from app.importers.pricelists import COLUMNS, read_list
from app.jobs.consumers import ConsumerRunner
from erpcore.fulfilment.branch.services import AskLine, AskTransfer, ask_transfers
from erpcore.inventory.adjusting import Adjust, adjust
from erpcore.inventory.count_plan import PlanCount, plan_counts
from erpcore.inventory.stock import ChangeStock, open_stock, receive_stock
from erpcore.masterdata.addresses import AddressContent, add_address
from erpcore.masterdata.commitments import NewCommitment, keep_commitments
from erpcore.masterdata.lanes import KeepLane, keep_lanes
from erpcore.masterdata.services import ensure_customer_group
from erpcore.masterdata.substitutes import KeepSubstitute, keep_substitutes
from erpcore.orders.amendment_rules import Amend
from erpcore.orders.amendments import StageAmendment, stage_amendments
from erpcore.orders.models import ChangeKind
from erpcore.orders.protections import ProtectStock, protect_stock
from erpcore.orders.runs import SimulateRun, simulate_run
from tests.support.core import OPEN, RULES, Business
from tests.support.operate import Operating, a_trading_business
from tests.support.policies import approve, ask_for
from tests.support.pricing import a_price, an_entered, save
from tests.support.quotes import entered, sent
from tests.support.steps import allocated, captured, released
from tests.support.supply import a_supplier, confirmed, ordered, took_in
from tests.support.warehouse import ANNA, day, locations, second_site


@dataclass
class Showroom:
    """Ids of what is there to be opened, by what it is."""

    business: Business
    trade: Operating
    branch: int
    short_item: int
    waiting: tuple[int, ...]
    waiting_lines: tuple[int, ...]
    held: int
    run: int
    amended: int
    amendment: int
    draft_quote: int
    sent_quote: int
    asked_quote: int
    purchase: int
    supplier: int
    transfer: int
    price_list: int
    asked_value: int
    address: int
    count: int
    adjustment: int

    @property
    def places(self) -> dict[str, int]:
        """What stands between braces in the addresses of pages."""
        return {
            "site": self.business.site, "customer": self.business.customer, "item": self.short_item, "run": self.run,
            "order": self.amended, "amendment": self.amendment, "waits": self.waiting[0], "line": self.waiting_lines[0],
            "quote": self.sent_quote, "draft": self.draft_quote, "asked": self.asked_quote, "purchase": self.purchase,
            "supplier": self.supplier, "transfer": self.transfer, "list": self.price_list, "value": self.asked_value,
            "address": self.address, "held": self.trade.held, "released": self.trade.released,
            "allocated": self.trade.allocated, "shipment": self.trade.shipment,
        }  # fmt: skip


def a_showroom(database, clock) -> Showroom:
    """Bautechnik and its neighbours trade at Duisburg; the Hamburg branch helps out; one item is short."""
    trade = a_trading_business(database, clock)
    business = trade.business
    branch = _places(business)
    short, waiting, lines, held = _scarce(business, clock)
    amended, amendment = _changed(business)
    quotes = _quotes(business)
    purchase, supplier, transfer = _supply(business, branch)
    price_list = _prices(business)
    asked_value = _policies(business)
    address = _letters(business, database, clock)
    with business.work() as work:
        run = simulate_run(work, SimulateRun(site=business.site, item=short), rules=RULES, cells=OPEN).id
    count, adjustment = _counted(business)
    return Showroom(
        business=business, trade=trade, branch=branch, short_item=short, waiting=waiting, waiting_lines=lines, held=held,
        run=run, amended=amended, amendment=amendment, draft_quote=quotes[0], sent_quote=quotes[1], asked_quote=quotes[2],
        purchase=purchase, supplier=supplier, transfer=transfer, price_list=price_list, asked_value=asked_value,
        address=address, count=count, adjustment=adjustment,
    )  # fmt: skip


def _places(business: Business) -> int:
    branch = second_site(business)
    from tests.support.operate import open_cells

    open_cells(business, site=branch)
    locations(business, "A-01-1", "A-01-2", "B-02-1")
    with business.work() as work:
        change = ChangeStock(site=branch, item=business.items[0], quantity=Decimal(300), note="opening")
        open_stock(work, [change], rules=RULES, cells=OPEN)
        keep_lanes(work, [
            KeepLane(site=business.site, country="Germany", transit_days=1, cost_minor=650),
            KeepLane(site=branch, country="Germany", transit_days=2, cost_minor=1400),
        ])  # fmt: skip
        group = ensure_customer_group(work, "key", "Key accounts").id
        keep_commitments(
            work,
            [
                NewCommitment(
                    site=business.site, channel=business.channel, group=group, lead_days=1, basis="delivery", transit_days=1,
                    weekdays=2 | 16, fill_target_permille=985, valid_from=day(3),
                )
            ],
        )  # fmt: skip
    return branch


def _scarce(business: Business, clock) -> tuple[int, tuple[int, ...], tuple[int, ...], int]:
    """Somebody holds all that there was of the second item, three more wait for it, and some has come since."""
    short = business.items[1]
    holder = allocated(business, [(1, 60)])
    orders = []
    for quantity in (60, 40, 25):
        clock.advance(timedelta(minutes=7))
        orders.append(allocated(business, [(1, quantity), (0, 2)]))
    with business.work() as work:
        change = ChangeStock(site=business.site, item=short, quantity=Decimal(30), note="delivery")
        receive_stock(work, [change], rules=RULES, cells=OPEN)
        protect_stock(
            work,
            [
                ProtectStock(
                    site=business.site, item=short, customer=business.customer, quantity=Decimal(20), contract="RV 2026/4",
                    valid_from=date(2026, 1, 1), valid_until=date(2026, 12, 31),
                )
            ],
        )  # fmt: skip
        keep_substitutes(work, [KeepSubstitute(item=short, substitute=business.items[0], rank=1)])
    return short, tuple(one.id for one in orders), tuple(one.lines[0].id for one in orders), holder.id


def _changed(business: Business) -> tuple[int, int]:
    order = released(business, [(0, 10), (2, 5)])
    first, second = order.lines
    with business.work() as work:
        (staged,) = stage_amendments(
            work,
            [
                StageAmendment(
                    order=order.id, by_customer=True, reason="the site needs fewer, and later",
                    changes=[
                        Amend(kind=ChangeKind.QUANTITY, line=first.id, quantity=Decimal(4)),
                        Amend(kind=ChangeKind.DATE, line=second.id, day=day(14)),
                        Amend(kind=ChangeKind.ADD, item=business.items[0], quantity=Decimal(3)),
                    ],
                )
            ],
            rules=RULES, cells=OPEN,
        )  # fmt: skip
    return order.id, staged.id


def _quotes(business: Business) -> tuple[int, int, int]:
    draft = entered(business, ((0, 12), (2, 4)))
    offered = sent(business, ((0, 40),), note="free delivery")
    asks = sent(business, (an_entered(business, "7.50", 20),))
    return draft.id, offered.id, asks.id


def _supply(business: Business, branch: int) -> tuple[int, int, int]:
    supplier = a_supplier(business, prices=(("3.50", 0), ("2.25", 1)))
    purchase = ordered(business, supplier, ((0, 20), (1, 50)))
    confirmed(business, purchase, 9, 15)
    took_in(business, purchase, 6)
    with business.work() as work:
        (transfer,) = ask_transfers(
            work,
            [
                AskTransfer(
                    from_site=branch, to_site=business.site, lines=[AskLine(item=business.items[0], quantity=Decimal(30))]
                )
            ],
            rules=RULES, cells=OPEN,
        )  # fmt: skip
    return purchase.id, supplier, transfer.id


def _prices(business: Business) -> int:
    save(
        business, a_price(business, "9.00", customer=business.customer, reference="RV 2026/4"),
        a_price(business, None, discount=Decimal("0.05"), kind="promotion", valid_until=date(2026, 4, 1)),
    )  # fmt: skip
    rows = [
        {"kind": "list", "item": "40-0", "currency": "EUR", "unit_price": "11.00", "valid_from": "2026-04-01"},
        {"kind": "list", "item": "40-1", "currency": "EUR", "unit_price": "3.00", "valid_from": "2026-04-01"},
        {"kind": "list", "item": "40-9", "currency": "EUR", "unit_price": "1.00", "valid_from": "2026-04-01"},
    ]  # fmt: skip
    lines = [",".join(COLUMNS), *(",".join(row.get(column, "") for column in COLUMNS) for row in rows)]
    with business.work() as work:
        return hand_in(work, business.entity, read_list("april.csv", io.BytesIO("\n".join(lines).encode())))


def _policies(business: Business) -> int:
    approve(business, "price_tolerance_permille", 25)
    approve(business, "adjustment_limit_minor", 1000)
    return ask_for(business, "partial_shipment", False)


def _letters(business: Business, database, clock) -> int:
    with business.work() as work:
        keep_contact(
            work, customer=business.customer, email="kauf@bautechnik.example", language="en", wants_none=False, seen=0
        )
        save_template(
            work,
            event=Event.CONFIRMATION,
            language="en",
            subject="Your order {order}",
            body="Good day {customer}",
            seen=0,
        )
        save_script(
            work, situation=Situation.HOLD_CREDIT, body="Say what is open, and until when it can be paid.", seen=0
        )
        address = add_address(
            work, business.customer,
            AddressContent(
                code="yard", name="Bautechnik, yard 2", street="Hafenstraße 11", postal_code="47119", city="Duisburg",
                country="Germany",
            ),
            valid_from=date(2026, 1, 1),
        ).id  # fmt: skip
    captured(business, [(0, 2)])
    ConsumerRunner(database, LetterConsumer(), clock=clock).run_to_head()
    return address


def _counted(business: Business) -> tuple[int, int]:
    with business.work(ANNA) as work:
        (count, *_) = plan_counts(
            work, [PlanCount(site=business.site, item=business.items[2])], rules=RULES, cells=OPEN
        )
        (asked,) = adjust(
            work,
            [
                Adjust(
                    site=business.site, item=business.items[2], quantity=Decimal(-3), reason="damaged", note="fell off the shelf"
                )
            ],
            rules=RULES, cells=OPEN,
        )  # fmt: skip
    return count, asked.id
