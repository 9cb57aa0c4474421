"""Partners who sell for us, the payouts that they report, and every line as they wrote it."""

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

from erpcore.kernel.model import Base, Code, Key, Name, Scaled, UtcDateTime, append_only, states


class PayoutState(StrEnum):
    """``refused`` ones are kept with their reason and never move anything."""

    RECEIVED = "received"
    POSTED = "posted"
    REFUSED = "refused"


class PayoutLineKind(StrEnum):
    """What a line of a payout is about. ``transfer`` is the money that was sent to us, with the opposite sign."""

    SALE = "sale"
    REFUND = "refund"
    FEE = "fee"
    RESERVE_HELD = "reserve_held"
    RESERVE_RELEASED = "reserve_released"
    TAX_WITHHELD = "tax_withheld"
    TAX_COLLECTED = "tax_collected"
    ADJUSTMENT = "adjustment"
    TRANSFER = "transfer"


class MatchResult(StrEnum):
    """``differs``: we know what it is about, and it is not as we have it. ``unknown``: we do not know."""

    MATCHED = "matched"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


class DifferenceOutcome(StrEnum):
    ACCEPTED = "accepted"
    OFFSET = "offset"


class SettlementPartner(Base):
    """Who sells for a company through a channel and pays out what customers paid. ``fee_rate``: the share of what was sold that was
    agreed as fee, without tax. ``mapping`` says how the partner's files are read (JSON).
    """

    __tablename__ = "settlement_partner"
    __table_args__ = (
        UniqueConstraint("entity_id", "code"),
        UniqueConstraint("entity_id", "channel_id"),
        CheckConstraint("fee_rate BETWEEN 0 AND 1000000", name="fee_rate_range"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    channel_id: Mapped[int] = mapped_column(ForeignKey("channel.id"))
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)
    currency: Mapped[str] = mapped_column(String(3))
    fee_rate: Mapped[Decimal] = mapped_column(Scaled(6))
    mapping: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)


_KEPT = text("state <> 'refused'")


class Payout(Base):
    """One payout as the partner reports it. ``gross_minor`` is what was sold, ``transfer_minor`` what is paid to us (negative: by us),
    ``paid_minor`` what of it the bank has brought. ``posting_id`` is the posting that is in the books.
    """

    __tablename__ = "settlement_payout"
    __table_args__ = (
        states("state", PayoutState),
        CheckConstraint("state <> 'refused' OR fault IS NOT NULL", name="says_why"),
        CheckConstraint("(state = 'posted') = (posting_id IS NOT NULL)", name="posted_once"),
        CheckConstraint("state <> 'refused' OR paid_minor = 0", name="paid_when_kept"),
        Index(
            "uq_settlement_payout_digest", "partner_id", "digest", unique=True, sqlite_where=_KEPT, postgresql_where=_KEPT,
        ),
        Index(
            "uq_settlement_payout_reference", "partner_id", "reference", unique=True, sqlite_where=_KEPT,
            postgresql_where=_KEPT,
        ),
        Index("ix_settlement_payout_taken", "entity_id", "taken_at", "id"),
        Index(
            "ix_settlement_payout_owed", "entity_id", "id",
            sqlite_where=text("state = 'posted' AND transfer_minor <> paid_minor"),
            postgresql_where=text("state = 'posted' AND transfer_minor <> paid_minor"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    partner_id: Mapped[int] = mapped_column(ForeignKey("settlement_partner.id"))
    reference: Mapped[str] = mapped_column(Code)
    file_name: Mapped[str] = mapped_column(Name)
    digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12))
    fault: Mapped[str | None] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(String(3))
    gross_minor: Mapped[int] = mapped_column(BigInteger)
    transfer_minor: Mapped[int] = mapped_column(BigInteger)
    paid_minor: Mapped[int] = mapped_column(BigInteger)
    posting_id: Mapped[int | None] = mapped_column(BigInteger)
    taken_by: Mapped[int] = mapped_column(BigInteger)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)
    posted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer)


_UNEXPLAINED = text("open_minor <> 0")


class PayoutLine(Base):
    """One line as the partner wrote it, positive when it is in our favour; ``tax_minor`` is the tax within. ``parts`` are the documents
    that it settles (JSON), ``unexplained_minor`` what no document explains and ``open_minor`` what of that nobody has settled. ``chosen_id``: the document that a person named.
    """

    __tablename__ = "settlement_line"
    __table_args__ = (
        states("kind", PayoutLineKind),
        states("result", MatchResult),
        states("outcome", DifferenceOutcome),
        UniqueConstraint("payout_id", "line_no"),
        CheckConstraint("(result IS NULL) = (explanation IS NULL)", name="explained"),
        CheckConstraint("result IS NULL OR (kind IS NOT NULL AND amount_minor IS NOT NULL)", name="readable"),
        Index("ix_settlement_line_order", "partner_id", "order_reference"),
        Index("ix_settlement_line_open", "site_id", "id", sqlite_where=_UNEXPLAINED, postgresql_where=_UNEXPLAINED),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    partner_id: Mapped[int] = mapped_column(ForeignKey("settlement_partner.id"))
    payout_id: Mapped[int] = mapped_column(ForeignKey("settlement_payout.id"))
    line_no: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str | None] = mapped_column(String(20))
    booked_on: Mapped[date | None] = mapped_column(Date)
    order_reference: Mapped[str | None] = mapped_column(Code)
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    text: Mapped[str | None] = mapped_column(Text)
    raw: Mapped[str] = mapped_column(Text)
    fault: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    result: Mapped[str | None] = mapped_column(String(12))
    confidence: Mapped[int] = mapped_column(SmallInteger)
    explanation: Mapped[str | None] = mapped_column(Text)
    parts: Mapped[str] = mapped_column(Text)
    unexplained_minor: Mapped[int] = mapped_column(BigInteger)
    open_minor: Mapped[int] = mapped_column(BigInteger)
    chosen_id: Mapped[int | None] = mapped_column(BigInteger)
    outcome: Mapped[str | None] = mapped_column(String(12))


class PayoutPosting(Base):
    """A payout came into the books, or (``reverses_id``) was taken out again."""

    __tablename__ = "settlement_posting"
    __table_args__ = (
        CheckConstraint("reverses_id IS NULL OR reason IS NOT NULL", name="says_why"),
        UniqueConstraint("reverses_id"),
        Index("ix_settlement_posting_payout", "payout_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    payout_id: Mapped[int] = mapped_column(ForeignKey("settlement_payout.id"))
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("settlement_posting.id"))
    reason: Mapped[str | None] = mapped_column(Text)
    posted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[int] = mapped_column(BigInteger)


class PayoutDeed(Base):
    """What a posting did elsewhere: the receipt that it took, or the credit memo that it set against an invoice and the receipt that
    gave the money back.
    """

    __tablename__ = "settlement_deed"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="moves_something"),
        Index("ix_settlement_deed_posting", "posting_id"),
        Index("ix_settlement_deed_receipt", "receipt_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    posting_id: Mapped[int] = mapped_column(ForeignKey("settlement_posting.id"))
    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipt.id"))
    credit_application_id: Mapped[int | None] = mapped_column(ForeignKey("credit_application.id"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)


class Explanation(Base):
    """So much of what was unexplained of a line is accepted, or set against another line, with its reason. Signed as the line."""

    __tablename__ = "settlement_explanation"
    __table_args__ = (
        states("outcome", DifferenceOutcome),
        CheckConstraint("amount_minor <> 0", name="explains_something"),
        CheckConstraint("(outcome = 'offset') = (other_line_id IS NOT NULL)", name="offset_against"),
        Index("ix_settlement_explanation_line", "line_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    line_id: Mapped[int] = mapped_column(ForeignKey("settlement_line.id"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    outcome: Mapped[str] = mapped_column(String(12))
    other_line_id: Mapped[int | None] = mapped_column(ForeignKey("settlement_line.id"))
    reason: Mapped[str] = mapped_column(Text)
    explained_at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[int] = mapped_column(BigInteger)


append_only(PayoutPosting, PayoutDeed, Explanation)
