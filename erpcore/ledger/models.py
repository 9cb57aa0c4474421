"""Accounts, entries and their lines. Entries are balanced when they are written and never changed afterwards."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, Name, Price, UtcDateTime, append_only, states
from erpcore.ledger.kinds import JournalKind, Strength


class AccountRole(StrEnum):
    """What posting rules ask for; the entity's chart maps each role to one account."""

    RECEIVABLE = "receivable"
    REVENUE = "revenue"
    CHARGES = "charges"
    TAX = "tax"
    INVENTORY = "inventory"
    COST_OF_SALES = "cost_of_sales"
    OPENING = "opening"
    ADJUSTMENT = "adjustment"
    RECEIVED_NOT_INVOICED = "received_not_invoiced"
    BANK = "bank"
    ON_ACCOUNT = "on_account"
    BAD_DEBT = "bad_debt"
    TRANSFER = "transfer"
    BANK_FEES = "bank_fees"
    CURRENCY_DIFFERENCE = "currency_difference"
    BANK_CLEARING = "bank_clearing"
    REBATES = "rebates"
    REBATES_ACCRUED = "rebates_accrued"
    UNBILLED = "unbilled_revenue"
    DEFERRED = "deferred_revenue"
    ON_THE_WAY = "goods_on_the_way"
    FREIGHT = "freight"
    FREIGHT_ACCRUED = "freight_accrued"
    REFUNDS_EXPECTED = "refunds_expected"
    RETURNS_EXPECTED = "returns_expected"
    PARTNER = "partner"
    PARTNER_RESERVE = "partner_reserve"
    PARTNER_TAX = "partner_tax"
    PARTNER_DIFFERENCE = "partner_difference"
    PARTNER_FEES = "partner_fees"
    PARTNER_FEE_TAX = "partner_fee_tax"
    RESTOCKING = "restocking"
    SUPPLIER_CLAIMS = "supplier_claims"
    PAYABLE = "payable"
    INPUT_TAX = "input_tax"
    SISTER_RECEIVABLE = "sister_receivable"
    SISTER_PAYABLE = "sister_payable"
    SISTER_REVENUE = "sister_revenue"
    SISTER_COST = "sister_cost"
    SUPPLIER_CREDITS = "supplier_credits"


class AccountKind(StrEnum):
    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


class Account(Base):
    """One account of an entity's chart. Posting rules use those with a role; one without is for journals by hand."""

    __tablename__ = "ledger_account"
    __table_args__ = (
        UniqueConstraint("entity_id", "role"), UniqueConstraint("entity_id", "code"),
        states("kind", AccountKind), states("role", AccountRole),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    role: Mapped[str | None] = mapped_column(String(32))
    code: Mapped[str] = mapped_column(String(24))
    name: Mapped[str] = mapped_column(Name)
    kind: Mapped[str] = mapped_column(String(12))


class JournalEntry(Base):
    """One posting. ``rounding`` is the exact amount (millionths) that the posted minor units leave out."""

    __tablename__ = "journal_entry"
    __table_args__ = (
        UniqueConstraint("document_type", "document_id", "rule"),
        Index("ix_journal_entry_day", "entity_id", "entry_on"),
        Index("ix_journal_entry_on", "entry_on", "id"),
        Index("ix_journal_entry_rule", "rule", "entry_on", "id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    channel_id: Mapped[int | None] = mapped_column(ForeignKey("channel.id"))
    rule: Mapped[str] = mapped_column(String(32))
    entry_on: Mapped[date] = mapped_column(Date)
    posted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    currency: Mapped[str] = mapped_column(String(3))
    document_type: Mapped[str] = mapped_column(String(24))
    document_id: Mapped[int] = mapped_column(BigInteger)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("journal_entry.id"))
    rounding: Mapped[Decimal] = mapped_column(Price)
    text: Mapped[str | None] = mapped_column(Text)


class JournalLine(Base):
    """One side of an entry: a debit or a credit, in minor units. ``party_id`` is the customer of a receivable."""

    __tablename__ = "journal_line"
    __table_args__ = (
        CheckConstraint(
            "debit_minor >= 0 AND credit_minor >= 0 AND (debit_minor = 0 OR credit_minor = 0)", name="one_side"
        ),
        Index("ix_journal_line_account", "account_id"),
    )
    entry_id: Mapped[int] = mapped_column(ForeignKey("journal_entry.id"), primary_key=True)
    line_no: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"))
    party_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    debit_minor: Mapped[int] = mapped_column(BigInteger)
    credit_minor: Mapped[int] = mapped_column(BigInteger)


append_only(JournalEntry, JournalLine)


class PeriodClose(Base):
    """Days before ``closed_until`` take no more postings and moves; the newest row of an entity counts."""

    __tablename__ = "period_close"
    __table_args__ = (Index("ix_period_close_entity", "entity_id", "id"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    closed_until: Mapped[date] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(Text)
    closed_by: Mapped[int] = mapped_column(BigInteger)
    closed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ClosedCount(Base):
    """How many entries a close found before ``covers_until``, by site (0: of none), and what their rounding left out.

    Written with the close; a later one has rows of its own. The last day before the close is left to be added up anew, since who
    began to post on it may end after the close.
    """

    __tablename__ = "closed_count"
    close_id: Mapped[int] = mapped_column(ForeignKey("period_close.id"), primary_key=True)
    site_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    covers_until: Mapped[date] = mapped_column(Date)
    entries: Mapped[int] = mapped_column(BigInteger)
    rounding: Mapped[Decimal] = mapped_column(Price)


class ClosedTotal(Base):
    """What those entries debited and credited, by account and site (0: of none)."""

    __tablename__ = "closed_total"
    close_id: Mapped[int] = mapped_column(ForeignKey("period_close.id"), primary_key=True)
    site_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"), primary_key=True)
    debit_minor: Mapped[int] = mapped_column(BigInteger)
    credit_minor: Mapped[int] = mapped_column(BigInteger)


append_only(PeriodClose, ClosedCount, ClosedTotal)


class JournalLock(Base):
    """Days before ``until`` are locked for a kind of journal; the newest row of company, journal and strength counts."""

    __tablename__ = "journal_lock"
    __table_args__ = (
        states("journal", JournalKind), states("strength", Strength),
        Index("ix_journal_lock_entity", "entity_id", "journal", "strength", "id"),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    journal: Mapped[str] = mapped_column(String(8))
    strength: Mapped[str] = mapped_column(String(4))
    until: Mapped[date] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(Text)
    locked_by: Mapped[int] = mapped_column(BigInteger)
    locked_at: Mapped[datetime] = mapped_column(UtcDateTime)


append_only(JournalLock)


class LedgerDay(Base):
    """What one day's entries debited and credited, by account, site and channel (0: of none).

    Kept by the consumer of ``ledger.posted``, so it holds all entries up to its cursor; what was posted since is added by readers.
    """

    __tablename__ = "ledger_day"
    # One tree instead of two: reports read whole stretches of it.
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  # what the toolkit takes
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"), primary_key=True)
    entry_on: Mapped[date] = mapped_column(Date, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"), primary_key=True)
    site_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    channel_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    debit_minor: Mapped[int] = mapped_column(BigInteger)
    credit_minor: Mapped[int] = mapped_column(BigInteger)


class LedgerMonth(Base):
    """The same for a whole month, which goes by its first day. Whole months of a report are read from here."""

    __tablename__ = "ledger_month"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  # what the toolkit takes
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"), primary_key=True)
    month_on: Mapped[date] = mapped_column(Date, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"), primary_key=True)
    site_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    channel_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    debit_minor: Mapped[int] = mapped_column(BigInteger)
    credit_minor: Mapped[int] = mapped_column(BigInteger)


class JournalState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    POSTED = "posted"
    REVERSED = "reversed"


class ManualJournal(Base):
    """A posting by hand: one person writes it, another approves it. ``entry_id`` is what it posted."""

    __tablename__ = "manual_journal"
    __table_args__ = (
        states("state", JournalState),
        # A journal is reversed once; a reversal that was rejected leaves the way free for another.
        Index(
            "uq_manual_journal_reverses", "reverses_id", unique=True,
            sqlite_where=text("state <> 'rejected'"), postgresql_where=text("state <> 'rejected'"),
        ),
        Index("ix_manual_journal_entity", "entity_id", "state", "id"),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    channel_id: Mapped[int | None] = mapped_column(ForeignKey("channel.id"))
    state: Mapped[str] = mapped_column(String(12))
    entry_on: Mapped[date] = mapped_column(Date)
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str | None] = mapped_column(Text)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("manual_journal.id"))
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("journal_entry.id"))
    written_by: Mapped[int] = mapped_column(BigInteger)
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[int | None] = mapped_column(BigInteger)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision_note: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)


class ManualLine(Base):
    """One side of a manual journal: a debit or a credit, in minor units."""

    __tablename__ = "manual_journal_line"
    __table_args__ = (
        CheckConstraint(
            "debit_minor >= 0 AND credit_minor >= 0 AND (debit_minor > 0) <> (credit_minor > 0)", name="one_side"
        ),
    )
    journal_id: Mapped[int] = mapped_column(ForeignKey("manual_journal.id"), primary_key=True)
    line_no: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"))
    debit_minor: Mapped[int] = mapped_column(BigInteger)
    credit_minor: Mapped[int] = mapped_column(BigInteger)
