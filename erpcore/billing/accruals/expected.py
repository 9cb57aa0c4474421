"""What is expected back of what was sold? By what came back in each channel in the year before the period's end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from erpcore.billing.accruals.ends import PeriodEnd
from erpcore.billing.accruals.figures import Due, DueKey, rounded
from erpcore.billing.accruals.models import AccrualKind
from erpcore.billing.models import CreditMemo, Invoice, InvoiceState
from erpcore.fulfilment.models import Disposition, ReturnLine, ReturnOrder
from erpcore.kernel.money import from_minor
from erpcore.ledger.models import Account, AccountRole, JournalEntry, JournalLine
from erpcore.orders.models import SalesOrder

#: History that the rate of a channel is read from.
HISTORY = timedelta(days=365)
#: So long after its invoice something is still expected back.
OPEN_TO_RETURN = timedelta(days=30)
_ONE = Decimal(1)

Sold = dict[tuple[int, int, str], int]
"""Minor units by site, channel and currency."""


def expected_returns(session: Session, end: PeriodEnd) -> list[Due]:
    """What is to be refunded of the last 30 days' sales beyond what has been, and what the goods behind it cost.

    The rate of a channel is what was credited for returns ÷ what was invoiced, over a year and all sites; its goods are worth the
    channel's cost of sales ÷ its sales, as far as returned goods went back to stock in that year. A channel without sales in the
    year expects nothing.
    """
    year, month = end.until - HISTORY, end.until - OPEN_TO_RETURN
    sold, back = _sold(session, end, year), _back(session, end, year)
    recent, already = _sold(session, end, month), _back(session, end, month)
    again, costs = _resold(session, end, year), _costs(session, end, month)
    out = []
    for (site, channel, currency), minor in sorted(recent.items()):
        in_year, came = _of(sold, channel, currency), _of(back, channel, currency)
        if minor <= 0 or in_year <= 0 or came <= 0:
            continue
        rate = min(_ONE, Decimal(came) / in_year)
        refund = rounded(rate * minor) - already.get((site, channel, currency), 0)
        if refund <= 0:
            continue
        said = (
            f"{rate * 100:.2f} % of {from_minor(minor, currency)} {currency} sold in 30 days, less "
            f"{from_minor(already.get((site, channel, currency), 0), currency)} refunded; the rate is {from_minor(came, currency)} of "
            f"{from_minor(in_year, currency)} in a year"
        )
        out.append(Due(key=DueKey(AccrualKind.REFUND, None, site, channel, currency), amount=refund, basis=said))
        share = min(_ONE, Decimal(costs[channel, currency]) / _of(recent, channel, currency)) * again[channel, currency]
        if worth := rounded(share * refund):
            said = f"{share * 100:.2f} % of the refund: cost of sales, as far as returned goods were sold again"
            out.append(Due(key=DueKey(AccrualKind.RETURNED, None, site, channel, currency), amount=worth, basis=said))
    return out


def _of(amounts: Sold, channel: int, currency: str) -> int:
    return sum(minor for (_, one, money), minor in amounts.items() if (one, money) == (channel, currency))


def _sold(session: Session, end: PeriodEnd, since: Any) -> Sold:
    query = (
        select(SalesOrder.site_id, SalesOrder.channel_id, Invoice.currency, func.sum(Invoice.net_minor))
        .join(SalesOrder, SalesOrder.id == Invoice.order_id)
        .where(
            Invoice.entity_id == end.entity, Invoice.state == InvoiceState.POSTED, Invoice.invoice_on >= since,
            Invoice.invoice_on < end.until,
        )
        .group_by(SalesOrder.site_id, SalesOrder.channel_id, Invoice.currency)
    )  # fmt: skip
    return {(site, channel, currency): int(minor) for site, channel, currency, minor in session.execute(query)}


def _back(session: Session, end: PeriodEnd, since: Any) -> Sold:
    query = (
        select(CreditMemo.site_id, ReturnOrder.channel_id, CreditMemo.currency, func.sum(CreditMemo.net_minor))
        .join(ReturnOrder, ReturnOrder.id == CreditMemo.return_id)
        .where(CreditMemo.entity_id == end.entity, CreditMemo.credit_on >= since, CreditMemo.credit_on < end.until)
        .group_by(CreditMemo.site_id, ReturnOrder.channel_id, CreditMemo.currency)
    )
    return {(site, channel, currency): int(minor) for site, channel, currency, minor in session.execute(query)}


def _resold(session: Session, end: PeriodEnd, since: Any) -> dict[tuple[int, str], Decimal]:
    """The part of what came back that went to stock again, by channel."""
    query = (
        select(ReturnOrder.channel_id, ReturnOrder.currency, ReturnLine.disposition, ReturnLine.amount)
        .join(ReturnLine, ReturnLine.return_id == ReturnOrder.id)
        .join(CreditMemo, CreditMemo.return_id == ReturnOrder.id)
        .where(CreditMemo.entity_id == end.entity, CreditMemo.credit_on >= since, CreditMemo.credit_on < end.until)
    )
    every: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    again: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for channel, currency, disposition, amount in session.execute(query):
        every[channel, currency] += amount
        again[channel, currency] += amount if disposition == Disposition.RESTOCK else 0
    shares = {key: again[key] / whole for key, whole in every.items() if whole > 0}
    return defaultdict(Decimal, shares)


_SHIPPED: Collection[str] = ("cost_of_sales", "direct_cost")


def _costs(session: Session, end: PeriodEnd, since: Any) -> dict[tuple[int | None, str], int]:
    """What goods cost that left since then, by channel."""
    query = (
        select(JournalEntry.channel_id, JournalEntry.currency, func.sum(JournalLine.debit_minor - JournalLine.credit_minor))
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .join(Account, Account.id == JournalLine.account_id)
        .where(
            JournalEntry.entity_id == end.entity, JournalEntry.entry_on >= since, JournalEntry.entry_on < end.until,
            JournalEntry.rule.in_(_SHIPPED), Account.role == AccountRole.COST_OF_SALES, JournalEntry.channel_id.is_not(None),
        )
        .group_by(JournalEntry.channel_id, JournalEntry.currency)
    )  # fmt: skip
    return defaultdict(int, {(channel, currency): int(minor) for channel, currency, minor in session.execute(query)})
