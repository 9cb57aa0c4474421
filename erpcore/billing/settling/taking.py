"""Partners are named, and their payouts taken: as a whole when they add up, refused as a whole when not; every line is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import select

from erpcore.billing.cash import MOST_MINOR
from erpcore.billing.settling.flow import IMPORT, KEEP, PAYOUT
from erpcore.billing.settling.matching import tell_matches, verdicts_of
from erpcore.billing.settling.models import (
    Payout,
    PayoutLine,
    PayoutLineKind,
    PayoutState,
    SettlementPartner,
)
from erpcore.billing.settling.records import PartnerFacts, lock_partner, written
from erpcore.billing.settling.rules import Told, Verdict
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.first import add_first
from erpcore.kernel.history import record_move
from erpcore.kernel.money import from_minor
from erpcore.kernel.rows import write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Channel
from erpcore.masterdata.queries import site_facts
from erpcore.published.settlement import SettlementReceived

_PAYOUT = (
    "id", "entity_id", "site_id", "partner_id", "reference", "file_name", "digest", "state", "fault", "currency", "gross_minor",
    "transfer_minor", "paid_minor", "posting_id", "taken_by", "taken_at", "posted_at", "version",
)  # fmt: skip
_LINE = (
    "id", "entity_id", "site_id", "partner_id", "payout_id", "line_no", "kind", "booked_on", "order_reference", "amount_minor",
    "tax_minor", "text", "raw", "fault", "received_at", "result", "confidence", "explanation", "parts", "unexplained_minor",
    "open_minor", "chosen_id", "outcome",
)  # fmt: skip
#: As fees are never: more than half of what was sold.
_MOST_RATE = Decimal("0.5")


@dataclass(frozen=True, kw_only=True, slots=True)
class PartnerContent:
    """What is said of a partner. ``fee_rate``: the agreed share of what was sold, 0.12 for twelve percent."""

    name: str
    fee_rate: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class PayoutEntry:
    """A line as a file has it; ``fault`` says why it cannot be read. The amount is positive in our favour, ``tax_minor`` is within."""

    raw: str
    fault: str = ""
    kind: str = ""
    booked_on: date | None = None
    reference: str = ""
    amount_minor: int | None = None
    tax_minor: int = 0
    currency: str = ""
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TakePayout:
    """A payout as a file has it. ``total_minor``: what the partner says that it pays; not needed where a line is the transfer."""

    partner: int
    reference: str
    file_name: str
    digest: str
    lines: Sequence[PayoutEntry]
    total_minor: int | None = None
    fault: str = ""


class TakenPayout(NamedTuple):
    """What became of a payout; ``fault`` is empty for one that was taken."""

    id: int
    fault: str


def add_partner(work: UnitOfWork, site: int, channel: int, *, code: str, content: PartnerContent) -> int:
    """Name who sells for the site's company through a channel; returns the id. Raises ``Conflict("partner_taken")`` when the code is
    used or the channel is another partner's.
    """
    work.actor.require(KEEP, site=site)
    where = site_facts(work, site)
    if where.entity.realm != work.realm:
        raise RuleBroken("other_realm", site=where.code, realm=where.entity.realm, asked=work.realm)
    if work.session.get(Channel, channel) is None:
        raise NotFound("channel_unknown", channel=channel)
    code = code.strip()
    if not code or len(code) > 40:
        raise RuleBroken("partner_incomplete", field="code", part="code")
    _check(content)
    key = work.ids.one()
    row = SettlementPartner(
        id=key, entity_id=where.entity.id, site_id=site, channel_id=channel, code=code, name=content.name.strip(),
        currency=where.entity.currency, fee_rate=content.fee_rate, mapping=None, version=1,
    )  # fmt: skip
    add_first(work, row, "partner_taken", partner=code)
    work.audit("partner_added", "settlement_partner", key, code=code, fee_rate=str(content.fee_rate))
    return key


def change_partner(work: UnitOfWork, partner: int, content: PartnerContent, *, seen_version: int) -> None:
    """Say anew how a partner is called and what was agreed; payouts that were matched keep what they were found to be."""
    row = _changing(work, partner)
    if row.version != seen_version:
        raise Conflict("changed_meanwhile")
    _check(content)
    before = {"name": row.name, "fee_rate": str(row.fee_rate)}
    row.name, row.fee_rate, row.version = content.name.strip(), content.fee_rate, row.version + 1
    work.audit("partner_changed", "settlement_partner", partner, before=before, fee_rate=str(content.fee_rate))


def map_partner(work: UnitOfWork, partner: int, mapping: str) -> None:
    """Say how files of this partner are read."""
    row = _changing(work, partner)
    row.mapping, row.version = mapping, row.version + 1
    work.audit("partner_mapped", "settlement_partner", partner, mapping=mapping)


def _changing(work: UnitOfWork, partner: int) -> SettlementPartner:
    row = work.session.get(SettlementPartner, partner, with_for_update={"key_share": True}, populate_existing=True)
    if row is None:
        raise NotFound("partner_unknown", id=partner)
    work.actor.require(KEEP, site=row.site_id)
    return row


def _check(content: PartnerContent) -> None:
    if not content.name.strip():
        raise RuleBroken("partner_incomplete", field="name", part="name")
    if not 0 <= content.fee_rate <= _MOST_RATE or content.fee_rate != content.fee_rate.quantize(Decimal("0.000001")):
        raise RuleBroken("partner_rate", field="fee_rate", most=_MOST_RATE * 100)


def take_payout(work: UnitOfWork, command: TakePayout) -> TakenPayout:
    """Take a payout, and match its lines; nothing is posted.

    One that does not add up or has a line that cannot be read is kept refused with all its lines and the reason. Raises
    ``RuleBroken("payout_file_twice")`` and ``"payout_twice"`` for a file and for a number that were taken before.
    """
    partner = lock_partner(work, command.partner)
    work.actor.require(IMPORT, site=partner.site_id)
    place = partner.place(work)
    reference = " ".join(command.reference.split())[:120]
    if not reference:
        raise RuleBroken("payout_reference_missing", field="reference")
    _refuse_twice(work, command, reference)
    fault = fault_of(command, partner)
    key, ids = work.ids.one(), list(work.ids.reserve(len(command.lines)))
    lines = [
        Told(one, entry.kind, entry.amount_minor or 0, entry.tax_minor, entry.reference or None)
        for one, entry in zip(ids, command.lines, strict=True)
    ]
    found = [] if fault else verdicts_of(work, partner, lines)
    gross = 0 if fault else sum(line.amount for line in lines if line.kind == PayoutLineKind.SALE)
    transfer = 0 if fault else sum(line.amount for line in lines if line.kind != PayoutLineKind.TRANSFER)
    state = PayoutState.REFUSED if fault else PayoutState.RECEIVED
    head = (
        key, partner.entity_id, partner.site_id, partner.id, reference, command.file_name[:300], command.digest, state,
        fault[:2000] or None, partner.currency, gross, transfer, 0, None, work.actor.id, work.now, None, 1,
    )  # fmt: skip
    write_rows(work, Payout.__table__, _PAYOUT, [head])
    write_rows(work, PayoutLine.__table__, _LINE, _rows(work, partner, key, command, ids, found))
    record_move(work, PAYOUT.document, key, "refuse" if fault else "receive", None, state, reason=fault[:500] or None)
    if not fault:
        event = SettlementReceived(
            partner=partner.id, lines=len(lines), gross=gross, transfer=transfer,
            unexplained=sum(abs(one.unexplained) for one in found),
        )  # fmt: skip
        work.publish(event, place, step="channel_settlement.receive", subject=("payout", key, 1), journey=key)
        stored = [_Line(line.id, line.kind, line.amount) for line in lines]
        tell_matches(work, partner, key, stored, found, {})
    return TakenPayout(key, fault)


class _Line(NamedTuple):
    id: int
    kind: str
    amount_minor: int


def _rows(
    work: UnitOfWork,
    partner: PartnerFacts,
    payout: int,
    command: TakePayout,
    ids: Sequence[int],
    found: Sequence[Verdict],
) -> list[tuple[Any, ...]]:
    out = []
    verdicts = {one.line: one for one in found}
    for number, (one, entry) in enumerate(zip(ids, command.lines, strict=True), 1):
        said = verdicts.get(one)
        out.append(
            (
                one, partner.entity_id, partner.site_id, partner.id, payout, number, entry.kind or None, entry.booked_on,
                entry.reference or None, entry.amount_minor, entry.tax_minor, entry.text or None, entry.raw, entry.fault or None,
                work.now, said and said.result, said.confidence if said else 0, said and said.why,
                written(said.parts) if said else "[]", said.unexplained if said else 0, said.unexplained if said else 0, None,
                None,
            )
        )  # fmt: skip
    return out


def _refuse_twice(work: UnitOfWork, command: TakePayout, reference: str) -> None:
    kept = select(Payout.reference, Payout.digest).where(
        Payout.partner_id == command.partner, Payout.state != PayoutState.REFUSED,
        (Payout.digest == command.digest) | (Payout.reference == reference),
    )  # fmt: skip
    for row in work.session.execute(kept.order_by(Payout.id)):
        if row.digest == command.digest:
            raise RuleBroken("payout_file_twice", field="file", file=command.file_name, number=row.reference)
        raise RuleBroken("payout_twice", field="reference", number=reference)


def fault_of(command: TakePayout, partner: PartnerFacts) -> str:
    """Why a payout is refused, in words for the person who asks the partner; empty when it may be taken."""
    faulty = [at for at, line in enumerate(command.lines, 1) if line.fault]
    if command.fault:
        return command.fault
    if not command.lines:
        return "it has no lines"
    if faulty:
        first = command.lines[faulty[0] - 1].fault
        return f"{len(faulty)} of {len(command.lines)} lines cannot be read; line {faulty[0]}: {first}"
    for at, line in enumerate(command.lines, 1):
        if line.currency and line.currency != partner.currency:
            return f"line {at} is in {line.currency}, the partner pays in {partner.currency}"
        if not line.amount_minor or abs(line.amount_minor) >= MOST_MINOR:
            return f"line {at} moves nothing, or more money than there is"
        if abs(line.tax_minor) > abs(line.amount_minor):
            return f"line {at} has more tax than amount"
    return _total_fault(command, partner)


def _total_fault(command: TakePayout, partner: PartnerFacts) -> str:
    moved = sum(line.amount_minor or 0 for line in command.lines if line.kind != PayoutLineKind.TRANSFER)
    sent = [line.amount_minor or 0 for line in command.lines if line.kind == PayoutLineKind.TRANSFER]
    if command.total_minor is None and not sent:
        return "it does not say what is paid: it has no transfer, and no total was entered"
    said = command.total_minor if command.total_minor is not None else -sum(sent)
    if said != moved or (sent and sum(sent) != -moved):
        wrong = said if said != moved else -sum(sent)
        return f"the total says {from_minor(wrong, partner.currency)}, the lines make {from_minor(moved, partner.currency)}"
    return ""
