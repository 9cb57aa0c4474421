"""Master data of the demo: entities, sites, channels, customers, items, prices, taxes, commitments; live ones and their twins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from random import Random

from app.composition.uow import Database, unit_of_work
from app.demo.addresses import address_of, seat_a_company
from app.demo.assortment import Article, articles, company
from app.demo.plan import (
    CHANNELS,
    ENTITIES,
    GROUPS,
    SITES,
    STREAMS,
    DemoOptions,
    EntityPlan,
    Habits,
    SitePlan,
    Stream,
    Terms,
)
from app.demo.taxes import tax_a_company
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.services import open_chart
from erpcore.masterdata.addresses import add_address
from erpcore.masterdata.calendars import Calendar, workdays
from erpcore.masterdata.models import Realm
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
    ensure_channel,
    ensure_customer_group,
    ensure_item_group,
)
from erpcore.pricing.newprice import NewPrice
from erpcore.pricing.services import add_prices

#: Prices, taxes and commitments are valid from here on, well before the first order.
_SINCE = date(2020, 1, 1)
_CENT = Decimal("0.01")
#: Items and customers that are copied for a rehearsal.
_PRACTICE_ITEMS, _PRACTICE_CUSTOMERS = 60, 24


@dataclass(frozen=True)
class Buyer:
    """A customer as the trading sees it."""

    id: int
    group: str
    is_abroad: bool
    payment_days: int
    pays_late: bool


@dataclass(frozen=True)
class Good:
    """An item of an entity. ``weight`` is its share of the lines."""

    id: int
    abc: str
    weight: float
    price: Decimal
    days: int
    is_tile: bool


@dataclass(frozen=True)
class Node:
    """A site of one realm with how it works there."""

    id: int
    live: int
    realm: str
    plan: SitePlan
    habits: Habits
    entity: int
    zone: str


@dataclass
class World:
    """Ids of everything, by realm and code."""

    options: DemoOptions
    channels: dict[str, int] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    item_groups: dict[str, int] = field(default_factory=dict)
    entities: dict[tuple[str, str], int] = field(default_factory=dict)
    nodes: dict[tuple[str, str], Node] = field(default_factory=dict)
    buyers: dict[tuple[str, str], list[Buyer]] = field(default_factory=dict)
    goods: dict[tuple[str, str], list[Good]] = field(default_factory=dict)

    def cells(self, named: Sequence[tuple[str, str]]) -> tuple[tuple[int, int], ...]:
        """(site, channel) codes as live ids."""
        return tuple((self.nodes[Realm.LIVE, site].id, self.channels[channel]) for site, channel in named)

    def rate(self, stream: Stream) -> float:
        """Orders of a stream on an average working day of this world's size."""
        return stream.per_day * self.options.orders / 3600 * 10 / self.options.weeks


def build_world(database: Database, options: DemoOptions, random: Random, clock: Clock) -> World:
    """Everything that must be there before the first order, for the live realm and for rehearsals."""
    world = World(options)
    assortment = articles(random)
    with unit_of_work(database, actor=Actor.system("demo"), clock=clock) as work:
        world.channels = {one.code: ensure_channel(work, one.code, one.name).id for one in CHANNELS}
        world.groups = {code: ensure_customer_group(work, code, name).id for code, name in GROUPS}
        names = sorted({one.group for one in assortment})
        world.item_groups = {name: ensure_item_group(work, name.lower().replace(" ", "-"), name).id for name in names}
    taken: set[str] = set()
    for plan in ENTITIES:
        chosen = assortment if plan.items >= len(assortment) else _common(assortment, plan.items)
        for realm in (Realm.LIVE, Realm.REHEARSAL):
            with unit_of_work(database, actor=Actor.system("demo"), clock=clock, realm=realm) as work:
                _Builder(work, world, plan, realm, random, taken).build(chosen)
    return world


def _common(assortment: Sequence[Article], count: int) -> list[Article]:
    """The ``count`` articles in greatest demand, in the order of the catalogue, with tiles left to who sells them."""
    ranked = sorted((one for one in assortment if not one.is_tile), key=lambda one: (one.abc, one.code))
    codes = {one.code for one in ranked[:count]}
    return [one for one in assortment if one.code in codes]


class _Builder:
    """One entity of one realm."""

    def __init__(
        self, work: UnitOfWork, world: World, plan: EntityPlan, realm: Realm, random: Random, taken: set[str]
    ) -> None:
        self.work, self.world, self.plan, self.realm, self.random, self.taken = work, world, plan, realm, random, taken
        self.key = (realm.value, plan.code)
        self.is_live = realm is Realm.LIVE

    def build(self, chosen: Sequence[Article]) -> None:
        plan, twin = self.plan, self.world.entities.get((Realm.LIVE, self.plan.code))
        entity = add_entity(
            self.work,
            NewEntity(
                code=plan.code if self.is_live else f"{plan.code}-R", country=plan.country, currency=plan.currency,
                name=plan.name if self.is_live else f"{plan.name}, rehearsal", time_zone=plan.zone, realm=self.realm, twin=twin,
            ),
        ).id  # fmt: skip
        self.world.entities[self.key] = entity
        open_chart(self.work, entity)
        tax_a_company(self.work, entity, country=plan.country, abroad=plan.abroad, rate=plan.tax, since=_SINCE)
        if self.is_live:
            seat_a_company(self.work, entity, plan.country, _SINCE)
        for site in SITES:
            if site.entity == plan.code and (self.is_live or _rehearses(site.code)):
                self._site(entity, site)
        self._goods(entity, chosen if self.is_live else _common(chosen, _PRACTICE_ITEMS) + _tiles(chosen, self.is_live))
        self._buyers(entity)

    def _site(self, entity: int, site: SitePlan) -> None:
        live = self.world.nodes.get((Realm.LIVE, site.code))
        row = add_site(
            self.work,
            NewSite(
                entity=entity, code=site.code, name=site.name if self.is_live else f"{site.name}, rehearsal", kind=site.kind,
                country=self.plan.country, region=site.region, time_zone=self.plan.zone, opens_at=site.opens,
                closes_at=site.closes, twin=live.id if live else None, calendar=None if live else self._calendar(site),
            ),
        )  # fmt: skip
        habits = site.habits if self.is_live else site.rehearsal
        self.world.nodes[self.realm.value, site.code] = Node(
            row.id, live.id if live else row.id, self.realm.value, site, habits, entity, self.plan.zone
        )
        for terms in CHANNELS:
            self._commit(row.id, terms, site)

    def _calendar(self, site: SitePlan) -> Calendar:
        """Monday to Friday, without the public holidays of the years that the trading touches."""
        until = self.world.options.until.year
        closed = self.plan.closed(range(self.world.options.first.year, until + 2))
        return Calendar(valid_from=_SINCE, week=workdays(site.opens, site.closes), closed=closed)

    def _commit(self, site: int, terms: Terms, plan: SitePlan) -> None:
        # What leaves from a supplier's works takes longer, and customers agree to a wider window.
        far = plan.kind == "drop_ship"
        add_commitment(
            self.work, site=site, channel=self.world.channels[terms.code], valid_from=_SINCE, basis=terms.basis,
            lead_days=terms.lead_days + (3 if far else 0), transit_days=terms.transit_days + (1 if far else 0),
            cut_off=terms.cut_off, early_days=terms.early_days + (2 if far else 0), late_days=terms.late_days + (1 if far else 0),
        )  # fmt: skip

    def _goods(self, entity: int, chosen: Sequence[Article]) -> None:
        plan, random = self.plan, self.random
        rows = add_items(
            self.work,
            [
                NewItem(
                    entity=entity, code=one.code, name=one.name, kind=one.kind, unit=one.unit, abc=one.abc,
                    group=self.world.item_groups[one.group], standard_cost=(one.cost * plan.factor).quantize(_CENT),
                    replenishment_days=random.choice((3, 4, 5)) if one.abc == "A" else random.choice((4, 5, 7)),
                )
                for one in chosen
            ],
        )  # fmt: skip
        goods, prices = [], []
        for one, row in zip(chosen, rows, strict=True):
            cost = row.standard_cost or Decimal(1)
            listed = (cost * Decimal("1.45")).quantize(_CENT)
            goods.append(Good(row.id, one.abc, one.weight, listed, row.replenishment_days, one.is_tile))
            prices += self._prices(entity, row.id, cost, listed, one.abc)
        add_prices(self.work, prices)
        self.world.goods[self.key] = goods

    def _prices(self, entity: int, item: int, cost: Decimal, listed: Decimal, abc: str) -> list[NewPrice]:
        common = {"entity": entity, "item": item, "currency": self.plan.currency, "valid_from": _SINCE}
        out = [NewPrice(unit_price=listed, **common)]  # type: ignore[arg-type]  # the four fields named above
        for terms in CHANNELS:
            if terms.code in {"ecommerce", "marketplace"}:
                price = (cost * terms.markup).quantize(_CENT)
                out.append(NewPrice(unit_price=price, channel=self.world.channels[terms.code], **common))  # type: ignore[arg-type]  # as above
        if abc == "A":
            key = (listed * Decimal("0.92")).quantize(_CENT)
            bulk = (listed * Decimal("0.95")).quantize(_CENT)
            out.append(NewPrice(unit_price=key, customer_group=self.world.groups["key"], **common))  # type: ignore[arg-type]  # as above
            out.append(NewPrice(unit_price=bulk, minimum_quantity=Decimal(20), **common))  # type: ignore[arg-type]  # as above
        return out

    def _buyers(self, entity: int) -> None:
        plan, random = self.plan, self.random
        count = plan.customers if self.is_live else _PRACTICE_CUSTOMERS
        abroad = max(2, round(count * 0.06))
        typical = self._typical_exposure(entity, count)
        commands, late = [], []
        for number in range(count):
            group = ("key", "public", "consumer", "consumer")[number % 10] if number % 10 < 4 else "trade"
            is_abroad = number >= count - abroad
            days = 0 if group == "consumer" else random.choice((14, 30, 30))
            limit = None
            if group != "consumer":
                limit = int(typical * random.uniform(1.35, 3.8) * (3 if group == "key" else 1)) * 100_00
            late.append(group != "consumer" and random.random() < 0.12)
            commands.append(
                NewCustomer(
                    entity=entity, code=f"{10_400 + number * 7}", name=company(random, plan.abroad if is_abroad else plan.country, self.taken),
                    country=plan.abroad if is_abroad else plan.country, currency=plan.currency,
                    group=self.world.groups[group], payment_days=days, credit_limit_minor=limit,
                )
            )  # fmt: skip
        rows = add_customers(self.work, commands)
        for number, row in enumerate(rows):
            add_address(self.work, row.id, address_of(row.name, row.country, number), valid_from=_SINCE)
        names = {key: code for code, key in self.world.groups.items()}
        self.world.buyers[self.key] = [
            Buyer(row.id, names[row.group_id or 0], row.country != plan.country, row.payment_days, slow)
            for row, slow in zip(rows, late, strict=True)
        ]

    def _typical_exposure(self, entity: int, count: int) -> float:
        """What a trade account owes on an average day, in hundreds of the currency: a month of its orders."""
        own = {node.plan.code for node in self.world.nodes.values() if node.entity == entity}
        priced = self.world.goods[self.key]
        mean = sum(float(good.price) * good.weight for good in priced) / sum(good.weight for good in priced)
        a_day = sum(
            self.world.rate(one) * one.lines * one.size * mean
            for one in STREAMS
            if one.site in own and one.realm == self.realm and one.by_person
        )
        return max(5.0, a_day * 24 / (count * 0.8) / 100)


def _rehearses(site: str) -> bool:
    return any(stream.site == site and stream.realm == Realm.REHEARSAL for stream in STREAMS)


def _tiles(chosen: Sequence[Article], is_live: bool) -> list[Article]:
    return [] if is_live else [one for one in chosen if one.is_tile][:12]
