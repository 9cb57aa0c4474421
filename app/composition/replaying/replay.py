"""One replay from its inputs to its outcome: both sides in places of their own, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.composition.replaying.course import Course, Side, clocks_of, parts_of_period
from app.composition.replaying.figures import Comparison, Places, figures_of
from app.composition.replaying.inputs import Inputs, read_inputs, said_of
from app.composition.replaying.place import Place, copy_rows
from app.composition.replaying.rules import CellsAt, RulesAt
from app.composition.replaying.start import RECEIVABLE, Start, read_start
from app.composition.uow import Database, reading
from erpcore.credit.models import CreditExposure, Receivable
from erpcore.inventory.models import StockBalance
from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.rows import write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.addresses import CustomerAddress
from erpcore.masterdata.models import (
    Channel,
    ChargeTerms,
    Customer,
    CustomerGroup,
    Entity,
    Item,
    ItemGroup,
    Realm,
    ServiceCommitment,
    Site,
    SourcingLane,
    Supplier,
    SupplierItem,
    Tracking,
)
from erpcore.masterdata.tax_models import TaxRate, TaxRegistration
from erpcore.orders.allocation_models import StockProtection
from erpcore.pricing.models import PriceRule
from governance.replays.models import VariantReplay
from governance.replays.services import NAMED, Outcome
from governance.variants.flow import AGREED, VARIANT_FLOW, VariantState
from governance.variants.models import Variant, VariantValue
from governance.variants.register import Index, read_index, read_revision, scope_of
from readiness.waves import register as waves

_BALANCE = (
    "site_id",
    "item_id",
    "entity_id",
    "on_hand",
    "reserved",
    "value_minor",
    "unvalued",
    "blocked",
    "placed",
    "frozen",
)
_EXPOSURE = ("customer_id", "entity_id", "receivable_minor", "shipped_minor", "released_minor")
Told = Callable[[int, int], None]


def replay(database: Database, asked: VariantReplay, told: Told) -> Outcome:
    """Replay what was asked for; ``told`` hears how many steps of how many are done.

    Nothing of the real database is written. Raises ``RuleBroken("replay_nothing_in_scope")`` where no order is in scope.
    """
    with reading(database, snapshot=True) as session:
        proposed = session.get_one(Variant, asked.variant_id)
        inputs = read_inputs(session, scope_of(proposed), asked.period_from, asked.period_until, asked.most)
        if not inputs.orders:
            raise RuleBroken("replay_nothing_in_scope")
        start = read_start(session, inputs, asked.period_from, asked.period_until)
        at, revision = asked.asked_at, read_revision(session)
        grants = waves.read_index(session, waves.read_revision(session))
        place = Place.empty(asked.period_from)
        with place.work() as work:
            _furnish(session, work, inputs, start)
            now, then = _indexes(session, work, proposed, revision, at)
            clocks = clocks_of(work)
        places = _places(session, inputs)
    rules = (RulesAt(now, at), RulesAt(then, at))
    parts = parts_of_period(inputs.orders, clocks, asked.period_until)
    cells = CellsAt(grants, inputs.sellers, at)
    courses: list[Course] = []
    for number, side_rules in enumerate(rules):
        here = place.copied() if number == 0 else place
        steps = _steps(told, number * len(parts), 2 * len(parts))
        courses.append(Side(here, side_rules, cells, start).run(parts, steps))
        here.close()
    compared = Comparison(courses[0], courses[1], rules, places)
    differing = compared.differing(inputs.orders)
    return Outcome(
        inputs=_hash(asked, inputs, start, now, then), revision=revision, orders=len(inputs.orders),
        lines=sum(len(one.command.lines) for one in inputs.orders), differing=len(differing),
        figures={"standard": figures_of(courses[0], places), "proposed": figures_of(courses[1], places)},
        named=differing[:NAMED],
    )  # fmt: skip


def _steps(told: Told, before: int, steps: int) -> Callable[[], None]:
    done = [before]

    def step() -> None:
        done[0] += 1
        told(done[0], steps)

    return step


def _places(session: Session, inputs: Inputs) -> Places:
    rows = session.execute(select(Site.id, Site.code, Site.time_zone).where(Site.id.in_(sorted(inputs.sites)))).all()
    return Places({row.id: row.code for row in rows}, {row.id: row.time_zone for row in rows})


def _furnish(session: Session, work: UnitOfWork, inputs: Inputs, start: Start) -> None:
    """Copy what decisions ask of, and put stock and debts there as they were at the start."""
    copy_rows(session, work, Entity, "id", inputs.entities)
    # Each stands for the live company whose id it has here too, so that rules find it.
    work.session.execute(update(Entity).values(realm=Realm.REHEARSAL, twin_id=Entity.id))
    copy_rows(session, work, Site, "id", inputs.sites, changed={"twin_id": None})
    for shared in (Channel, CustomerGroup, ItemGroup):
        copy_rows(session, work, shared)
    copy_rows(session, work, Customer, "id", inputs.customers)
    copy_rows(session, work, CustomerAddress, "customer_id", inputs.customers)
    # Which lot leaves is no question here: the stock of an item is one heap at each site.
    copy_rows(session, work, Item, "id", inputs.items, changed={"tracking": Tracking.NONE.value})
    copy_rows(session, work, ServiceCommitment, "site_id", inputs.sites)
    copy_rows(session, work, SourcingLane, "site_id", inputs.sites)
    copy_rows(session, work, StockProtection, "site_id", inputs.sites)
    for of_entity in (TaxRate, TaxRegistration, ChargeTerms, Supplier, PriceRule):
        copy_rows(session, work, of_entity, "entity_id", inputs.entities)
    copy_rows(session, work, SupplierItem, "item_id", inputs.items)
    entity_of = {row.id: row.entity_id for row in session.execute(select(Site.id, Site.entity_id))}
    balances = [
        (site, item, entity_of[site], quantity, 0, 0, 0, 0, 0, 0)
        for (site, item), quantity in sorted(start.free.items())
    ]
    write_rows(work, StockBalance.__table__, _BALANCE, balances)
    found = session.execute(select(Customer.id, Customer.entity_id).where(Customer.id.in_(sorted(start.owed))))
    buyers = {row.id: row.entity_id for row in found}
    owed = [(key, buyers[key], *parts) for key, parts in sorted(start.owed.items())]
    write_rows(work, CreditExposure.__table__, _EXPOSURE, owed)
    write_rows(work, Receivable.__table__, RECEIVABLE, start.receivables)


def _indexes(session: Session, work: UnitOfWork, proposed: Variant, revision: str, at: datetime) -> tuple[Index, Index]:
    """The register as it is, and as it would be with the variant in force, by the register's own reading of it."""
    keys = list(session.scalars(select(Variant.id).where(Variant.state.in_(AGREED))))
    for model, column in ((Variant, "id"), (VariantValue, "variant_id")):
        copy_rows(session, work, model, column, [*keys, proposed.id])
    now = read_index(work.session, revision)
    agreed = VARIANT_FLOW.target("approve", VariantState.SUBMITTED, reason="replayed")
    work.session.execute(
        update(Variant)
        .where(Variant.id == proposed.id)
        .values(state=agreed, valid_from=at, valid_until=_end_of(proposed, at), owner_left_at=None)
    )
    if proposed.supersedes_id is not None:
        before = update(Variant).where(Variant.id == proposed.supersedes_id, Variant.valid_from < at)
        work.session.execute(before.values(valid_until=at))
    return now, read_index(work.session, revision)


def _end_of(proposed: Variant, at: datetime) -> datetime | None:
    return None if proposed.valid_until is None else at + timedelta(days=1)


def _hash(asked: VariantReplay, inputs: Inputs, start: Start, now: Index, then: Index) -> str:
    """SHA-256 over all that both sides started from."""

    def said() -> Iterator[Any]:
        yield [asked.proposal, asked.period_from, asked.period_until, asked.most]
        yield from said_of(inputs.orders)
        yield from start.said()
        for index in (now, then):
            yield _entries(index)

    hashed = sha256()
    for one in said():
        hashed.update(canonical_json(one))
    return hashed.hexdigest()


def _entries(index: Index) -> Sequence[Any]:
    entries = [entry for found in index.entries.values() for entry in found]
    return sorted([entry.id, entry.point, str(entry.value)] for entry in (*entries, *index.standards))
