"""A marketplace that sells for a small business: its orders, its payout files, and what is in the books of it."""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256

from sqlalchemy import text

from app.composition.uow import reading
from app.importers.payoutfiles import PayoutMapping, read_payout_file
from erpcore.billing.credits import CreditInvoice, credit_invoices
from erpcore.billing.settling.models import SettlementPartner
from erpcore.billing.settling.taking import PartnerContent, TakePayout, add_partner, take_payout
from tests.support.core import a_business
from tests.support.steps import invoiced

KINDS = {
    "Order": "sale", "Refund": "refund", "Commission": "fee", "Held": "reserve_held", "Released": "reserve_released",
    "Withholding": "tax_withheld", "Marketplace tax": "tax_collected", "Correction": "adjustment", "Transfer": "transfer",
}  # fmt: skip
MAPPING = PayoutMapping(
    delimiter=";", decimal=",", day_form="2026-02-28", day="Date", kind="Type", order="Order", amount="Amount", tax="Tax",
    currency="Currency", text="Text", kinds=KINDS,
)  # fmt: skip
HEAD = "Date;Type;Order;Amount;Tax;Currency;Text"


def a_market(database, **more):
    """A business whose channel is a marketplace's, at 12 % of what is sold."""
    business = a_business(database, stock=1_000, **more)
    with business.work() as work:
        business.partner = add_partner(
            work, business.site, business.channel, code="bazaar", content=PartnerContent(name="Bazaar", fee_rate=Decimal("0.12"))
        )  # fmt: skip
    return business


def sold(business, reference, quantity=10):
    """An order of the marketplace with its posted invoice: so many at 12.00 with tax."""
    return invoiced(business, [(0, quantity)], customer_reference=reference)[2]


def credited(business, invoice, quantity=2):
    """A credit memo for so many units of the invoice at 12.00 with tax; returns its id."""
    (line,) = rows(business, f"SELECT order_line_id FROM invoice_line WHERE invoice_id = {invoice.id}")
    command = CreditInvoice(
        invoice=invoice.id, order_line=line[0], quantity=Decimal(quantity), unit_price=Decimal(10), reason="returned", fault="customer"
    )  # fmt: skip
    with business.work() as work:
        return credit_invoices(work, [command])[0]


def payout_file(*lines, head=HEAD, day="2026-03-02"):
    """A file of lines (kind, order, amount, tax); amounts as the partner writes them."""
    body = [f"{day};{kind};{order};{amount};{more[0] if more else ''};EUR;" for kind, order, amount, *more in lines]
    return "\n".join([head, *body, ""]).encode()


def hand_in(business, content, reference="P-1", *, total=None, name="payout.csv", mapping=MAPPING):
    """Take the payout of a file, as pages and programs do."""
    with business.work() as work:
        partner = work.session.get_one(SettlementPartner, business.partner)
        lines, fault = read_payout_file(content, name, mapping, currency=partner.currency)
        command = TakePayout(
            partner=partner.id, reference=reference, file_name=name, digest=sha256(content).hexdigest(), lines=lines, fault=fault,
            total_minor=total,
        )  # fmt: skip
        return take_payout(work, command)


def rows(business, sql):
    with reading(business.database) as session:
        return [tuple(row) for row in session.execute(text(sql))]


def sums(business):
    """What stands on the accounts that a payout touches."""
    found = rows(
        business,
        "SELECT a.role, SUM(l.debit_minor - l.credit_minor) FROM journal_line l JOIN ledger_account a ON a.id = l.account_id "
        "WHERE a.role LIKE 'partner%' OR a.role IN ('receivable', 'on_account', 'bank', 'bank_clearing') GROUP BY a.role",
    )
    return {role: int(minor) for role, minor in found if minor}


def found(business, payout):
    """Each line's result and what of it is unexplained."""
    return rows(
        business, f"SELECT result, unexplained_minor FROM settlement_line WHERE payout_id = {payout} ORDER BY line_no"
    )
