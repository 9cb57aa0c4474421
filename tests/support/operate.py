"""A business that trades: an open site with orders in every state, a closed one that waits for its wave, and its people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from erpcore.fulfilment.return_deciding import authorise_returns
from erpcore.fulfilment.returns import RequestReturn, ReturnedLine, request_returns
from erpcore.inventory.stock import ChangeStock, open_stock
from erpcore.masterdata.services import NewItem, NewSite, add_commitment, add_items, add_site
from erpcore.orders.holds import HoldOrder, hold_orders
from erpcore.orders.models import HoldKind
from erpcore.ports import Process
from erpcore.pricing.newprice import NewPrice
from erpcore.pricing.services import add_prices
from governance.programme.services import CreateProgramme, create_programme
from readiness.waves.grants import RecordAlreadyLive, record_already_live
from readiness.waves.services import PlanWave, plan_wave, step_wave
from tests.support.core import OPEN, RULES, Business, a_business
from tests.support.steps import allocated, captured, invoiced, paid, released, shipped, taken_back

ALL = (Process.ORDER_TO_CASH, Process.RETURNS_TO_CREDIT, Process.WAREHOUSE, Process.RECORD_TO_REPORT)


@dataclass
class Operating:
    """The business with what happened in it; ids of orders, shipments, invoices and one return."""

    business: Business
    closed_site: int
    captured: int
    held: int
    released: int
    allocated: int
    shipped: int
    shipment: int
    invoiced: int
    invoice: int
    paid: int
    returned: int


def open_cells(business: Business, *, site: int | None = None) -> None:
    """Record the site as already live, for everything."""
    with business.work() as work:
        record_already_live(
            work,
            RecordAlreadyLive(
                cells=((site or business.site, business.channel),), processes=ALL, reason="ran before the programme"
            ),
        )


def a_neighbour(business: Business) -> int:
    """Hamburg: already live as well, and it sells the same from stock of its own."""
    with business.work() as work:
        site = add_site(
            work,
            NewSite(
                entity=business.entity, code="HAM", name="Hamburg", kind="branch", country="Germany", time_zone="Europe/Berlin"
            ),
        ).id  # fmt: skip
        add_commitment(work, site=site, channel=business.channel, lead_days=2, valid_from=date(2020, 1, 1))
        stock = [ChangeStock(site=site, item=item, quantity=Decimal(100), note="opening") for item in business.items]
        open_stock(work, stock, rules=RULES, cells=OPEN)
    open_cells(business, site=site)
    return site


def a_closed_site(business: Business) -> int:
    """Bremen: in wave W2, which is in rehearsal and waits for its vote."""
    with business.work() as work:
        site = add_site(
            work,
            NewSite(
                entity=business.entity, code="BRE", name="Bremen", kind="branch", country="Germany",
                time_zone="Europe/Berlin",
            ),
        )  # fmt: skip
        add_commitment(work, site=site.id, channel=business.channel, lead_days=1, valid_from=date(2020, 1, 1))
        programme = create_programme(
            work,
            CreateProgramme(
                code="ONE", name="One Core", purpose="one ERP", starts_on=date(2026, 1, 1),
                cells=((site.id, business.channel),),
            ),
        )  # fmt: skip
    with business.work() as work:
        wave = plan_wave(
            work,
            PlanWave(
                programme_id=programme.id, code="W2", name="Wave North", owner=1, time_zone="Europe/Berlin",
                cells=((site.id, business.channel),), processes=ALL[:2], go_live_on=date(2026, 4, 20),
                hypercare_until=date(2026, 5, 18),
            ),
        )  # fmt: skip
    for step in ("prepare", "rehearse"):
        with business.work() as work:
            step_wave(work, wave.id, step)
    return site.id


def another_item(business: Business, code: str, name: str, *, price: str = "3.92", cost: str | None = None) -> int:
    """One more item to sell, at unknown cost unless it is said."""
    with business.work() as work:
        (row,) = add_items(
            work,
            [
                NewItem(
                    entity=business.entity, code=code, name=name, standard_cost=None if cost is None else Decimal(cost)
                )
            ],
        )
        add_prices(
            work,
            [
                NewPrice(
                    entity=business.entity, item=row.id, unit_price=Decimal(price), currency="EUR",
                    valid_from=date(2020, 1, 1),
                )
            ],
        )  # fmt: skip
    return row.id


def a_trading_business(database, clock) -> Operating:
    """Orders in every state at Duisburg, and Bremen closed."""
    business = a_business(database, limit=500_000, at=clock.now() - timedelta(days=6))
    business.clock = clock
    start = clock.now()
    open_cells(business)
    closed = a_closed_site(business)
    clock.set(start - timedelta(days=5))
    first, _ = paid(business, ((0, 5), (1, 2)))
    order, _, invoice = invoiced(business, ((0, 10),), customer_reference="B-7741")
    with business.work() as work:
        (back,) = request_returns(
            work,
            [
                RequestReturn(
                    site=business.site, channel=business.channel, customer=business.customer, reason="damaged",
                    fault="ours",
                    lines=[ReturnedLine(item=business.items[0], quantity=Decimal(2), order_line=order.lines[0].id)],
                )
            ],
            rules=RULES, cells=OPEN,
        )  # fmt: skip
        authorise_returns(work, [back.id])
    with business.work() as work:
        taken_back(work, back.id)
    clock.set(start - timedelta(days=4))
    due, due_shipment = shipped(business, ((1, 4),))
    waiting = allocated(business, ((2, 3), (1, 1)))
    short = released(business, ((2, 200),))
    stopped = captured(business, ((0, 1),))
    with business.work() as work:
        hold_orders(work, [HoldOrder(order=stopped.id, kind=HoldKind.ADDRESS, reason="no house number")])
    clock.set(start)
    fresh = captured(business, ((0, 3), (1, 6)))
    return Operating(
        business=business, closed_site=closed, captured=fresh.id, held=stopped.id, released=short.id, allocated=waiting.id,
        shipped=due.id, shipment=due_shipment.id, invoiced=order.id, invoice=invoice.id, paid=first.id, returned=back.id,
    )  # fmt: skip
