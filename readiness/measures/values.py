"""Shares of value: how much of what was settled did customers deduct, and what of what partners sold is not explained?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from readiness.measures import dispute_figures as c
from readiness.measures.behind import Behind
from readiness.measures.flows import blank
from readiness.measures.plans import Plan
from readiness.measures.ports import PaidOut, Settled
from readiness.measures.reading import Reading, Stale, ratio

OF_VALUE = frozenset({c.DEDUCTION_RATE, c.SETTLEMENT_UNEXPLAINED})
#: What becomes of a deduction.
OUTCOMES = ("valid", "invalid", "recovered", "open")


class Valued(NamedTuple):
    """So much of a value counts: of many documents, or of one that is named."""

    on: date
    currency: str
    counts: int
    of: int
    documents: int
    source: Settled | PaidOut


def valued(one: Settled | PaidOut, dimension: str | None) -> Valued:
    """What of a row counts, in one dimension where it is asked for."""
    if isinstance(one, PaidOut):
        return Valued(
            one.on, one.currency, one.unexplained if dimension in {None, one.partner} else 0, one.gross, 1, one
        )
    outcomes = [getattr(one, name) for name in OUTCOMES if dimension in {None, name}]
    return Valued(one.on, one.currency, sum(outcomes), one.gross, one.invoices, one)


def value_reading(plan: Plan, rows: Sequence[Valued], as_of: datetime) -> Reading:
    """The share; without any document there is nothing to judge and no value."""
    currencies = sorted({one.currency for one in rows})
    if len(currencies) > 1:
        said = f"amounts in {', '.join(currencies)} cannot be added"
        return blank(plan, as_of, stale=Stale.SOURCE_UNREADABLE, stale_detail=said)
    counts, of = sum(one.counts for one in rows), sum(one.of for one in rows)
    return blank(
        plan, as_of, value=ratio(counts, of), numerator=counts, denominator=of, count=sum(one.documents for one in rows),
        days=len({one.on for one in rows}),
    )  # fmt: skip


def values_behind(rows: Sequence[Valued], limit: int) -> list[Behind]:
    """The documents behind a share, the largest amount first."""
    found = [_behind(one) for one in rows if one.counts]
    return sorted((one for one in found if one is not None), key=lambda one: (-one.weight, one.id))[:limit]


def _behind(one: Valued) -> Behind | None:
    row = one.source
    if isinstance(row, PaidOut):
        return Behind(
            row.payout, row.payout, "payout", row.site, row.channel, None, row.taken_at, one.counts, row.currency, (row.partner,),
            "", one.counts, "minor", is_open=True, title=f"Payout {row.number}",
        )  # fmt: skip
    if row.invoice is None:
        return None
    became = tuple(name for name in OUTCOMES if getattr(row, name))
    return Behind(
        row.invoice, row.invoice, "invoice", row.site, row.channel, row.customer_group, row.settled_at, one.counts, row.currency,
        became, "", one.counts, "minor", is_open=bool(row.open), title=f"Invoice {row.number}",
    )  # fmt: skip
