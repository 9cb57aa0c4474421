"""Which of our shipments do the lines of a carrier's bill mean, and what did we expect of each? Read as they are now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select

from erpcore.billing.freight.flow import CARRIER_BILL, POST, TAKE
from erpcore.billing.freight.models import BillState, CarrierBill, CarrierBillLine, Decision, LineResult
from erpcore.billing.freight.records import (
    bill_of_line,
    lines_of,
    lock_bill,
    place_of_bill,
    save_bill,
    save_decisions,
    save_verdicts,
    told,
)
from erpcore.billing.freight.rules import Known, Told, Verdict, judge
from erpcore.fulfilment.carriers.models import Carriage, CarrierService
from erpcore.fulfilment.models import Shipment, ShipmentState
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.rows import chunks
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.models import SalesOrder
from erpcore.ports import ProcessRules
from erpcore.published.freight import CarrierBillDecided

STEP = "procure_to_pay.match"


def verdicts_of(work: UnitOfWork, bill: Any, lines: Sequence[Told], rules: ProcessRules) -> list[Verdict]:
    """What the lines are by our shipments of this moment. ``bill`` names company, carrier, currency and, once it has one, its id."""
    references = {line.reference for line in lines if line.reference}
    chosen = {line.chosen for line in lines if line.chosen is not None}
    by_reference: dict[str, dict[int, Known]] = defaultdict(dict)
    by_id: dict[int, Known] = {}
    rows = _shipments(work, bill.entity_id, Shipment.number, references)
    # Our own number is one shipment's; a tracking number may be that of several.
    ours = {row.number for row in rows}
    rows += _shipments(work, bill.entity_id, Carriage.tracking_number, references - ours)
    rows += _shipments(work, bill.entity_id, Shipment.id, chosen)
    billed = _billed(work, {row.id for row in rows}, bill.id)
    for row in rows:
        known = by_id.get(row.id) or _known(work, row, billed.get(row.id, ()), rules)
        by_id[row.id] = known
        by_reference[row.number][row.id] = known
        if row.tracking_number and row.tracking_number not in ours:
            by_reference[row.tracking_number][row.id] = known
    found = {reference: list(shipments.values()) for reference, shipments in by_reference.items()}
    return judge(lines, found, by_id, carrier=bill.carrier_id, currency=bill.currency)


def _shipments(work: UnitOfWork, entity: int, column: Any, among: Iterable[Any]) -> list[Any]:
    out: list[Any] = []
    for part in chunks(sorted(among)):
        query = (
            select(
                Shipment.id, Shipment.number, Shipment.state, Shipment.confirmed_at, SalesOrder.ruleset, Carriage.tracking_number,
                Carriage.freight_estimate_minor, Carriage.freight_actual_minor, Carriage.settled_at, CarrierService.carrier_id,
            )
            .join(SalesOrder, SalesOrder.id == Shipment.order_id)
            .join(Carriage, Carriage.shipment_id == Shipment.id, isouter=True)
            .join(CarrierService, CarrierService.id == Carriage.service_id, isouter=True)
            .where(Shipment.entity_id == entity, column.in_(part))
            .order_by(Shipment.id)
        )  # fmt: skip
        out += work.session.execute(query).all()
    return out


def _known(work: UnitOfWork, row: Any, billed: Sequence[str], rules: ProcessRules) -> Known:
    noted = row.freight_actual_minor if row.settled_at is not None else None
    return Known(
        shipment=row.id, number=row.number, has_left=row.confirmed_at is not None, billed=tuple(billed),
        is_taken_back=row.state == ShipmentState.TAKEN_BACK, carrier=row.carrier_id,
        expected=row.freight_estimate_minor if noted is None else noted,
        tolerance=int(rules.stored(work, row.ruleset)["freight_tolerance_permille"]),
    )  # fmt: skip


def _billed(work: UnitOfWork, shipments: set[int], but: int | None) -> dict[int, list[str]]:
    """The numbers of bills that are in the books, by the shipments that they bill."""
    out: dict[int, list[str]] = defaultdict(list)
    for part in chunks(sorted(shipments)):
        query = (
            select(CarrierBillLine.shipment_id, CarrierBill.number)
            .join(CarrierBill, CarrierBill.id == CarrierBillLine.bill_id)
            .where(
                CarrierBillLine.shipment_id.in_(part), CarrierBillLine.owed_minor != 0, CarrierBill.state == BillState.POSTED,
                CarrierBill.id != (but or 0),
            )
            .order_by(CarrierBill.posted_at, CarrierBill.id)
            .distinct()
            .add_columns(CarrierBill.posted_at, CarrierBill.id)
        )  # fmt: skip
        for row in work.session.execute(query):
            out[row.shipment_id].append(row.number)
    return out


def match_again(
    work: UnitOfWork, bill: int, *, rules: ProcessRules, seen_version: int | None = None
) -> list[Verdict]:  # fmt: skip
    """Set the lines of a bill that waits against our shipments anew; decisions stay where a line is found to be the same."""
    _, row = lock_bill(work, bill, seen_version)
    work.actor.require(TAKE, site=row.site_id)
    CARRIER_BILL.target("match", row.state)
    return _match(work, row, {}, rules)


def choose_shipment(work: UnitOfWork, line: int, shipment: int | None, *, rules: ProcessRules) -> list[Verdict]:
    """Say by hand which shipment a line is about, or (``None``) let its number say it again; all lines are matched anew.

    Raises ``NotFound`` for a shipment of another company.
    """
    _, row = lock_bill(work, bill_of_line(work, line))
    work.actor.require(TAKE, site=row.site_id)
    CARRIER_BILL.target("match", row.state)
    if shipment is not None and not _shipments(work, row.entity_id, Shipment.id, [shipment]):
        raise NotFound("shipment_unknown", shipment=shipment)
    return _match(work, row, {line: shipment}, rules)


def _match(
    work: UnitOfWork, row: Any, chosen: dict[int, int | None], rules: ProcessRules
) -> list[Verdict]:  # fmt: skip
    lines = lines_of(work, row.id)
    named = {one.id: one.chosen_id for one in lines} | chosen
    found = verdicts_of(work, row, [one._replace(chosen=named[one.id]) for one in told(lines)], rules)
    save_verdicts(work, lines, found, named)
    # What somebody saw before is no longer what would be posted.
    save_bill(work, row)
    numbers = {one.id: one.line_no for one in lines}
    facts = {"chosen": {str(numbers[key]): value for key, value in chosen.items()}}
    record_move(work, CARRIER_BILL.document, row.id, "match", row.state, row.state, facts=facts)
    return found


def accept_line(work: UnitOfWork, line: int, *, reason: str) -> None:
    """Owe what a line asks although it is not as expected. Raises ``RuleBroken("carrier_line_decided")`` for one that is matched."""
    _decide(work, line, Decision.ACCEPTED, reason)


def decline_line(work: UnitOfWork, line: int, *, reason: str) -> None:
    """Owe nothing of a line: the carrier is told why, and asks again if it thinks otherwise."""
    _decide(work, line, Decision.DECLINED, reason)


def _decide(work: UnitOfWork, line: int, decision: Decision, reason: str) -> None:
    _, row = lock_bill(work, bill_of_line(work, line))
    work.actor.require(POST, site=row.site_id)
    CARRIER_BILL.target("decide", row.state, reason=reason)
    mine = next(one for one in lines_of(work, row.id) if one.id == line)
    if mine.result == LineResult.MATCHED and decision is Decision.ACCEPTED:
        raise RuleBroken("carrier_line_matched", line=mine.line_no, document=row.number)
    save_decisions(work, [line], decision, reason.strip())
    save_bill(work, row)
    record_move(
        work, CARRIER_BILL.document, row.id, "decide", row.state, row.state, reason=reason.strip(),
        facts={"line": mine.line_no, "decision": decision, "before": mine.decision},
    )  # fmt: skip
    event = CarrierBillDecided(
        carrier=row.carrier_id, result=mine.result, decision=decision, amount=mine.amount_minor,
        expected=mine.expected_minor,
    )  # fmt: skip
    work.publish(
        event,
        place_of_bill(work, row.site_id),
        step=STEP,
        subject=("carrier_bill", row.id, row.version + 1),
        journey=row.id,
    )
