"""What stands in the books: entries, accounts and their sums, and what rounding to cents left out?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, literal_column, null, select, text, true, union_all
from sqlalchemy.orm import Session

from app.queries.listing import SqlList
from erpcore.billing.accruals.models import AccrualLine
from erpcore.billing.models import CreditMemo, Invoice
from erpcore.fulfilment.models import Shipment
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.ledger.models import Account, ClosedCount, ClosedTotal, JournalEntry, JournalLine, PeriodClose
from erpcore.masterdata.models import Customer, Entity, Site


@dataclass(frozen=True, kw_only=True)
class EntryRow:
    """One entry: ``amount_minor`` is what it debits (and credits); ``rounding`` in units of the currency."""

    id: int
    entry_on: date
    posted_at: datetime
    rule: str
    document_type: str
    document_id: int
    site: str | None
    entity: str
    realm: str
    currency: str
    amount_minor: int
    rounding: Decimal
    text: str | None


@dataclass(frozen=True, kw_only=True)
class EntryLine:
    line_no: int
    account_id: int
    account: str
    party: str | None
    debit_minor: int
    credit_minor: int


@dataclass(frozen=True, kw_only=True)
class EntryPage:
    """``order_id``, ``shipment_id``, ``invoice_id``, ``memo_id``: where the document can be looked at."""

    row: EntryRow
    lines: list[EntryLine]
    order_id: int | None
    shipment_id: int | None
    invoice_id: int | None
    memo_id: int | None


@dataclass(frozen=True, kw_only=True)
class AccountSum:
    """One account of the trial balance; ``balance_minor`` is debits less credits."""

    id: int
    code: str
    name: str
    kind: str
    debit_minor: int
    credit_minor: int

    @property
    def balance_minor(self) -> int:
        return self.debit_minor - self.credit_minor


@dataclass(frozen=True, kw_only=True)
class TrialBalance:
    """The sums of all accounts of a company; ``rounding`` is what posting in cents left out, in units of the currency."""

    accounts: list[AccountSum]
    entries: int
    rounding: Decimal

    @property
    def debit_minor(self) -> int:
        return sum(account.debit_minor for account in self.accounts)

    @property
    def credit_minor(self) -> int:
        return sum(account.credit_minor for account in self.accounts)


def _scoped(query: Any, actor: Actor) -> Any:
    """Entries of the person's sites; those of no site only for people who see all."""
    return query if actor.sites is None else query.where(JournalEntry.site_id.in_(sorted(actor.sites)))


def _closed(session: Session, entity: int) -> tuple[int, date] | None:
    """The newest close of a company's books, and the day up to which its totals go; ``None`` where it has none."""
    newest = select(func.max(PeriodClose.id)).where(PeriodClose.entity_id == entity).scalar_subquery()
    row = session.execute(
        select(ClosedCount.close_id, ClosedCount.covers_until).where(ClosedCount.close_id == newest).limit(1)
    ).one_or_none()
    return (row.close_id, row.covers_until) if row else None


def _of_close(query: Any, actor: Actor, table: Any, closed: tuple[int, date]) -> Any:
    """The totals of the close, of the person's sites; those of no site only for people who see all."""
    query = query.where(table.close_id == closed[0])
    return query if actor.sites is None else query.where(table.site_id.in_(sorted(actor.sites)))


def _lines(session: Session, *, few: bool) -> Any:
    """What the lines of entries say. Of ``few`` entries PostgreSQL looks up the lines; left alone it reads all there ever were."""
    each = (JournalLine.account_id, JournalLine.debit_minor, JournalLine.credit_minor)
    if not few or session.get_bind().dialect.name == "sqlite":
        return select(*each).join_from(JournalEntry, JournalLine, JournalLine.entry_id == JournalEntry.id)
    # The offset of nothing keeps the planner from making a join of it again.
    of_entry = select(*each).where(JournalLine.entry_id == JournalEntry.id).offset(literal_column("0"))
    line = of_entry.correlate(JournalEntry).lateral()
    return select(line.c.account_id, line.c.debit_minor, line.c.credit_minor).join_from(JournalEntry, line, true())


def trial_balance(session: Session, actor: Actor, entity: int) -> TrialBalance:
    """Debits and credits by account, of what the person may see: totals of what is closed, and what was posted since."""
    closed = _closed(session, entity)
    mine = [JournalEntry.entity_id == entity, *([JournalEntry.entry_on >= closed[1]] if closed else [])]
    lines = _scoped(_lines(session, few=closed is not None).where(*mine), actor)
    heads = _scoped(
        select(func.count().label("entries"), func.sum(JournalEntry.rounding).label("rounding")).where(*mine), actor
    )
    if closed:
        totals = select(ClosedTotal.account_id, ClosedTotal.debit_minor, ClosedTotal.credit_minor)
        lines = union_all(lines, _of_close(totals, actor, ClosedTotal, closed))
        counts = select(func.sum(ClosedCount.entries), func.sum(ClosedCount.rounding))
        heads = union_all(heads, _of_close(counts, actor, ClosedCount, closed))
    each = lines.subquery()
    sums = (
        select(
            each.c.account_id,
            func.sum(each.c.debit_minor).label("debit"),
            func.sum(each.c.credit_minor).label("credit"),
        )
        .group_by(each.c.account_id)
        .subquery()
    )
    rows = session.execute(
        select(Account, sums.c.debit, sums.c.credit)
        .join(sums, sums.c.account_id == Account.id, isouter=True)
        .where(Account.entity_id == entity)
        .order_by(Account.code)
    )
    found = session.execute(heads).all()
    return TrialBalance(
        accounts=[
            AccountSum(
                id=row.Account.id, code=row.Account.code, name=row.Account.name, kind=row.Account.kind,
                debit_minor=int(row.debit or 0), credit_minor=int(row.credit or 0),
            )
            for row in rows
        ],
        entries=int(sum(head.entries or 0 for head in found)),
        rounding=sum((head.rounding for head in found if head.rounding), Decimal(0)),
    )  # fmt: skip


def _all_entries() -> Any:
    amount = (
        select(func.sum(JournalLine.debit_minor)).where(JournalLine.entry_id == JournalEntry.id).scalar_subquery()
    ).label("amount")
    return (
        select(JournalEntry, Site.name.label("site"), Entity.name.label("entity"), Entity.realm, amount)
        .select_from(JournalEntry)
        .join(Entity, Entity.id == JournalEntry.entity_id, isouter=True)
        .join(Site, Site.id == JournalEntry.site_id, isouter=True)
    )


def _entries(actor: Actor) -> Any:
    return _scoped(_all_entries(), actor)


def _row(row: Any) -> EntryRow:
    entry: JournalEntry = row.JournalEntry
    return EntryRow(
        id=entry.id, entry_on=entry.entry_on, posted_at=entry.posted_at, rule=entry.rule, document_type=entry.document_type,
        document_id=entry.document_id, site=row.site, entity=row.entity, realm=row.realm, currency=entry.currency,
        amount_minor=int(row.amount or 0), rounding=entry.rounding, text=entry.text,
    )  # fmt: skip


#: The list of entries, of all companies that the person sees.
ENTRIES: SqlList[EntryRow] = SqlList(
    select=_all_entries, row=_row, tie=(JournalEntry.id,), usual="-day", scope=_scoped, is_long=True,
    text=(JournalEntry.text, JournalEntry.document_type),
    sorts={"id": JournalEntry.id, "day": JournalEntry.entry_on, "rule": JournalEntry.rule, "site": Site.name},
    wanted={
        "entity": lambda value, _: JournalEntry.entity_id == value,
        "day": lambda value, _: JournalEntry.entry_on == value,
        "rule": lambda value, _: JournalEntry.rule == value,
        "account": lambda value, _: JournalEntry.id.in_(
            select(JournalLine.entry_id).where(JournalLine.account_id == value)
        ),
    },
)  # fmt: skip


def account_label(session: Session, account: int) -> str:
    """An account's code and name."""
    row = session.execute(select(Account.code, Account.name).where(Account.id == account)).one_or_none()
    return f"{row.code} {row.name}" if row else "unknown"


def entry_page(session: Session, actor: Actor, entry_id: int) -> EntryPage:
    """One entry with its lines; raises ``NotFound`` for an unknown one and for another site's."""
    found = session.execute(_entries(actor).where(JournalEntry.id == entry_id)).one_or_none()
    if found is None:
        raise NotFound("not_found")
    row = _row(found)
    lines = session.execute(
        select(JournalLine, Account.code, Account.name, Customer.name.label("party"))
        .join(Account, Account.id == JournalLine.account_id)
        .join(Customer, Customer.id == JournalLine.party_id, isouter=True)
        .where(JournalLine.entry_id == entry_id)
        .order_by(JournalLine.line_no)
    )
    order, shipment, invoice = _behind(session, row)
    return EntryPage(
        row=row,
        lines=[
            EntryLine(
                line_no=one.JournalLine.line_no, account_id=one.JournalLine.account_id, account=f"{one.code} {one.name}",
                party=one.party, debit_minor=one.JournalLine.debit_minor, credit_minor=one.JournalLine.credit_minor,
            )
            for one in lines
        ],
        order_id=order, shipment_id=shipment, invoice_id=invoice,
        memo_id=session.scalar(select(CreditMemo.id).where(CreditMemo.id == row.document_id))
        if row.document_type == "credit_memo"
        else None,
    )  # fmt: skip


def _behind(session: Session, row: EntryRow) -> tuple[int | None, int | None, int | None]:
    """Order, shipment and invoice that the entry's document is, or comes from. One query at most."""
    key = row.document_id
    where = {
        "invoice": select(Invoice.order_id, null(), Invoice.id).where(Invoice.id == key),
        "shipment": select(Shipment.order_id, Shipment.id, null()).where(Shipment.id == key),
        "accrual": select(AccrualLine.order_id, AccrualLine.shipment_id, AccrualLine.invoice_id).where(
            AccrualLine.id == key
        ),
    }.get(row.document_type)
    found = None if where is None else session.execute(where).one_or_none()
    return (None, None, None) if found is None else (found[0], found[1], found[2])


#: From one rule to the next by their index: there are a dozen, and entries beyond number.
_RULES_USED = text(
    "WITH RECURSIVE found(rule) AS (SELECT MIN(rule) FROM journal_entry UNION ALL "
    "SELECT (SELECT MIN(rule) FROM journal_entry WHERE rule > found.rule) FROM found WHERE found.rule IS NOT NULL) "
    "SELECT rule FROM found WHERE rule IS NOT NULL ORDER BY rule"
)


def rules_used(session: Session) -> list[str]:
    """The posting rules that have posted anything."""
    return list(session.scalars(_RULES_USED))
