"""A warehouse floor for a business: carriers with cut-offs and rules, carton types, and people with hands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from app.security.roles import permissions_of
from erpcore.fulfilment.carriers.services import (
    NewCarrier,
    NewCarrierRule,
    NewService,
    add_carrier,
    add_rule,
    add_service,
    set_cut_offs,
)
from erpcore.fulfilment.floor.picking import ConfirmPick, confirm_pick, finish_pick, start_task
from erpcore.fulfilment.floor.planning import pick_now
from erpcore.fulfilment.packing.services import NewCartonType, add_carton_type
from erpcore.inventory.bins import Slot
from erpcore.inventory.models import Location, MoveReason, Zone
from erpcore.inventory.services import Movement, move_stock
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import DomainError
from tests.support.core import OPEN, RULES

CUT_OFF = time(16)


@dataclass
class Floor:
    """Ids of a carrier's two services, the rule for the first, and two carton types."""

    parcel: int
    express: int
    rule: int
    box: int
    pallet: int


def person(key, role="warehouse_operator", sites=None):
    """Somebody with hands and a role."""
    return Actor(id=key, role=role, permissions=permissions_of(role), sites=None if sites is None else frozenset(sites))


def a_floor(business, *, cut_off=CUT_OFF):
    """DHL collects at four on working days; parcels up to 31.5 kg go with it by rule, express is dearer."""
    with business.work() as work:
        carrier = add_carrier(
            work,
            NewCarrier(
                entity=business.entity, code="DHL", name="DHL", tracking_address="https://track.example/{number}"
            ),
        )
        parcel = add_service(
            work,
            NewService(
                carrier=carrier.id, code="PARCEL", name="Parcel", transit_days=2, base_charge=Decimal("4.50"),
                per_kg=Decimal("0.30"), most_kg=Decimal("31.5"),
            ),
        )  # fmt: skip
        express = add_service(
            work,
            NewService(
                carrier=carrier.id, code="EXPRESS", name="Express", transit_days=1, is_premium=True,
                base_charge=Decimal("18.00"), per_kg=Decimal("1.10"),
            ),
        )  # fmt: skip
        for service in (parcel, express):
            set_cut_offs(work, service.id, business.site, dict.fromkeys(range(5), cut_off))
        rule = add_rule(
            work,
            NewCarrierRule(
                service=parcel.id, reason="parcels by road", valid_from=date(2020, 1, 1), site=business.site
            ),
        )
        box = add_carton_type(
            work,
            NewCartonType(
                entity=business.entity, code="BOX", name="Box M", length_mm=400, width_mm=300, height_mm=200,
                tare_kg=Decimal("0.4"), most_kg=Decimal(30),
            ),
        )  # fmt: skip
        pallet = add_carton_type(
            work,
            NewCartonType(
                entity=business.entity, code="PAL", name="Pallet", length_mm=1200, width_mm=800, height_mm=1400,
                tare_kg=Decimal(22), most_kg=Decimal(800),
            ),
        )  # fmt: skip
    return Floor(parcel.id, express.id, rule.id, box.id, pallet.id)


def a_task(business, *orders):
    """Pick tasks outside any wave for these orders."""
    with business.work() as work:
        return pick_now(work, [order.id for order in orders], site=business.site, rules=RULES, cells=OPEN)


def picked_by(business, who, task, *, short=None):
    """The task picked line by line by this person and finished; ``short`` maps line numbers to what was there instead."""
    with business.work(who) as work:
        lines = start_task(work, task).lines
    for line in lines:
        there = (short or {}).get(line.line_no, line.quantity)
        with business.work(who) as work:
            confirm_pick(
                work,
                ConfirmPick(
                    task=task,
                    line=line.line_no,
                    quantity=there,
                    short_reason="not found" if there < line.quantity else None,
                ),
            )
    with business.work(who) as work:
        return finish_pick(work, task, rules=RULES, cells=OPEN)


#: Who works on the floor of the tests.
ANNA, BEN, SUPERVISOR = person(101), person(102), person(201, "warehouse_supervisor")
FLOOR_TABLES = (
    "warehouse_task", "warehouse_task_line", "pick_wave", "shipment", "shipment_line", "stock_balance", "reservation", "order_line",
)  # fmt: skip


def rows(database, *tables):
    """Everything in these tables, to be compared."""
    with reading(database) as session:
        return {
            name: sorted(map(str, session.execute(text(f"SELECT * FROM {name}")))) for name in tables or FLOOR_TABLES
        }


def one(database, sql, **values):
    with reading(database) as session:
        return session.execute(text(sql), values).one()


def killed(business, who, act):
    """The process dies when the act is done and not yet on disk."""
    with pytest.raises(RuntimeError, match="the power went"), business.work(who) as work:
        _die_after(work, act)


def _die_after(work, act):
    act(work)
    raise RuntimeError("the power went")


def refused(business, who, act, code):
    """The act is refused with this code, and nothing has changed."""
    before = rows(business.database)
    with pytest.raises(DomainError) as error, business.work(who) as work:
        act(work)
    assert error.value.code == code
    assert rows(business.database) == before
    return error.value


def shelved(business, codes=("A-01", "A-02"), zones=("A", "B")):
    """Forty of the first item on one shelf and sixty on another, each in a zone of its own."""
    with business.work() as work:
        ids = iter(work.ids.reserve(20))
        placed = []
        for number, (code, zone) in enumerate(zip(codes, zones, strict=True)):
            area = Zone(id=next(ids), site_id=business.site, code=zone, name=f"Zone {zone}")
            work.session.add(area)
            work.session.flush()
            shelf = Location(
                id=next(ids),
                site_id=business.site,
                zone_id=area.id,
                code=code,
                kind="storage",
                walk=number,
                is_blocked=False,
            )
            work.session.add(shelf)
            placed.append(shelf.id)
        work.session.flush()
        for shelf, quantity in zip(placed, (40_000, 60_000), strict=True):
            there = {"entity": business.entity, "site": business.site, "item": business.items[0], "unit_cost": 4_000_000,
                     "currency": "EUR", "reason": MoveReason.PLACEMENT, "document_type": "stock_change",
                     "document_id": shelf, "moved_at": work.now}  # fmt: skip
            move_stock(
                work,
                [
                    Movement(**there, quantity=-quantity, slot=Slot(business.site, business.items[0])),
                    Movement(**there, quantity=quantity, slot=Slot(business.site, business.items[0], shelf)),
                ],
            )
    return placed
