"""What one euro is worth in the demo, day by day, for the books and for the rehearsal."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from app.demo.desk import Desk
from erpcore.masterdata.models import Realm
from erpcore.masterdata.rates import NewRate, keep_rates

#: One euro at the beginning, and what it moves by from day to day, in ten-thousandths.
_RATES = (("CHF", Decimal("0.9410"), (0, 6, -4, 3, -7)), ("GBP", Decimal("0.8650"), (0, -5, 8, 2, -3)))
_DAYS = 30
_SATURDAY = 5


def tell_rates(desk: Desk) -> None:
    """Rates of the bank days of the last thirty, the last of the books corrected since."""
    finance = desk.staff["finance"]
    rates = _rates(desk.today(desk.world.nodes[Realm.LIVE, "DUI"]))
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


def _rates(today: date) -> list[NewRate]:
    out = []
    for currency, first, steps in _RATES:
        rate = first
        for back in range(_DAYS, -1, -1):
            day = today - timedelta(days=back)
            if day.weekday() < _SATURDAY:
                rate += Decimal(steps[day.toordinal() % len(steps)]).scaleb(-4)
                out.append(NewRate(currency="EUR", against=currency, day=day, rate=rate, source="ECB"))
    return out
