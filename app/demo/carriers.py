"""Who collects the demo's goods: a carrier with two services, when it comes to which site, and the boxes that goods go in."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

from app.composition.uow import Database, unit_of_work
from app.demo.people import Staff
from app.demo.world import World
from erpcore.fulfilment.carriers.services import (
    NewCarrier,
    NewCarrierRule,
    NewService,
    add_carrier,
    add_rule,
    add_service,
    set_cut_offs,
)
from erpcore.fulfilment.packing.services import NewCartonType, add_carton_type
from erpcore.kernel.clock import Clock
from erpcore.masterdata.models import Realm

_SINCE = date(2020, 1, 1)
_WORKING_DAYS = range(5)
#: Site and when its parcels are collected; pallets leave an hour before.
_COLLECTIONS = (("DUI", time(17)), ("KOL", time(19)))


def hire_carriers(database: Database, world: World, staff: Staff, clock: Clock) -> None:
    """Parcels up to 31.5 kg go as such, all else on pallets; the two German sites with a floor have their collections."""
    entity = world.nodes[Realm.LIVE, "DUI"].entity
    with unit_of_work(database, actor=staff["dui.supervisor"], clock=clock, realm=Realm.LIVE) as work:
        carrier = add_carrier(work, NewCarrier(entity=entity, code="RTL", name="Rheintal Logistik")).id
        parcel = NewService(
            carrier=carrier, code="PARCEL", name="Parcel", transit_days=1, base_charge=Decimal("4.90"),
            per_kg=Decimal("0.22"), most_kg=Decimal("31.5"),
        )  # fmt: skip
        pallet = NewService(
            carrier=carrier, code="PALLET", name="Pallet", transit_days=2, base_charge=Decimal("38.00"),
            per_kg=Decimal("0.09"),
        )  # fmt: skip
        services = [add_service(work, one).id for one in (parcel, pallet)]
        add_rule(
            work,
            NewCarrierRule(
                service=services[0], reason="what one person can lift", valid_from=_SINCE, most_kg=Decimal("31.5")
            ),
        )
        add_rule(work, NewCarrierRule(service=services[1], reason="too heavy for a parcel", valid_from=_SINCE))
        for code, length, height, tare, most in (("BOX", 400, 250, "0.4", "30"), ("PALLET", 1200, 1400, "22", "800")):
            add_carton_type(
                work,
                NewCartonType(
                    entity=entity, code=code, name="Box M" if code == "BOX" else "Euro pallet", length_mm=length,
                    width_mm=800 if code == "PALLET" else 300, height_mm=height, tare_kg=Decimal(tare), most_kg=Decimal(most),
                ),
            )  # fmt: skip
    for site, at in _COLLECTIONS:
        with unit_of_work(database, actor=staff[f"{site.lower()}.supervisor"], clock=clock, realm=Realm.LIVE) as work:
            for service, moment in zip(services, (at, at.replace(hour=at.hour - 1)), strict=True):
                set_cut_offs(work, service, world.nodes[Realm.LIVE, site].id, dict.fromkeys(_WORKING_DAYS, moment))
