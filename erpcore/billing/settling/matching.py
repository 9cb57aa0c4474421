"""Which of our documents do the lines of a payout mean? Read as they are now, and set against the lines by ``rules``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import func, select

from erpcore.billing.models import CreditMemo, CreditMemoLine, Invoice, InvoiceLine, ReceiptApplication
from erpcore.billing.settling.flow import PAYOUT
from erpcore.billing.settling.models import MatchResult, Payout, PayoutLine, PayoutLineKind, PayoutState
from erpcore.billing.settling.records import (
    PartnerFacts,
    lines_of,
    lock_payout,
    save_verdicts,
    told,
)
from erpcore.billing.settling.rules import Books, Credit, Owing, Told, Verdict, match_lines
from erpcore.credit.models import Receivable
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.rows import chunks
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.models import OrderLine, SalesOrder
from erpcore.published.settlement import SettlementDiffered, SettlementMatched

MATCH_STEP = "channel_settlement.match"


def verdicts_of(work: UnitOfWork, partner: PartnerFacts, lines: Sequence[Told]) -> list[Verdict]:
    """What the lines are by our documents of this moment."""
    return match_lines(read_books(work, partner, lines), lines)


def match_again(work: UnitOfWork, payout: int, *, seen_version: int | None = None) -> list[Verdict]:
    """Set the lines of a payout that waits against our documents anew, after those have changed."""
    partner, row = lock_payout(work, payout, seen_version)
    work.actor.require("billing:payout:post", site=row.site_id)
    PAYOUT.target("match", row.state)
    return _match(work, partner, row, lines_of(work, payout), {})


def choose_document(work: UnitOfWork, line: int, document: int | None) -> list[Verdict]:
    """Say by hand which invoice or credit memo a line is about, or (``None``) let its number say it again; all are matched anew.

    Raises ``RuleBroken`` for a line that is neither sale nor refund, and ``NotFound`` for a document of another company or kind.
    """
    found = work.session.get(PayoutLine, line)
    if found is None:
        raise NotFound("payout_line_unknown", id=line)
    partner, row = lock_payout(work, found.payout_id)
    work.actor.require("billing:payout:post", site=row.site_id)
    PAYOUT.target("match", row.state)
    lines = lines_of(work, row.id)
    mine = next(one for one in lines if one.id == line)
    if mine.kind not in (PayoutLineKind.SALE, PayoutLineKind.REFUND):
        raise RuleBroken("payout_line_kind", kind=str(mine.kind).replace("_", " "))
    table: Any = Invoice if mine.kind == PayoutLineKind.SALE else CreditMemo
    if document is not None:
        there = work.session.get(table, document)
        if there is None or there.entity_id != row.entity_id or there.number is None:
            raise NotFound("payout_document_unknown", id=document)
        if there.currency != row.currency:
            raise RuleBroken("other_currency", document=there.number, currency=there.currency)
    record_move(
        work, "payout", row.id, "match", row.state, row.state,
        facts={"line": mine.line_no, "document": document, "before": mine.chosen_id},
    )  # fmt: skip
    return _match(work, partner, row, lines, {line: document})


def _match(
    work: UnitOfWork, partner: PartnerFacts, row: Any, lines: Sequence[Any], chosen: dict[int, int | None]
) -> list[Verdict]:
    named = {one.id: one.chosen_id for one in lines} | chosen
    before = {one.id: (one.result, one.unexplained_minor) for one in lines}
    found = verdicts_of(work, partner, [one._replace(chosen=named[one.id]) for one in told(lines)])
    save_verdicts(work, found, named)
    tell_matches(work, partner, row.id, lines, found, before)
    return found


def tell_matches(
    work: UnitOfWork, partner: PartnerFacts, payout: int, lines: Sequence[Any], found: Sequence[Verdict],
    before: dict[int, tuple[Any, int]],
) -> None:  # fmt: skip
    """Report what lines were found to be: those that newly differ one by one."""
    place, of = partner.place(work), {line.id: line for line in lines}
    count = {result: sum(one.result == result for one in found) for result in MatchResult}
    event = SettlementMatched(
        partner=partner.id, matched=count[MatchResult.MATCHED], differs=count[MatchResult.DIFFERS],
        unknown=count[MatchResult.UNKNOWN], unexplained=sum(abs(one.unexplained) for one in found),
    )  # fmt: skip
    work.publish(event, place, step=MATCH_STEP, subject=("payout", payout, 1), journey=payout)
    for one in found:
        if one.result != MatchResult.MATCHED and before.get(one.line) != (one.result, one.unexplained):
            line = of[one.line]
            differed = SettlementDiffered(
                partner=partner.id, payout=payout, kind=line.kind, result=one.result, amount=line.amount_minor,
                unexplained=one.unexplained,
            )  # fmt: skip
            work.publish(
                differed, place, step="channel_settlement.claim", subject=("payout_line", one.line, 1), journey=payout
            )


def read_books(work: UnitOfWork, partner: PartnerFacts, lines: Sequence[Told]) -> Books:
    """Our documents that the lines may be about. So many queries for each thousand references, however many lines there are."""
    references = {line.reference for line in lines if line.reference}
    chosen = {line.chosen for line in lines if line.chosen is not None}
    orders, numbers, by_ours = _orders(work, partner, references)
    ids = {key for found in orders.values() for key in found}
    of_order = _invoices_of(work, ids)
    credits_of, memos = _credits_of(work, ids, chosen)
    wanted = {key for found in of_order.values() for key in found} | chosen
    wanted |= {key for memo in memos.values() for key in memo[3]}
    invoices = _invoices(work, partner, wanted)
    found: dict[int, Credit] = {}
    for key, (number, customer, left, named, order) in memos.items():
        among = [*named, *(one for one in of_order.get(order or 0, ()) if one not in named)]
        mine = tuple(one for one in among if one in invoices and invoices[one].customer == customer)
        found[key] = Credit(key, number, customer, left, mine)
    single = {reference: found[0] for reference, found in orders.items() if len(found) == 1}
    return Books(
        currency=partner.currency, fee_rate=partner.fee_rate, invoices=invoices, credits=found, by_ours=frozenset(by_ours),
        orders={reference: tuple(numbers[key] for key in found) for reference, found in orders.items()},
        invoices_of={
            reference: [key for key in of_order.get(order, ()) if key in invoices] for reference, order in single.items()
        },
        credits_of={reference: credits_of.get(order, []) for reference, order in single.items()},
        reserve=reserve_held(work, partner.id),
    )  # fmt: skip


def reserve_held(work: UnitOfWork, partner: int) -> int:
    """What the partner holds by our books: held and not released with payouts that are posted."""
    held = (
        select(func.coalesce(func.sum(PayoutLine.unexplained_minor - PayoutLine.amount_minor), 0))
        .join(Payout, Payout.id == PayoutLine.payout_id)
        .where(
            PayoutLine.partner_id == partner, Payout.state == PayoutState.POSTED,
            PayoutLine.kind.in_([PayoutLineKind.RESERVE_HELD, PayoutLineKind.RESERVE_RELEASED]),
        )
    )  # fmt: skip
    return int(work.session.execute(held).scalar_one())


def _orders(
    work: UnitOfWork, partner: PartnerFacts, references: set[str]
) -> tuple[dict[str, list[int]], dict[int, str], set[str]]:
    """Orders by the partner's number, else by ours; their numbers; and which were found by ours."""
    found: dict[str, list[int]] = defaultdict(list)
    numbers: dict[int, str] = {}

    def look(column: Any, among: Iterable[str]) -> None:
        for part in chunks(sorted(among)):
            query = select(column, SalesOrder.id, SalesOrder.number).where(
                SalesOrder.channel_id == partner.channel_id, SalesOrder.entity_id == partner.entity_id, column.in_(part)
            )
            for reference, key, number in work.session.execute(query.order_by(SalesOrder.id)):
                found[reference].append(key)
                numbers[key] = number

    look(SalesOrder.customer_reference, references)
    missing = references - set(found)
    look(SalesOrder.number, missing)
    return found, numbers, missing & set(found)


def _invoices_of(work: UnitOfWork, orders: set[int]) -> dict[int, list[int]]:
    """Posted invoices of each order, the oldest first; one that bills several orders stands with each."""
    found: dict[int, list[int]] = defaultdict(list)
    for part in chunks(sorted(orders)):
        query = (
            select(OrderLine.order_id, Invoice.id)
            .join(InvoiceLine, InvoiceLine.order_line_id == OrderLine.id)
            .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
            .where(OrderLine.order_id.in_(part), Invoice.state == "posted")
            .distinct()
            .order_by(Invoice.id)
        )
        for order, key in work.session.execute(query):
            found[order].append(key)
    return found


def _invoices(work: UnitOfWork, partner: PartnerFacts, ids: set[int]) -> dict[int, Owing]:
    found: dict[int, Owing] = {}
    for part in chunks(sorted(ids)):
        query = (
            select(
                Invoice.id, Invoice.number, Invoice.customer_id, Invoice.order_id, Receivable.open_minor, Invoice.gross_minor
            )
            .join(Receivable, Receivable.document_id == Invoice.id)
            .where(
                Invoice.id.in_(part), Invoice.entity_id == partner.entity_id, Invoice.currency == partner.currency
            )
            .order_by(Invoice.id)
        )  # fmt: skip
        paid = dict(
            work.session.execute(
                select(ReceiptApplication.invoice_id, func.sum(ReceiptApplication.amount_minor))
                .where(ReceiptApplication.invoice_id.in_(part))
                .group_by(ReceiptApplication.invoice_id)
            ).all()
        )
        for key, number, customer, order, minor, gross in work.session.execute(query):
            found[key] = Owing(key, number or "", customer, order, minor, gross, int(paid.get(key, 0)))
    return found


_Memo = tuple[str, int, int, list[int], int | None]


def _credits_of(work: UnitOfWork, orders: set[int], chosen: set[int]) -> tuple[dict[int, list[int]], dict[int, _Memo]]:
    """Credit memos of each order, the oldest first, and of each: number, customer, what is not used, its invoices, its order."""
    of_order: dict[int, list[int]] = defaultdict(list)
    memos: dict[int, _Memo] = {}

    def look(condition: Any) -> None:
        query = (
            select(
                OrderLine.order_id, CreditMemo.id, CreditMemo.number, CreditMemo.customer_id, Receivable.open_minor,
                func.coalesce(CreditMemoLine.invoice_id, CreditMemo.invoice_id),
            )
            .select_from(CreditMemo)
            .join(CreditMemoLine, CreditMemoLine.credit_memo_id == CreditMemo.id)
            .join(Receivable, Receivable.document_id == CreditMemo.id)
            .outerjoin(OrderLine, OrderLine.id == CreditMemoLine.order_line_id)
            .where(condition)
            .distinct()
            .order_by(CreditMemo.id)
        )  # fmt: skip
        rows: Any = work.session.execute(query)
        for order, key, number, customer, minor, invoice in rows:
            memo = memos.setdefault(key, (number or "", customer, -minor, [], order))
            if invoice is not None and invoice not in memo[3]:
                memo[3].append(invoice)
            if order is not None and key not in of_order[order]:
                of_order[order].append(key)

    for part in chunks(sorted(orders)):
        look(OrderLine.order_id.in_(part))
    for part in chunks(sorted(chosen - set(memos))):
        look(CreditMemo.id.in_(part))
    return of_order, memos
