"""Packing and shipping on the floor: cartons, carriers, freight, cut-offs, and what goes wrong on the way."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from erpcore.fulfilment.carriers.models import TroubleKind
from erpcore.fulfilment.carriers.services import (
    NewCarrier,
    NewCarrierRule,
    NewService,
    add_carrier,
    add_rule,
    add_service,
    end_rule,
    set_active,
    set_cut_offs,
)
from erpcore.fulfilment.carriers.troubles import (
    Report,
    keep_proof,
    report_trouble,
    resolve_trouble,
    settle_freight,
    take_trouble,
)
from erpcore.fulfilment.packing.services import (
    NewCartonType,
    PackCarton,
    add_carton_type,
    close_carton,
    open_carton,
    pack_cartons,
    put_in_carton,
    void_carton,
)
from erpcore.fulfilment.services import DeliverShipment, confirm_shipments, deliver_shipments
from erpcore.fulfilment.shipping import ShipShipment, choose_carriage, ship_shipments
from erpcore.kernel.errors import Conflict, DomainError, IllegalMove
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.floor import ANNA, BEN, SUPERVISOR, a_floor, a_task, killed, one, picked_by, rows
from tests.support.policies import approve
from tests.support.steps import allocated
from tests.support.threads import at_once

TABLES = ("carriage", "carton", "carton_line", "shipment", "shipment_line", "shipment_trouble", "warehouse_task", "stock_balance", "order_line")  # fmt: skip


@pytest.fixture
def business(database):
    return a_business(database)


@pytest.fixture
def floor(business):
    return a_floor(business)


def a_shipment(business, lines=((0, 10), (1, 4))):
    """Picked through its task, not packed."""
    (task,) = a_task(business, allocated(business, lines))
    return picked_by(business, ANNA, task.id).shipments[0]


def refused(business, who, act, code):
    """The act is refused with this code, and nothing has changed."""
    before = rows(business.database, *TABLES)
    with pytest.raises(DomainError) as error, business.work(who) as work:
        act(work)
    assert error.value.code == code
    assert rows(business.database, *TABLES) == before
    return error.value


def packed(business, floor, shipment, weight="8.2"):
    with business.work(ANNA) as work:
        pack_cartons(work, [PackCarton(shipment=shipment.id, carton_type=floor.box, weight_kg=Decimal(weight))])


def ship(business, shipment, who=ANNA, **how):
    with business.work(who) as work:
        return ship_shipments(work, [ShipShipment(shipment=shipment.id, **how)], rules=RULES, cells=OPEN)[0]


def test_goods_scanned_into_cartons_are_packed_when_the_last_carton_is_weighed(business, floor):
    shipment = a_shipment(business)
    with business.work(ANNA) as work:
        first = open_carton(work, shipment.id, floor.box)
    with business.work(ANNA) as work:
        put_in_carton(work, shipment.id, "40-0", 10_000, before=0)
        close_carton(work, first.id, Decimal("6.5"))
    assert one(business.database, "SELECT count(*) FROM event_log WHERE type = 'shipment.packed'") == (0,)
    with business.work(ANNA) as work:
        second = open_carton(work, shipment.id, floor.box)
        put_in_carton(work, shipment.id, " 40-1", 3_000)
        put_in_carton(work, shipment.id, "40-1", 1_000, before=3_000)
        close_carton(work, second.id, Decimal("2.25"))
    assert tuple(one(business.database, "SELECT weight_kg, service_id, freight_estimate_minor FROM carriage")) == (
        8_750, floor.parcel, 713,
    )  # fmt: skip
    assert (
        one(business.database, "SELECT data FROM event_log WHERE type = 'shipment.packed'")[0]
        == '{"cartons":2,"weight":8750}'
    )
    assert tuple(one(business.database, "SELECT state, owner_id FROM warehouse_task WHERE kind = 'pack'")) == (
        "done",
        ANNA.id,
    )
    assert_books_agree(business.database)


def test_what_was_not_picked_is_never_packed(business, floor):
    shipment = a_shipment(business)
    refused(business, ANNA, lambda work: put_in_carton(work, shipment.id, "40-0", 1_000), "no_carton_open")
    with business.work(ANNA) as work:
        carton = open_carton(work, shipment.id, floor.box)
    error = refused(business, ANNA, lambda work: put_in_carton(work, shipment.id, "40-0", 10_001), "pack_too_much")
    assert error.facts["most"] == "10"
    refused(business, ANNA, lambda work: put_in_carton(work, shipment.id, "40-2", 1_000), "scan_not_in_shipment")
    refused(business, ANNA, lambda work: put_in_carton(work, shipment.id, "40-0", 0), "quantity_negative")
    refused(business, ANNA, lambda work: open_carton(work, shipment.id, floor.box), "carton_open")
    refused(business, ANNA, lambda work: close_carton(work, carton.id, Decimal(5)), "carton_empty")
    with business.work(ANNA) as work:
        put_in_carton(work, shipment.id, "40-0", 10_000)
    refused(business, ANNA, lambda work: close_carton(work, carton.id, Decimal("0.4")), "weight_below_tare")
    refused(business, ANNA, lambda work: close_carton(work, carton.id, Decimal("30.001")), "weight_over_most")
    with pytest.raises(Conflict), business.work(ANNA) as work:
        put_in_carton(work, shipment.id, "40-0", 1_000, before=0)


def test_two_packing_one_shipment_pack_it_once(business, floor):
    shipment = a_shipment(business)

    def pack(who):
        def act():
            with business.work(who) as work:
                pack_cartons(work, [PackCarton(shipment=shipment.id, carton_type=floor.box, weight_kg=Decimal(9))])

        return act

    results = at_once(pack(ANNA), pack(BEN))
    assert sorted(type(result).__name__ for result in results) == ["NoneType", "RuleBroken"]
    assert one(business.database, "SELECT count(*), sum(quantity) FROM carton_line") == (2, 14_000)
    assert_books_agree(business.database)


def test_a_carton_unpacked_again_can_be_packed_anew_under_another_number(business, floor):
    shipment = a_shipment(business, [(0, 2)])
    packed(business, floor, shipment)
    first = one(business.database, "SELECT id, number FROM carton")
    refused(business, ANNA, lambda work: void_carton(work, first.id, " "), "reason_required")
    with business.work(ANNA) as work:
        void_carton(work, first.id, "box torn")
    assert one(business.database, "SELECT packed_at FROM carriage") == (None,)
    packed(business, floor, shipment, "3")
    assert one(business.database, "SELECT count(DISTINCT number) FROM carton") == (2,)
    assert one(business.database, "SELECT weight_kg FROM carriage") == (3_000,)
    assert_books_agree(business.database)


def test_a_shipment_leaves_with_service_tracking_and_freight(business, floor):
    shipment = a_shipment(business)
    packed(business, floor, shipment)
    done = ship(business, shipment, tracking_number="00340434161094042557")
    assert done.state == "confirmed"
    carriage = one(business.database, "SELECT * FROM carriage")
    assert (carriage.service_id, carriage.rule_id, carriage.tracking_number) == (
        floor.parcel,
        floor.rule,
        "00340434161094042557",
    )
    assert (str(carriage.collected_on), bool(carriage.missed_cut_off)) == ("2026-03-02", False)
    refused(
        business,
        ANNA,
        lambda work: ship_shipments(work, [ShipShipment(shipment=shipment.id)], rules=RULES, cells=OPEN),
        "illegal_move",
    )
    refused(business, ANNA, lambda work: open_carton(work, shipment.id, floor.box), "shipment_gone")
    with business.work(SUPERVISOR) as work:
        settle_freight(work, shipment.id, 742)
    assert one(business.database, "SELECT data FROM event_log WHERE type = 'shipment.freight_settled'")[0] == (
        f'{{"service":{floor.parcel},"actual":742,"estimate":696}}'
    )
    refused(business, SUPERVISOR, lambda work: settle_freight(work, shipment.id, 742), "freight_settled")
    assert_books_agree(business.database)


def test_where_the_site_demands_packing_nothing_leaves_unpacked_by_any_way(business, floor):
    approve(business, "packing_required", True)
    shipment = a_shipment(business)
    refused(
        business,
        ANNA,
        lambda work: ship_shipments(work, [ShipShipment(shipment=shipment.id)], rules=RULES, cells=OPEN),
        "not_packed",
    )
    refused(business, ANNA, lambda work: confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN), "not_packed")
    packed(business, floor, shipment)
    assert ship(business, shipment).state == "confirmed"


def test_confirming_a_shipment_twice_at_once_ships_it_once(business, floor):
    shipment = a_shipment(business)

    def confirm():
        ship(business, shipment)

    results = at_once(confirm, confirm)
    assert sorted(type(result).__name__ for result in results) == ["IllegalMove", "NoneType"]
    assert isinstance(next(one for one in results if one), IllegalMove)
    assert_books_agree(business.database)


def test_a_dearer_service_needs_a_reason_that_stays_with_the_freight(business, floor):
    shipment = a_shipment(business)
    packed(business, floor, shipment)
    error = refused(
        business,
        ANNA,
        lambda work: choose_carriage(work, ShipShipment(shipment=shipment.id, service=floor.express)),
        "premium_reason_needed",
    )
    assert (error.facts["service"], error.facts["usual"]) == ("DHL Express", "DHL Parcel")
    ship(business, shipment, service=floor.express, premium_reason="promised for tomorrow")
    carriage = one(
        business.database, "SELECT service_id, rule_id, premium_reason, freight_estimate_minor FROM carriage"
    )
    assert tuple(carriage) == (floor.express, None, "promised for tomorrow", 2702)


def test_a_service_that_carries_less_is_refused(business, floor):
    shipment = a_shipment(business)
    with business.work(ANNA) as work:
        pack_cartons(work, [PackCarton(shipment=shipment.id, carton_type=floor.pallet, weight_kg=Decimal(60))])
    refused(
        business, ANNA, lambda work: ship_shipments(work, [ShipShipment(shipment=shipment.id, service=floor.parcel)], rules=RULES, cells=OPEN),
        "service_too_light",
    )  # fmt: skip
    with business.work(SUPERVISOR) as work:
        set_active(work, floor.express, is_active=False)
    refused(
        business, ANNA, lambda work: ship_shipments(work, [ShipShipment(shipment=shipment.id, service=floor.express)], rules=RULES, cells=OPEN),
        "service_not_used",
    )  # fmt: skip


def test_a_cut_off_missed_leaves_with_the_next_collection_and_is_a_delay_when_the_promise_breaks(business, floor):
    business.clock.set(business.clock.now().replace(hour=14, minute=59))  # 15:59 in Duisburg
    in_time = a_shipment(business, [(0, 1)])
    late = a_shipment(business, [(0, 1)])
    ship(business, in_time)
    business.clock.advance(timedelta(minutes=2))
    ship(business, late)
    found = {
        row.shipment_id: (str(row.collected_on), bool(row.missed_cut_off))
        for row in _all(business, "SELECT * FROM carriage")
    }
    assert found == {in_time.id: ("2026-03-02", False), late.id: ("2026-03-03", True)}
    assert one(business.database, "SELECT count(*) FROM shipment_trouble") == (0,)

    business.clock.set(
        business.clock.now().replace(day=5, hour=15, minute=1)
    )  # the promised day, after the van has left
    broken = a_shipment(business, [(0, 1)])
    with business.work() as work:
        work.session.execute(text("UPDATE order_line SET promised_due_at = (SELECT promised_due_at FROM order_line WHERE order_id = :o) WHERE order_id = :b"), {"o": late.order_id, "b": broken.order_id})  # fmt: skip
    ship(business, broken)
    assert tuple(one(business.database, "SELECT kind, reason, owner_id FROM shipment_trouble")) == (
        "delayed",
        "carrier cut-off missed",
        ANNA.id,
    )
    assert one(business.database, "SELECT count(*) FROM event_log WHERE type = 'shipment.delayed'") == (1,)


def _all(business, sql):
    from app.composition.uow import reading

    with reading(business.database) as session:
        return session.execute(text(sql)).all()


def test_trouble_on_the_way_has_an_owner_until_it_is_settled(business, floor):
    shipment = a_shipment(business)
    refused(
        business,
        SUPERVISOR,
        lambda work: report_trouble(work, [Report(shipment=shipment.id, kind=TroubleKind.LOST, reason="scan missing")]),
        "shipment_not_left",
    )
    ship(business, shipment)
    refused(
        business,
        SUPERVISOR,
        lambda work: report_trouble(work, [Report(shipment=shipment.id, kind=TroubleKind.LOST, reason="")]),
        "reason_required",
    )
    refused(
        business,
        ANNA,
        lambda work: report_trouble(work, [Report(shipment=shipment.id, kind=TroubleKind.LOST, reason="x")]),
        "not_allowed",
    )
    with business.work(SUPERVISOR) as work:
        (row,) = report_trouble(
            work, [Report(shipment=shipment.id, kind=TroubleKind.REFUSED, reason="nobody signed", owner=301)]
        )
    assert row.due_at - row.opened_at == timedelta(hours=8)
    with business.work(SUPERVISOR) as work:
        take_trouble(work, row.id, SUPERVISOR.id)
    refused(business, SUPERVISOR, lambda work: resolve_trouble(work, row.id, ""), "reason_required")
    with business.work(SUPERVISOR) as work:
        resolve_trouble(work, row.id, "delivered to the neighbour")
    refused(business, SUPERVISOR, lambda work: resolve_trouble(work, row.id, "again"), "trouble_ended")
    assert one(business.database, "SELECT count(*) FROM event_log WHERE type = 'shipment.refused'") == (1,)
    with business.work(SUPERVISOR) as work:
        deliver_shipments(work, [DeliverShipment(shipment=shipment.id)], rules=RULES, cells=OPEN)
        keep_proof(work, shipment.id, "M. Weber", "at the ramp")
    refused(
        business,
        SUPERVISOR,
        lambda work: report_trouble(work, [Report(shipment=shipment.id, kind=TroubleKind.LOST, reason="x")]),
        "shipment_delivered",
    )
    assert tuple(one(business.database, "SELECT received_by, note FROM delivery_proof")) == ("M. Weber", "at the ramp")
    assert_books_agree(business.database)


def test_no_event_names_who_took_the_goods(business, floor):
    shipment = a_shipment(business)
    ship(business, shipment)
    with business.work(SUPERVISOR) as work:
        deliver_shipments(work, [DeliverShipment(shipment=shipment.id)], rules=RULES, cells=OPEN)
        keep_proof(work, shipment.id, "M. Weber")
    assert one(business.database, "SELECT count(*) FROM event_log WHERE data LIKE '%Weber%'") == (0,)
    assert one(
        business.database, "SELECT count(*) FROM transition WHERE facts LIKE '%Weber%' OR reason LIKE '%Weber%'"
    ) == (0,)


def test_the_rule_that_names_more_wins_and_a_rule_that_ended_does_not(business, floor):
    with business.work(SUPERVISOR) as work:
        narrow = add_rule(
            work,
            NewCarrierRule(service=floor.express, reason="web shop promises tomorrow", valid_from=date(2026, 1, 1), site=business.site, channel=business.channel),
        )  # fmt: skip
    shipment = a_shipment(business, [(0, 1)])
    packed(business, floor, shipment, "1")
    assert tuple(one(business.database, "SELECT service_id, rule_id FROM carriage")) == (floor.express, narrow.id)
    with business.work(SUPERVISOR) as work:
        end_rule(work, narrow.id, date(2026, 3, 2))
    other = a_shipment(business, [(0, 1)])
    packed(business, floor, other, "1")
    assert one(business.database, f"SELECT service_id FROM carriage WHERE shipment_id = {other.id}") == (floor.parcel,)


def test_bad_carriers_are_refused(business, floor):
    def carrier(work, **given):
        return add_carrier(work, NewCarrier(entity=business.entity, **{"code": "UPS", "name": "UPS", **given}))

    refused(business, SUPERVISOR, lambda work: carrier(work, code="DHL"), "code_in_use")
    refused(
        business,
        SUPERVISOR,
        lambda work: carrier(work, tracking_address="javascript:alert({number})"),
        "tracking_address_unusable",
    )
    refused(business, ANNA, carrier, "not_allowed")
    with business.work(SUPERVISOR) as work:
        ups = carrier(work).id
    for given, code in (
        ({"transit_days": -1}, "transit_absurd"), ({"per_kg": Decimal(-1)}, "charge_negative"), ({"most_kg": Decimal(0)}, "weight_not_positive"),
        ({"label_format": "a0"}, "choice_unknown"),
    ):  # fmt: skip
        refused(
            business, SUPERVISOR,
            lambda work, given=given: add_service(work, NewService(**{"carrier": ups, "code": "S", "name": "S", "transit_days": 1, **given})), code,
        )  # fmt: skip
    refused(
        business,
        SUPERVISOR,
        lambda work: set_cut_offs(work, floor.parcel, business.site, {7: time(12)}),
        "choice_unknown",
    )
    refused(
        business,
        SUPERVISOR,
        lambda work: add_rule(work, NewCarrierRule(service=floor.parcel, reason="", valid_from=date(2026, 1, 1))),
        "reason_required",
    )
    refused(business, SUPERVISOR, lambda work: end_rule(work, floor.rule, date(2019, 1, 1)), "validity_empty")
    refused(
        business, SUPERVISOR,
        lambda work: add_carton_type(work, NewCartonType(entity=business.entity, code="X", name="X", length_mm=0, width_mm=1, height_mm=1, tare_kg=Decimal(1))),
        "size_absurd",
    )  # fmt: skip


def test_a_worker_killed_between_pick_pack_and_ship_loses_and_doubles_nothing(business, floor):
    order = allocated(business, [(0, 5)])
    (task,) = a_task(business, order)
    shipment = picked_by(business, ANNA, task.id).shipments[0]
    for act in (
        lambda work: pack_cartons(
            work, [PackCarton(shipment=shipment.id, carton_type=floor.box, weight_kg=Decimal(3))]
        ),
        lambda work: ship_shipments(work, [ShipShipment(shipment=shipment.id)], rules=RULES, cells=OPEN),
    ):
        before = rows(business.database, *TABLES)
        killed(business, ANNA, act)
        assert rows(business.database, *TABLES) == before
        with business.work(ANNA) as work:
            act(work)
        assert_books_agree(business.database)
    assert one(business.database, "SELECT shipped, picked, allocated FROM order_line") == (5_000, 0, 0)
    assert one(business.database, "SELECT count(*), sum(quantity) FROM stock_move WHERE reason = 'issue'") == (
        1,
        -5_000,
    )
