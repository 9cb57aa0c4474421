"""A variant against the standard for programs: each figure on each side with its interval, and what that proves."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from app.api.framework import operation
from app.api.values import Answer
from app.composition.request import now, reader
from app.queries.variant_comparison import Compared, Comparison, comparison
from app.security.permissions import Permission
from app.security.require import actor
from readiness.measures.reading import Reading

TAG = "Variants"


class SideAnswer(Answer):
    """The documents of one side, `start` until before `end`. `side` is `under`, `elsewhere` or `before`; `why_not`: why there are none."""

    side: str
    text: str
    start: date
    end: date
    documents: int
    why_not: str


class SideFigure(Answer):
    """A figure of one side in base units (a share between 0 and 1, a time in seconds) with its 95 % interval and its documents."""

    side: str
    value: Decimal | None
    low: Decimal | None
    high: Decimal | None
    count: int
    start: date
    end: date


class FindingAnswer(Answer):
    """What the variant's figure proves beside another side: `better`, `worse`, `different`, `unproven`, `too few` or `unknown`."""

    against: str
    finding: str
    why: str


class FigureAnswer(Answer):
    """A figure on every side. `dimension` is one value of its own dimension, such as `held`."""

    figure: str
    dimension: str | None
    sides: list[SideFigure]
    findings: list[FindingAnswer]


class ComparisonAnswer(Answer):
    """A variant against the standard; `why_not`: why it cannot be compared. Costs of keeping are minor units."""

    variant: int
    why_not: str
    sides: list[SideAnswer]
    figures: list[FigureAnswer]
    cost_per_month_minor: int | None
    cost_in_window_minor: int | None
    cost_per_document_minor: int | None
    cost_currency: str | None


@operation(
    "GET", "/variants/{variant_id}/comparison", permission=Permission.VARIANT_VIEW, summary="A variant against the standard",
    tag=TAG, answer=ComparisonAnswer,
)  # fmt: skip
def compare_variant(variant_id: int) -> ComparisonAnswer:
    page = comparison(reader(), actor(), variant_id, now())
    cost = page.keeping
    return ComparisonAnswer(
        variant=page.term.id, why_not=page.why_not,
        sides=[
            SideAnswer(
                side=one.side, text=one.text, start=one.start, end=one.end, documents=volume.count, why_not=one.why_not
            )
            for one, volume in zip(page.parts, page.volumes, strict=True)
        ],
        figures=[_figure(page, one) for one in page.figures], cost_per_month_minor=cost.per_month if cost else None,
        cost_in_window_minor=cost.in_window if cost else None, cost_per_document_minor=cost.per_document if cost else None,
        cost_currency=cost.currency if cost else None,
    )  # fmt: skip


def _figure(page: Comparison, one: Compared) -> FigureAnswer:
    return FigureAnswer(
        figure=one.key, dimension=one.dimension,
        sides=[
            _side(part.side, reading, span)
            for part, reading, span in zip(page.parts, one.readings, one.spans, strict=True)
        ],
        findings=[
            FindingAnswer(against=part.side, finding=verdict.finding, why=verdict.why)
            for part, verdict in zip(page.parts[1:], one.verdicts, strict=True)
        ],
    )  # fmt: skip


def _side(side: str, reading: Reading, span: tuple[date, date]) -> SideFigure:
    interval = reading.interval
    return SideFigure(
        side=side, value=reading.value, low=interval.low if interval else None, high=interval.high if interval else None,
        count=reading.count, start=span[0], end=span[1],
    )  # fmt: skip
