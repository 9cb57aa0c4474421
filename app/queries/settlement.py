"""Who sells for us, which payouts came, what is each line of one about, and which money of the bank is it?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import and_, case, func, select, text
from sqlalchemy.orm import Session

from app.queries.listing import Asked, SqlList
from app.queries.order_detail import steps_of
from app.queries.order_facts import Step
from app.queries.worked_out import MemoryList
from app.security.scopes import within_sites
from erpcore.billing.models import CreditMemo, Invoice
from erpcore.billing.settling.models import (
    MatchResult,
    Payout,
    PayoutLine,
    PayoutLineKind,
    PayoutPosting,
    PayoutState,
    SettlementPartner,
)
from erpcore.billing.settling.records import parts_of
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.rows import chunks
from erpcore.ledger.models import JournalEntry
from erpcore.masterdata.models import Channel, Entity, Site

STATES = tuple(one.value for one in PayoutState)
RESULTS = tuple(one.value for one in MatchResult)
KINDS = tuple(one.value for one in PayoutLineKind)
#: So many lines of a payout stand on one page.
MOST_LINES = 100
_POSTED = Payout.state == PayoutState.POSTED.value
#: As the partial index of what the bank has not brought says it.
NOT_PAID = text(
    "settlement_payout.state = 'posted' AND settlement_payout.transfer_minor <> settlement_payout.paid_minor"
)
_RESERVES = (PayoutLineKind.RESERVE_HELD.value, PayoutLineKind.RESERVE_RELEASED.value)


@dataclass(frozen=True, kw_only=True)
class PartnerRow:
    """A partner with what it owes by our books: payouts that the bank has not brought, reserves, and, besides, what is not explained."""

    id: int
    code: str
    name: str
    entity_id: int
    site_id: int
    site: str
    realm: str
    channel_id: int
    channel: str
    currency: str
    fee_rate: Decimal
    mapping: str | None
    version: int
    waiting: int = 0
    paid_out_minor: int = 0
    reserve_minor: int = 0
    unexplained_minor: int = 0


@dataclass(frozen=True, kw_only=True)
class PayoutRow:
    """A payout; ``unexplained_minor`` is what of its lines nobody has explained, without signs."""

    id: int
    reference: str
    partner_id: int
    partner: str
    site_id: int
    site: str
    realm: str
    entity_id: int
    state: str
    fault: str | None
    file_name: str
    currency: str
    gross_minor: int
    transfer_minor: int
    paid_minor: int
    unexplained_minor: int
    taken_at: datetime
    posted_at: datetime | None
    version: int

    @property
    def owed_minor(self) -> int:
        """What the bank has not brought of a posted payout."""
        return self.transfer_minor - self.paid_minor if self.state == PayoutState.POSTED else 0


@dataclass(frozen=True, kw_only=True)
class DocumentFact:
    """A document of ours that a line settles: so much of an invoice, or of a credit memo."""

    id: int
    number: str
    is_credit: bool
    minor: int


@dataclass(frozen=True, kw_only=True)
class LineFact:
    """A line of a payout with what it was found to be. Amounts in our favour are positive."""

    id: int
    line_no: int
    kind: str | None
    booked_on: date | None
    order_reference: str | None
    amount_minor: int | None
    tax_minor: int
    text: str | None
    raw: str
    fault: str | None
    result: str | None
    confidence: int
    explanation: str | None
    unexplained_minor: int
    open_minor: int
    outcome: str | None
    documents: tuple[DocumentFact, ...] = ()


class KindSum(NamedTuple):
    """What the lines of one kind come to."""

    kind: str
    lines: int
    amount_minor: int
    unexplained_minor: int


@dataclass(frozen=True, kw_only=True)
class PayoutPage:
    """A payout with its sums by kind, the lines of one page, and how many have which result."""

    row: PayoutRow
    kinds: list[KindSum]
    results: dict[str, int]
    lines: list[LineFact]
    count: int
    entries: list[int] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    @property
    def pages(self) -> int:
        return max(1, -(-self.count // MOST_LINES))


def _partners(session: Session, actor: Actor, asked: Asked, _now: datetime) -> list[PartnerRow]:
    return partner_rows(session, actor, asked.realm)


def partner_rows(session: Session, actor: Actor, realm_asked: str = "") -> list[PartnerRow]:
    """The partners that the person sees, by name; of every realm unless one is asked for."""
    query: Any = (
        select(SettlementPartner, Site.name, Channel.name, Entity.realm)
        .join(Site, Site.id == SettlementPartner.site_id)
        .join(Channel, Channel.id == SettlementPartner.channel_id)
        .join(Entity, Entity.id == SettlementPartner.entity_id)
        .order_by(SettlementPartner.name, SettlementPartner.id)
    )
    if realm_asked:
        query = query.where(Entity.realm == realm_asked)
    found = session.execute(within_sites(query, actor, SettlementPartner.site_id)).all()
    sums = _sums_of(session, [row[0].id for row in found])
    return [
        PartnerRow(
            id=one.id, code=one.code, name=one.name, entity_id=one.entity_id, site_id=one.site_id, site=site, realm=realm,
            channel_id=one.channel_id, channel=channel, currency=one.currency, fee_rate=one.fee_rate, mapping=one.mapping,
            version=one.version, **sums.get(one.id, {}),
        )
        for one, site, channel, realm in found
    ]  # fmt: skip


def _sums_of(session: Session, partners: Sequence[int]) -> dict[int, dict[str, int]]:
    """What each partner owes, holds and left unexplained, and how many payouts wait."""
    payouts = (
        select(
            Payout.partner_id, func.sum(case((Payout.state == PayoutState.RECEIVED.value, 1), else_=0)),
            func.sum(case((_POSTED, Payout.transfer_minor - Payout.paid_minor), else_=0)),
        )
        .where(Payout.partner_id.in_(partners)).group_by(Payout.partner_id)
    )  # fmt: skip
    held = case((PayoutLine.kind.in_(_RESERVES), PayoutLine.unexplained_minor - PayoutLine.amount_minor), else_=0)
    lines = (
        select(PayoutLine.partner_id, func.sum(held), func.sum(func.abs(PayoutLine.open_minor)))
        .join(Payout, Payout.id == PayoutLine.payout_id)
        .where(PayoutLine.partner_id.in_(partners), _POSTED)
        .group_by(PayoutLine.partner_id)
    )
    found: dict[int, dict[str, int]] = {key: {} for key in partners}
    if not partners:
        return found
    for key, waiting, owed in session.execute(payouts):
        found[key] |= {"waiting": int(waiting), "paid_out_minor": int(owed)}
    for key, reserve, unexplained in session.execute(lines):
        found[key] |= {"reserve_minor": int(reserve), "unexplained_minor": int(unexplained)}
    return found


#: All partners by name.
PARTNERS: MemoryList[PartnerRow] = MemoryList(
    rows=_partners, text=lambda row: f"{row.code} {row.name} {row.channel}",
    sorts={
        "name": lambda row: row.name, "owed": lambda row: row.paid_out_minor, "reserve": lambda row: row.reserve_minor,
        "unexplained": lambda row: row.unexplained_minor,
    },
    wanted={"site": lambda row, value, _: row.site_id == value},
)  # fmt: skip


def _payouts() -> Any:
    unexplained = (
        select(func.coalesce(func.sum(func.abs(PayoutLine.open_minor)), 0))
        .where(PayoutLine.payout_id == Payout.id)
        .correlate(Payout)
        .scalar_subquery()
    )
    return (
        select(Payout, SettlementPartner.name.label("partner"), Site.name.label("site"), Entity.realm, unexplained.label("left"))
        .select_from(Payout)
        .join(SettlementPartner, SettlementPartner.id == Payout.partner_id)
        .join(Site, Site.id == Payout.site_id)
        .join(Entity, Entity.id == Payout.entity_id)
    )  # fmt: skip


def _payout(found: Any) -> PayoutRow:
    one: Payout = found.Payout
    return PayoutRow(
        id=one.id, reference=one.reference, partner_id=one.partner_id, partner=found.partner, site_id=one.site_id,
        site=found.site, realm=found.realm, entity_id=one.entity_id, state=one.state, fault=one.fault, file_name=one.file_name,
        currency=one.currency, gross_minor=one.gross_minor, transfer_minor=one.transfer_minor, paid_minor=one.paid_minor,
        unexplained_minor=int(found.left), taken_at=one.taken_at, posted_at=one.posted_at, version=one.version,
    )  # fmt: skip


#: All payouts, the newest first. ``owed``: those that the bank has not brought whole.
PAYOUTS: SqlList[PayoutRow] = SqlList(
    select=_payouts, row=_payout, tie=(Payout.id,), usual="-taken", site=Payout.site_id, realm=Entity.realm,
    by=("state", Payout.state), flags=("owed",), text=(Payout.reference, SettlementPartner.name, Payout.file_name),
    sorts={
        "number": Payout.reference, "partner": SettlementPartner.name, "taken": Payout.taken_at, "gross": Payout.gross_minor,
        "transfer": Payout.transfer_minor,
    },
    wanted={
        "state": lambda value, _: Payout.state == value,
        "partner": lambda value, _: Payout.partner_id == value,
        "owed": lambda _value, _eyes: and_(_POSTED, NOT_PAID),
    },
)  # fmt: skip


def partner_row(session: Session, actor: Actor, partner: int) -> PartnerRow:
    """One partner; raises ``NotFound`` for an unknown one and another site's."""
    found = next((row for row in partner_rows(session, actor) if row.id == partner), None)
    if found is None:
        raise NotFound("partner_unknown", id=partner)
    return found


def payout_row(session: Session, actor: Actor, payout: int) -> PayoutRow:
    """One payout; raises ``NotFound`` for an unknown one and another site's."""
    found = PAYOUTS.one(session, actor, payout)
    if found is None:
        raise NotFound("payout_unknown", id=payout)
    return found


def payout_of_line(session: Session, actor: Actor, line: int) -> PayoutRow:
    """The payout of a line; raises ``NotFound`` for an unknown line and another site's."""
    payout = session.scalar(select(PayoutLine.payout_id).where(PayoutLine.id == line))
    if payout is None:
        raise NotFound("payout_line_unknown", id=line)
    return payout_row(session, actor, payout)


def line_fact(session: Session, line: int) -> LineFact:
    """One line; raises ``NotFound``. Whoever asks has asked for its payout before."""
    found = session.get(PayoutLine, line)
    if found is None:
        raise NotFound("payout_line_unknown", id=line)
    return _facts(session, [found])[0]


def opposite_lines(session: Session, partner: int, minor: int) -> list[tuple[int, str, int, int]]:
    """Lines of a partner that may make so much good: id, payout, line, what is not explained of it; the nearest amount first."""
    other = PayoutLine.open_minor < 0 if minor > 0 else PayoutLine.open_minor > 0
    query = (
        select(PayoutLine.id, Payout.reference, PayoutLine.line_no, PayoutLine.open_minor)
        .join(Payout, Payout.id == PayoutLine.payout_id)
        .where(text("settlement_line.open_minor <> 0"), PayoutLine.partner_id == partner, _POSTED, other)
        .order_by(func.abs(PayoutLine.open_minor + minor), PayoutLine.id)
        .limit(MOST_LINES)
    )
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(query)]


def payout_page(
    session: Session, actor: Actor, payout: int, *, page: int | None = 1, result: str = ""
) -> PayoutPage:  # fmt: skip
    """A payout with the lines of one page, all of them for ``None``, of one result where it is named."""
    row = payout_row(session, actor, payout)
    mine = [PayoutLine.payout_id == payout]
    kinds, results = [], Counter[str]()
    sums = (
        select(
            PayoutLine.kind, PayoutLine.result, func.count(), func.sum(PayoutLine.amount_minor),
            func.sum(PayoutLine.open_minor),
        )
        .where(*mine, PayoutLine.kind.is_not(None)).group_by(PayoutLine.kind, PayoutLine.result)
    )  # fmt: skip
    by_kind: dict[str, list[int]] = {}
    counted: Any = session.execute(sums)
    for kind, found, count, amount, left in counted:
        results[found or ""] += count
        for at, value in enumerate((count, amount or 0, left or 0)):
            by_kind.setdefault(kind, [0, 0, 0])[at] += int(value)
    kinds = [KindSum(kind, *by_kind[kind]) for kind in KINDS if kind in by_kind]
    if result in RESULTS:
        mine.append(PayoutLine.result == result)
    query = select(PayoutLine).where(*mine).order_by(PayoutLine.line_no)
    if page is not None:
        query = query.limit(MOST_LINES).offset((page - 1) * MOST_LINES)
    lines = session.scalars(query).all()
    total = session.scalar(select(func.count()).select_from(PayoutLine).where(*mine)) or 0
    return PayoutPage(
        row=row, kinds=kinds, results={one: results[one] for one in RESULTS if results[one]}, count=total,
        lines=_facts(session, lines), entries=_entries(session, payout),
        steps=steps_of(session, {"payout": [payout]}),
    )  # fmt: skip


def _facts(session: Session, lines: Sequence[PayoutLine]) -> list[LineFact]:
    parts = {line.id: parts_of(line.parts) for line in lines}
    wanted = {part.credit or part.invoice for found in parts.values() for part in found}
    numbers = _numbers(session, Invoice, wanted) | _numbers(session, CreditMemo, wanted)
    names = LineFact.__dataclass_fields__.keys() - {"documents"}
    return [
        LineFact(
            **{name: getattr(line, name) for name in names},
            documents=tuple(
                DocumentFact(
                    id=part.credit or part.invoice, number=numbers.get(part.credit or part.invoice, ""),
                    is_credit=part.credit is not None, minor=part.minor,
                )
                for part in parts[line.id]
            ),
        )
        for line in lines
    ]  # fmt: skip


def _numbers(session: Session, table: Any, ids: Iterable[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for part in chunks(sorted(ids)):
        found |= {
            key: number or ""
            for key, number in session.execute(select(table.id, table.number).where(table.id.in_(part)))
        }
    return found


def _entries(session: Session, payout: int) -> list[int]:
    postings = select(PayoutPosting.id).where(PayoutPosting.payout_id == payout)
    query = select(JournalEntry.id).where(
        JournalEntry.document_type == "payout_posting", JournalEntry.document_id.in_(postings)
    )
    return list(session.scalars(query.order_by(JournalEntry.id)))
