"""Which figures say how fast customers pay? A part of the catalogue; receivables of a company, told apart by customer group alone."""

from __future__ import annotations

from typing import Any

from readiness.measures.measure import Kind, Measure, Source
from readiness.measures.reading import Direction, Form, Unit

DAYS_SALES_OUTSTANDING = 70
AVERAGE_DAYS_DELINQUENT = 71
OVERDUE_SHARE = 72
COLLECTION_EFFECTIVENESS = 73


def _of_receivables(**fields: Any) -> Measure:
    """What customers owe: of companies, whatever the site and channel, net of what they have on account and of credits."""
    return Measure(
        form=Form.COMPOSITE, owner="collections owner", documents="invoice", level="value", carries_group=True,
        by_channel=False, source=Source.RECEIVABLES, **fields,
    )  # fmt: skip


RECEIVABLES = (
    _of_receivables(
        id=DAYS_SALES_OUTSTANDING, key="days_sales_outstanding", title="Days sales outstanding", unit=Unit.DAYS,
        direction=Direction.DOWN, kind=Kind.STATE, window_days=0, cohort="open documents", in_hypercare=False,
        formula="Receivables of the company, net of money on account and credits, counted back through its gross sales, month by "
        "month from today: the days of every month that they exceed, and of the last one their share.",
    ),
    _of_receivables(
        id=AVERAGE_DAYS_DELINQUENT, key="average_days_delinquent", title="Average days delinquent", unit=Unit.DAYS,
        direction=Direction.DOWN, kind=Kind.STATE, window_days=0, cohort="open documents", in_hypercare=False,
        formula="Days sales outstanding less those of the receivables that are not due yet, counted back through the same sales.",
    ),
    _of_receivables(
        id=OVERDUE_SHARE, key="overdue_share", title="Overdue share", unit=Unit.PERCENT, direction=Direction.DOWN,
        kind=Kind.STATE, window_days=0, cohort="open documents",
        formula="Overdue ÷ open receivables of the company; a customer's money on account and credits settle first what is longest "
        "due.",
    ),
    _of_receivables(
        id=COLLECTION_EFFECTIVENESS, key="collection_effectiveness", title="Collection effectiveness", unit=Unit.PERCENT,
        direction=Direction.UP, window_days=30, cohort="last calendar month", is_monthly=True,
        formula="(Opening receivables + gross sales − closing receivables) ÷ (opening receivables + gross sales − closing "
        "receivables that are not due yet), of the last whole calendar month.",
    ),
)  # fmt: skip
