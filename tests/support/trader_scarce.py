"""What people do when stock is short: runs, taking back, protections, other promises, and the ways of the shortage page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from app.composition.uow import reading
from erpcore.fulfilment.shortage import Choose, choose, compare, short_line
from erpcore.masterdata.substitutes import KeepSubstitute, keep_substitutes
from erpcore.orders.backorders import Repromise, act_by_rule, repromise_lines
from erpcore.orders.protections import ProtectStock, end_protection, protect_stock
from erpcore.orders.rerun import run_allocation
from erpcore.orders.runs import MoveLine, SimulateRun, commit_run, move_line, reject_run, simulate_run
from erpcore.orders.substitution import DecideSubstitution, decide_substitution
from erpcore.orders.takeback import TakeBack, decide_take_back, take_back
from tests.support.core import OPEN, RULES
from tests.support.policies import approve
from tests.support.walking import move

BOTH: dict[str, Any] = {"rules": RULES, "cells": OPEN}
WHO = range(3)
NUMBER = range(8)
#: Lines that wait come first, so that most moves meet one.
_LINES = (
    "SELECT l.id FROM order_line l JOIN sales_order o ON o.id = l.order_id ORDER BY "
    "o.state = 'released' AND l.quantity > l.allocated + l.picked + l.shipped + l.cancelled DESC, l.id"
)
#: Lines of the same item and site of which one has stock and the other, of a customer who ranks better, waits.
_PAIRS = (
    "SELECT a.id, b.id FROM order_line a JOIN sales_order oa ON oa.id = a.order_id JOIN customer ca ON ca.id = oa.customer_id "
    "JOIN order_line b ON b.item_id = a.item_id AND b.site_id = a.site_id AND b.kind = 'stock' "
    "JOIN sales_order ob ON ob.id = b.order_id AND ob.state = 'released' JOIN customer cb ON cb.id = ob.customer_id "
    "WHERE a.allocated > 0 AND a.kind = 'stock' AND cb.tier < ca.tier "
    "AND b.quantity > b.allocated + b.picked + b.shipped + b.cancelled ORDER BY a.id DESC, b.id"
)


class Scarce:
    """Rules for a machine with ``business``, ``attempt``, ``ids`` and ``pick``."""

    business: Any
    database: Any
    attempt: Callable[..., Any]
    ids: Callable[[str], list[int]]
    pick: Callable[[list[Any], int], Any]

    def set_up_shortages(self) -> None:
        """Either item may be sent for the other once somebody agrees, and taking back needs a second person."""
        business = self.business
        approve(business, "substitution_rule", "with_approval")
        approve(business, "take_back_rule", "second_person")
        first, second = business.items
        with business.work() as work:
            keep_substitutes(
                work, [KeepSubstitute(item=first, substitute=second), KeepSubstitute(item=second, substitute=first)]
            )

    @move(
        often=3, who=WHO, number=NUMBER,
        move=("simulate", "simulate", "run", "commit", "commit", "reject", "rank"),
    )  # fmt: skip
    def run(self, who: int, number: int, move: str) -> None:
        site = self.business.site
        if move in ("simulate", "run"):
            acts: dict[str, Callable[[Any], Any]] = {
                "simulate": lambda work: simulate_run(work, SimulateRun(site=site), **BOTH),
                "run": lambda work: run_allocation(work, site, **BOTH),
            }
            self.attempt(who, acts[move])
            return
        found = self.pick(
            self.ids("SELECT id FROM allocation_run ORDER BY state = 'simulated' DESC, id DESC"), number // 3
        )
        if found is None:
            return
        line = self.pick(
            self.ids(f"SELECT order_line_id FROM allocation_run_line WHERE run_id = {found} ORDER BY 1"), number
        )
        ranked = MoveLine(run=found, line=line or 0, rank=1 + number % 2, reason="his site stands still")
        acts = {
            "commit": lambda work: commit_run(work, found, **BOTH),
            "reject": lambda work: reject_run(work, found, "not like this"),
            "rank": lambda work: move_line(work, ranked, **BOTH),
        }
        self.attempt(who, acts[move])

    @move(often=4, who=WHO, number=NUMBER, to=NUMBER, quantity=(1, 1, 2, 5, 0, -1, 90))
    def take_back_for(self, who: int, number: int, to: int, quantity: int) -> None:
        """From a line that has for one that waits: of the same place and a better customer mostly, of any two now and then."""
        some = self.ids("SELECT id FROM order_line WHERE allocated > 0 ORDER BY id DESC")
        loser, winner = self.pick(some, number), self.pick(self.ids(_LINES), to)
        with reading(self.database) as session:
            pairs = [tuple(row) for row in session.execute(text(_PAIRS))]
        if pairs and to < 6:
            loser, winner = self.pick(pairs, number)
        if loser is None or winner is None:
            return
        command = TakeBack(line=loser, to=winner, quantity=quantity * 1000, reason="a key account")
        self.attempt(who, lambda work: take_back(work, [command], **BOTH))

    @move(often=3, who=WHO, number=NUMBER, agreed=(False, True, True))
    def decide_on_taking_back(self, who: int, number: int, agreed: bool) -> None:
        wish = self.pick(self.ids("SELECT id FROM take_back_wish ORDER BY state = 'proposed' DESC, id"), number // 3)
        if wish is not None:
            what = "taken back" if agreed else "not taken back"
            self.attempt(who, lambda work: decide_take_back(work, wish, agreed=agreed, note="seen", **BOTH), what)

    @move(often=4, who=WHO, number=NUMBER, way=range(5))
    def take_a_way(self, who: int, number: int, way: int) -> None:
        """One of the ways that the shortage page offers for a line: from here, from there, instead, bought, or waiting."""
        line = self.pick(self.ids(_LINES), number // 2)
        if line is None:
            return

        def act(work: Any) -> Any:
            order, short = short_line(work, line)
            offered = [one.key for one in compare(work, RULES, OPEN, order, short)]
            command = Choose(line=line, option=self.pick(offered, way) or "nonsense", reason="he cannot wait")
            return choose(work, command, **BOTH)

        self.attempt(who, act)

    @move(who=WHO, number=NUMBER, agreed=(False, True))
    def decide_on_a_substitute(self, who: int, number: int, agreed: bool) -> None:
        sql = "SELECT id FROM order_hold WHERE kind = 'substitution' ORDER BY released_at IS NULL DESC, id"
        hold = self.pick(self.ids(sql), number // 3)
        if hold is not None:
            command = DecideSubstitution(hold=hold, approve=agreed, reason="the customer was asked")
            self.attempt(who, lambda work: decide_substitution(work, command, **BOTH))

    @move(who=WHO, item=range(2), quantity=(2, 10, 0, -3), ends=(False, True))
    def protect(self, who: int, item: int, quantity: int, ends: bool) -> None:
        business = self.business
        kept = self.ids("SELECT id FROM stock_protection ORDER BY id DESC")
        if ends and kept:
            self.attempt(who, lambda work: end_protection(work, kept[0]))
            return
        command = ProtectStock(
            site=business.site, item=business.items[item], customer=business.customer, quantity=Decimal(quantity),
            contract="C-1", valid_from=business.clock.now().date(),
        )  # fmt: skip
        self.attempt(who, lambda work: protect_stock(work, [command]))

    @move(who=WHO, number=NUMBER, days=(None, None, 3, 20, -2))
    def promise_anew(self, who: int, number: int, days: int | None) -> None:
        line = self.pick(self.ids(_LINES), number)
        if line is None:
            return
        day = None if days is None else (self.business.clock.now() + timedelta(days=days)).date()
        command = Repromise(line=line, reason="the supplier called", day=day)
        self.attempt(who, lambda work: repromise_lines(work, [command]))

    @move(who=WHO, days=range(3))
    def time_passes(self, who: int, days: int) -> None:
        """Some hours or days go by, and what waits is looked at by rule."""
        self.business.clock.advance(timedelta(days=days, hours=1))
        orders = sorted(
            set(
                self.ids(
                    "SELECT l.order_id FROM order_line l JOIN reservation r ON r.order_line_id = l.id WHERE r.unmet > 0"
                )
            )
        )
        if orders:
            self.attempt(who, lambda work: act_by_rule(work, orders, rules=RULES))
