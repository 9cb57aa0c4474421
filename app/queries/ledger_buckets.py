"""What did accounts of several companies come to by month, and by day where that is needed? What translating them is worked out from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from app.queries.ledger_sums import late_lines, next_month
from erpcore.kernel.actor import Actor
from erpcore.ledger.models import LedgerDay, LedgerMonth
from erpcore.ledger.statements import Period
from erpcore.ledger.translation import Buckets


def buckets_of(
    session: Session, actor: Actor, entities: Collection[int], by_day: Collection[int], period: Period
) -> dict[int, Buckets]:
    """All accounts of each company up to the period's end: whole months by their first day; days where the period breaks a month,
    and of the accounts ``by_day``.
    """

    def lines(table: Any, day: Any, *only: Any) -> Any:
        found = [table.entity_id.in_(sorted(entities)), day <= period.until, *only]
        if actor.sites is not None:
            found.append(table.site_id.in_(sorted(actor.sites)))
        return select(table.entity_id, table.account_id, day.label("day"), table.debit_minor, table.credit_minor).where(
            *found
        )

    def days(month: date, *only: Any) -> Any:
        return lines(
            LedgerDay, LedgerDay.entry_on, LedgerDay.entry_on >= month, LedgerDay.entry_on < next_month(month), *only
        )

    accounts = sorted(by_day)
    broken = {day.replace(day=1) for day in (period.since, period.until + timedelta(days=1)) if day.day > 1}
    # Which months to look into by day: those that are kept; what is posted since stands among the late lines.
    looked = set(
        session.scalars(
            select(LedgerMonth.month_on)
            .where(LedgerMonth.entity_id.in_(sorted(entities)), LedgerMonth.account_id.in_(accounts))
            .where(LedgerMonth.month_on <= period.until)
            .distinct()
        )
    )
    late = late_lines(session).c
    month = LedgerMonth.month_on
    parts = [
        lines(late, late.entry_on),
        lines(LedgerMonth, month, month.not_in(sorted(broken)), LedgerMonth.account_id.not_in(accounts)),
        *(days(one) for one in sorted(broken)),
        *(days(one, LedgerDay.account_id.in_(accounts)) for one in sorted(looked - broken)),
    ]
    each = union_all(*parts).subquery()
    groups = (each.c.entity_id, each.c.account_id, each.c.day)
    rows = session.execute(
        select(*groups, func.sum(each.c.debit_minor), func.sum(each.c.credit_minor)).group_by(*groups)
    )
    found: dict[int, dict[tuple[int, date], int]] = defaultdict(dict)
    for entity, account, day, debit, credit in rows:
        found[entity][account, day] = int(debit) - int(credit)
    return dict(found)
