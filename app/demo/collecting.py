"""How the demo's companies get their money: two runs of dunning, a promise, a dispute, a debt given up, and months closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.uow import reading
from app.demo.agreements import BROKE, SLOW
from app.demo.closing import CloseRoom
from app.demo.desk import Desk
from app.demo.goods import Shop
from app.jobs.dunning import issue_confirmed, send_dunning_letters
from erpcore.billing.cash_credit import ApplyCredit, apply_credit
from erpcore.billing.cash_reversal import ReturnReceipt, return_receipts
from erpcore.billing.collecting.models import ContactKind
from erpcore.billing.collecting.services import NoteContact, give_customers, note_contact, route_customers
from erpcore.billing.credits import CreditInvoice, credit_invoices
from erpcore.billing.debts import PostDebt, post_debts
from erpcore.billing.dunning.fees import SettleFee, settle_fees
from erpcore.billing.dunning.holding import SetBlock, TakePromise, set_block, take_promise
from erpcore.billing.dunning.models import BlockKind, DunningFee
from erpcore.billing.dunning.procedures import WriteProcedure, write_procedure
from erpcore.billing.dunning.rules import Level
from erpcore.billing.dunning.runs import confirm_run, propose_run
from erpcore.billing.models import Invoice, InvoiceLine, Receipt
from erpcore.credit.models import Receivable
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.ledger.periods import ClosePeriod, close_period
from erpcore.masterdata.models import Realm

#: On which day of a month the month before is closed.
CLOSING_DAY = 5
_LEVELS = (
    Level(level=1, days_overdue=5, min_minor=1_000, fee_minor=0, letter="reminder", respite_days=10),
    Level(level=2, days_overdue=12, min_minor=1_000, fee_minor=500, letter="demand", respite_days=10),
    Level(level=3, days_overdue=30, min_minor=1_000, fee_minor=1_500, letter="final", respite_days=7),
)


class Collecting:
    """What collections and finance do besides applying money."""

    def __init__(self, desk: Desk, shop: Shop, mail_url: str | None) -> None:
        self.desk, self.shop, self.mail_url = desk, shop, mail_url
        self.clerk, self.finance = desk.staff["collections"], desk.staff["finance"]
        self.entity = shop.entity

    def _today(self) -> date:
        return local_day(self.desk.clock.now(), "Europe/Berlin")

    def set_up(self) -> None:
        """Three levels for everybody, a week between two letters; whoever is named for nobody else is one person's."""
        with self.shop.work_as(self.finance) as work:
            route_customers(work, self.entity, None, self.desk.staff.ids["collections"])
            write_procedure(
                work,
                WriteProcedure(
                    entity=self.entity, name="Usual", valid_from=self._today(), levels=_LEVELS, min_total_minor=2_500
                ),
            )  # fmt: skip

    def ask(self) -> None:
        """Collections propose whom to ask, Finance confirms, and the letters go out; nothing where nobody is late."""
        try:
            with self.shop.work_as(self.clerk) as work:
                run = propose_run(work, self.entity).run
        except RuleBroken as refusal:
            if refusal.code == "dunning_nothing":
                return
            raise
        with self.shop.work_as(self.finance) as work:
            confirm_run(work, run)
        issue_confirmed(self.desk.database, clock=self.desk.clock, run=run)
        while send_dunning_letters(self.desk.database, clock=self.desk.clock, mail_url=self.mail_url):
            continue

    def listen(self) -> None:
        """Who owes most promises a part; who owes next to most disputes it, and is not asked meanwhile; one has nothing left."""
        with reading(self.desk.database) as session:
            debtors = self._debtors(session)
        most, *others = debtors
        with self.shop.work_as(self.clerk) as work:
            take_promise(
                work,
                TakePromise(
                    customer=most[0], amount_minor=most[1] // 200 * 100, until=self._today() + timedelta(days=9),
                    said_by="their bookkeeper", note="the public client pays them on Friday",
                ),
            )  # fmt: skip
            note_contact(
                work,
                NoteContact(
                    customer=most[0], kind=ContactKind.CALL, spoke_with="their bookkeeper",
                    said="They have the invoices and wait for money themselves.", follow_up=self._today() + timedelta(days=9),
                ),
            )  # fmt: skip
            give_customers(work, [most[0]], self.desk.staff.ids["finance"])
            for customer, _ in others[:1]:
                set_block(
                    work,
                    SetBlock(
                        customer=customer, kind=BlockKind.DISPUTE, reason="says that two pallets came wet; sales looks at it",
                        until=self._today() + timedelta(days=21), owner=self.desk.staff.ids["collections"],
                    ),
                )  # fmt: skip
        self._give_up()

    def _debtors(self, session: Session) -> list[tuple[int, int]]:
        """Customers with what is overdue, the most first; not those whose story is told elsewhere."""
        told = (self.shop.customers[SLOW], self.shop.customers[BROKE])
        found: dict[int, int] = {}
        for row in self._open(session, Receivable.due_on < self._today(), Receivable.document_type == "invoice"):
            if row.customer_id not in told:
                found[row.customer_id] = found.get(row.customer_id, 0) + row.open_minor
        return sorted(found.items(), key=lambda one: (-one[1], one[0]))

    def _open(self, session: Session, *where: Any) -> Sequence[Any]:
        query = select(Receivable.__table__).where(
            Receivable.entity_id == self.entity, Receivable.open_minor != 0, *where
        )
        return session.execute(query.order_by(Receivable.document_id)).all()

    def _give_up(self) -> None:
        """A customer's company is gone: its debt is written off, and the books show what settled the invoice."""
        broke = self.shop.customers[BROKE]
        with reading(self.desk.database) as session:
            owed = self._open(session, Receivable.customer_id == broke)
        for row in owed:
            with self.shop.work_as(self.finance) as work:
                lost = PostDebt(
                    site=self.shop.site,
                    customer=broke,
                    amount=-Decimal(row.open_minor) / 100,
                    reason="insolvent, no assets left",
                )
                (debt,) = post_debts(work, [lost], cells=self.desk.cells)
            self._settle(debt, row.document_id, row.open_minor)

    def _settle(self, credit: int, invoice: int, minor: int) -> None:
        with self.shop.work_as(self.clerk) as work:
            apply_credit(work, [ApplyCredit(credit=credit, invoice=invoice, amount_minor=minor)])

    def tidy(self) -> None:
        """A credit memo settles part of an invoice, a debit comes back from the bank, and a fee is waived for once."""
        with reading(self.desk.database) as session:
            fee = session.scalar(select(DunningFee.id).order_by(DunningFee.id).limit(1))
            came = session.scalar(
                select(Receipt.id)
                .where(Receipt.customer_id == self.shop.customers[1], Receipt.returned_minor == 0)
                .order_by(Receipt.id.desc())
                .limit(1)
            )
        self._correct()
        if came is not None:
            with self.shop.work_as(self.clerk) as work:
                return_receipts(
                    work, [ReturnReceipt(receipt=came, reason="debit refused: account closed", fee_minor=350)]
                )
        if fee is not None:
            with self.shop.work_as(self.finance) as work:
                settle_fees(work, [SettleFee(fee=fee, amount_minor=500, reason="first time in nine years")])

    def _correct(self) -> None:
        """The customer who was asked twice is right about one piece: it is credited, and the credit settles part of the invoice."""
        with reading(self.desk.database) as session:
            query = select(InvoiceLine.invoice_id, InvoiceLine.order_line_id, InvoiceLine.unit_price).join(
                Invoice, Invoice.id == InvoiceLine.invoice_id
            )
            mine = Invoice.customer_id == self.shop.customers[SLOW]
            line = session.execute(
                query.where(mine).order_by(InvoiceLine.invoice_id, InvoiceLine.order_line_id)
            ).first()
        if line is None:
            return
        wrong = CreditInvoice(
            invoice=line.invoice_id, order_line=line.order_line_id, quantity=Decimal(1), unit_price=line.unit_price,
            reason="price_error", fault="ours",
        )  # fmt: skip
        with self.shop.work_as(self.desk.staff["billing"]) as work:
            (memo,) = credit_invoices(work, [wrong])
        with reading(self.desk.database) as session:
            (credit,) = self._open(session, Receivable.document_id == memo)
        self._settle(memo, line.invoice_id, -credit.open_minor)

    def close_month(self) -> None:
        """The month before is closed in every company that is live, at Duisburg's with its tasks and checks."""
        first = self._today().replace(day=1)
        careful = self.desk.world.nodes[Realm.LIVE.value, "DUI"].entity
        for (realm, _), entity in sorted(self.desk.world.entities.items()):
            if realm == Realm.LIVE and entity == careful:
                CloseRoom(self.desk, entity).close(first)
            elif realm == Realm.LIVE:
                CloseRoom(self.desk, entity).accrue(first)
                with self.shop.work_as(self.finance) as work:
                    close_period(
                        work, ClosePeriod(entity=entity, until=first, reason="Stock, receivables and journals agree.")
                    )
