"""What decides the tax of a line: rates by place and class, where a company is registered, who is exempt until when."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, Scaled, states

EVERY = "*"


class TaxCategory(StrEnum):
    """What kind of tax it is, by the codes of UNCL 5305 that EN 16931 names."""

    STANDARD = "S"
    ZERO = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    INTRA_COMMUNITY = "K"
    EXPORT = "G"
    OUTSIDE = "O"


#: Kinds under which no tax is charged.
UNTAXED = frozenset(set(TaxCategory) - {TaxCategory.STANDARD})


class TaxRate(Base):
    """A tax rule: the rate on what goes from one country to another, for a class of customers and of items, from a day on.

    ``*`` stands for every country or class. No rule that fits: tax is undetermined. ``registration``: the country in which the
    company must be registered. ``needs_number``: the customer must have a tax number in the country of destination.
    """

    __tablename__ = "tax_rate"
    __table_args__ = (
        Index("ix_tax_rate_lookup", "entity_id", "country"),
        states("category", TaxCategory),
        CheckConstraint("category = 'S' OR rate = 0", name="untaxed"),
        CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name="days"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    country: Mapped[str] = mapped_column(String(64))
    customer_tax_class: Mapped[str] = mapped_column(String(24))
    item_tax_class: Mapped[str] = mapped_column(String(24))
    rate: Mapped[Decimal] = mapped_column(Scaled(6))
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    ship_from: Mapped[str] = mapped_column(String(64), server_default=text("'*'"), default=EVERY)
    code: Mapped[str] = mapped_column(String(24), server_default=text("''"), default="")
    category: Mapped[str] = mapped_column(String(2), server_default=text("'S'"), default=TaxCategory.STANDARD)
    sentence: Mapped[str | None] = mapped_column(Text)
    registration: Mapped[str | None] = mapped_column(String(64))
    needs_number: Mapped[bool] = mapped_column(server_default=text("false"), default=False)


class TaxRegistration(Base):
    """The tax number of a company in a country, or of one of its customers there."""

    __tablename__ = "tax_registration"
    __table_args__ = (
        Index("ix_tax_registration_of", "entity_id", "customer_id"),
        CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name="days"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    country: Mapped[str] = mapped_column(String(64))
    number: Mapped[str] = mapped_column(String(32))
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)


class TaxExemption(Base):
    """A customer pays no tax in a country, for a class of items, by a certificate that runs out."""

    __tablename__ = "tax_exemption"
    __table_args__ = (
        Index("ix_tax_exemption_customer", "customer_id"),
        CheckConstraint("valid_until > valid_from", name="days"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    country: Mapped[str] = mapped_column(String(64))
    item_tax_class: Mapped[str] = mapped_column(String(24))
    certificate: Mapped[str] = mapped_column(String(64))
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date] = mapped_column(Date)
