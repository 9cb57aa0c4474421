"""What the demo's carrier bills: one bill approved and in the books, one that waits for somebody's word on what is not as expected."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.uow import reading
from app.demo.desk import Desk
from app.importers.carrierbills import BillHead, take_bill_file
from erpcore.billing.freight.matching import accept_line
from erpcore.billing.freight.models import CarrierBillLine
from erpcore.billing.freight.posting import post_bill
from erpcore.fulfilment.carriers.models import Carriage, Carrier, CarrierService
from erpcore.fulfilment.models import Shipment
from erpcore.kernel.clock import local_day
from erpcore.kernel.money import share_of
from erpcore.masterdata.models import Realm

_SITE = (Realm.LIVE.value, "DUI")
#: Tax on German freight, in millionths.
_TAX = 190_000
#: What the carrier asks besides for a pallet that went out twice, and for one with a new tariff, in cents.
_TWICE, _TARIFF = 1_850, 690


def _sent(session: Session, carrier: int) -> list[Any]:
    """What left with the carrier and nobody has billed: number by which it knows the parcel, and what is expected; the oldest first."""
    query = (
        select(
            Shipment.number, Carriage.tracking_number, Carriage.freight_estimate_minor, Carriage.freight_actual_minor
        )
        .join(Carriage, Carriage.shipment_id == Shipment.id)
        .join(CarrierService, CarrierService.id == Carriage.service_id)
        .where(
            CarrierService.carrier_id == carrier, Shipment.confirmed_at.is_not(None),
            Carriage.freight_estimate_minor.is_not(None),
        )
        .order_by(Shipment.confirmed_at, Shipment.id)
    )  # fmt: skip
    return [
        (row.tracking_number or row.number, row.freight_estimate_minor if row.freight_actual_minor is None else row.freight_actual_minor)
        for row in session.execute(query)
    ]  # fmt: skip


def bill_freight(desk: Desk) -> None:
    """The carrier's two bills: of what left first, approved after one line was accepted; of the rest, waiting. The last parcel is on none."""
    node, finance = desk.world.nodes[_SITE], desk.staff["finance"]
    with reading(desk.database) as session:
        carrier = session.scalars(
            select(Carrier.id).where(Carrier.entity_id == node.entity, Carrier.code == "RTL")
        ).one()
        sent = _sent(session, carrier)[:-1]
    if len(sent) < 4:
        return
    first, second = sent[: len(sent) // 2], sent[len(sent) // 2 :]
    lines = [(reference, minor, "") for reference, minor in first]
    lines.append((first[0][0], _TWICE, "zweite Zustellung"))
    clean = _hand_in(desk, carrier, "RL-88120", lines)
    with desk.work(finance, Realm.LIVE) as work:
        dear = work.session.scalars(
            select(CarrierBillLine.id)
            .where(CarrierBillLine.bill_id == clean, CarrierBillLine.result != "matched")
            .order_by(CarrierBillLine.line_no)
        ).all()
        for line in dear:
            accept_line(work, line, reason="Nobody was there at the first delivery; the customer asked for the second.")
    with desk.work(finance, Realm.LIVE) as work:
        post_bill(work, clean, rules=desk.rules)
    lines = [(reference, minor, "") for reference, minor in second]
    lines[0] = (lines[0][0], lines[0][1] + _TARIFF, "Tarif ab Dezember")
    lines += [(first[0][0], first[0][1], ""), ("RTL000004711", 4_120, "Palette nach Kassel")]
    _hand_in(desk, carrier, "RL-88197", lines)


def _hand_in(desk: Desk, carrier: int, number: str, lines: list[tuple[str, int, str]]) -> int:
    """The carrier's file as it sends it, taken by the clerk; returns the bill's id."""
    node, day = desk.world.nodes[_SITE], local_day(desk.clock.now(), "Europe/Berlin")
    taxed = [(reference, minor, share_of(minor, _TAX), text) for reference, minor, text in lines]
    rows = ["shipment;amount;tax;text"]
    rows += [f"{reference};{_said(minor)};{_said(tax)};{text}" for reference, minor, tax, text in taxed]
    head = BillHead(
        carrier=carrier, site=node.id, number=number, billed_on=day, due_on=day + timedelta(days=30),
        total_minor=sum(minor + tax for _, minor, tax, _ in taxed),
    )  # fmt: skip
    with desk.work(desk.staff["billing"], Realm.LIVE) as work:
        taken = take_bill_file(work, head, "\r\n".join(rows).encode(), f"{number}.csv", rules=desk.rules)
    if taken.fault:
        raise AssertionError(f"bill {number} was refused: {taken.fault}")
    return taken.id


def _said(minor: int) -> str:
    """An amount as the carrier writes it."""
    return f"{Decimal(minor).scaleb(-2):.2f}".replace(".", ",")
