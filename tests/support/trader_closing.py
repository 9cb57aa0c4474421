"""What the people of ``trader`` do at the end of a month: accrue, close, lock and open again, while partners pay out and the bank writes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app.composition.terms import late_rulesets
from app.composition.uow import reading
from app.queries.closing_checks import ACCEPTABLE, find
from erpcore.billing.accruals.ends import period_end
from erpcore.billing.accruals.services import RunAccruals, run_accruals
from erpcore.billing.bank import add_bank_account
from erpcore.billing.bank_lines import AssignLine, assign_lines, recognise_lines
from erpcore.billing.cash import ReceiveCash
from erpcore.billing.cash_known import SameReceipt
from erpcore.billing.cash_typed import RecordReceipt, record_receipt
from erpcore.billing.settling.explaining import accept_difference
from erpcore.billing.settling.posting import post_payout, reverse_payout
from erpcore.billing.settling.taking import PartnerContent, add_partner
from erpcore.inventory.stock import ChangeStock, receive_stock
from erpcore.kernel.errors import DomainError
from erpcore.ledger.closing.findings import accept_finding, newest_findings
from erpcore.ledger.closing.models import ClosingTask
from erpcore.ledger.closing.services import lock_books, look, reopen, soft_lock, start_closing
from erpcore.ledger.closing.tasks import DoTask, do_task
from tests.support import bankdesk, settlement
from tests.support.accruals import assert_none_is_missed
from tests.support.bankfiles import camt, entry
from tests.support.core import OPEN, RULES
from tests.support.steps import invoiced, shipped
from tests.support.trader import Trader
from tests.support.walking import move

WHO, NUMBER = range(3), range(4)
#: What is typed and what the bank brings: few enough that they meet.
AMOUNTS = (1_200, 4_800, 12_000)
_DAY = timedelta(days=1)
_CLOSINGS = "SELECT id FROM closing ORDER BY id DESC"

NEVER = {
    "something was posted to days that are closed":
        "SELECT e.id FROM journal_entry e JOIN period_close c ON c.entity_id = e.entity_id AND e.entry_on < c.closed_until "
        "AND e.posted_at > c.closed_at WHERE c.id = (SELECT MAX(id) FROM period_close)",
    "a receipt is the money of two entries":
        "SELECT receipt_id FROM bank_line WHERE outcome IN ('receipt', 'typed') GROUP BY 1 HAVING COUNT(*) > 1",
    "books are locked whose tasks are open":
        "SELECT c.id FROM closing c JOIN closing_task t ON t.closing_id = c.id WHERE c.state = 'locked' AND t.done_at IS NULL",
}  # fmt: skip


class ClosingTrader(Trader):
    """A trader with a marketplace and an account at a bank, whose months are closed."""

    def begin(self) -> None:
        business = self.business
        with business.work() as work:
            business.partner = add_partner(
                work, business.site, business.channel, code="bazaar", content=PartnerContent(name="Bazaar", fee_rate=Decimal("0.12"))
            )  # fmt: skip
            business.bank = add_bank_account(work, business.entity, number=bankdesk.IBAN, name="House bank")
        super().begin()
        self.files = 0
        for number in range(2):
            self.sell_at_the_market(number, 4, on_the_way=False)
        self.sell_at_the_market(2, 4, on_the_way=True)
        self.days_go_by(30)
        self.begin_to_close(0)
        self.prove()

    def _of(self, number: int, sql: str, who: int, act: Callable[[Any, int], Any], what: str = "") -> None:
        """Do it with the row of this number; where there is none nothing is done."""
        key = self.pick(self.ids(sql), number)
        if key is not None:
            self.attempt(who, lambda work: act(work, key), what)

    @property
    def month(self) -> date:
        """The first day of this month."""
        return self.business.clock.now().date().replace(day=1)

    @move(often=2, days=(1, 3, 9, 20))
    def days_go_by(self, days: int) -> None:
        self.business.clock.advance(days * _DAY)

    @move(often=6, number=NUMBER, quantity=(1, 4), on_the_way=(False, True))
    def sell_at_the_market(self, number: int, quantity: int, on_the_way: bool) -> None:
        """Goods come and are sold; some are not billed at once."""
        business = self.business
        with contextlib.suppress(DomainError, ValueError):
            with business.work() as work:
                came = ChangeStock(
                    site=business.site, item=business.items[0], quantity=Decimal(quantity + 20), note="came"
                )
                receive_stock(work, [came], rules=RULES, cells=OPEN)
            (shipped if on_the_way else invoiced)(business, [(0, quantity)], customer_reference=f"B-{number}")
            type(self).succeeded["sold"] += 1

    @move(often=6, who=WHO, ahead=(0, 0, 0, 1))
    def accrue(self, who: int, ahead: int) -> None:
        until = (self.month + ahead * 31 * _DAY).replace(day=1)
        command = RunAccruals(entity=self.business.entity, until=until)

        def act(work: Any) -> None:
            if run_accruals(work, command, late=late_rulesets(work.session)).lines:
                type(self).succeeded["accrued"] += 1

        self.attempt(who, act)

    @move(often=2, who=WHO)
    def begin_to_close(self, who: int) -> None:
        self.attempt(who, lambda work: start_closing(work, self.business.entity, self.month))

    @move(often=4, who=WHO, number=NUMBER)
    def do_the_tasks(self, who: int, number: int) -> None:
        def act(work: Any, closing: int) -> None:
            waiting = select(ClosingTask.id).where(ClosingTask.closing_id == closing, ClosingTask.done_at.is_(None))
            for task in work.session.scalars(waiting).all():
                do_task(work, DoTask(task=task, evidence="looked at"))

        self._of(number, _CLOSINGS, who, act)

    @move(often=3, who=WHO, number=NUMBER)
    def lock_softly(self, who: int, number: int) -> None:
        self._of(number, _CLOSINGS, who, soft_lock)

    @move(often=6, who=WHO, number=NUMBER, everything=(False, False, False, True))
    def take_as_it_is(self, who: int, number: int, everything: bool) -> None:
        """Let the checks look, and take what of it may be taken, or what may not as well."""

        def act(work: Any, closing: int) -> None:
            look(work, closing, find)
            for finding in newest_findings(work, closing).values():
                if not finding.agrees and (everything or finding.name in ACCEPTABLE):
                    accept_finding(work, finding.id, reason="known", acceptable=ACCEPTABLE)

        self._of(number, _CLOSINGS, who, act)

    @move(often=10, who=WHO, number=NUMBER)
    def lock(self, who: int, number: int) -> None:
        self._of(
            number, "SELECT id FROM closing WHERE state <> 'locked' ORDER BY id", who,
            lambda work, key: lock_books(work, key, find, reason="final"), "locked",
        )  # fmt: skip

    @move(often=4, who=WHO, number=NUMBER, reason=("", "a bill came late"))
    def open_again(self, who: int, number: int, reason: str) -> None:
        closed = "SELECT id FROM closing WHERE state <> 'open' ORDER BY id DESC"
        self._of(number, closed, who, lambda work, key: reopen(work, key, reason=reason), "opened again")

    @move(often=8, number=NUMBER, quantity=(1, 4, 4), less=(0, 0, 100), fee=(0, 0, 500))
    def a_payout_comes(self, number: int, quantity: int, less: int, fee: int) -> None:
        """So much for an order of the market, right or not."""
        paid = quantity * 1_200 - less
        lines = [
            ("Order", f"B-{number}", paid),
            *([("Commission", f"B-{number}", -fee)] if fee else []),
            ("Transfer", "", fee - paid),
        ]
        self.files += 1
        written = [(kind, order, f"{minor / 100:.2f}".replace(".", ",")) for kind, order, minor in lines]
        file = settlement.payout_file(*written, day=str(self.business.clock.now().date()))
        with contextlib.suppress(DomainError):
            _, fault = settlement.hand_in(self.business, file, f"P-{self.files}")
            type(self).succeeded["payout refused" if fault else "paid out"] += 1

    @move(often=8, who=WHO, number=NUMBER)
    def post_a_payout(self, who: int, number: int) -> None:
        waiting = "SELECT id FROM settlement_payout WHERE state = 'received' ORDER BY id"
        self._of(number, waiting, who, post_payout, "payout posted")

    @move(often=5, who=WHO, number=NUMBER, reason=("", "twice"))
    def take_a_payout_back(self, who: int, number: int, reason: str) -> None:
        posted = "SELECT id FROM settlement_payout WHERE state = 'posted' ORDER BY id"
        self._of(number, posted, who, lambda work, key: reverse_payout(work, key, reason=reason), "payout reversed")

    @move(often=2, who=WHO, number=NUMBER)
    def explain(self, who: int, number: int) -> None:
        unexplained = "SELECT id FROM settlement_line WHERE open_minor <> 0 ORDER BY id"
        self._of(number, unexplained, who, lambda work, key: accept_difference(work, key, reason="a fee"), "explained")

    @move(often=4, who=WHO, amount=AMOUNTS, again=(None, None, "another"))
    def write_a_receipt_down(self, who: int, amount: int, again: str | None) -> None:
        command = ReceiveCash(entity=self.business.entity, customer=self.business.customer, amount_minor=amount)
        self.attempt(who, lambda work: record_receipt(work, RecordReceipt(receipt=command, again=again)), "typed")

    @move(often=4, amount=AMOUNTS)
    def the_bank_writes(self, amount: int) -> None:
        self.files += 1
        said, day = f"{amount / 100:.2f}", self.business.clock.now().date().isoformat()
        line = entry(said, day=day, ref=f"B{self.files}")
        bankdesk.hand_in(self.business, camt(line, closing=said, name=str(self.files)), f"{self.files}.xml")

    @move(often=6, who=WHO, number=NUMBER, again=(None, None, None, "another"))
    def assign_an_entry(self, who: int, number: int, again: str | None) -> None:
        waiting = "SELECT id FROM bank_line WHERE state = 'open' ORDER BY id"
        customer = self.business.customer
        self._of(
            number, waiting, who,
            lambda work, key: assign_lines(work, [AssignLine(line=key, customer=customer, again=again)]), "assigned",
        )  # fmt: skip

    @move(often=10, who=WHO, number=NUMBER, other=NUMBER, fits=(True, True, False))
    def it_is_that_receipt(self, who: int, number: int, other: int, fits: bool) -> None:
        """An entry is a receipt: one of its amount, or any."""
        line = self.pick(self.ids("SELECT id FROM bank_line WHERE state = 'open' ORDER BY id"), number)
        if line is None:
            return
        same = f"WHERE amount_minor = (SELECT amount_minor FROM bank_line WHERE id = {line}) " if fits else ""
        receipt = self.pick(self.ids(f"SELECT id FROM receipt {same}ORDER BY id DESC"), other)
        if receipt is not None:
            command = SameReceipt(line=line, receipt=receipt)
            self.attempt(who, lambda work: recognise_lines(work, [command]), "recognised")

    def prove(self) -> None:
        super().prove()
        for what, sql in NEVER.items():
            assert self.ids(sql) == [], what
        for until in (self.month, (self.month - _DAY).replace(day=1)):
            with reading(self.database) as session:
                end = period_end(session, self.business.entity, until, late_rulesets(session))
                assert_none_is_missed(session, end)
