"""What does a posted document accrue for rebates? Line by line, in the transaction that posts it, once for each agreement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import NamedTuple

from erpcore.billing.rebates.flow import REBATE
from erpcore.billing.rebates.models import RebateAccrual, RebateAgreement, RebatePosting, RebateState
from erpcore.billing.rebates.records import (
    COLUMNS,
    AgreementRow,
    counting,
    hold_terms,
    lock_standings,
    save_agreements,
    save_standings,
    with_tiers,
)
from erpcore.billing.rebates.rules import step
from erpcore.billing.records import InvoiceRow
from erpcore.kernel.events import Place
from erpcore.kernel.history import record_move
from erpcore.kernel.rows import read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Entry, Side
from erpcore.masterdata.queries import customers, items
from erpcore.orders.models import LineKind
from erpcore.published.rebates import RebateAccrued, RebateAdjusted

_POSTING = (
    "id", "agreement_id", "document_type", "document_id", "amount_minor", "adjusted_minor", "level", "posted_on", "posted_at",
)  # fmt: skip
_ACCRUAL = (
    "posting_id", "line_no", "agreement_id", "document_type", "document_id", "document_line", "invoice_id", "order_line_id",
    "item_id", "customer_id", "net_minor", "quantity", "amount_minor", "adjusted_minor", "level",
)  # fmt: skip
#: Only goods that cost something count.
GOODS = frozenset({LineKind.STOCK.value, LineKind.DROP_SHIP.value})


class Counted(NamedTuple):
    """A line of a document as it counts: negative for what comes back. Thousandths and minor units."""

    document_type: str
    document: int
    line: int
    invoice: int
    order_line: int
    item: int
    customer: int
    net: int
    quantity: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """What is posted: an invoice or a credit memo, or an agreement that finds what was billed before it."""

    type: str
    id: int
    place: Place
    journey: int
    on: date
    at: datetime


def accrue_invoices(work: UnitOfWork, invoices: Sequence[tuple[InvoiceRow, Place]]) -> list[Entry]:
    """Count every line for every agreement that it falls under; returns what that posts to the books.

    Where a company has no agreement this asks one question for the whole unit of work (two on PostgreSQL).
    """
    taken: dict[int, list[tuple[Document, Counted]]] = defaultdict(list)
    known: dict[int, AgreementRow] = {}
    for invoice, place in invoices:
        found = [row for row in counting(work, invoice.entity_id) if _is_for(work, row, invoice)]
        if not found:
            continue
        known |= {row.id: row for row in found}
        document = Document(
            type="invoice", id=invoice.id, place=place, journey=invoice.order_id, on=invoice.invoice_on or work.now.date(),
            at=invoice.posted_at or work.now,
        )  # fmt: skip
        for line in sorted(invoice.lines, key=lambda one: one.order_line_id):
            if line.kind not in GOODS or line.net_minor <= 0:
                continue
            counted = Counted(
                "invoice", invoice.id, line.order_line_id, invoice.id, line.order_line_id, line.item_id, invoice.customer_id,
                line.net_minor, line.quantity,
            )  # fmt: skip
            for row in found:
                if _is_on(work, row, line.item_id):
                    taken[row.id].append((document, counted))
    return _count(work, known, taken)


def accrue_credits(work: UnitOfWork, memos: Sequence[tuple[Document, Sequence[Counted]]]) -> list[Entry]:
    """Take back what the credited invoice lines accrued, whatever agreements they fell under then; returns what that posts.

    An agreement that was settled already is to be settled again.
    """
    sold = {line.order_line for _, lines in memos for line in lines}
    if not sold:
        return []
    hold_terms(work, shared=True)
    names = ("agreement_id", "document_type", "invoice_id", "order_line_id")
    under: dict[tuple[int, int], set[int]] = defaultdict(set)
    for row in read_rows(work, RebateAccrual, names, "order_line_id", sold):
        if row.document_type == "invoice":
            under[row.invoice_id, row.order_line_id].add(row.agreement_id)
    taken: dict[int, list[tuple[Document, Counted]]] = defaultdict(list)
    for document, lines in memos:
        for line in lines:
            for key in under.get((line.invoice, line.order_line), ()):
                taken[key].append((document, line))
    if not taken:
        return []
    found = read_rows(work, RebateAgreement, COLUMNS, "id", taken, lock=True)
    known = {row.id: row for row in with_tiers(work, found)}
    settled = [row for row in known.values() if row.state == RebateState.SETTLED]
    for row in settled:
        row.state = REBATE.target("correct", row.state)
        record_move(work, "rebate", row.id, "correct", RebateState.SETTLED, row.state)
    save_agreements(work, settled)
    return _count(work, known, taken)


def accrue_before(
    work: UnitOfWork, agreement: AgreementRow, document: Document, lines: Sequence[Counted]
) -> list[Entry]:
    """Count what was billed, and credited, before the agreement was there."""
    return _count(work, {agreement.id: agreement}, {agreement.id: [(document, line) for line in lines]})


def _is_for(work: UnitOfWork, row: AgreementRow, invoice: InvoiceRow) -> bool:
    if row.currency != invoice.currency or invoice.invoice_on is None:
        return False
    if not row.valid_from <= invoice.invoice_on < row.valid_until:
        return False
    if row.customer_id is not None:
        return row.customer_id == invoice.customer_id
    group = customers(work, [invoice.customer_id])[invoice.customer_id].group_id
    return group is not None and row.customer_group_id == group


def _is_on(work: UnitOfWork, row: AgreementRow, item: int) -> bool:
    if row.item_id is not None:
        return row.item_id == item
    return row.item_group_id is None or items(work, [item])[item].group_id == row.item_group_id


def _count(
    work: UnitOfWork, known: Mapping[int, AgreementRow], taken: Mapping[int, Iterable[tuple[Document, Counted]]]
) -> list[Entry]:
    """Move each agreement's standing line by line, and keep what every line did to it."""
    if not taken:
        return []
    standings = lock_standings(work, taken)
    postings, accruals, entries = [], [], []
    for key in sorted(taken):
        agreement, stand = known[key], standings[key]
        by_document: dict[tuple[str, int], list[tuple[Document, Counted]]] = defaultdict(list)
        for document, line in taken[key]:
            by_document[document.type, document.id].append((document, line))
        for parts in by_document.values():
            document, posting = parts[0][0], work.ids.one()
            amount = adjusted = 0
            for number, (_, line) in enumerate(parts, 1):
                before = (stand.net_minor, stand.quantity)
                after = (before[0] + line.net, before[1] + line.quantity)
                done = step(agreement.terms, before, stand.accrued_minor, after)
                stand.net_minor, stand.quantity, stand.level = *after, done.level
                stand.accrued_minor += done.amount + done.adjusted
                amount, adjusted = amount + done.amount, adjusted + done.adjusted
                accruals.append((posting, number, key, *line, done.amount, done.adjusted, done.level))
            postings.append(
                (posting, key, document.type, document.id, amount, adjusted, stand.level, document.on, document.at)
            )
            entries.append(_entry(agreement, document, posting, amount + adjusted))
            _report(work, agreement, document, posting, amount, adjusted, stand.level)
    write_rows(work, RebatePosting.__table__, _POSTING, postings)
    write_rows(work, RebateAccrual.__table__, _ACCRUAL, accruals)
    save_standings(work, sorted(standings.values(), key=attrgetter("agreement_id")))
    return entries


def _entry(agreement: AgreementRow, document: Document, posting: int, minor: int) -> Entry:
    return Entry(
        rule="rebate_accrued", place=document.place, document_type="rebate_posting", document_id=posting, journey=document.journey,
        entry_on=document.on, posted_at=document.at, currency=agreement.currency,
        sides=(Side(AccountRole.REBATES, minor), Side(AccountRole.REBATES_ACCRUED, -minor)),
    )  # fmt: skip


def _report(
    work: UnitOfWork, agreement: AgreementRow, document: Document, posting: int, amount: int, adjusted: int, level: int
) -> None:
    said: list[RebateAccrued | RebateAdjusted] = [
        RebateAccrued(agreement=agreement.id, document_type=document.type, document=document.id, amount=amount)
    ]
    if adjusted:
        said.append(
            RebateAdjusted(
                agreement=agreement.id, document_type=document.type, document=document.id, amount=adjusted, level=level
            )
        )  # fmt: skip
    for version, event in enumerate(said, 1):
        work.publish(
            event, document.place, step="order_to_cash.invoice", subject=("rebate_posting", posting, version),
            journey=document.journey, at=document.at,
        )  # fmt: skip
