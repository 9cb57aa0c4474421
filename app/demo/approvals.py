"""Approvals in the demo: rules that two people agreed on, one request approved by nobody and one by somebody, one of which
people were reminded before it went on to others, and one that waits.

Everything happens at the Cologne branch, with moments of its own, so that the trading keeps its dice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from math import ceil

from sqlalchemy import select

from app.composition.approving import AROUND, Answer, answer, decide_rule, propose_rule
from app.composition.core_approvals import ADJUSTMENT, BY_RULES, waiting_request
from app.composition.uow import reading, unit_of_work
from app.demo.desk import Desk
from app.jobs.approvals import escalate_due
from erpcore.inventory.adjusting import Adjust, adjust
from erpcore.inventory.models import StockBalance
from erpcore.kernel.actor import Actor
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Item
from governance.approvals.delegations import Delegate, delegate
from governance.approvals.rulebook import ProposeRule
from governance.approvals.rules import Condition

_SITE = ("live", "KOL")
_WEEK = timedelta(days=7)


def _from(minor: int) -> Condition:
    return Condition(amount_from_minor=minor, currency="EUR")


#: The rules for differences in stock as the demo's company has them; what comes with the product is version 1 of ``another``.
_RULES = (
    ProposeRule(
        kind=ADJUSTMENT, code="another", condition=_from(800_00), capacity="may:warehouse:stock:approve_adjustment", people=1,
        timeout_hours=16, escalate_to="role:finance", reason="From 800 EUR on somebody looks at the shelf.",
    ),
    ProposeRule(kind=ADJUSTMENT, code="small", is_automatic=True, reason="Small differences are not worth anybody's time."),
    ProposeRule(
        kind=ADJUSTMENT, code="large", condition=_from(2_000_00), capacity="role:finance", people=2, timeout_hours=12,
        escalate_to="role:sponsor", reason="Two of Finance agree before so much leaves the books.",
    ),
)  # fmt: skip


@dataclass
class Requests:
    """What is asked for, by the days of the programme."""

    desk: Desk
    asked: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def _work(self, actor: Actor) -> Iterator[UnitOfWork]:
        with unit_of_work(
            self.desk.database, actor=actor, clock=self.desk.clock, realm="live", source="screen"
        ) as work:
            yield work

    def agree_on_rules(self) -> None:
        """The office proposes, the design authority decides."""
        for command in _RULES:
            with self._work(self.desk.staff["pmo"]) as work:
                rule = propose_rule(work, command).id
            with self._work(self.desk.staff["design"]) as work:
                decide_rule(work, rule, "approve", reason="Agreed with Finance.")

    def ask_first(self) -> None:
        """Three differences found at a count of the shelves: small, usual, and large."""
        for name, worth in (("small", 620_00), ("usual", 1_150_00), ("large", 3_400_00)):
            self._ask(name, worth)

    def answer_usual(self) -> None:
        """The lead has looked at the shelf."""
        with reading(self.desk.database) as session:
            found = waiting_request(session, ADJUSTMENT, self.asked["usual"])
            request = None if found is None else found.id
        if request is not None:
            with self._work(self.desk.staff.at("KOL", "lead")) as work:
                answer(work, Answer(request=request, verdict="approve", reason="Seen at the shelf, second row."))

    def finish(self) -> None:
        """What was too slow goes on to others, one more is asked for, and Finance names a delegate for next week."""
        escalate_due(self.desk.database, clock=self.desk.clock)
        self._ask("latest", 1_480_00)
        with self._work(self.desk.staff["finance"]) as work:
            delegate(
                work,
                Delegate(
                    delegate=self.desk.staff.ids["operations"], valid_from=work.now,
                    valid_until=self.desk.options.until + _WEEK, reason="On leave until Friday.",
                ),
                AROUND,
            )  # fmt: skip

    def _ask(self, name: str, worth: int) -> None:
        """Pieces found that are worth about so much, of the article that the branch has most of."""
        node = self.desk.world.nodes[_SITE]
        with reading(self.desk.database) as session:
            row = session.execute(
                select(StockBalance.item_id, Item.standard_cost)
                .join(Item, Item.id == StockBalance.item_id)
                .where(StockBalance.site_id == node.id, Item.standard_cost.is_not(None))
                .order_by(StockBalance.on_hand.desc(), StockBalance.item_id)
                .limit(1)
            ).one()
        pieces = ceil(Decimal(worth) / (row.standard_cost * 100))
        with self._work(self.desk.staff.at("KOL", "supervisor")) as work:
            command = Adjust(
                site=node.id, item=row.item_id, quantity=Decimal(pieces), reason="found", note="behind the second row"
            )
            (done,) = adjust(work, [command], rules=self.desk.rules, cells=self.desk.cells, authority=BY_RULES)
        self.asked[name] = done.id
