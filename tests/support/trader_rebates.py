"""What the people of ``trader`` do about rebates: agree, sell, take goods back that counted, pay part, end and settle."""

from __future__ import annotations

import contextlib
from datetime import date
from decimal import Decimal
from typing import Any

from erpcore.billing.credits import credit_returns
from erpcore.billing.rebate_settling import SettleRebate, settle_rebate
from erpcore.billing.rebates.agreements import (
    WriteRebate,
    agree_rebate,
    change_rebate,
    end_rebate,
    withdraw_rebate,
    write_rebate,
)
from erpcore.fulfilment.return_deciding import authorise_returns
from erpcore.fulfilment.returns import RequestReturn, ReturnedLine, request_returns
from erpcore.inventory.stock import ChangeStock, receive_stock
from erpcore.kernel.errors import DomainError
from tests.support.core import OPEN, RULES
from tests.support.rebates import tier
from tests.support.steps import invoiced, taken_back
from tests.support.trader import Trader
from tests.support.walking import move

WHO, NUMBER = range(3), range(6)
_TIERS = {
    "back": (tier(0, 2), tier(60, 5, back=True), tier(150, 8, back=True)),
    "beyond": (tier(0, 1), tier(90, 4)),
    "pieces": (tier(3, per_unit="0.25", back=True), tier(12, per_unit="0.333333", back=True)),
    "late": (tier(80, 10, back=True),),
}


class RebateTrader(Trader):
    """A trader whose customers get something back."""

    def begin(self) -> None:
        """Two that count from the start; what falls under both says that it may."""
        super().begin()
        for buyer, kind in ((0, "back"), (2, "pieces"), (1, "late")):
            self.write_rebate_for(0, buyer, kind, item=2, adds_up=True, growth=0)
        for number in range(3):
            self.agree_to_rebate(1, number)

    def _a_rebate(self, number: int) -> int | None:
        key: int | None = self.pick(self.ids("SELECT id FROM rebate_agreement ORDER BY id"), number)
        return key

    def _rebate_terms(self, buyer: int, kind: str, item: int, *, adds_up: bool, growth: int) -> WriteRebate:
        business = self.business
        return WriteRebate(
            site=business.site, name=f"Bonus {kind}", customer=self.customers[buyer], tiers=_TIERS[kind],
            item=business.items[item] if item < 2 else None, basis="quantity" if kind == "pieces" else "net",
            base=Decimal(growth), adds_up=adds_up, valid_from=date(2026, 1, 1), valid_until=date(2027, 1, 1),
        )  # fmt: skip

    @move(who=WHO, buyer=range(3), kind=tuple(_TIERS), item=range(3), adds_up=(False, True), growth=(0, 0, 20, -5))
    def write_rebate_for(self, who: int, buyer: int, kind: str, item: int, adds_up: bool, growth: int) -> None:
        terms = self._rebate_terms(buyer, kind, item, adds_up=adds_up, growth=growth)
        self.attempt(who, lambda work: write_rebate(work, terms))

    @move(who=WHO, number=NUMBER, buyer=range(3), kind=tuple(_TIERS))
    def write_rebate_anew(self, who: int, number: int, buyer: int, kind: str) -> None:
        key = self._a_rebate(number)
        terms = self._rebate_terms(buyer, kind, 2, adds_up=True, growth=0)
        if key is not None:
            self.attempt(who, lambda work: change_rebate(work, key, terms))

    @move(often=8, buyer=range(3), item=range(2), quantity=(1, 4, 9))
    def sell(self, buyer: int, item: int, quantity: int) -> None:
        """Goods come, and are sold and billed; where something refuses that it stands as far as it came."""
        business = self.business
        # Where others wait for the goods there is nothing to pick.
        with contextlib.suppress(DomainError, ValueError):
            with business.work() as work:
                came = ChangeStock(
                    site=business.site, item=business.items[item], quantity=Decimal(quantity + 20), note="came"
                )
                receive_stock(work, [came], rules=RULES, cells=OPEN)
            invoiced(business, [(item, quantity)], customer=self.customers[buyer])
            type(self).succeeded["sold"] += 1

    @move(often=3, who=WHO, number=NUMBER)
    def agree_to_rebate(self, who: int, number: int) -> None:
        key = self._a_rebate(number)
        if key is not None:
            self.attempt(who, lambda work: agree_rebate(work, key), what="agreed")

    @move(often=3, who=WHO, number=NUMBER, reason=("", "sold", "moved"))
    def end_a_rebate(self, who: int, number: int, reason: str) -> None:
        key = self._a_rebate(number)
        if key is not None:
            self.attempt(who, lambda work: end_rebate(work, key, reason=reason), what="ended")

    @move(who=WHO, number=NUMBER, reason=("", "lost"))
    def withdraw_a_rebate(self, who: int, number: int, reason: str) -> None:
        key = self._a_rebate(number)
        if key is not None:
            self.attempt(who, lambda work: withdraw_rebate(work, key, reason=reason))

    @move(often=8, who=WHO, number=NUMBER, paid=(None, None, 0, 37, 250, 100_000), reason=("", "as claimed"))
    def settle_a_rebate(self, who: int, number: int, paid: int | None, reason: str) -> None:
        key = self._a_rebate(number)
        if key is not None:
            command = SettleRebate(agreement=key, paid_minor=paid, claimed_minor=paid, reason=reason)
            self.attempt(who, lambda work: settle_rebate(work, command), what="settled")

    @move(often=10, who=WHO, number=range(12), quantity=(1, 4, 9, 9, 30))
    def send_counted_back(self, who: int, number: int, quantity: int) -> None:
        """Some of a line that was billed comes back and is credited."""
        line = self.pick(self.ids("SELECT order_line_id FROM invoice_line WHERE kind = 'stock' ORDER BY 1"), number)
        if line is None:
            return
        (item,) = self.ids(f"SELECT item_id FROM order_line WHERE id = {line}")
        of = f"FROM sales_order o JOIN order_line l ON l.order_id = o.id WHERE l.id = {line}"
        (customer,) = self.ids(f"SELECT o.customer_id {of}")
        business = self.business
        command = RequestReturn(
            site=business.site, channel=business.channel, customer=customer, reason="too many", fault="customer",
            lines=[ReturnedLine(item=item, quantity=Decimal(quantity), order_line=line)],
        )  # fmt: skip

        def act(work: Any) -> None:
            (row,) = request_returns(work, [command], rules=RULES, cells=OPEN)
            authorise_returns(work, [row.id])
            taken_back(work, row.id)
            credit_returns(work, [row.id], cells=OPEN)

        below = "SELECT line_no FROM rebate_accrual WHERE document_type = 'credit_memo' AND adjusted_minor < 0"
        before = len(self.ids(below))
        self.attempt(who, act, what="sent back")
        type(self).succeeded["came below a tier"] += len(self.ids(below)) > before
