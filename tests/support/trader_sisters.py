"""What the people of the warehouse do with another company of ours: goods are sent there, and what is on its way is turned back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from erpcore.inventory.sisters.services import SendToSister, SisterGoods, send_to_sister, turn_back
from erpcore.inventory.transfers import ArrivedLine, ReceiveTransfer, receive_transfer
from tests.support.sisters import a_rate, a_sister
from tests.support.trader_costing import CostingTrader
from tests.support.trader_warehouse import NUMBER, SAME, WHO
from tests.support.walking import move
from tests.support.warehouse import no_names

#: What is sent under each key: an item, how much, and the transfer price.
GOODS = (
    (0, 2, "6.005"), (1, 1, None), (0, 8, "0"), (1, 3, "7"), (0, 1, "6.005"), (1, 40, "6"), (0, 0, "6"), (1, 2, "-1"),
)  # fmt: skip


class SisterTrader(CostingTrader):
    """The sister keeps its books in francs and values at standard cost; goods on their way to it arrive or are lost as all others."""

    def furnish(self) -> None:
        super().furnish()
        self.sister = a_sister(self.business)
        a_rate(self.business, "0.9437", holds_days=92)

    def begin(self) -> None:
        """As everywhere, and goods were sent, asked for again, came in part and were turned back before anybody does anything else."""
        super().begin()
        self.send_to_the_sister(0, 1, False)
        self.prove()
        self.send_to_the_sister(1, 1, False)
        self.prove()
        self.let_it_arrive(0, 0, 1)
        self.prove()
        self.send_to_the_sister(0, 4, False)
        self.prove()
        self.turn_it_back(0, 0)
        self.prove()

    @move(often=12, who=WHO, key=range(len(GOODS)), other=(False, False, False, True))
    def send_to_the_sister(self, who: int, key: int, other: bool) -> None:
        """What is sent under a key is the same each time, and found then; sometimes it is something else, and refused."""
        business = self.business
        item, quantity, price = GOODS[key]
        goods = SisterGoods(
            item=business.items[item],
            quantity=Decimal(quantity + other),
            price=None if price is None else Decimal(price),
        )
        command = SendToSister(
            from_site=business.site, to_site=self.sister.site, arrives_on=(business.clock.now() + timedelta(days=2)).date(),
            key=str(key), lines=[goods],
        )  # fmt: skip
        sent = self.attempt(
            who, lambda work: send_to_sister(work, command, **SAME), "asked for what may have been sent"
        )
        if sent is not None:
            type(self).succeeded["found under its key" if sent.was_there else "sent"] += 1

    @move(often=6, who=WHO, number=NUMBER, quantity=(1, 2, 8, 40))
    def let_it_arrive(self, who: int, number: int, quantity: int) -> None:
        lines = self.rows_of(
            "SELECT l.id, l.transfer_id FROM stock_transfer_line l JOIN sister_document d ON d.transfer_id = l.transfer_id "
            "WHERE d.side = 'sale' AND d.kind = 'sent' ORDER BY l.id DESC"
        )
        found = self.pick(lines, number)
        if found is not None:
            arrived = ArrivedLine(line=found[0], quantity=Decimal(quantity))
            command = ReceiveTransfer(transfer=found[1], lines=[arrived])
            self.attempt(who, lambda work: receive_transfer(work, command, order_names=no_names, **SAME), "came")

    @move(often=8, who=WHO, number=NUMBER)
    def turn_it_back(self, who: int, number: int) -> None:
        found = self.pick(
            self.ids("SELECT transfer_id FROM sister_document WHERE side = 'sale' AND kind = 'sent' ORDER BY id DESC"),
            number,
        )
        if found is not None:
            self.attempt(who, lambda work: turn_back(work, found, "sent by mistake", **SAME), "turned back")
