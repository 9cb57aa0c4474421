"""What the people of the warehouse do where a site keeps cost layers: freight that comes late, and another method from now on."""

from __future__ import annotations

from decimal import Decimal

from erpcore.inventory.costing.choosing import ChooseCosting, choose_costing
from erpcore.inventory.costing.late import AddLateCost, add_late_costs
from tests.support.trader_warehouse import NUMBER, WHO, WarehouseTrader
from tests.support.walking import move


class CostingTrader(WarehouseTrader):
    """The warehouse keeps layers from the first day, the other site an average."""

    def furnish(self) -> None:
        super().furnish()
        ways = ((self.business.site, "fifo"), (self.elsewhere, "average"))
        with self.business.work() as work:
            choose_costing(work, [ChooseCosting(site=site, method=method, reason="audit") for site, method in ways])

    @move(
        often=9,
        who=WHO,
        number=NUMBER,
        amount=("3.33", "0.01", "-1.00", "17", "-400", "0"),
        paper=("FR 1", "FR 2", "FR 3", "FR 4"),
    )
    def add_a_late_cost(self, who: int, number: int, amount: str, paper: str) -> None:
        receipt = self.pick(self.ids("SELECT id FROM goods_receipt ORDER BY id"), number)
        if receipt is not None:
            command = AddLateCost(receipt=receipt, paper=paper, amount=Decimal(amount))
            self.attempt(who, lambda work: add_late_costs(work, [command]))

    @move(often=3, who=WHO, method=("fifo", "fifo", "average", "standard"), here=(True, False))
    def value_otherwise(self, who: int, method: str, here: bool) -> None:
        site = self.business.site if here else self.elsewhere
        command = ChooseCosting(site=site, method=method, reason="audit")
        self.attempt(who, lambda work: choose_costing(work, [command]))
