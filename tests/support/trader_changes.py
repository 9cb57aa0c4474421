"""What people do with quotes and with orders that were taken: the trader's moves around offers and amendments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from erpcore.fulfilment.direct_split import SUPPLIERS
from erpcore.orders.amendment_rules import Amend
from erpcore.orders.amendments import StageAmendment, apply_amendments, stage_amendments, withdraw_amendments
from erpcore.orders.models import ChangeKind
from erpcore.orders.quotes.accepting import AcceptQuote, accept_quotes
from erpcore.orders.quotes.deciding import approve_quotes
from erpcore.orders.quotes.services import (
    ChangeQuote,
    DeclineQuote,
    NewQuote,
    Terms,
    change_quotes,
    decline_quotes,
    enter_quotes,
    send_quotes,
)
from erpcore.orders.services import NewLine
from tests.support.core import OPEN, RULES
from tests.support.walking import move

BOTH: dict[str, Any] = {"rules": RULES, "cells": OPEN}
WHO = range(3)
NUMBER = range(8)
HOW_MANY = (1, 2, 3, 8, 20, 0, -1, 500)


class Changed:
    """Rules for a machine with ``business``, ``seen``, ``attempt``, ``ids`` and ``pick``."""

    business: Any
    seen: dict[int, int]
    attempt: Callable[..., Any]
    ids: Callable[[str], list[int]]
    pick: Callable[[list[Any], int], Any]
    an_order: Callable[[int], int | None]
    prove: Callable[[], None]

    @move(
        often=4, who=WHO, number=NUMBER, quantity=HOW_MANY, by_customer=(False, True), at_once=(False, True), days=range(-1, 10),
        kinds=[["quantity"], ["quantity"], ["drop"], ["add"], ["date"], ["address"], ["quantity", "quantity"], ["date", "add"],
               ["split"], ["split", "split"]],
    )  # fmt: skip
    def amend(
        self, who: int, number: int, kinds: list[str], quantity: int, by_customer: bool, at_once: bool, days: int
    ) -> None:
        """Stage changes, and apply them at once or leave them for ``settle_change``."""
        order = self.an_order(number)
        if order is None:
            return
        lines = self.ids(f"SELECT id FROM order_line WHERE order_id = {order} ORDER BY id")  # a number
        changes = [self._change(kind, lines, place, quantity, days) for place, kind in enumerate(kinds)]
        command = StageAmendment(order=order, by_customer=by_customer, reason="he called", changes=changes)
        made = self.attempt(who, lambda work: stage_amendments(work, [command], **BOTH, senders=SUPPLIERS))
        if made and at_once:
            self.prove()
            self.attempt(who, lambda work: apply_amendments(work, [made[0].id], **BOTH, senders=SUPPLIERS))

    def _change(self, kind: str, lines: list[int], place: int, quantity: int, days: int) -> Amend:
        line = lines[place % len(lines)]
        if kind == "add":
            return Amend(kind=ChangeKind.ADD, item=self.business.items[place % 2], quantity=Decimal(quantity))
        if kind == "address":
            (address, *_) = self.ids("SELECT id FROM customer_address ORDER BY id")
            return Amend(kind=ChangeKind.ADDRESS, line=line, ship_to=address)
        day = (self.business.clock.now() + timedelta(days=days)).date()
        if kind == "date":
            return Amend(kind=ChangeKind.DATE, line=line, day=day)
        if kind == "split":
            return Amend(kind=ChangeKind.SPLIT, line=line, quantity=Decimal(quantity), day=day)
        return Amend(kind=ChangeKind(kind), line=line, quantity=Decimal(quantity) if kind == "quantity" else None)

    @move(often=4, who=WHO, number=NUMBER, quantity=(1, 1, 1, 2, 0, 500), days=range(-1, 10))
    def split_what_a_supplier_sends(self, who: int, number: int, quantity: int, days: int) -> None:
        """A part of a drop-ship line on another day, with the purchase order that was placed for it."""
        lines = self.ids(
            "SELECT l.id FROM order_line l JOIN sales_order o ON o.id = l.order_id WHERE l.kind = 'drop_ship' "
            "AND o.state IN ('captured', 'released') AND l.quantity > 1000 ORDER BY l.id DESC"
        )
        line = self.pick(lines, number)
        if line is None:
            return
        (order,) = self.ids(f"SELECT order_id FROM order_line WHERE id = {line}")  # a number
        day = (self.business.clock.now() + timedelta(days=days)).date()
        change = Amend(kind=ChangeKind.SPLIT, line=line, quantity=Decimal(quantity), day=day)
        command = StageAmendment(order=order, by_customer=True, reason="in two parts", changes=[change])
        made = self.attempt(
            who,
            lambda work: stage_amendments(work, [command], **BOTH, senders=SUPPLIERS),
            "split of a supplier asked for",
        )
        if made:
            self.prove()
            self.attempt(
                who, lambda work: apply_amendments(work, [made[0].id], **BOTH, senders=SUPPLIERS), "split of a supplier"
            )

    @move(who=WHO, number=NUMBER, keep=(False, True))
    def settle_change(self, who: int, number: int, keep: bool) -> None:
        staged = self.pick(self.ids("SELECT id FROM order_amendment ORDER BY state = 'staged' DESC, id"), number // 2)
        if staged is None:
            return
        if keep:
            self.attempt(who, lambda work: apply_amendments(work, [staged], **BOTH, senders=SUPPLIERS))
        else:
            self.attempt(who, lambda work: withdraw_amendments(work, [staged]))

    @move(often=2, who=WHO, item=range(2), quantity=HOW_MANY, price=(None, "9.90", "2.00"))
    def offer(self, who: int, item: int, quantity: int, price: str | None) -> None:
        """A quote, sent at once where it can be."""
        business = self.business
        command = NewQuote(
            site=business.site, channel=business.channel, customer=business.customer,
            terms=self._terms(item, quantity, price),
        )  # fmt: skip
        made = self.attempt(who, lambda work: enter_quotes(work, [command], **BOTH))
        if made:
            self.prove()
            self.attempt(who, lambda work: send_quotes(work, [made[0].id], rules=RULES))

    def _terms(self, item: int, quantity: int, price: str | None) -> Terms:
        line = NewLine(
            item=self.business.items[item], quantity=Decimal(quantity), unit_price=None if price is None else Decimal(price),
            price_reason=None if price is None else "agreed",
        )  # fmt: skip
        return Terms(lines=[line], valid_until=(self.business.clock.now() + timedelta(days=9)).date())

    @move(
        often=2, who=WHO, number=NUMBER, quantity=HOW_MANY,
        move=("accept", "accept", "approve", "change", "send", "decline"),
    )  # fmt: skip
    def move_quote(self, who: int, number: int, quantity: int, move: str) -> None:
        quote = self.pick(
            self.ids("SELECT id FROM quote ORDER BY state IN ('draft', 'waiting', 'sent') DESC, id DESC"), number
        )
        if quote is None:
            return
        if move == "accept":
            found = self.attempt(who, lambda work: accept_quotes(work, [AcceptQuote(quote=quote)], **BOTH))
            for order in found or ():
                self.seen[order.id] = order.version
            return
        acts: dict[str, Callable[[Any], Any]] = {
            "approve": lambda work: approve_quotes(work, [quote]),
            "change": lambda work: change_quotes(
                work, [ChangeQuote(quote=quote, terms=self._terms(0, quantity, None))], rules=RULES
            ),
            "send": lambda work: send_quotes(work, [quote], rules=RULES),
            "decline": lambda work: decline_quotes(
                work, [DeclineQuote(quote=quote, reason="too dear", by_customer=True)]
            ),
        }
        self.attempt(who, acts[move])
