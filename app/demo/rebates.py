"""Rebates: one group came over a tier, a return took a customer back below one, one agreement is settled, one waits for a second person."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.composition.uow import reading, unit_of_work
from app.demo.desk import Desk
from erpcore.billing.models import CreditMemo, CreditMemoLine, Invoice, InvoiceLine, InvoiceState
from erpcore.billing.rebate_settling import SettleRebate, settle_rebate
from erpcore.billing.rebates.agreements import TierIn, WriteRebate, agree_rebate, end_rebate, write_rebate
from erpcore.kernel.actor import Actor
from erpcore.kernel.money import from_minor
from erpcore.masterdata.models import Realm

_SITE = (Realm.LIVE.value, "DUI")
_TRADE = (
    TierIn(starts_at=Decimal(0), percent=Decimal("0.01")),
    TierIn(starts_at=Decimal(10_000), percent=Decimal("0.02"), is_retroactive=True),
    TierIn(starts_at=Decimal(2_000_000), percent=Decimal("0.03"), is_retroactive=True),
)
_OPENING = (TierIn(starts_at=Decimal(0), percent=Decimal("0.015")),)
_BY_UNIT = (
    TierIn(starts_at=Decimal(1_000), per_unit=Decimal("0.10"), is_retroactive=True),
    TierIn(starts_at=Decimal(5_000), per_unit=Decimal("0.15"), is_retroactive=True),
)


class Rebates:
    """The agreements of Duisburg's company."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self._opening = desk, 0

    def begin(self, until: date) -> None:
        """Two that count from the first invoice on; the second only until that day."""
        self._agreed(self._terms("Bonus of the trade", _TRADE, group="trade", until=None))
        self._opening = self._agreed(self._terms("Opening bonus of key accounts", _OPENING, group="key", until=until))

    def end(self) -> None:
        """Settle the one that is over, agree late to one that a return took back below its tier, and write a draft."""
        with self._work("finance") as work:
            end_rebate(work, self._opening, reason="Its days are over")
        with self._work("billing") as work:
            settle_rebate(work, SettleRebate(agreement=self._opening))
        with reading(self.desk.database) as session:
            found = self._come_back(session)
        if found is not None:
            customer, starts_at = found
            tiers = (
                TierIn(starts_at=Decimal(0), percent=Decimal("0.01")),
                TierIn(starts_at=starts_at, percent=Decimal("0.04"), is_retroactive=True),
            )
            self._agreed(self._terms("Bonus by volume", tiers, customer=customer, until=None))
        with self._work("billing") as work:
            write_rebate(work, self._terms("So much a piece", _BY_UNIT, group="trade", until=None, basis="quantity"))

    def _work(self, who: str) -> Any:
        # Not the desk's own: its pauses are drawn by lot, and what the others draw would be another.
        actor: Actor = self.desk.staff[who]
        return unit_of_work(
            self.desk.database, actor=actor, clock=self.desk.clock, realm=Realm.LIVE.value, source="screen"
        )

    def _terms(
        self, name: str, tiers: tuple[TierIn, ...], *, until: date | None, group: str = "", **more: Any
    ) -> WriteRebate:
        first = self.desk.today(self.desk.world.nodes[_SITE]).replace(month=1, day=1)
        return WriteRebate(
            site=self.desk.world.nodes[_SITE].id, name=name, valid_from=first, tiers=tiers, adds_up=True,
            valid_until=until or first.replace(year=first.year + 1),
            customer_group=self.desk.world.groups[group] if group else None, **more,
        )  # fmt: skip

    def _agreed(self, terms: WriteRebate) -> int:
        with self._work("billing") as work:
            key = write_rebate(work, terms)
        with self._work("finance") as work:
            agree_rebate(work, key, note="As negotiated for the year")
        return key

    def _come_back(self, session: Session) -> tuple[int, Decimal] | None:
        """A customer who sent goods back, and a value between what was billed and what is left of it."""
        entity = self.desk.world.nodes[_SITE].entity
        back = (
            select(CreditMemo.customer_id, func.sum(CreditMemoLine.net_minor).label("minor"))
            .join(CreditMemoLine, CreditMemoLine.credit_memo_id == CreditMemo.id)
            .where(
                CreditMemo.entity_id == entity, CreditMemo.return_id.is_not(None), CreditMemoLine.invoice_id.is_not(None),
                CreditMemoLine.is_charge.is_(False), CreditMemoLine.net_minor > 0,
            )
            .group_by(CreditMemo.customer_id)
            .order_by(func.sum(CreditMemoLine.net_minor).desc(), CreditMemo.customer_id)
            .limit(1)
        )  # fmt: skip
        row = session.execute(back).first()
        if row is None:
            return None
        billed = session.scalar(
            select(func.sum(InvoiceLine.net_minor))
            .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
            .where(
                Invoice.customer_id == row.customer_id, Invoice.state == InvoiceState.POSTED,
                InvoiceLine.kind.in_(("stock", "drop_ship")), InvoiceLine.net_minor > 0,
            )
        )  # fmt: skip
        return row.customer_id, from_minor(int(billed or 0) - int(row.minor) // 2, "EUR")
