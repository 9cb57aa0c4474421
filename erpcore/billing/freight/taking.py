"""Carriers' bills are taken: as a whole when they add up, refused as a whole when not; every line is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import select

from erpcore.billing.cash import MOST_MINOR
from erpcore.billing.freight.flow import CARRIER_BILL, POST, TAKE
from erpcore.billing.freight.matching import STEP, verdicts_of
from erpcore.billing.freight.models import BillState, CarrierBill, CarrierBillLine, LineResult
from erpcore.billing.freight.records import lock_bill, lock_carrier, place_of_bill, save_bill
from erpcore.billing.freight.rules import Told
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.money import from_minor
from erpcore.kernel.rows import write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts
from erpcore.ports import ProcessRules
from erpcore.published.freight import CarrierBillReceived, CarrierBillRefused

_BILL = (
    "id", "entity_id", "site_id", "carrier_id", "number", "billed_on", "due_on", "file_name", "digest", "state", "fault", "currency",
    "net_minor", "tax_minor", "owed_minor", "taken_by", "taken_at", "posted_by", "posted_at", "reversed_at", "version",
)  # fmt: skip
_LINE = (
    "id", "entity_id", "site_id", "bill_id", "line_no", "reference", "amount_minor", "tax_minor", "text", "raw", "fault",
    "received_at", "result", "explanation", "shipment_id", "expected_minor", "chosen_id", "decision", "reason", "decided_by",
    "decided_at", "owed_minor", "settles",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class BillEntry:
    """A line as the carrier wrote it; ``fault`` says why it cannot be read. ``amount_minor`` is net, negative for what it gives back,
    ``tax_minor`` comes on top.
    """

    raw: str
    fault: str = ""
    reference: str = ""
    amount_minor: int | None = None
    tax_minor: int = 0
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TakeCarrierBill:
    """A carrier's bill. ``site`` looks after it; ``total_minor`` is what the carrier says that it asks for altogether, with tax."""

    carrier: int
    site: int
    number: str
    billed_on: date
    total_minor: int
    file_name: str
    digest: str
    lines: Sequence[BillEntry]
    due_on: date | None = None
    currency: str = ""
    fault: str = ""


class TakenBill(NamedTuple):
    """What became of a bill; ``fault`` is empty for one that was taken."""

    id: int
    fault: str


class _Head(NamedTuple):
    id: int
    entity_id: int
    carrier_id: int
    currency: str


def take_carrier_bill(work: UnitOfWork, command: TakeCarrierBill, *, rules: ProcessRules) -> TakenBill:
    """Take a bill, and set its lines against our shipments; nothing is posted.

    One that does not add up or has a line that cannot be read is kept refused with all its lines and the reason. Raises
    ``RuleBroken("carrier_bill_twice")`` for a number or a content that was taken before, ``"other_entity"`` for a site of another
    company than the carrier's.
    """
    carrier = lock_carrier(work, command.carrier)
    work.actor.require(TAKE, site=command.site)
    site = site_facts(work, command.site)
    if site.entity.id != carrier.entity_id:
        raise RuleBroken("carrier_bill_other_site", field="site", site=site.name, carrier=carrier.name)
    number = " ".join(command.number.split())[:120]
    if not number:
        raise RuleBroken("carrier_bill_number_missing", field="number")
    _check_days(work, command, site.time_zone)
    _refuse_twice(work, command, number)
    currency = site.entity.currency
    fault = fault_of(command, currency)
    key, ids = work.ids.one(), list(work.ids.reserve(len(command.lines)))
    lines = [
        Told(one, entry.reference or None, entry.amount_minor or 0)
        for one, entry in zip(ids, command.lines, strict=True)
    ]
    head = _Head(key, carrier.entity_id, carrier.id, currency)
    found = {} if fault else {one.line: one for one in verdicts_of(work, head, lines, rules)}
    net = 0 if fault else sum(entry.amount_minor or 0 for entry in command.lines)
    tax = 0 if fault else sum(entry.tax_minor for entry in command.lines)
    state = BillState.REFUSED if fault else BillState.RECEIVED
    row = (
        key, carrier.entity_id, command.site, carrier.id, number, command.billed_on, command.due_on, command.file_name[:300],
        command.digest, state, fault[:2000] or None, currency, net, tax, 0, work.actor.id, work.now, None, None, None, 1,
    )  # fmt: skip
    write_rows(work, CarrierBill.__table__, _BILL, [row])
    rows: list[tuple[Any, ...]] = []
    for at, (one, entry) in enumerate(zip(ids, command.lines, strict=True), 1):
        said = found.get(one)
        rows.append(
            (
                one, carrier.entity_id, command.site, key, at, entry.reference or None, entry.amount_minor, entry.tax_minor,
                entry.text or None, entry.raw, entry.fault or None, work.now, said and said.result, said and said.why,
                said and said.shipment, said and said.expected, None, None, None, None, None, 0, False,
            )
        )  # fmt: skip
    write_rows(work, CarrierBillLine.__table__, _LINE, rows)
    record_move(
        work, CARRIER_BILL.document, key, "refuse" if fault else "receive", None, state, reason=fault[:500] or None
    )
    if not fault:
        event = CarrierBillReceived(
            carrier=carrier.id, lines=len(lines), net=net, tax=tax,
            open=sum(one.result != LineResult.MATCHED for one in found.values()),
        )  # fmt: skip
        work.publish(event, place_of_bill(work, command.site), step=STEP, subject=("carrier_bill", key, 1), journey=key)
    return TakenBill(key, fault)


def refuse_bill(work: UnitOfWork, bill: int, *, reason: str, seen_version: int | None = None) -> None:
    """Send a bill that waits back as a whole; it is kept with the reason, and its number may come again."""
    _, row = lock_bill(work, bill, seen_version)
    work.actor.require(POST, site=row.site_id)
    state = CARRIER_BILL.target("refuse", row.state, reason=reason)
    save_bill(work, row, state=state, fault=reason.strip()[:2000])
    record_move(work, CARRIER_BILL.document, bill, "refuse", row.state, state, reason=reason.strip())
    work.publish(
        CarrierBillRefused(carrier=row.carrier_id, reason=reason.strip()), place_of_bill(work, row.site_id), step=STEP,
        subject=("carrier_bill", bill, row.version + 1), journey=bill,
    )  # fmt: skip


def _check_days(work: UnitOfWork, command: TakeCarrierBill, zone: str) -> None:
    if command.billed_on > local_day(work.now, zone):
        raise RuleBroken("carrier_bill_day", field="billed_on", day=command.billed_on)
    if command.due_on is not None and command.due_on < command.billed_on:
        raise RuleBroken("carrier_bill_due", field="due_on", day=command.due_on)


def _refuse_twice(work: UnitOfWork, command: TakeCarrierBill, number: str) -> None:
    kept = select(CarrierBill.number, CarrierBill.digest).where(
        CarrierBill.carrier_id == command.carrier, CarrierBill.state.not_in((BillState.REFUSED, BillState.REVERSED)),
        (CarrierBill.digest == command.digest) | (CarrierBill.number == number),
    )  # fmt: skip
    for row in work.session.execute(kept.order_by(CarrierBill.id)):
        raise RuleBroken("carrier_bill_twice", field="number", number=row.number)


def fault_of(command: TakeCarrierBill, currency: str) -> str:
    """Why a bill is refused, in words for the person who asks the carrier; empty when it may be taken."""
    faulty = [at for at, line in enumerate(command.lines, 1) if line.fault]
    if command.fault:
        return command.fault
    if not command.lines:
        return "it has no lines"
    if faulty:
        first = command.lines[faulty[0] - 1].fault
        return f"{len(faulty)} of {len(command.lines)} lines cannot be read; line {faulty[0]}: {first}"
    if command.currency and command.currency != currency:
        return f"it is in {command.currency}, and what this company's carriers ask is in {currency}"
    for at, line in enumerate(command.lines, 1):
        amount = line.amount_minor or 0
        if not amount or abs(amount) >= MOST_MINOR:
            return f"line {at} asks for nothing, or for more money than there is"
        if line.tax_minor and (abs(line.tax_minor) > abs(amount) or (line.tax_minor > 0) != (amount > 0)):
            return f"line {at} has more tax than amount, or tax of the other sign"
    total = sum((line.amount_minor or 0) + line.tax_minor for line in command.lines)
    if total != command.total_minor:
        said = from_minor(command.total_minor, currency)
        return f"the total says {said}, the lines make {from_minor(total, currency)}"
    return ""
