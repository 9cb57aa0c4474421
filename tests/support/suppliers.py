"""What people do with suppliers and other sites, legal or not: the trader's moves around purchase orders and transfer orders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from app.composition.uow import reading
from erpcore.fulfilment.branch.services import (
    AskLine,
    AskTransfer,
    DecideTransfer,
    ShipAsked,
    ask_transfers,
    cancel_asked,
    decide_transfers,
    ship_asked,
)
from erpcore.fulfilment.direct import ShipDirect, confirm_with_promises, ship_direct
from erpcore.inventory.receiving import ReceivedLine, ReceiveGoods
from erpcore.inventory.transfers import ArrivedLine, ReceiveTransfer, receive_transfer
from erpcore.purchasing.receiving import receive_purchased
from erpcore.purchasing.services import (
    ConfirmedLine,
    ConfirmPurchase,
    EndPurchase,
    PlacePurchase,
    WantedLine,
    end_purchases,
    place_purchases,
)
from tests.support.core import OPEN, RULES
from tests.support.supply import a_supplier
from tests.support.walking import move
from tests.support.warehouse import TODAY, no_names, second_site

SOME = (1, 3, 8, 13, 0, -1, 40, 500)
BOTH: dict[str, Any] = {"rules": RULES, "cells": OPEN}


class Supplied:
    """Moves for a state machine that has a business, ``attempt`` and ``pick``."""

    business: Any
    database: Any
    attempt: Callable[..., Any]
    pick: Callable[..., Any]
    supplier = branch = 0

    def set_up_supply(self) -> None:
        """A supplier of both items, one that sends both straight to customers, and another site of the company."""
        self.supplier = a_supplier(self.business, prices=(("3.50", 0), ("2.00", 1)))
        a_supplier(self.business, "DIREKT", ships_direct=True, prices=(("3.40", 0), ("2.10", 1)))
        self.branch = second_site(self.business)

    def rows_of(self, sql: str) -> list[Any]:
        with reading(self.database) as session:
            return list(session.execute(text(sql)).all())

    @move(who=range(3), item=range(2), quantity=SOME)
    def order_from_supplier(self, who: int, item: int, quantity: int) -> None:
        line = WantedLine(item=self.business.items[item], quantity=Decimal(quantity))
        command = PlacePurchase(site=self.business.site, supplier=self.supplier, lines=[line])
        self.attempt(who, lambda work: place_purchases(work, [command], **BOTH))

    @move(who=range(3), number=range(8), quantity=SOME, days=(0, 4, 9, -3))
    def supplier_confirms(self, who: int, number: int, quantity: int, days: int) -> None:
        found = self.pick(self.rows_of("SELECT purchase_id, id FROM purchase_order_line ORDER BY id"), number)
        if found is None:
            return
        said = ConfirmedLine(line=found[1], on=TODAY + timedelta(days=days), quantity=Decimal(quantity))
        self.attempt(who, lambda work: confirm_with_promises(work, [ConfirmPurchase(purchase=found[0], lines=[said])]))

    @move(who=range(3), number=range(8), quantity=SOME, last=(False, True))
    def goods_come(self, who: int, number: int, quantity: int, last: bool) -> None:
        sql = "SELECT id, item_id FROM expected_receipt WHERE source = 'purchase_order' ORDER BY id"
        found = self.pick(self.rows_of(sql), number)
        if found is None:
            return
        came = ReceivedLine(item=found[1], quantity=Decimal(quantity), expected=found[0], last=last)
        command = ReceiveGoods(site=self.business.site, paper="DN 1", lines=[came])
        self.attempt(who, lambda work: receive_purchased(work, command, **BOTH))

    @move(often=2, who=range(3), number=range(8), quantity=(None, None, *SOME), paper=("DN 9", "DN 9", " "))
    def supplier_sends(self, who: int, number: int, quantity: int | None, paper: str) -> None:
        sql = (
            "SELECT p.id, l.id FROM purchase_order p JOIN purchase_order_line l ON l.purchase_id = p.id "
            "WHERE p.order_id IS NOT NULL ORDER BY p.id DESC"
        )
        found = self.pick(self.rows_of(sql), number)
        if found is None:
            return
        lines = None if quantity is None else {found[1]: Decimal(quantity)}
        command = ShipDirect(purchase=found[0], paper=paper, lines=lines)
        self.attempt(who, lambda work: ship_direct(work, command, **BOTH))

    @move(who=range(3), number=range(8), reason=("too late", " "))
    def stop_supplier(self, who: int, number: int, reason: str) -> None:
        found = self.pick(self.rows_of("SELECT id FROM purchase_order ORDER BY id"), number)
        if found is not None:
            self.attempt(who, lambda work: end_purchases(work, [EndPurchase(purchase=found[0], reason=reason)]))

    @move(who=range(3), item=range(2), quantity=SOME, back=(False, True))
    def ask_other_site(self, who: int, item: int, quantity: int, back: bool) -> None:
        here, there = (self.branch, self.business.site) if back else (self.business.site, self.branch)
        line = AskLine(item=self.business.items[item], quantity=Decimal(quantity))
        command = AskTransfer(from_site=here, to_site=there, lines=[line])
        self.attempt(who, lambda work: ask_transfers(work, [command], **BOTH))

    @move(
        who=range(3),
        number=range(8),
        move=("approve", "approve", "reject", "ship", "part", "cancel"),
    )
    def move_transfer_order(self, who: int, number: int, move: str) -> None:
        found = self.pick(self.rows_of("SELECT order_id, id FROM transfer_order_line ORDER BY id"), number)
        if found is None:
            return
        order, line = found
        moves: dict[str, Callable[[Any], Any]] = {
            "approve": lambda work: decide_transfers(work, [DecideTransfer(order=order, approve=True)], **BOTH),
            "reject": lambda work: decide_transfers(
                work, [DecideTransfer(order=order, approve=False, reason="no")], **BOTH
            ),
            "ship": lambda work: ship_asked(work, ShipAsked(order=order), **BOTH),
            "part": lambda work: ship_asked(
                work, ShipAsked(order=order, lines={line: Decimal(2)}, last=who == 0), **BOTH
            ),
            "cancel": lambda work: cancel_asked(work, order, "enough", **BOTH),
        }
        self.attempt(who, moves[move])

    @move(who=range(3), number=range(8), quantity=(1, 2, 8, 99), damaged=(False, True))
    def transfer_arrives(self, who: int, number: int, quantity: int, damaged: bool) -> None:
        found = self.pick(self.rows_of("SELECT transfer_id, id FROM stock_transfer_line ORDER BY id"), number)
        if found is None:
            return
        arrived = ArrivedLine(line=found[1], quantity=Decimal(quantity), damaged=Decimal(1 if damaged else 0))
        command = ReceiveTransfer(transfer=found[0], lines=[arrived])
        self.attempt(who, lambda work: receive_transfer(work, command, **BOTH, order_names=no_names))
