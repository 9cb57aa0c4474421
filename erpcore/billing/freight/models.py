"""Bills of carriers and every line as the carrier wrote it."""

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

from erpcore.kernel.model import Base, Code, Key, Name, UtcDateTime, states


class BillState(StrEnum):
    """``refused`` ones are kept with their reason and never moved anything; ``reversed`` ones were in the books and are out again."""

    RECEIVED = "received"
    POSTED = "posted"
    REVERSED = "reversed"
    REFUSED = "refused"


class LineResult(StrEnum):
    """What a line was found to be. Only ``matched`` is owed without anybody's word."""

    MATCHED = "matched"
    DIFFERS = "differs"
    UNKNOWN = "unknown"
    NOT_LEFT = "not_left"
    OTHER_CARRIER = "other_carrier"
    BILLED = "billed"


class Decision(StrEnum):
    ACCEPTED = "accepted"
    DECLINED = "declined"


_KEPT = text("state NOT IN ('refused', 'reversed')")
_UNDECIDED = text("decision IS NULL AND result <> 'matched'")
_OWED = text("owed_minor <> 0")


class CarrierBill(Base):
    """One bill as the carrier sent it. ``net_minor`` and ``tax_minor`` are the sums of its lines, ``owed_minor`` what of it we owe once
    it is posted: less than both together where lines were declined.
    """

    __tablename__ = "carrier_bill"
    __table_args__ = (
        states("state", BillState),
        CheckConstraint("state <> 'refused' OR fault IS NOT NULL", name="says_why"),
        CheckConstraint("(state IN ('posted', 'reversed')) = (posted_at IS NOT NULL)", name="posted_once"),
        CheckConstraint("(state = 'reversed') = (reversed_at IS NOT NULL)", name="reversed_once"),
        Index(
            "uq_carrier_bill_number", "carrier_id", "number", unique=True, sqlite_where=_KEPT, postgresql_where=_KEPT
        ),
        Index(
            "uq_carrier_bill_digest", "carrier_id", "digest", unique=True, sqlite_where=_KEPT, postgresql_where=_KEPT
        ),
        Index("ix_carrier_bill_taken", "entity_id", "taken_at", "id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    carrier_id: Mapped[int] = mapped_column(ForeignKey("carrier.id"))
    number: Mapped[str] = mapped_column(Code)
    billed_on: Mapped[date] = mapped_column(Date)
    due_on: Mapped[date | None] = mapped_column(Date)
    file_name: Mapped[str] = mapped_column(Name)
    digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12))
    fault: Mapped[str | None] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(String(3))
    net_minor: Mapped[int] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    owed_minor: Mapped[int] = mapped_column(BigInteger)
    taken_by: Mapped[int] = mapped_column(BigInteger)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)
    posted_by: Mapped[int | None] = mapped_column(BigInteger)
    posted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reversed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer)


class CarrierBillLine(Base):
    """One line as the carrier wrote it: net, the tax on it, and the number by which it calls the shipment. ``expected_minor`` is what we
    expected for the shipment as a whole, ``chosen_id`` the shipment that a person named; ``owed_minor`` what of the line a posted bill
    owes, with tax. ``settles``: the shipment's carriage says this freight, which nobody had settled by hand before.
    """

    __tablename__ = "carrier_bill_line"
    __table_args__ = (
        states("result", LineResult),
        states("decision", Decision),
        UniqueConstraint("bill_id", "line_no"),
        CheckConstraint("(result IS NULL) = (explanation IS NULL)", name="explained"),
        CheckConstraint("result IS NULL OR amount_minor IS NOT NULL", name="readable"),
        CheckConstraint("decision IS NULL OR (reason IS NOT NULL AND decided_by IS NOT NULL)", name="decided_with_reason"),
        CheckConstraint("owed_minor = 0 OR owed_minor = amount_minor + tax_minor", name="owed_whole"),
        Index("ix_carrier_bill_line_open", "site_id", "id", sqlite_where=_UNDECIDED, postgresql_where=_UNDECIDED),
        Index("ix_carrier_bill_line_shipment", "shipment_id", "bill_id", sqlite_where=_OWED, postgresql_where=_OWED),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    bill_id: Mapped[int] = mapped_column(ForeignKey("carrier_bill.id"))
    line_no: Mapped[int] = mapped_column(Integer)
    reference: Mapped[str | None] = mapped_column(Code)
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    text: Mapped[str | None] = mapped_column(Text)
    raw: Mapped[str] = mapped_column(Text)
    fault: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    result: Mapped[str | None] = mapped_column(String(16))
    explanation: Mapped[str | None] = mapped_column(Text)
    shipment_id: Mapped[int | None] = mapped_column(ForeignKey("shipment.id"))
    expected_minor: Mapped[int | None] = mapped_column(BigInteger)
    chosen_id: Mapped[int | None] = mapped_column(ForeignKey("shipment.id"))
    decision: Mapped[str | None] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[int | None] = mapped_column(BigInteger)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    owed_minor: Mapped[int] = mapped_column(BigInteger)
    settles: Mapped[bool] = mapped_column(Boolean, default=False)
