"""A marketplace pays out what it sold for the web shop: once as agreed and as it came to the bank, once not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.uow import reading
from app.demo.desk import Desk
from app.importers.payoutfiles import PayoutMapping, keep_mapping, take_payout_file
from erpcore.billing.bank import BankLine, TakeStatement, take_statements
from erpcore.billing.bank_models import BankAccount, BankStatement, BankStatementLine
from erpcore.billing.disputes.models import Dispute
from erpcore.billing.models import Invoice
from erpcore.billing.settling.explaining import accept_difference
from erpcore.billing.settling.models import PayoutLine
from erpcore.billing.settling.posting import post_payout
from erpcore.billing.settling.taking import PartnerContent, add_partner
from erpcore.billing.settling.transfers import PayoutByLine, receive_transfers
from erpcore.credit.models import Receivable
from erpcore.kernel.clock import local_day
from erpcore.kernel.money import share_of
from erpcore.masterdata.models import Realm
from erpcore.orders.models import SalesOrder

_SITE = (Realm.LIVE.value, "DUI")
_NAME, _TAX = "Marktplatz Nord", Decimal("0.19")
_RATE = 120_000
#: What the partner takes for a label that we did not know of, in cents.
_LABEL = 390
_MAPPING = PayoutMapping(
    delimiter=";", decimal=",", day_form="28.02.2026", day="Datum", kind="Art", order="Bestellung", amount="Betrag",
    tax="davon Steuer", currency="Währung", text="Text",
    kinds={
        "Verkauf": "sale", "Erstattung": "refund", "Provision": "fee", "Einbehalt": "reserve_held", "Freigabe": "reserve_released",
        "Quellensteuer": "tax_withheld", "Umsatzsteuer": "tax_collected", "Korrektur": "adjustment", "Auszahlung": "transfer",
    },
)  # fmt: skip


def _sold(session: Session, entity: int, channel: int) -> list[Any]:
    """The newest invoices of the channel of which all is open and nothing is in dispute: the shop's number, and the amount."""
    disputed = select(Dispute.invoice_id)
    query = (
        select(SalesOrder.customer_reference, Receivable.open_minor)
        .join(Invoice, Invoice.order_id == SalesOrder.id)
        .join(Receivable, Receivable.document_id == Invoice.id)
        .where(
            SalesOrder.entity_id == entity, SalesOrder.channel_id == channel, SalesOrder.customer_reference.is_not(None),
            SalesOrder.billing_status == "done", Receivable.open_minor == Receivable.amount_minor, Invoice.id.not_in(disputed),
        )
        .order_by(Invoice.id.desc())
        .limit(7)
    )  # fmt: skip
    found: dict[str, Any] = {}
    for row in session.execute(query):
        found.setdefault(row.customer_reference, row)
    return list(found.values())


def pay_out(desk: Desk) -> None:
    """A partner with two payouts: one posted and paid, one that waits for somebody to ask what it means."""
    node, finance, clerk = desk.world.nodes[_SITE], desk.staff["finance"], desk.staff["collections"]
    channel, day = desk.world.channels["ecommerce"], local_day(desk.clock.now(), "Europe/Berlin")
    with reading(desk.database) as session:
        sold = _sold(session, node.entity, channel)
    if len(sold) < 4:
        return
    content = PartnerContent(name=_NAME, fee_rate=Decimal(_RATE) / 1_000_000)
    with desk.work(finance, Realm.LIVE) as work:
        partner = add_partner(work, node.id, channel, code="nord", content=content)
    with desk.work(finance, Realm.LIVE) as work:
        keep_mapping(work, partner, _MAPPING)
    first, second = sold[: len(sold) // 2], sold[len(sold) // 2 :]
    gross = sum(row.open_minor for row in first)
    fee = share_of(gross, _RATE)
    lines = [("Verkauf", row.customer_reference, row.open_minor, 0) for row in first]
    paid = gross - fee - _tax(fee) - _LABEL
    lines += [
        ("Provision", "", -fee - _tax(fee), _tax(fee)),
        ("Korrektur", "", -_LABEL, 0),
        ("Auszahlung", "", -paid, 0),
    ]
    clean = _hand_in(desk, partner, f"MN-{day:%Y}-031", day, lines)
    with desk.work(clerk, Realm.LIVE) as work:
        post_payout(work, clean)
    with desk.work(finance, Realm.LIVE) as work:
        (label,) = work.session.scalars(
            select(PayoutLine.id).where(PayoutLine.payout_id == clean, PayoutLine.open_minor != 0)
        )
        accept_difference(work, label, reason="The label of a parcel that came back; as agreed on the phone.")
    _at_the_bank(desk, clean, paid, day)
    gross = sum(row.open_minor for row in second)
    fee = share_of(gross, _RATE + 25_000)
    lines = [("Verkauf", row.customer_reference, row.open_minor, 0) for row in second]
    lines += [
        ("Provision", "", -fee - _tax(fee), _tax(fee)), ("Erstattung", "88-4711", -2_490, 0), ("Einbehalt", "", -gross // 20, 0),
    ]  # fmt: skip
    lines += [("Auszahlung", "", -sum(line[2] for line in lines), 0)]
    _hand_in(desk, partner, f"MN-{day:%Y}-032", day, lines)


def _tax(net: int) -> int:
    return share_of(net, int(_TAX * 1_000_000))


def _hand_in(desk: Desk, partner: int, number: str, day: date, lines: list[tuple[str, str, int, int]]) -> int:
    """The partner's file as it sends it, taken by the clerk; returns the payout's id."""
    rows = ["Datum;Art;Bestellung;Betrag;davon Steuer;Währung;Text"]
    rows += [f"{day:%d.%m.%Y};{kind};{order};{_said(minor)};{_said(tax)};EUR;" for kind, order, minor, tax in lines]
    with desk.work(desk.staff["collections"], Realm.LIVE) as work:
        taken = take_payout_file(
            work, partner, "\r\n".join(rows).encode("cp1252"), f"{number}.csv", reference=number, total_minor=None
        )
    if taken.fault:
        raise AssertionError(f"payout {number} was refused: {taken.fault}")
    return taken.id


def _said(minor: int) -> str:
    """An amount as the partner writes it."""
    return f"{Decimal(minor).scaleb(-2):.2f}".replace(".", ",") if minor else "0,00"


def _at_the_bank(desk: Desk, payout: int, minor: int, day: date) -> None:
    """The bank's next statement brings the money of the payout."""
    node, clerk = desk.world.nodes[_SITE], desk.staff["collections"]
    with reading(desk.database) as session:
        last = session.execute(
            select(BankAccount.id, BankAccount.number, BankStatement.closing_minor)
            .join(BankStatement, BankStatement.account_id == BankAccount.id)
            .where(BankAccount.entity_id == node.entity, BankStatement.state == "accepted")
            .order_by(BankStatement.id.desc())
            .limit(1)
        ).one_or_none()
    if last is None:
        return
    line = BankLine(
        raw=f"{day:%Y-%m-%d} {minor} {_NAME}", booked_on=day, valued_on=day, amount_minor=minor, name=_NAME,
        text=f"Auszahlung MN-{day:%Y}-031", bank_ref="B-31",
    )  # fmt: skip
    statement = TakeStatement(
        format="camt.053", reference=f"{day:%Y-%m-%d}/3", account=last.number, currency="EUR", opening_minor=last.closing_minor,
        closing_minor=last.closing_minor + minor, lines=[line],
    )  # fmt: skip
    with desk.work(clerk, Realm.LIVE) as work:
        take_statements(work, last.id, [statement], file_name=f"camt053-{day:%Y%m%d}-2.xml", digest="3" * 64)
    with desk.work(clerk, Realm.LIVE) as work:
        (entry,) = work.session.scalars(select(BankStatementLine.id).where(BankStatementLine.bank_ref == "B-31"))
        receive_transfers(work, [PayoutByLine(line=entry, payout=payout, explanation=f"98 %: It names {_NAME}.")])
