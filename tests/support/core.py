"""Builders: a small business to trade with, valid in everything a test does not name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal

from app.composition.policies import RegisterRules
from app.composition.uow import unit_of_work
from erpcore.inventory.stock import ChangeStock, open_stock
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import SetClock
from erpcore.ledger.services import open_chart
from erpcore.masterdata.addresses import AddressContent, add_address
from erpcore.masterdata.services import (
    NewCustomer,
    NewEntity,
    NewItem,
    NewSite,
    add_commitment,
    add_customers,
    add_entity,
    add_items,
    add_site,
    add_tax_rate,
    ensure_channel,
)
from erpcore.orders.services import CaptureOrder, NewLine
from erpcore.ports import Admission, Cell, CellState
from erpcore.pricing.newprice import NewPrice
from erpcore.pricing.services import add_prices

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RULES = RegisterRules()


class Cells:
    """A ``CellStates`` that says what the test tells it, open unless told otherwise."""

    def __init__(self, state: CellState = CellState.OPEN) -> None:
        self.state = state
        self.asked: list[Cell] = []

    def admission(self, work, realm, cell):
        self.asked.append(cell)
        return Admission(self.state, 1, {"wave": "W2", "waits_for": "its entry gate"})


OPEN = Cells()


@dataclass
class Business:
    """Ids of one entity with a site, a channel, customers and items; ``work()`` opens a unit of work there."""

    database: object
    clock: SetClock
    entity: int = 0
    site: int = 0
    channel: int = 0
    customer: int = 0
    items: tuple[int, ...] = ()

    def work(self, actor=None, **options):
        options.setdefault("clock", self.clock)
        return unit_of_work(self.database, actor=actor or Actor.system("test"), **options)

    def order(self, lines=((0, 10),), **changes):
        """A command for an order of (item position, quantity) lines."""
        return CaptureOrder(
            **{
                "site": self.site,
                "channel": self.channel,
                "customer": self.customer,
                "lines": [NewLine(item=self.items[item], quantity=Decimal(quantity)) for item, quantity in lines],
                **changes,
            }
        )


def a_business(database, *, items=3, stock=100, limit=None, cost="4.00", price="10.00", tax="0.20", at=MONDAY):
    """A business that can trade: ``stock`` of each item, one price, one tax rate, two working days of lead time."""
    business = Business(database, SetClock(at))
    with business.work() as work:
        entity = add_entity(
            work,
            NewEntity(code="DE01", name="Nordhaus GmbH", country="Germany", currency="EUR", time_zone="Europe/Berlin"),
        )
        open_chart(work, entity.id)
        site = add_site(
            work,
            NewSite(
                entity=entity.id, code="DUI", name="Duisburg", kind="distribution_centre", country="Germany",
                time_zone="Europe/Berlin",
            ),
        )  # fmt: skip
        channel = ensure_channel(work, "wholesale", "Wholesale")
        add_commitment(
            work, site=site.id, channel=channel.id, lead_days=2, valid_from=date(2020, 1, 1), cut_off=time(14)
        )
        if tax is not None:
            add_tax_rate(work, entity=entity.id, country="Germany", rate=Decimal(tax), valid_from=date(2020, 1, 1))
        (customer,) = add_customers(
            work,
            [
                NewCustomer(
                    entity=entity.id, code="10482", name="Bautechnik", country="Germany", currency="EUR",
                    credit_limit_minor=limit,
                )
            ],
        )  # fmt: skip
        add_address(
            work, customer.id,
            AddressContent(
                code="main", name="Bautechnik", street="Ruhrstraße 4", postal_code="47051", city="Duisburg", country="Germany"
            ),
            valid_from=date(2020, 1, 1),
        )  # fmt: skip
        rows = add_items(
            work,
            [
                NewItem(
                    entity=entity.id, code=f"40-{n}", name=f"Pipe {n}", abc="ABC"[n % 3],
                    standard_cost=None if cost is None else Decimal(cost),
                )
                for n in range(items)
            ],
        )  # fmt: skip
        add_prices(
            work,
            [
                NewPrice(
                    entity=entity.id,
                    item=row.id,
                    unit_price=Decimal(price),
                    currency="EUR",
                    valid_from=date(2020, 1, 1),
                )
                for row in rows
            ],
        )
        if stock:
            open_stock(
                work,
                [ChangeStock(site=site.id, item=row.id, quantity=Decimal(stock), note="opening") for row in rows],
                rules=RULES,
                cells=OPEN,
            )
        business.entity, business.site, business.channel = entity.id, site.id, channel.id
        business.customer, business.items = customer.id, tuple(row.id for row in rows)
    return business
