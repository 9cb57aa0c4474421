"""Three customers pay short: one difference is disputed and credited, one is open with its owner, of one nobody knows yet why."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.dispute_approvals import BY_RULES
from app.composition.uow import reading
from app.demo.desk import Desk
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.dispute_settling import CreditLine, Settle, settle_dispute
from erpcore.billing.disputing import Deduct, Object, contest, name_deductions, open_disputes
from erpcore.billing.models import Invoice, InvoiceLine
from erpcore.credit.models import Receivable
from erpcore.kernel.money import share_of, to_minor
from erpcore.masterdata.models import Realm

_SITE = (Realm.LIVE.value, "DUI")
#: The desk takes the oldest invoices; these come after them.
_AFTER = 8


def _owed(session: Session, site: int) -> list[Any]:
    """Open invoices that nobody has paid anything of, each with a line of goods: price, tax and how much one unit of it costs."""
    query = (
        select(
            Invoice.id, Invoice.customer_id, Receivable.open_minor, InvoiceLine.order_line_id, InvoiceLine.unit_price,
            InvoiceLine.tax_rate, Invoice.currency,
        )
        .join(Receivable, Receivable.document_id == Invoice.id)
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .where(
            Invoice.site_id == site, Receivable.open_minor == Receivable.amount_minor, Receivable.open_minor > 20_000,
            InvoiceLine.quantity >= 2, InvoiceLine.kind == "stock", InvoiceLine.unit_price > 3,
        )
        .order_by(Receivable.due_on, Invoice.id, InvoiceLine.order_line_id)
        .limit(200)
    )  # fmt: skip
    found: dict[int, Any] = {}
    for row in session.execute(query):
        found.setdefault(row.id, row)
    return list(found.values())[_AFTER : _AFTER + 4]


def _unit(row: Any) -> int:
    """What one unit of the line costs with its tax, as a credit memo would give it back."""
    net = to_minor(row.unit_price, row.currency)
    return net + share_of(net, int((row.tax_rate or Decimal(0)).scaleb(6)))


def dispute_some(desk: Desk) -> None:
    """Payments that were short, and what became of the differences until today."""
    node, staff = desk.world.nodes[_SITE], desk.staff
    with reading(desk.database) as session:
        owed = _owed(session, node.id)
    if len(owed) < 4:
        return
    damaged, freight, unknown, price = owed
    credited = _paid_short(desk, damaged, _unit(damaged), "damaged", "One piece was broken on arrival")
    _paid_short(desk, freight, 1_850, "freight", "Freight was to be free of charge from 500.00 on")
    _paid_short(desk, unknown, 2_475, "", "")
    with desk.work(staff.at("DUI", "desk"), Realm.LIVE) as work:
        contest(
            work, credited, reason="damaged", note="Broken on arrival, the driver signed for it",
            evidence="Delivery note with the driver's remark", order_line=damaged.order_line_id,
        )  # fmt: skip
    with desk.work(staff["billing"], Realm.LIVE) as work:
        right = Settle(
            dispute=credited, credit=[CreditLine(order_line=damaged.order_line_id, quantity=Decimal(1))],
            reason="The driver confirms it",
        )  # fmt: skip
        settle_dispute(work, right, rules=desk.rules, cells=desk.cells, authority=BY_RULES)
    with desk.work(staff.at("DUI", "desk"), Realm.LIVE) as work:
        command = Object(
            invoice=price.id, amount_minor=_unit(price), reason="price", order_line=price.order_line_id,
            note="Another price was agreed on the telephone",
        )  # fmt: skip
        open_disputes(work, [command])


def _paid_short(desk: Desk, row: Any, short: int, reason: str, note: str) -> int:
    """The customer pays all but so much, and the cashier says why; the id of the difference."""
    with desk.work(desk.staff["collections"], Realm.LIVE) as work:
        paid = row.open_minor - short
        entity = work.session.scalar(select(Receivable.entity_id).where(Receivable.document_id == row.id)) or 0
        (receipt,) = receive_cash(work, [ReceiveCash(entity=entity, customer=row.customer_id, amount_minor=paid)])
        (one,) = apply_cash(work, [ApplyCash(receipt=receipt, invoice=row.id, amount_minor=paid)])
        (made,) = name_deductions(
            work, [Deduct(application=one, reason=reason, note=note)], rules=desk.rules, cells=desk.cells
        )
        return made
