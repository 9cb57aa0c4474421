"""The bank's statement of the last day is handed in: some entries are sure, some wait, two were typed before, one went back, and one
file is wrong.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.uow import reading
from app.demo.desk import Desk
from app.importers.bankfiles.accepting import accept_sure
from erpcore.billing.bank import BankLine, TakeStatement, add_bank_account, name_payer, take_statements
from erpcore.billing.bank_lines import recognise_lines
from erpcore.billing.bank_models import BankStatementLine
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash
from erpcore.billing.cash_known import SameReceipt
from erpcore.billing.cash_typed import RecordReceipt, record_receipt
from erpcore.billing.models import Invoice
from erpcore.billing.paying import TellInvoiceAccount, tell_invoice_account
from erpcore.credit.models import Receivable
from erpcore.kernel.clock import local_day
from erpcore.masterdata.models import Customer, Realm

#: Whose money.
_SITE = (Realm.LIVE.value, "DUI")
_TYPED_REF = "B-7"
_IBAN, _ACCOUNT = "DE89370400440532013000", "DE02120300000000202051"


def _open(session: Session, entity: int) -> list[Any]:
    """The oldest open invoices: number, customer, what is open, id."""
    query = (
        select(Invoice.number, Customer.id, Customer.name, Receivable.open_minor, Invoice.id)
        .join(Receivable, Receivable.document_id == Invoice.id)
        .join(Customer, Customer.id == Invoice.customer_id)
        .where(Invoice.entity_id == entity, Receivable.open_minor > 5_000)
        .order_by(Receivable.due_on, Invoice.id)
        .limit(8)
    )
    return list(session.execute(query))


def open_the_desk(desk: Desk) -> None:
    """An account, its first statement with what is sure accepted, and a second one that does not add up."""
    node = desk.world.nodes[_SITE]
    finance, clerk = desk.staff["finance"], desk.staff["collections"]
    day = local_day(desk.clock.now(), "Europe/Berlin")
    with reading(desk.database) as session:
        owed = _open(session, node.entity)
    if len(owed) < 4:
        return
    with desk.work(finance, Realm.LIVE) as work:
        account = add_bank_account(work, node.entity, number=_IBAN, name="House bank Duisburg")
        since = date(day.year - 1, 1, 1)
        named = TellInvoiceAccount(
            entity=node.entity, account=account, valid_from=since, bic="COBADEFFXXX", reason="The house bank, at set-up"
        )
        tell_invoice_account(work, named)
    with desk.work(clerk, Realm.LIVE) as work:
        name_payer(work, node.entity, _ACCOUNT, owed[1][1])
    typed = _type(desk, node.entity, owed[4:6])
    lines = _lines(owed, day)
    closing = 2_500_000 + sum(line.amount_minor or 0 for line in lines)
    statement = TakeStatement(
        format="camt.053", reference=f"{day:%Y-%m-%d}/1", account=_IBAN, currency="EUR", opening_minor=2_500_000,
        closing_minor=closing, lines=lines,
    )  # fmt: skip
    with desk.work(clerk, Realm.LIVE) as work:
        take_statements(work, account, [statement], file_name=f"camt053-{day:%Y%m%d}.xml", digest="1" * 64)
    with desk.work(clerk, Realm.LIVE) as work:
        accept_sure(work, node.entity, 99)
    if typed:
        _recognise(desk, node.entity, typed[0])
    wrong = TakeStatement(
        format="mt940", reference=f"{day:%Y-%m-%d}/2", account=_IBAN, currency="EUR", opening_minor=closing,
        closing_minor=closing + 10_000,
        lines=[BankLine(raw=":61:2602300230C100,00NTRFNONREF", fault="“260230” is no day")],
    )  # fmt: skip
    with desk.work(clerk, Realm.LIVE) as work:
        take_statements(work, account, [wrong], file_name=f"mt940-{day:%Y%m%d}.sta", digest="2" * 64)


def _type(desk: Desk, entity: int, owed: list[Any]) -> list[int]:
    """Advices of payment that the clerk typed in the morning: the first pays its invoice, what the second pays is not said yet."""
    typed: list[int] = []
    for number, customer, _, minor, invoice in owed:
        with desk.work(desk.staff["collections"], Realm.LIVE) as work:
            money = ReceiveCash(entity=entity, customer=customer, amount_minor=minor, reference=f"Advice {number}")
            receipt = record_receipt(work, RecordReceipt(receipt=money))
            if not typed:
                apply_cash(work, [ApplyCash(receipt=receipt, invoice=invoice, amount_minor=minor)])
        typed.append(receipt)
    return typed


def _recognise(desk: Desk, entity: int, receipt: int) -> None:
    """The bank's entry of a receipt that was typed is found to be that one; the other is left for whoever looks next."""
    mine = select(BankStatementLine.id).where(
        BankStatementLine.entity_id == entity, BankStatementLine.bank_ref == _TYPED_REF
    )
    with desk.work(desk.staff["collections"], Realm.LIVE) as work:
        recognise_lines(work, [SameReceipt(line=work.session.scalars(mine).one(), receipt=receipt)])


def _lines(owed: list[Any], day: date) -> list[BankLine]:
    """One names its invoice, one comes from a known account, one pays short, one says nothing; two whose money the clerk typed; a fee
    and a payment that went back.
    """
    named, known, short, unclear = owed[:4]

    def paid(minor: int, name: str, text: str, **more: Any) -> BankLine:
        raw = f"{day:%Y-%m-%d} {minor} {name} {text}"
        return BankLine(raw=raw, booked_on=day, valued_on=day, amount_minor=minor, name=name, text=text, **more)

    return [
        paid(named[3], named[2], f"Invoice {named[0]} thank you", bank_ref="B-1"),
        paid(known[3], known[2], "Payment", payer=_ACCOUNT, bank_ref="B-2"),
        paid(short[3] - 1_250, short[2], f"{short[0]} less damage", bank_ref="B-3"),
        paid(unclear[3], "Unnamed payer", "transfer", bank_ref="B-4"),
        *(paid(one[3], one[2], one[0], bank_ref=ref) for one, ref in zip(owed[4:6], (_TYPED_REF, "B-8"), strict=False)),
        paid(-1_890, "House bank", "Fees of the month", bank_ref="B-5"),
        paid(-named[3], named[2], "Returned: account closed", bank_ref="B-6", is_return=True),
    ]
