"""What one euro is worth in the demo, day by day, for the books and for the rehearsal."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import func, select

from app.composition.uow import reading
from app.demo.desk import Desk
from erpcore.ledger.models import JournalEntry
from erpcore.masterdata.models import Realm
from erpcore.masterdata.rates import NewRate, keep_rates

#: One euro at the beginning, and what it moves by from day to day, in ten-thousandths.
_RATES = (("CHF", Decimal("0.9410"), (0, 6, -4, 3, -7)), ("GBP", Decimal("0.8650"), (0, -5, 8, 2, -3)))
#: Rates begin so many days before the month in which the books do.
_BEFORE = 7
_SATURDAY = 5


def tell_rates(desk: Desk) -> None:
    """Rates of all bank days since the books began, the last of the books corrected since."""
    finance = desk.staff["finance"]
    today = desk.today(desk.world.nodes[Realm.LIVE, "DUI"])
    with reading(desk.database) as session:
        begun = session.scalar(select(func.min(JournalEntry.entry_on))) or today
    rates = _rates(begun.replace(day=1) - timedelta(days=_BEFORE), today)
    for realm in (Realm.LIVE, Realm.REHEARSAL):
        with desk.work(finance, realm) as work:
            keep_rates(work, rates)
    last = rates[-1]
    with desk.work(finance, Realm.LIVE) as work:
        told = NewRate(
            currency=last.currency, against=last.against, day=last.day, rate=last.rate + Decimal("0.0009"), source=last.source,
            reason="Typed from the day before",
        )  # fmt: skip
        keep_rates(work, [told])


def _rates(first_day: date, today: date) -> list[NewRate]:
    out = []
    for currency, first, steps in _RATES:
        rate = first
        for place in range((today - first_day).days + 1):
            day = first_day + timedelta(days=place)
            if day.weekday() < _SATURDAY:
                rate += Decimal(steps[day.toordinal() % len(steps)]).scaleb(-4)
                out.append(NewRate(currency="EUR", against=currency, day=day, rate=rate, source="ECB"))
    return out
