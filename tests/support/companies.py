"""A company that keeps its books in another currency, and entries of it as anybody may write them by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from erpcore.kernel.events import Place
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Entry, Side, open_chart, post_entries
from erpcore.masterdata.rates import NewRate, keep_rates
from erpcore.masterdata.services import NewEntity, NewSite, add_entity, add_site
from tests.support.core import Business

BANK, OPENING, REVENUE, FEES = AccountRole.BANK, AccountRole.OPENING, AccountRole.REVENUE, AccountRole.BANK_FEES


@dataclass(frozen=True)
class Sister:
    """A company in Switzerland with one site."""

    business: Business
    entity: int
    site: int

    def post(self, day: date, amount: int, against: AccountRole, *, account: AccountRole = BANK) -> None:
        """Debit the bank (or credit it, where the amount is negative), against another account."""
        with self.business.work() as work:
            key = work.ids.one()
            post_entries(
                work,
                [
                    Entry(
                        rule="manual_journal", document_type="journal", document_id=key, journey=key, entry_on=day,
                        place=Place(realm="live", entity=self.entity, site=self.site, time_zone="Europe/Zurich", currency="CHF"),
                        posted_at=work.now, currency="CHF", sides=(Side(account, amount), Side(against, -amount)),
                    )
                ],
            )  # fmt: skip


def a_sister(business: Business) -> Sister:
    """The company, its chart open and its books empty."""
    with business.work() as work:
        entity = add_entity(
            work,
            NewEntity(code="CH01", name="Alpen AG", country="Switzerland", currency="CHF", time_zone="Europe/Zurich"),
        )
        open_chart(work, entity.id)
        site = add_site(
            work,
            NewSite(
                entity=entity.id, code="PRA", name="Pratteln", kind="distribution_centre", country="Switzerland",
                time_zone="Europe/Zurich",
            ),
        )  # fmt: skip
        return Sister(business, entity.id, site.id)


def tell(business: Business, day: date, rate: str, *, days: int = 31, pair: tuple[str, str] = ("CHF", "EUR")) -> None:
    """A rate of a day, which may be used for so many days."""
    with business.work() as work:
        keep_rates(
            work,
            [
                NewRate(
                    currency=pair[0],
                    against=pair[1],
                    day=day,
                    rate=Decimal(rate),
                    source="Bank",
                    holds_days=days,
                    reason="test",
                )
            ],
        )


def rates_of_spring(business: Business) -> None:
    """One franc is a euro in February, 1.10 from 1 March and 1.20 from 11 March to the end of the month."""
    business.clock.set(business.clock.now() + timedelta(days=35))
    for day, rate, days in (
        (date(2026, 2, 1), "1.00", 28),
        (date(2026, 3, 1), "1.10", 10),
        (date(2026, 3, 11), "1.20", 21),
    ):
        tell(business, day, rate, days=days)


def trade_of_spring(sister: Sister) -> None:
    """1,000.00 brought in on 10 February, 100.00 earned on 5 March."""
    sister.post(date(2026, 2, 10), 100_000, OPENING)
    sister.post(date(2026, 3, 5), 10_000, REVENUE)
