"""Credit memos and bad-debt journals: how a posted invoice, or a debt, is corrected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from erpcore.billing.models import CreditMemo, CreditMemoLine, DebtJournal, Invoice, InvoiceLine, InvoiceState
from erpcore.billing.records import RECEIVABLE, lock_invoices, orders_of_invoices, shares_of
from erpcore.billing.services import scaled_posted
from erpcore.credit.models import Receivable
from erpcore.credit.services import Part, change_exposures
from erpcore.fulfilment.flow import RETURN
from erpcore.fulfilment.return_records import ReturnRow, lock_returns, save_returns
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.events import Place
from erpcore.kernel.history import record_move
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES, scaled_int
from erpcore.kernel.money import exact_amount, scaled_amount, share_of, to_minor
from erpcore.kernel.rows import read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Entry, Side, post_entries
from erpcore.masterdata.models import ItemKind
from erpcore.masterdata.queries import customers, items, site_facts
from erpcore.orders.models import LineKind
from erpcore.orders.records import lines_by_id, lock_orders
from erpcore.ports import Cell, CellStates, Process, admit, standard_ruleset
from erpcore.published import CreditMemoPosted, DebtWrittenOff, InvoiceCorrected, ReturnCredited

_MEMO = (
    "id", "entity_id", "site_id", "customer_id", "invoice_id", "return_id", "number", "reason", "fault", "unlinked", "posted_at",
    "credit_on", "currency", "net_minor", "tax_minor", "gross_minor", "exact",
)  # fmt: skip
_LINE = (
    "credit_memo_id", "line_no", "item_id", "order_line_id", "is_charge", "quantity", "unit_price", "amount", "net_minor",
    "tax_rate", "tax_rule_id", "tax_exemption_id",
)  # fmt: skip
_JOURNAL = (
    "id", "entity_id", "site_id", "customer_id", "number", "reason", "ship_country", "currency", "amount", "amount_minor",
    "posted_at",
)  # fmt: skip


class Credited(NamedTuple):
    """So much of an item given back in money."""

    item: int
    order_line: int | None
    is_charge: bool
    quantity: int
    unit_price: int
    amount: int
    net: int
    tax_rate: int | None
    tax_rule: int | None = None
    tax_exemption: int | None = None


@dataclass(frozen=True, kw_only=True)
class CreditInvoice:
    """Correct a posted invoice without goods coming back: so much less per unit, for so many units of a line."""

    invoice: int
    order_line: int
    quantity: Decimal
    unit_price: Decimal
    reason: str
    fault: str


@dataclass(frozen=True, kw_only=True)
class PostDebt:
    """A bad-debt journal with its sign, in the currency of the books; ``channel``: of the order whose debt it is."""

    site: int
    customer: int
    amount: Decimal
    reason: str
    number: str | None = None
    ship_country: str | None = None
    at: datetime | None = None
    channel: int | None = None


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


def credit_returns(
    work: UnitOfWork,
    ids: Iterable[int],
    *,
    cells: CellStates,
    at: Mapping[int, datetime] | None = None,
    numbers: Mapping[int, str] | None = None,
) -> list[int]:
    """Post the credit memo of each received return, at original price and tax; returns the memos' ids."""
    rows = lock_returns(work, ids)
    known = items(work, {line.item_id for row in rows for line in row.lines})
    charged = _taxes_charged(work, {line.order_line_id for row in rows for line in row.lines if line.order_line_id})
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


def _taxes_charged(work: UnitOfWork, lines: Iterable[int]) -> dict[int | None, Any]:
    """The tax that the posted invoice of each order line charged: the last one, where several bill the line."""
    names = ("invoice_id", "order_line_id", "tax_rate", "tax_rule_id", "tax_exemption_id")
    rows = read_rows(work, InvoiceLine, names, "order_line_id", lines)
    states = {
        row.id: row.state for row in read_rows(work, Invoice, ("id", "state"), "id", {r.invoice_id for r in rows})
    }
    rows.sort(key=lambda row: row.invoice_id)
    return {row.order_line_id: row for row in rows if states[row.invoice_id] == InvoiceState.POSTED}


def _memo_of(
    work: UnitOfWork,
    row: ReturnRow,
    known: Mapping[int, Any],
    charged: Mapping[int | None, Any],
    when: datetime,
    number: str | None,
) -> _Memo:
    lines = [
        Credited(
            line.item_id, line.order_line_id, known[line.item_id].kind != ItemKind.STOCK, line.quantity, line.unit_price,
            line.amount, scaled_amount(line.quantity, line.unit_price, row.currency), *_tax_of(line, charged),
        )
        for line in row.lines
    ]  # fmt: skip
    reasons = {line.unlinked for line in row.lines if line.unlinked and line.unlinked != "charge"}
    refs = [("order", row.order_id, 1_000_000)] if row.order_id else []
    return _Memo(
        id=work.ids.one(), place=row.place(work), customer=row.customer_id, journey=row.id, invoice=None, return_id=row.id,
        number=number, reason=row.reason, fault=row.fault, unlinked="; ".join(sorted(reasons))[:48] or None, when=when,
        lines=lines, refs=refs,
    )  # fmt: skip


def _tax_of(line: Any, charged: Mapping[int | None, Any]) -> tuple[int | None, int | None, int | None]:
    """The tax that was charged; of what is not billed, the one that was expected."""
    found = charged.get(line.order_line_id)
    return (line.tax_rate, None, None) if found is None else (found.tax_rate, found.tax_rule_id, found.tax_exemption_id)


def credit_invoices(work: UnitOfWork, commands: Sequence[CreditInvoice]) -> list[int]:
    """Post a credit memo per command against a posted invoice; raises ``RuleBroken`` beyond what was invoiced."""
    orders = {o.id: o for o in lock_orders(work, orders_of_invoices(work, [c.invoice for c in commands]))}
    invoices = {i.id: i for i in lock_invoices(work, [c.invoice for c in commands])}
    before = _credited_before(work, invoices)
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
            exact_amount(quantity, price), net, part.tax_rate, part.tax_rule_id, part.tax_exemption_id,
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


def _credited_before(work: UnitOfWork, invoices: Iterable[int]) -> dict[tuple[int, int], int]:
    """Net already credited per invoice and order line."""
    out: dict[tuple[int, int], int] = defaultdict(int)
    memos = {
        row.id: row.invoice_id for row in read_rows(work, CreditMemo, ("id", "invoice_id"), "invoice_id", invoices)
    }
    names = ("credit_memo_id", "order_line_id", "net_minor")
    for row in read_rows(work, CreditMemoLine, names, "credit_memo_id", memos):
        out[memos[row.credit_memo_id], row.order_line_id] += row.net_minor
    return out


def _post(work: UnitOfWork, memos: Sequence[_Memo]) -> None:
    """Write, post and report credit memos: books, receivable and exposure change together."""
    heads, lines, entries, receivables = [], [], [], []
    deltas: dict[tuple[int, int], int] = defaultdict(int)
    for memo in memos:
        by_rate: dict[int, int] = defaultdict(int)
        for line in memo.lines:
            by_rate[line.tax_rate or 0] += line.net
        net = sum(by_rate.values())
        tax = sum(share_of(part, rate) for rate, part in by_rate.items())
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
                line.net, line.tax_rate, line.tax_rule, line.tax_exemption,
            )
            for number, line in enumerate(memo.lines, 1)
        ]  # fmt: skip
        charges = sum(line.net for line in memo.lines if line.is_charge)
        entries.append(
            Entry(
                rule="credit_memo", place=place, document_type="credit_memo", document_id=memo.id, journey=memo.journey,
                entry_on=day, posted_at=memo.when, currency=currency,
                sides=(
                    Side(AccountRole.REVENUE, net - charges), Side(AccountRole.CHARGES, charges),
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
            return_=memo.return_id, unlinked=memo.unlinked,
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
    post_entries(work, entries)
    change_exposures(work, deltas, Part.RECEIVABLE)
    _report_corrections(work, memos)


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
            target = memo.invoice or billed.get(line.order_line or 0)
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


def post_debts(
    work: UnitOfWork, commands: Sequence[PostDebt], *, cells: CellStates, is_agreed: bool = False
) -> list[int]:
    """Post bad-debt journals with their sign: negative gives a debt up, positive takes it on again. ``is_agreed``: by authority, or
    by a policy, whatever the actor may.
    """
    known = customers(work, {c.customer for c in commands})
    rows, entries, receivables = [], [], []
    deltas: dict[tuple[int, int], int] = defaultdict(int)
    ids = work.ids.reserve(len(commands))
    given = []
    for command in commands:
        if not is_agreed:
            work.actor.require("billing:debt:write_off", site=command.site)
        site = site_facts(work, command.site)
        customer = known[command.customer]
        cell = Cell(site.live_id, command.channel, Process.ORDER_TO_CASH, customer.group_id)
        grant = admit(work, cells, site.entity.realm, cell, begins=False)
        when, currency, key = command.at or work.now, site.entity.currency, next(ids)
        given.append(key)
        minor = to_minor(command.amount, currency)
        day = local_day(when, site.time_zone)
        place = Place(
            realm=site.entity.realm, entity=site.entity.id, site=site.id, channel=command.channel,
            customer_group=customer.group_id, grant=grant, ruleset=standard_ruleset().hash, currency=currency, time_zone=site.time_zone,
        )  # fmt: skip
        exact = scaled_int(command.amount, PRICE_PLACES)
        rows.append(
            (
                key, site.entity.id, site.id, customer.id, command.number or f"DJ-{key}", command.reason,
                command.ship_country or customer.country, currency, exact, minor, when,
            )
        )  # fmt: skip
        entries.append(
            Entry(
                rule="bad_debt", place=place, document_type="debt_journal", document_id=key, journey=key, entry_on=day,
                posted_at=when, currency=currency, text=command.reason,
                sides=(Side(AccountRole.RECEIVABLE, minor, customer.id), Side(AccountRole.BAD_DEBT, -minor)),
                rounding=exact - scaled_posted(minor, currency),
            )
        )  # fmt: skip
        receivables.append((key, "debt_journal", site.entity.id, customer.id, currency, minor, minor, day))
        deltas[customer.id, site.entity.id] += minor
        work.publish(
            DebtWrittenOff(amount=-minor, reason=command.reason), place, step="order_to_cash.cash",
            subject=("debt_journal", key, 1), journey=key, at=when,
        )  # fmt: skip
    write_rows(work, DebtJournal.__table__, _JOURNAL, rows)
    write_rows(work, Receivable.__table__, RECEIVABLE, receivables)
    post_entries(work, entries)
    change_exposures(work, deltas, Part.RECEIVABLE)
    return given
