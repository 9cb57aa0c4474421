"""Credit memos: how a posted invoice is corrected, with goods that came back or without."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from erpcore.billing.credit_tax import taxes_of
from erpcore.billing.credited import Billed, billed_lines, credited_before
from erpcore.billing.models import CreditMemo, CreditMemoLine, InvoiceLine, InvoiceState
from erpcore.billing.rebates.accruing import Counted, Document, accrue_credits
from erpcore.billing.records import RECEIVABLE, lock_invoices, orders_of_invoices, shares_of
from erpcore.billing.restocking import Credited, fees_of
from erpcore.billing.services import scaled_posted
from erpcore.credit.models import Receivable
from erpcore.credit.services import Part, change_exposures
from erpcore.fulfilment.flow import RETURN
from erpcore.fulfilment.return_records import ReturnLineRow, ReturnRow, lock_returns, save_returns
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.events import Place
from erpcore.kernel.history import record_move
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES, scaled_int
from erpcore.kernel.money import exact_amount, scaled_amount, share_of
from erpcore.kernel.rows import read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Entry, Side, post_entries
from erpcore.masterdata.models import ItemKind
from erpcore.masterdata.queries import items, site_facts
from erpcore.orders.models import LineKind, OrderLine
from erpcore.orders.records import lines_by_id, lock_orders
from erpcore.ports import Cell, CellStates, Process, admit
from erpcore.published import CreditMemoPosted, InvoiceCorrected, ReturnCredited

_MEMO = (
    "id", "entity_id", "site_id", "customer_id", "invoice_id", "return_id", "number", "reason", "fault", "unlinked", "posted_at",
    "credit_on", "currency", "net_minor", "tax_minor", "gross_minor", "exact",
)  # fmt: skip
_LINE = (
    "credit_memo_id", "line_no", "item_id", "order_line_id", "is_charge", "quantity", "unit_price", "amount", "net_minor",
    "tax_rate", "tax_rule_id", "tax_exemption_id", "invoice_id", "is_fee",
)  # fmt: skip


#: What a memo takes its goods from: sales, or what was accrued for rebates.
_AGAINST = {"credit_memo": AccountRole.REVENUE, "rebate_settled": AccountRole.REBATES_ACCRUED}


@dataclass(frozen=True, kw_only=True)
class CreditInvoice:
    """Correct a posted invoice without goods coming back: so much less per unit, for so many units of a line."""

    invoice: int
    order_line: int
    quantity: Decimal
    unit_price: Decimal
    reason: str
    fault: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CreditRebate:
    """What a settlement of a rebate agreement gives one customer back, item by item at the taxes of what was bought."""

    agreement: int
    place: Place
    customer: int
    reason: str
    lines: Sequence[Credited]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Memo:
    id: int
    place: Place
    customer: int
    journey: int
    invoice: int | None
    return_id: int | None
    number: str | None
    reason: str
    fault: str
    unlinked: str | None
    when: datetime
    lines: Sequence[Credited]
    refs: Sequence[tuple[str, int, int]]
    rule: str = "credit_memo"


def credit_returns(
    work: UnitOfWork,
    ids: Iterable[int],
    *,
    cells: CellStates,
    at: Mapping[int, datetime] | None = None,
    numbers: Mapping[int, str] | None = None,
) -> list[int]:
    """Post the credit memo of each inspected return, at the price and tax of its invoice lines; returns the memos' ids.

    Together with what was credited before it is never more than was invoiced.
    """
    rows = lock_returns(work, ids)
    known = items(work, {line.item_id for row in rows for line in row.lines})
    sold = {line.order_line_id for row in rows for line in row.lines if line.order_line_id}
    lock_orders(work, {row.order_id for row in read_rows(work, OrderLine, ("order_id",), "id", sold)})
    charged = billed_lines(work, sold)
    memos = []
    for row in rows:
        work.actor.require("billing:credit_memo:post", site=row.site_id)
        site = site_facts(work, row.site_id)
        cell = Cell(site.live_id, row.channel_id, Process.RETURNS_TO_CREDIT, row.customer_group)
        admit(work, cells, site.entity.realm, cell, begins=False)
        was, when = row.state, (at or {}).get(row.id, work.now)
        row.state = RETURN.target("credit", was)
        record_move(work, "return", row.id, "credit", was, row.state, at=when)
        memos.append(_memo_of(work, row, known, charged, when, (numbers or {}).get(row.id)))
    _post(work, memos)
    for row, memo in zip(rows, memos, strict=True):
        work.publish(
            ReturnCredited(credit_memo=memo.id), memo.place, step="returns_to_credit.credit",
            subject=("return", row.id, row.version + 1), journey=row.id, at=memo.when,
        )  # fmt: skip
    save_returns(work, rows)
    return [memo.id for memo in memos]


def _memo_of(
    work: UnitOfWork,
    row: ReturnRow,
    known: Mapping[int, Any],
    charged: Mapping[int, list[Billed]],
    when: datetime,
    number: str | None,
) -> _Memo:
    lines = [
        part
        for line in (row.lines if work.source == "import" else _undivided(row.lines))
        for part in _parts_of(work, row, line, charged, known[line.item_id].kind != ItemKind.STOCK)
    ]
    lines += fees_of(work, row, lines)
    reasons = {line.unlinked for line in row.lines if line.unlinked and line.unlinked != "charge"}
    refs = [("order", row.order_id, 1_000_000)] if row.order_id else []
    return _Memo(
        id=work.ids.one(), place=row.place(work), customer=row.customer_id, journey=row.id, invoice=None, return_id=row.id,
        number=number, reason=row.reason, fault=row.fault, unlinked="; ".join(sorted(reasons))[:48] or None, when=when,
        lines=lines, refs=refs,
    )  # fmt: skip


def _undivided(lines: Sequence[ReturnLineRow]) -> list[ReturnLineRow]:
    """What came, in one line again where the inspection divided it: money is rounded once for all of it."""
    out: dict[tuple[Any, ...], ReturnLineRow] = {}
    for line in (line for line in lines if line.quantity):
        key = (line.item_id, line.order_line_id, line.unit_price, line.unlinked)
        first = out.get(key)
        out[key] = line if first is None else replace(
            first, quantity=first.quantity + line.quantity, amount=first.amount + line.amount
        )  # fmt: skip
    return list(out.values())


def _parts_of(
    work: UnitOfWork, row: ReturnRow, line: ReturnLineRow, charged: Mapping[int, list[Billed]], is_charge: bool
) -> list[Credited]:
    """A returned line laid over the invoice lines that billed it, the latest first; the rest at the price of its order.

    A file of the past says itself what was credited: it takes the tax of the invoice alone.
    """
    found = charged.get(line.order_line_id or 0, [])
    if work.source == "import":
        net = scaled_amount(line.quantity, line.unit_price, row.currency)
        tax: tuple[int | None, int | None, int | None, int | None] = (line.tax_rate, None, None, None)
        if found:
            tax = (found[0].tax_rate, found[0].tax_rule, found[0].tax_exemption, found[0].invoice)
        return [
            Credited(
                line.item_id, line.order_line_id, is_charge, line.quantity, line.unit_price, line.amount, net, *tax
            )
        ]
    out, left = [], line.quantity
    for billed in found:
        if not left or not billed.left:
            continue
        quantity, net = billed.take(left)
        left -= quantity
        amount = exact_amount(quantity, billed.unit_price)
        price = billed.unit_price
        if net != scaled_amount(quantity, price, row.currency):
            # Its price was lowered by a credit before: what is left of it is given back.
            amount = scaled_posted(net, row.currency)
            price = amount * 10**QUANTITY_PLACES // quantity
        out.append(
            Credited(
                line.item_id, line.order_line_id, is_charge, quantity, price, amount, net, billed.tax_rate, billed.tax_rule,
                billed.tax_exemption, billed.invoice,
            )
        )  # fmt: skip
    if left:
        out.append(
            Credited(
                line.item_id, line.order_line_id, is_charge, left, line.unit_price, exact_amount(left, line.unit_price),
                scaled_amount(left, line.unit_price, row.currency), line.tax_rate,
            )
        )  # fmt: skip
    return out


def credit_invoices(work: UnitOfWork, commands: Sequence[CreditInvoice]) -> list[int]:
    """Post a credit memo per command against a posted invoice; raises ``RuleBroken`` beyond what was invoiced."""
    orders = {o.id: o for o in lock_orders(work, orders_of_invoices(work, [c.invoice for c in commands]))}
    invoices = {i.id: i for i in lock_invoices(work, [c.invoice for c in commands])}
    _, before = credited_before(work, [c.order_line for c in commands])
    memos = []
    for command in commands:
        invoice = invoices[command.invoice]
        order = orders[invoice.order_id]
        work.actor.require("billing:credit_memo:post", site=invoice.site_id)
        if invoice.number is None:
            raise RuleBroken("invoice_not_posted", document=str(invoice.id))
        part = next((p for p in invoice.lines if p.order_line_id == command.order_line), None)
        quantity = scaled_int(command.quantity, QUANTITY_PLACES)
        price = scaled_int(command.unit_price, PRICE_PLACES)
        net = scaled_amount(quantity, price, invoice.currency)
        if quantity <= 0 or price <= 0:
            raise RuleBroken("credit_of_nothing", field="quantity" if quantity <= 0 else "unit_price")
        if part is None or net > part.net_minor - before[command.invoice, command.order_line]:
            raise RuleBroken("credit_above_invoice", document=invoice.number)
        before[command.invoice, command.order_line] += net
        line = Credited(
            part.item_id, part.order_line_id, part.kind in (LineKind.CHARGE, LineKind.SERVICE), quantity, price,
            exact_amount(quantity, price), net, part.tax_rate, part.tax_rule_id, part.tax_exemption_id, invoice.id,
        )  # fmt: skip
        memos.append(
            _Memo(
                id=work.ids.one(), place=order.place(work), customer=order.customer_id, journey=order.id, invoice=invoice.id,
                return_id=None, number=None, reason=command.reason, fault=command.fault, unlinked=None, when=work.now,
                lines=[line], refs=(),
            )
        )  # fmt: skip
    _post(work, memos)
    return [memo.id for memo in memos]


def credit_rebates(work: UnitOfWork, commands: Sequence[CreditRebate]) -> list[int]:
    """Post a credit memo per customer that closes so much of what was accrued for it; returns the memos' ids."""
    memos = [
        _Memo(
            id=work.ids.one(), place=one.place, customer=one.customer, journey=one.agreement, invoice=None, return_id=None,
            number=None, reason=one.reason, fault="customer", unlinked=None, when=work.now, lines=one.lines, refs=(),
            rule="rebate_settled",
        )
        for one in commands
    ]  # fmt: skip
    _post(work, memos)
    return [memo.id for memo in memos]


def _post(work: UnitOfWork, memos: Sequence[_Memo]) -> None:
    """Write, post and report credit memos: books, receivable and exposure change together."""
    heads, lines, entries, receivables = [], [], [], []
    deltas: dict[tuple[int, int], int] = defaultdict(int)
    for memo, tax in zip(memos, taxes_of(work, [memo.lines for memo in memos]), strict=True):
        net = sum(line.net for line in memo.lines)
        exact = sum(line.amount for line in memo.lines)
        place, currency = memo.place, memo.place.currency or ""
        day = local_day(memo.when, place.time_zone)
        heads.append(
            (
                memo.id, place.entity, place.site, memo.customer, memo.invoice, memo.return_id, memo.number, memo.reason,
                memo.fault, memo.unlinked, memo.when, day, currency, net, tax, net + tax, exact,
            )
        )  # fmt: skip
        lines += [
            (
                memo.id, number, line.item, line.order_line, line.is_charge, line.quantity, line.unit_price, line.amount,
                line.net, line.tax_rate, line.tax_rule, line.tax_exemption, line.invoice, line.is_fee,
            )
            for number, line in enumerate(memo.lines, 1)
        ]  # fmt: skip
        fees = sum(line.net for line in memo.lines if line.is_fee)
        charges = sum(line.net for line in memo.lines if line.is_charge) - fees
        entries.append(
            Entry(
                rule=memo.rule, place=place, document_type="credit_memo", document_id=memo.id, journey=memo.journey,
                entry_on=day, posted_at=memo.when, currency=currency,
                sides=(
                    Side(_AGAINST[memo.rule], net - charges - fees), Side(AccountRole.CHARGES, charges), Side(AccountRole.RESTOCKING, fees),
                    Side(AccountRole.TAX, tax), Side(AccountRole.RECEIVABLE, -net - tax, memo.customer),
                ),
                rounding=-(exact - scaled_posted(net, currency)),
            )
        )  # fmt: skip
        gross = net + tax
        receivables.append((memo.id, "credit_memo", place.entity, memo.customer, currency, -gross, -gross, day))
        deltas[memo.customer, place.entity] -= gross
        if memo.number is None:
            work.number_later(
                CreditMemo.__table__,
                memo.id, entity=place.entity, journal="credit", year=day.year, prefix=f"CRN-{day.year}-",
            )  # fmt: skip
        event = CreditMemoPosted(
            net=net, tax=tax, gross=gross, reason=memo.reason, fault=memo.fault, invoice=memo.invoice,
            return_=memo.return_id, unlinked=memo.unlinked, rebate=memo.journey if memo.rule == "rebate_settled" else None,
        )  # fmt: skip
        step = "returns_to_credit.credit" if memo.return_id else "order_to_cash.invoice"
        work.publish(
            event,
            place,
            step=step,
            subject=("credit_memo", memo.id, 1),
            journey=memo.journey,
            at=memo.when,
            refs=memo.refs,
        )
    write_rows(work, CreditMemo.__table__, _MEMO, heads)
    write_rows(work, CreditMemoLine.__table__, _LINE, lines)
    write_rows(work, Receivable.__table__, RECEIVABLE, receivables)
    post_entries(work, [*entries, *accrue_credits(work, [_as_counted(memo) for memo in memos])])
    change_exposures(work, deltas, Part.RECEIVABLE)
    _report_corrections(work, memos)


def _as_counted(memo: _Memo) -> tuple[Document, list[Counted]]:
    """What of it counts for rebates: goods of invoices that are known, and as a quantity only what came back."""
    document = Document(
        type="credit_memo", id=memo.id, place=memo.place, journey=memo.journey, on=local_day(memo.when, memo.place.time_zone),
        at=memo.when,
    )  # fmt: skip
    counted = []
    for number, line in enumerate(memo.lines, 1):
        invoice = line.invoice or memo.invoice
        if invoice is not None and line.order_line is not None and not line.is_charge:
            back = line.quantity if memo.return_id is not None else 0
            counted.append(
                Counted(
                    "credit_memo", memo.id, number, invoice, line.order_line, line.item, memo.customer, -line.net, -back
                )
            )
    return document, counted


def _report_corrections(work: UnitOfWork, memos: Sequence[_Memo]) -> None:
    """Tell each corrected invoice, on the journey of its order."""
    sold = {line.order_line for memo in memos for line in memo.lines if line.order_line}
    named: dict[int, list[int]] = defaultdict(list)
    for row in read_rows(work, InvoiceLine, ("order_line_id", "invoice_id"), "order_line_id", sold):
        named[row.order_line_id].append(row.invoice_id)
    invoices = {key for found in named.values() for key in found} | {memo.invoice for memo in memos if memo.invoice}
    orders = {o.id: o for o in lock_orders(work, orders_of_invoices(work, invoices))}
    owner = {i.id: i for i in lock_invoices(work, invoices)}
    by_line = lines_by_id(orders.values())
    # Nothing can be credited of a draft: of several invoices of a line the last one posted is meant.
    posted = {key for key, invoice in owner.items() if invoice.state == InvoiceState.POSTED}
    billed = {line: max((key for key in found if key in posted), default=None) for line, found in named.items()}
    for memo in memos:
        shares: dict[int, int] = defaultdict(int)
        for line in memo.lines:
            target = line.invoice or billed.get(line.order_line or 0)
            if target:
                shares[target] += line.net + share_of(line.net, line.tax_rate or 0)
        for invoice_id, gross in sorted(shares.items()):
            invoice = owner[invoice_id]
            order = orders[invoice.order_id]
            event = InvoiceCorrected(credit_memo=memo.id, fault=memo.fault, reason=memo.reason, gross=gross)
            work.publish(
                event, order.place(work), step="order_to_cash.invoice", subject=("invoice", invoice.id, invoice.version),
                journey=order.id, at=memo.when, refs=shares_of(invoice, by_line),
            )  # fmt: skip
