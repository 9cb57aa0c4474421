"""Builder: a small programme whose records name each other: a variant, a price, steps, a gate, a risk, two sites."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from app.composition.risk_desk import put_entry
from app.composition.uow import reading
from app.queries.impact.walk import read_kind, walk
from app.security.roles import permissions_of
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import ItemGroup
from governance.risks.content import Said, Watched
from governance.risks.flow import EntryKind, LinkKind, Side
from governance.risks.services import RaiseEntry
from governance.variants.register import Scope
from tests.support.pricing import a_price, save
from tests.support.processes import acting, the_set, work_as
from tests.support.registered import in_force, ordered
from tests.support.steering import Steered, a_programme

LATER = date(2026, 3, 20)


@dataclass
class Named:
    """Ids of what the story made."""

    steered: Steered
    clock: Any
    bremen: int
    group: int
    variant: int
    hidden: int
    price: int
    risk: int

    @property
    def duisburg(self) -> int:
        return self.steered.business.site

    def walk(self, kind: str, key: Any, *, who: Actor | None = None, **options: Any) -> Any:
        """The walk of somebody who sees everything, unless told otherwise."""
        with reading(self.steered.database) as session:
            return walk(session, who or a_viewer(), read_kind(kind), str(key), self.clock.now(), **options)


def a_viewer(role: str = "process_owner", *, sites: frozenset[int] | None = None) -> Actor:
    """Somebody with all permissions of the role."""
    return Actor(id=990, role=role, permissions=permissions_of(role), sites=sites)


def a_named_world(database: Any, clock: Any) -> Named:
    """Duisburg ships whole by a variant and gives pipes a discount; Bremen has a variant of its own; the carrier is a risk."""
    steered = a_programme(database, clock)
    business = steered.business
    bremen = steered.another_site()
    the_set(database, clock, owner=steered.finance.id)
    with steered.work() as work:
        group = work.ids.one()
        work.session.add(ItemGroup(id=group, code="pipes", name="Pipes"))
    owner = {"owner": steered.warehouse.id, "deputy": steered.finance.id}
    variant = in_force(
        business,
        {"partial_shipment": False},
        title="Ship whole",
        step="warehouse.ship",
        trainings="Loading whole orders",
        **owner,
    )
    hidden = in_force(business, {"partial_shipment": False}, title="Bremen whole", scope=Scope(site=bremen), **owner)
    (price,) = save(
        business,
        a_price(business, None, item=None, item_group=group, customer=business.customer, discount=Decimal("0.1")),
    )
    ordered(business, 2)
    with work_as(database, clock, acting(steered.office.id, "pmo")) as work:
        said = Said(
            title="The carrier cannot take the volume", statement="Parcels stay behind.", effect="Orders are late.",
            cause="A depot closed.", probability=3, impact=4, owner=steered.chair.id, body=steered.steering, due_on=LATER,
            site=bremen, links=((LinkKind.STEP, "warehouse.ship"), (LinkKind.POINT, "partial_shipment")),
            watched=Watched(figure="otif_lines", side=Side.BELOW, limit=Decimal("0.9")),
        )  # fmt: skip
        risk = put_entry(work, RaiseEntry(kind=EntryKind.RISK, said=said, today=clock.now().date())).id
    return Named(steered, clock, bremen, group, variant, hidden, price, risk)


def sentences(found: Any, level: Any) -> list[str]:
    """Why each thing of a level is there, in the order of the page."""
    return [found.sentence(one) for one in level.edges]
