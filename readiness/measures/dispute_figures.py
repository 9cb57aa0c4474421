"""Which figures say how often customers object and how long it takes to answer them? A part of the catalogue."""

from __future__ import annotations

from typing import Any

from readiness.measures.measure import Kind, Measure, Source
from readiness.measures.reading import Direction, Form, Unit

DISPUTE_RATE = 74
DISPUTE_AGE = 75


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
    )  # fmt: skip
