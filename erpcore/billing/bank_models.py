"""Accounts at banks, the statements that came of them, and every line as the bank wrote it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Name, UtcDateTime, frozen_when, states


class StatementState(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"


class LineState(StrEnum):
    """``open`` waits for somebody; ``repeated`` came with an earlier statement; ``rejected`` belongs to a refused statement."""

    OPEN = "open"
    ASSIGNED = "assigned"
    REPEATED = "repeated"
    REJECTED = "rejected"


class LineOutcome(StrEnum):
    """``typed``: its money is that of a receipt that somebody had written down before."""

    RECEIPT = "receipt"
    RETURN = "return"
    FEE = "fee"
    PAYOUT = "payout"
    TYPED = "typed"


class BankAccount(Base):
    """An account of a company at a bank. ``mapping`` says how its tables are read (JSON), where the bank sends tables."""

    __tablename__ = "bank_account"
    __table_args__ = (UniqueConstraint("entity_id", "number"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    number: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(Name)
    currency: Mapped[str] = mapped_column(String(3))
    mapping: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)


class BankStatement(Base):
    """One statement as it came. Accepted, it adds up and its lines are in the books; refused, it says why and nothing moved."""

    __tablename__ = "bank_statement"
    __table_args__ = (
        states("state", StatementState),
        CheckConstraint("state <> 'refused' OR fault IS NOT NULL", name="says_why"),
        CheckConstraint("state <> 'accepted' OR (opening_minor IS NOT NULL AND closing_minor IS NOT NULL)", name="adds_up"),
        # The same file is accepted once; part is the place of the statement in it.
        Index(
            "uq_bank_statement_digest", "account_id", "digest", "part", unique=True,
            sqlite_where=text("state = 'accepted'"), postgresql_where=text("state = 'accepted'"),
        ),
        Index("ix_bank_statement_taken", "account_id", "taken_at", "id"),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("bank_account.id"))
    reference: Mapped[str] = mapped_column(Code)
    format: Mapped[str] = mapped_column(String(12))
    file_name: Mapped[str] = mapped_column(Name)
    digest: Mapped[str] = mapped_column(String(64))
    part: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(12))
    fault: Mapped[str | None] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(String(3))
    opening_minor: Mapped[int | None] = mapped_column(BigInteger)
    closing_minor: Mapped[int | None] = mapped_column(BigInteger)
    taken_by: Mapped[int] = mapped_column(BigInteger)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)


class BankStatementLine(Base):
    """One movement on the account, positive when money came. ``identity`` tells it from every other line of the account."""

    __tablename__ = "bank_line"
    __table_args__ = (
        states("state", LineState),
        states("outcome", LineOutcome),
        UniqueConstraint("statement_id", "line_no"),
        CheckConstraint(
            "state = 'rejected' OR (booked_on IS NOT NULL AND amount_minor IS NOT NULL AND identity IS NOT NULL)", name="readable"
        ),
        CheckConstraint("(state = 'assigned') = (outcome IS NOT NULL)", name="assigned_to_something"),
        CheckConstraint("(outcome = 'payout') = (payout_id IS NOT NULL) OR outcome IS NULL", name="payout_named"),
        Index(
            "ix_bank_line_payout", "payout_id", sqlite_where=text("payout_id IS NOT NULL"),
            postgresql_where=text("payout_id IS NOT NULL"),
        ),
        # A receipt is the money of one entry.
        Index(
            "uq_bank_line_receipt", "receipt_id", unique=True, sqlite_where=text("outcome IN ('receipt', 'typed')"),
            postgresql_where=text("outcome IN ('receipt', 'typed')"),
        ),
        Index(
            "uq_bank_line_identity", "account_id", "identity", unique=True,
            sqlite_where=text("state IN ('open', 'assigned')"), postgresql_where=text("state IN ('open', 'assigned')"),
        ),
        Index(
            "ix_bank_line_open", "entity_id", "id", sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("bank_account.id"))
    statement_id: Mapped[int] = mapped_column(ForeignKey("bank_statement.id"))
    line_no: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(12))
    fault: Mapped[str | None] = mapped_column(Text)
    booked_on: Mapped[date | None] = mapped_column(Date)
    valued_on: Mapped[date | None] = mapped_column(Date)
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    fee_minor: Mapped[int] = mapped_column(BigInteger)
    is_return: Mapped[bool] = mapped_column(Boolean)
    foreign_amount: Mapped[str | None] = mapped_column(String(40))
    payer_name: Mapped[str | None] = mapped_column(Name)
    payer_account: Mapped[str | None] = mapped_column(String(64))
    end_to_end: Mapped[str | None] = mapped_column(Code)
    bank_ref: Mapped[str | None] = mapped_column(Code)
    text: Mapped[str | None] = mapped_column(Text)
    raw: Mapped[str] = mapped_column(Text)
    identity: Mapped[str | None] = mapped_column(String(64))
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    outcome: Mapped[str | None] = mapped_column(String(12))
    receipt_id: Mapped[int | None] = mapped_column(ForeignKey("receipt.id"))
    payout_id: Mapped[int | None] = mapped_column(ForeignKey("settlement_payout.id"))
    assigned_by: Mapped[int | None] = mapped_column(BigInteger)
    assigned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    explanation: Mapped[str | None] = mapped_column(Text)


class BankPayer(Base):
    """From this account this customer pays: what a person has said, and nothing that was learnt."""

    __tablename__ = "bank_payer"
    __table_args__ = (UniqueConstraint("entity_id", "payer_account", "customer_id"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    payer_account: Mapped[str] = mapped_column(String(64))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    said_by: Mapped[int] = mapped_column(BigInteger)
    said_at: Mapped[datetime] = mapped_column(UtcDateTime)


frozen_when(BankStatement, "OLD.state IN ('accepted', 'refused')")
