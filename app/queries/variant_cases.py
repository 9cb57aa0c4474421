"""Of how many orders did somebody have to take care in the exception queue? Of the newest of each side, as margins are.

There are no tickets before hypercare keeps them; what people are called to is an exception, and what they do about it is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.cases import ExceptionEntry, Subject
from readiness.measures.intervals import Sums, total, yes_no_sample
from readiness.measures.reading import Direction, Form, Reading, Unit, Window, WindowUnit, ratio

#: So the figure is called, which no measure of the catalogue is.
CASES = "order_case_share"


def case_shares(
    session: Session, found: Sequence[Sequence[Any]], spans: Sequence[tuple[date, date]], now: datetime
) -> list[Reading]:
    """The share of orders that somebody was handed, noted something about or left alone for a while, by side. One query."""
    orders = {row.id for rows in found for row in rows}
    taken = set(
        session.scalars(
            select(ExceptionEntry.document_id)
            .where(ExceptionEntry.subject == Subject.ORDER, ExceptionEntry.document_id.in_(sorted(orders)))
            .distinct()
        )
    )
    return [_reading(rows, taken, span, now) for rows, span in zip(found, spans, strict=True)]


def _reading(orders: Sequence[Any], taken: Collection[int], span: tuple[date, date], now: datetime) -> Reading:
    by_day: dict[date, list[Sums]] = defaultdict(list)
    for row in orders:
        x = int(row.id in taken)
        by_day[row.captured_at.date()].append(Sums(1, x, 1, x, x, 1))
    sums = [total(by_day[day]) for day in sorted(by_day)]
    whole = total(sums)
    return Reading(
        measure=CASES, unit=Unit.PERCENT, direction=Direction.DOWN, form=Form.YES_NO, realm="live", scope="",
        window=Window(WindowUnit.DAY, *span), as_of=now, value=ratio(whole.x, whole.y), numerator=whole.x,
        denominator=whole.y, count=whole.n, days=len(sums), sample=yes_no_sample(sums) if whole.y else None,
    )  # fmt: skip
