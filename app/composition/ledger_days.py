"""Keeps the days and months of the ledger: every entry is added to its own once, in the transaction that moves the cursor."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from erpcore.kernel.eventlog import LoggedEvent
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.days import CONSUMER, DayTotals, add_totals, by_month, day_totals


class LedgerDayConsumer:
    """Adds what was posted to the totals of its day and month."""

    name = CONSUMER
    types = frozenset({"ledger.posted"})

    def prepare(self, connection: Connection, events: Sequence[LoggedEvent]) -> DayTotals:
        """What the entries come to."""
        return day_totals(connection, (event.subject for event in events))

    def rows(self, prepared: DayTotals) -> int:
        """A row for each account, site and channel of each day and month."""
        return len(prepared) + len(by_month(prepared))

    def take(self, work: UnitOfWork, events: Sequence[LoggedEvent], prepared: DayTotals | None = None) -> None:
        """Add them."""
        if prepared is None:
            prepared = day_totals(work.connection, (event.subject for event in events))
        add_totals(work, prepared)
