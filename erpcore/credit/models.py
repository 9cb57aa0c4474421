"""What each customer owes: open receivables, and the one exposure row that is locked when credit is checked."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, states


class CreditExposure(Base):
    """What a customer owes and will owe, in minor units of the entity's currency; the three parts add up to the exposure.

    ``receivable_minor`` is open on posted documents, ``shipped_minor`` has left and is not invoiced, ``released_minor`` is
    released and has not left.
    """

    __tablename__ = "credit_exposure"
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    receivable_minor: Mapped[int] = mapped_column(BigInteger)
    shipped_minor: Mapped[int] = mapped_column(BigInteger)
    released_minor: Mapped[int] = mapped_column(BigInteger)


class Receivable(Base):
    """What is open of an invoice or dunning fee (positive), credit memo (negative) or bad-debt journal: the scarce figure beside them."""

    __tablename__ = "receivable"
    __table_args__ = (
        states("document_type", ("invoice", "credit_memo", "debt_journal", "dunning_fee")),
        CheckConstraint(
            "(amount_minor >= 0 AND open_minor BETWEEN 0 AND amount_minor) "
            "OR (amount_minor < 0 AND open_minor BETWEEN amount_minor AND 0)",
            name="within",
        ),
        Index(
            "ix_receivable_open", "customer_id", "due_on",
            sqlite_where=text("open_minor <> 0"), postgresql_where=text("open_minor <> 0"),
        ),
    )  # fmt: skip
    document_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    document_type: Mapped[str] = mapped_column(String(12))
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    open_minor: Mapped[int] = mapped_column(BigInteger)
    due_on: Mapped[date] = mapped_column(Date)
