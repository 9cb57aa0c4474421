"""What keeps the books open: what do the checks of a closing find, over all areas?

Each check is one question that must have an answer before the books are locked. Some have to agree, since the books would be wrong;
of others Finance may say, with a reason, that they are taken as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, null, select
from sqlalchemy.orm import Session

from app.composition.terms import late_rulesets
from app.queries.accruals import said_of
from app.queries.controls import Comparison, compare_controls
from app.queries.cut_off import wrong_in_words
from erpcore.billing.accruals.ends import period_end
from erpcore.billing.accruals.services import due_at, standing_at, still_due
from erpcore.billing.bank_models import BankStatementLine, LineState
from erpcore.billing.models import Invoice, InvoiceState, Receipt
from erpcore.fulfilment.models import Shipment
from erpcore.kernel.clock import day_start, local_day
from erpcore.kernel.money import from_minor
from erpcore.ledger.closing.findings import Finding
from erpcore.ledger.kinds import JournalKind
from erpcore.ledger.models import JournalEntry, JournalState, ManualJournal
from erpcore.masterdata.models import Entity, Site

#: Shipments that far from the end of a period may have the wrong day, whatever the zones of the sites.
_AROUND = timedelta(days=2)
_FIRST = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """Whose books, before which day; ``end`` is when that day begins there."""

    entity: Entity
    until: date
    end: datetime


Look = Callable[[Session, Asked], str]
"""Looks, and says what is wrong in words; nothing when all is well."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """``journals``: which kinds of journal are not locked while it fails. ``well``: what is said when nothing is wrong."""

    name: str
    title: str
    journals: frozenset[JournalKind]
    look: Look
    well: str = "Nothing differs."
    may_accept: bool = False


def _said(row: Comparison, currency: str) -> str:
    by = f"{from_minor(row.difference, currency)} {currency}" if row.unit == "minor" else f"{row.difference} {row.unit}"
    return f"{row.title}: they differ by {by}, first at {row.first_key}."


def _agree(*controls: str) -> Look:
    """The control totals of these names, of this company; each is one statement, so it sees one moment."""

    def look(session: Session, asked: Asked) -> str:
        rows = [row for row in compare_controls(session, controls) if row.entity == asked.entity.id]
        return " ".join(_said(row, asked.entity.currency) for row in rows if row.difference)

    return look


def _waiting(
    session: Session, asked: Asked, what: str, where: Sequence[Any], *, name: Any, amount: Any = None, sign: str = ""
) -> str:
    """How many there are, what they come to, and the first of them."""
    query = select(func.count(), func.sum(amount) if amount is not None else null()).where(*where)
    count, minor = session.execute(query).one()
    if not count:
        return ""
    firsts = session.scalars(select(name).where(*where).order_by(name).limit(_FIRST)).all()
    worth = f", {from_minor(int(minor), asked.entity.currency)} {asked.entity.currency}" if minor is not None else ""
    return f"{what}: {count}{worth}, {', '.join(f'{sign}{one}' for one in firsts)}{' and others' * (count > _FIRST)}."


def _doubtful(session: Session, asked: Asked) -> str:
    left = select(Shipment.id).where(Shipment.confirmed_at < asked.end)
    where = (
        Invoice.entity_id == asked.entity.id, Invoice.state != InvoiceState.POSTED, Invoice.shipment_id.in_(left)
    )  # fmt: skip
    return _waiting(
        session,
        asked,
        "Drafts and blocked invoices of goods that left",
        where,
        name=Invoice.id,
        amount=Invoice.net_minor,
    )


def _unbilled(session: Session, asked: Asked) -> str:
    where = (
        Shipment.entity_id == asked.entity.id, Shipment.invoice_id.is_(None),
        Shipment.confirmed_at < asked.end,
    )  # fmt: skip
    return _waiting(session, asked, "Shipments without an invoice", where, name=Shipment.number)


def _unapplied(session: Session, asked: Asked) -> str:
    where = (Receipt.entity_id == asked.entity.id, Receipt.left_minor > 0, Receipt.received_at < asked.end)
    return _waiting(session, asked, "Receipts not applied", where, name=Receipt.number, amount=Receipt.left_minor)


def _unassigned(session: Session, asked: Asked) -> str:
    where = (
        BankStatementLine.entity_id == asked.entity.id, BankStatementLine.state == LineState.OPEN,
        BankStatementLine.booked_on < asked.until,
    )  # fmt: skip
    amount = BankStatementLine.amount_minor
    return _waiting(session, asked, "Entries of the bank not assigned", where, name=BankStatementLine.id, amount=amount)


def _unapproved(session: Session, asked: Asked) -> str:
    waiting = (JournalState.DRAFT, JournalState.SUBMITTED, JournalState.APPROVED)
    where = (
        ManualJournal.entity_id == asked.entity.id, ManualJournal.state.in_(waiting), ManualJournal.entry_on < asked.until
    )  # fmt: skip
    return _waiting(
        session, asked, "Journals by hand not approved or not posted", where, name=ManualJournal.id, amount=ManualJournal.amount_minor,
        sign="MJ-",
    )  # fmt: skip


def _cut_off(session: Session, asked: Asked) -> str:
    """Goods whose cost stands on the other side of the period's end than the day on which they left."""
    rows = session.execute(
        select(Shipment.number, Shipment.confirmed_at, Site.time_zone, JournalEntry.entry_on)
        .join(JournalEntry, JournalEntry.document_id == Shipment.id)
        .join(Site, Site.id == Shipment.site_id)
        .where(
            JournalEntry.document_type == "shipment", Shipment.entity_id == asked.entity.id,
            Shipment.confirmed_at >= asked.end - _AROUND, Shipment.confirmed_at < asked.end + _AROUND,
        )
        .order_by(Shipment.id)
    )  # fmt: skip
    wrong = [
        number for number, at, zone, on in rows if at and (local_day(at, zone) < asked.until) != (on < asked.until)
    ]  # fmt: skip
    return f"The cost of {', '.join(wrong[:_FIRST])} stands in another period than the shipment." if wrong else ""


def _accrued(session: Session, asked: Asked) -> str:
    """What a run of the accruals would post now, once its own kind of journal is to be locked."""
    end = period_end(session, asked.entity.id, asked.until, late_rulesets(session))
    left = still_due(due_at(session, end), standing_at(session, asked.entity.id, asked.until))
    return f"Not accrued as it should be: {said_of(left)}. Run the accruals of these days." if left else ""


def _revenue(session: Session, asked: Asked) -> str:
    return wrong_in_words(session, asked.entity.id, asked.until, _FIRST)


_ALL = frozenset(JournalKind)
_SALES, _CASH, _STOCK, _MANUAL = (frozenset({kind}) for kind in JournalKind)
CHECKS: tuple[Check, ...] = (
    Check(
        name="receivables", title="Receivables tie to the ledger", journals=_SALES | _CASH,
        look=_agree("receivable_ledger", "receivable_documents", "receivable_settled", "credit_settled"),
    ),
    Check(
        name="stock", title="Stock ties to the ledger", journals=_STOCK,
        look=_agree("stock_on_hand", "stock_value", "inventory_ledger"),
    ),
    Check(
        name="received", title="Goods received, not invoiced, tie to the ledger", journals=_STOCK,
        look=_agree("received_ledger", "goods_receipts"),
    ),
    Check(
        name="rebates", title="Rebates accrued tie to the ledger", journals=_SALES,
        look=_agree("rebates_open", "rebates_ledger", "rebates_lines"),
    ),
    Check(name="tax", title="Tax ties to the ledger", journals=_SALES, look=_agree("tax_ledger")),
    Check(
        name="cash", title="Receipts and bank statements tie to the ledger", journals=_CASH,
        look=_agree(
            "receipt_applied", "on_account_ledger", "receipt_banked", "return_banked", "bank_lines", "bank_known", "bank_clearing",
            "bank_statements", "settlement_owed", "settlement_reserve", "settlement_differences", "settlement_sums",
        ),
    ),
    Check(
        name="books", title="Control totals of the books", journals=_ALL,
        look=_agree(
            "ledger_balanced", "invoice_lines", "credit_memo_lines", "legal_numbers", "manual_journals", "closed_totals",
            "closed_entries", "accruals_ledger", "accruals_back", "accruals_empty", "ledger_days", "ledger_months", "events_entries",
        ),
    ),
    Check(
        name="accruals", title="Revenue, freight and returns are accrued", journals=_SALES | _STOCK, look=_accrued,
        well="Nothing is missing.",
    ),
    Check(
        name="revenue", title="Revenue stands in the period in which control passed", journals=_SALES, look=_revenue,
        well="The cut-off test finds nothing.",
    ),
    Check(name="cut_off", title="Goods left and cost them in the same period", journals=_STOCK, look=_cut_off),
    Check(
        name="journals", title="Journals by hand are approved and posted", journals=_MANUAL, look=_unapproved, well="None waits.",
    ),
    Check(
        name="doubtful", title="Invoices are posted", journals=_SALES, look=_doubtful, well="None waits.", may_accept=True,
    ),
    Check(
        name="unbilled", title="What left has its invoice", journals=_SALES, look=_unbilled, well="All of it.", may_accept=True,
    ),
    Check(
        name="unapplied", title="Receipts are applied", journals=_CASH, look=_unapplied, well="All of them.", may_accept=True,
    ),
    Check(
        name="unassigned", title="Entries of the bank are assigned", journals=_CASH, look=_unassigned, well="All of them.",
        may_accept=True,
    ),
)  # fmt: skip
#: Of these somebody with authority may say that they are taken as they are.
ACCEPTABLE = tuple(check.name for check in CHECKS if check.may_accept)


def find(session: Session, entity: Entity, until: date, journals: frozenset[JournalKind] = _ALL) -> list[Finding]:
    """What every check of these journals finds for the days before ``until``, in the order of the table."""
    asked = Asked(entity=entity, until=until, end=day_start(until, entity.time_zone))
    out = []
    for check in CHECKS:
        if check.journals & journals:
            wrong = check.look(session, asked)
            out.append(Finding(check.name, not wrong, wrong or check.well, check.may_accept))
    return out
