"""Which figures say how the books are closed? A part of the catalogue; months of a company, whatever its sites and channels."""

from __future__ import annotations

from readiness.measures.measure import Measure, Source
from readiness.measures.reading import Direction, Form, Unit

CLOSE_CYCLE_TIME = 78

CLOSINGS = (
    Measure(
        id=CLOSE_CYCLE_TIME, key="close_cycle_time", title="Close cycle time", unit=Unit.DAYS, form=Form.COMPOSITE,
        direction=Direction.DOWN, window_days=30, owner="controller", documents="period", level="period",
        cohort="last calendar month", by_channel=False, is_monthly=True, source=Source.REGISTER,
        formula="Working days from the end of the last calendar month until its books were closed for good, the day of the close "
        "included, of the company that took longest: Monday to Friday without days on which all its sites rest, as the close room "
        "counts them. Books that are open, or were opened again, count with their days so far.",
    ),
)  # fmt: skip
