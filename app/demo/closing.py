"""Finance closes a month in the close room: revenue of the wrong period and a journal without approval keep the books open until both are mended."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select

from app.composition.terms import late_rulesets
from app.composition.uow import reading
from app.demo.desk import Desk
from app.queries.closing_checks import ACCEPTABLE, find
from erpcore.billing.accruals.services import RunAccruals, run_accruals
from erpcore.kernel.errors import RuleBroken
from erpcore.ledger.chart import add_account
from erpcore.ledger.closing.findings import accept_finding, newest_findings
from erpcore.ledger.closing.models import ClosingTask
from erpcore.ledger.closing.services import lock_books, look, soft_lock, start_closing
from erpcore.ledger.closing.tasks import DoTask, assign_task, do_task
from erpcore.ledger.journals import JournalLineIn, WriteJournal, move_journal, write_journal
from erpcore.ledger.models import Account
from erpcore.masterdata.models import Realm

_LIVE = Realm.LIVE.value
_POWER = 43_200
#: Whose each task is, in the order of the standard ones, and on what it rests; one that says nothing is done by itself.
_TASKS = (
    ("operations", "Every goods receipt of the month has its delivery note."), ("operations", "No count and no adjustment waits."),
    ("finance", "Statement of the last day is in."), ("billing", "The list of shipments without an invoice is read and explained."),
    ("finance", ""), ("finance", "Read by channel; what differs is accrued."),
    ("finance", "Read with the collectors."), ("finance", "Power of the hall is accrued."),
    ("finance", "Agrees with the draft of the return."), ("finance", "Sales and margin follow the orders of the month."),
)  # fmt: skip
#: Why what a check found is taken as it is.
_TAKEN = "Known to whom it belongs; comes with the run of the next month."


class CloseRoom:
    """The closings of one company."""

    def __init__(self, desk: Desk, entity: int) -> None:
        self.desk, self.entity = desk, entity
        self.finance, self.approver = desk.staff["finance"], desk.staff["process.billing"]

    def close(self, first: date) -> None:
        """Everything before this day, from the first task to the lock."""
        closing = self.begin(first, done=len(_TASKS))
        journal = self._power(first - timedelta(days=1))
        with self.desk.work(self.finance, Realm.LIVE) as work:
            soft_lock(work, closing)
        # What stands in the wrong period is found before it is mended.
        self.look_again(closing)
        self.accrue(first)
        self.look_again(closing)
        if self._lock(closing, "The figures of the month are final."):
            raise AssertionError("the books were locked over a journal that nobody approved")
        with self.desk.work(self.approver, Realm.LIVE) as work:
            move_journal(work, journal, "approve", note="As on the meter.")
        with self.desk.work(self.finance, Realm.LIVE) as work:
            move_journal(work, journal, "post")
        self._take(closing)
        if not self._lock(
            closing, "The journal that was missing is approved and posted; stock, receivables and tax agree."
        ):
            raise AssertionError("the books stay open")

    def begin(self, until: date, *, done: int) -> int:
        """Begin a closing, hand its tasks out, and do so many of them."""
        staff = self.desk.staff.ids
        with self.desk.work(self.finance, Realm.LIVE) as work:
            closing = start_closing(work, self.entity, until)
        with reading(self.desk.database) as session:
            tasks = session.execute(
                select(ClosingTask.id, ClosingTask.due_on)
                .where(ClosingTask.closing_id == closing)
                .order_by(ClosingTask.position)
            ).all()
        for number, (task, (owner, said)) in enumerate(zip(tasks, _TASKS, strict=True)):
            with self.desk.work(self.finance, Realm.LIVE) as work:
                assign_task(work, task.id, owner=staff[owner], due_on=task.due_on)
                if number < done and said:
                    do_task(work, DoTask(task=task.id, evidence=said))
        return closing

    def accrue(self, until: date) -> None:
        """What the days before lack is posted and turned back."""
        with self.desk.work(self.finance, Realm.LIVE) as work:
            run_accruals(work, RunAccruals(entity=self.entity, until=until), late=late_rulesets(work.session))

    def look_again(self, closing: int) -> None:
        """Let the checks of a closing look."""
        with self.desk.work(self.finance, Realm.LIVE) as work:
            look(work, closing, find)

    def _lock(self, closing: int, reason: str) -> bool:
        try:
            with self.desk.work(self.finance, Realm.LIVE) as work:
                lock_books(work, closing, find, reason=reason)
        except RuleBroken as refusal:
            if refusal.code != "closing_checks_fail":
                raise
            return False
        return True

    def _take(self, closing: int) -> None:
        """What is open at a month's end and belongs to somebody is taken as it is."""
        with self.desk.work(self.finance, Realm.LIVE) as work:
            look(work, closing, find)
            found = newest_findings(work, closing)
            for name in ACCEPTABLE:
                if not found[name].agrees:
                    accept_finding(work, found[name].id, reason=_TAKEN, acceptable=ACCEPTABLE)

    def _account(self, code: str, name: str, kind: str) -> int:
        with self.desk.work(self.finance, Realm.LIVE) as work:
            known = work.session.scalar(
                select(Account.id).where(Account.entity_id == self.entity, Account.code == code)
            )
            return known or add_account(work, self.entity, code=code, name=name, kind=kind)

    def _power(self, day: date) -> int:
        """The power of the month, submitted and not approved."""
        power = self._account("6200", "Power and heating", "expense")
        owed = self._account("2410", "Power not billed yet", "liability")
        lines = [JournalLineIn(power, _POWER, 0), JournalLineIn(owed, 0, _POWER)]
        with self.desk.work(self.finance, Realm.LIVE) as work:
            journal = write_journal(
                work,
                WriteJournal(
                    entity=self.entity, entry_on=day, reason="Power of the month", evidence="The meter, read on the last day.", lines=lines
                ),
            )  # fmt: skip
            move_journal(work, journal, "submit")
        return journal


def begin_next_month(desk: Desk, until: date) -> None:
    """The month that runs is prepared: some tasks are done, and the checks say what is still missing."""
    room = CloseRoom(desk, desk.world.nodes[_LIVE, "DUI"].entity)
    room.look_again(room.begin(until, done=3))
