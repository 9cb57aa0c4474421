"""A carrier's bill comes into the books: freight and its tax against what we owe, line by line, at the site and channel of the order.

A shipment that is billed is no longer accrued from that day on; what was accrued for it at an earlier end was turned back the day after.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from erpcore.billing.freight.flow import CARRIER_BILL, POST
from erpcore.billing.freight.matching import STEP, verdicts_of
from erpcore.billing.freight.models import BillState, CarrierBill, CarrierBillLine, Decision, LineResult
from erpcore.billing.freight.records import (
    is_kept,
    lines_of,
    lock_bill,
    place_of_bill,
    save_bill,
    save_owed,
    told,
)
from erpcore.fulfilment.carriers.charged import charge_freight, take_charges_back
from erpcore.fulfilment.records import lock_shipments, orders_of
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, RuleBroken
from erpcore.kernel.events import Place
from erpcore.kernel.history import record_move
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole, JournalEntry
from erpcore.ledger.services import Entry, Side, ensure_account, post_entries
from erpcore.orders.records import lock_orders
from erpcore.ports import ProcessRules
from erpcore.published.freight import CarrierBillPosted, CarrierBillReversed

ROLES = (AccountRole.FREIGHT, AccountRole.INPUT_TAX, AccountRole.PAYABLE)
DOCUMENT = "carrier_bill_line"


def post_bill(work: UnitOfWork, bill: int, *, rules: ProcessRules, seen_version: int | None = None) -> int:
    """Approve a bill that waits and post what of it is owed; returns that, in minor units.

    Raises ``RuleBroken("carrier_bill_own")`` for who took it, ``"carrier_bill_undecided"`` while a line that is not as expected waits
    for somebody's word, ``"carrier_bill_nothing"`` when nothing is owed, and ``Conflict("carrier_bill_changed")`` when our shipments
    have changed since its lines were matched.
    """
    _, row = lock_bill(work, bill, seen_version)
    work.actor.require(POST, site=row.site_id)
    state = CARRIER_BILL.target("post", row.state)
    if row.taken_by == work.actor.id:
        raise RuleBroken("carrier_bill_own", document=row.number)
    lines = lines_of(work, bill)
    places = _places(work, row, lines)
    fresh = verdicts_of(work, row, told(lines), rules)
    if not all(is_kept(line, found) for line, found in zip(lines, fresh, strict=True)):
        raise Conflict("carrier_bill_changed", document=row.number)
    open_ = [line.line_no for line in lines if line.result != LineResult.MATCHED and line.decision is None]
    if open_:
        raise RuleBroken("carrier_bill_undecided", document=row.number, lines=[str(one) for one in open_[:6]])
    owed = [line for line in lines if line.decision != Decision.DECLINED]
    if not owed:
        raise RuleBroken("carrier_bill_nothing", document=row.number)
    for role in ROLES:
        ensure_account(work, row.entity_id, role)
    settling = charge_freight(work, _by_shipment(owed), billed=_settled_before(work, owed))
    entries = [_entry(work, "freight_billed", row, line, places, 1) for line in owed]
    post_entries(work, entries)
    save_owed(work, {line.id: (line.amount_minor + line.tax_minor, line.shipment_id in settling) for line in owed})
    total = int(sum(line.amount_minor + line.tax_minor for line in owed))
    save_bill(work, row, state=state, owed_minor=total, posted_by=work.actor.id, posted_at=work.now)
    record_move(work, CARRIER_BILL.document, bill, "post", row.state, state, facts={"owed": total})
    expected = {line.shipment_id: line.expected_minor or 0 for line in owed if line.shipment_id is not None}
    event = CarrierBillPosted(
        carrier=row.carrier_id, net=sum(line.amount_minor for line in owed), tax=sum(line.tax_minor for line in owed), owed=total,
        expected=sum(expected.values()),
    )  # fmt: skip
    _tell(work, row, event)
    return total


def reverse_bill(work: UnitOfWork, bill: int, *, reason: str, seen_version: int | None = None) -> None:
    """Take a posted bill out of the books. It stays as it is, reversed; the carrier's number may come again.

    Raises ``RuleBroken("freight_below_nothing")`` where a later bill gave back what this one asked: reverse that one first.
    """
    _, row = lock_bill(work, bill, seen_version)
    work.actor.require(POST, site=row.site_id)
    state = CARRIER_BILL.target("reverse", row.state, reason=reason)
    lines = lines_of(work, bill)
    places = _places(work, row, lines)
    owed = [line for line in lines if line.owed_minor]
    settled = [line for line in owed if line.settles]
    posted = {
        one.document_id: one.id
        for one in read_rows(
            work, JournalEntry, ("id", "document_id"), "document_id", [line.id for line in owed], also=("document_type", DOCUMENT)
        )
    }  # fmt: skip
    take_charges_back(work, _by_shipment(settled), still=_settled_before(work, settled, but=bill))
    post_entries(
        work,
        [
            _entry(work, "freight_unbilled", row, line, places, -1, posted[line.id], reason.strip())
            for line in owed
            if line.id in posted
        ],
    )
    save_bill(work, row, state=state, reversed_at=work.now)
    record_move(work, CARRIER_BILL.document, bill, "reverse", row.state, state, reason=reason.strip())
    _tell(
        work,
        row,
        CarrierBillReversed(carrier=row.carrier_id, owed=row.owed_minor, reason=reason.strip()),
    )


def _by_shipment(lines: Sequence[Any]) -> dict[int, int]:
    """What lines ask for each shipment, without tax."""
    sums: dict[int, int] = defaultdict(int)
    for line in lines:
        if line.shipment_id is not None:
            sums[line.shipment_id] += line.amount_minor
    return sums


def _settled_before(work: UnitOfWork, lines: Sequence[Any], but: int = 0) -> set[int]:
    """Those of the shipments whose carriage says what other bills, which are in the books, ask for them."""
    shipments = {line.shipment_id for line in lines if line.shipment_id is not None}
    rows = read_rows(work, CarrierBillLine, ("shipment_id", "bill_id", "settles"), "shipment_id", shipments)
    mine = {row.bill_id for row in rows if row.settles} - {but}
    posted = {
        row.id for row in read_rows(work, CarrierBill, ("id",), "id", mine, also=("state", BillState.POSTED.value))
    }
    return {row.shipment_id for row in rows if row.settles and row.bill_id in posted}


def _places(work: UnitOfWork, row: Any, lines: Sequence[Any]) -> Mapping[int | None, Place]:
    """Where the freight of each shipment belongs: the site and channel of its order. Orders and shipments are locked."""
    keys = sorted({line.shipment_id for line in lines if line.shipment_id is not None})
    places: dict[int | None, Place] = {None: place_of_bill(work, row.site_id)}
    if keys:
        orders = {order.id: order for order in lock_orders(work, orders_of(work, keys))}
        for shipment in lock_shipments(work, keys):
            places[shipment.id] = orders[shipment.order_id].place(work)._replace(currency=row.currency)
    return places


def _entry(
    work: UnitOfWork, rule: str, row: Any, line: Any, places: Mapping[int | None, Place], sign: int,
    reverses: int | None = None, why: str = "",
) -> Entry:  # fmt: skip
    place = places[line.shipment_id]
    net, tax = sign * line.amount_minor, sign * line.tax_minor
    return Entry(
        rule=rule, place=place, document_type=DOCUMENT, document_id=line.id, journey=row.id,
        entry_on=local_day(work.now, place.time_zone), posted_at=work.now, currency=row.currency,
        sides=(
            Side(AccountRole.FREIGHT, net), Side(AccountRole.INPUT_TAX, tax), Side(AccountRole.PAYABLE, -(net + tax)),
        ),
        text=why or f"{row.number}, line {line.line_no}", reverses=reverses,
    )  # fmt: skip


def _tell(work: UnitOfWork, row: Any, event: Any) -> None:
    work.publish(
        event,
        place_of_bill(work, row.site_id),
        step=STEP,
        subject=("carrier_bill", row.id, row.version + 1),
        journey=row.id,
    )
