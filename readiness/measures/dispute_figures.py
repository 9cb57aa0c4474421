"""Which figures say how often customers object, how long it takes to answer them, what they deduct, and what partners cannot explain?
A part of the catalogue.
"""

from __future__ import annotations

from typing import Any

from readiness.measures.measure import Kind, Measure, Source
from readiness.measures.reading import Direction, Form, Unit

DISPUTE_RATE = 74
DISPUTE_AGE = 75
DEDUCTION_RATE = 76
SETTLEMENT_UNEXPLAINED = 77


def _of_disputes(**fields: Any) -> Measure:
    """What customers object to or deduct and somebody contests, by the reason that it has now."""
    return Measure(
        direction=Direction.DOWN, owner="collections owner", documents="invoice", level="invoice", dimension="reason",
        carries_group=True, source=Source.DISPUTES, **fields,
    )  # fmt: skip


def dispute_figures(invoices: int) -> tuple[Measure, ...]:
    """The figures; ``invoices`` is the number of a measure that keeps since when invoices were posted."""
    return (
        _of_disputes(
            id=DISPUTE_RATE, key="dispute_rate", title="Dispute rate", unit=Unit.PERCENT, form=Form.YES_NO, window_days=28,
            maturity_days=30, cohort="day of posting", parts=True, cohort_id=invoices,
            formula="Invoices that were disputed within 30 days of being posted ÷ invoices posted. What a customer deducts is a "
            "dispute from the day on which somebody contests it.",
        ),
        _of_disputes(
            id=DISPUTE_AGE, key="dispute_age", title="Age of disputes", unit=Unit.DAYS, form=Form.STATE, kind=Kind.STATE,
            statistics=("p90",), window_days=0, cohort="open disputes",
            formula="Now − the day on which it was disputed, of every dispute of which something is open.",
        ),
        Measure(
            id=DEDUCTION_RATE, key="deduction_rate", title="Deduction rate", unit=Unit.PERCENT, form=Form.COMPOSITE,
            direction=Direction.DOWN, window_days=28, owner="collections owner", documents="invoice", level="value",
            cohort="day on which the invoice was settled", dimension="outcome", parts=True, carries_group=True, is_money=True,
            source=Source.DISPUTES,
            formula="What customers deducted ÷ gross value of the invoices settled: nothing is open of them but deductions. Valid is "
            "what was credited, invalid what was asked for again or given up, recovered what was paid after all.",
        ),
        Measure(
            id=SETTLEMENT_UNEXPLAINED, key="settlement_unexplained", title="Payouts not explained", unit=Unit.PERCENT,
            form=Form.COMPOSITE, direction=Direction.DOWN, window_days=28, maturity_days=7, owner="billing owner",
            documents="payout", level="value", cohort="day on which the payout came", dimension="partner", parts=True,
            is_money=True, source=Source.DISPUTES,
            formula="Σ |what of a payout’s lines nobody has explained by now| ÷ what the payouts say was sold.",
        ),
    )  # fmt: skip
