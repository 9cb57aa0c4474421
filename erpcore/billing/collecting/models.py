"""Who looks after the debts of a customer and until when nothing is due, what was said to them, and whose customers of a group are."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Date, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, Name, UtcDateTime, append_only, states


class ContactKind(StrEnum):
    """How somebody was spoken to."""

    CALL = "call"
    MAIL = "mail"
    LETTER = "letter"
    VISIT = "visit"


class CollectionCase(Base):
    """A customer somebody works for. ``owner_id``: who was named for this one; ``follow_up_on``: the day they are due again."""

    __tablename__ = "collection_case"
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    follow_up_on: Mapped[date | None] = mapped_column(Date)


class CollectionContact(Base):
    """Somebody spoke to a customer: with whom, what was said, and when it is followed up."""

    __tablename__ = "collection_contact"
    __table_args__ = (states("kind", ContactKind), Index("ix_collection_contact_customer", "customer_id", "id"))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    kind: Mapped[str] = mapped_column(String(8))
    spoke_with: Mapped[str] = mapped_column(Name)
    said: Mapped[str] = mapped_column(Text)
    follow_up_on: Mapped[date | None] = mapped_column(Date)
    actor: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


append_only(CollectionContact)


class CollectionRoute(Base):
    """Customers of a group, or without a group of the whole company, are this person's unless somebody is named for them."""

    __tablename__ = "collection_route"
    __table_args__ = (
        Index(
            "uq_collection_route_group", "entity_id", "customer_group_id", unique=True,
            sqlite_where=text("customer_group_id IS NOT NULL"), postgresql_where=text("customer_group_id IS NOT NULL"),
        ),
        Index(
            "uq_collection_route_all", "entity_id", unique=True, sqlite_where=text("customer_group_id IS NULL"),
            postgresql_where=text("customer_group_id IS NULL"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    customer_group_id: Mapped[int | None] = mapped_column(ForeignKey("customer_group.id"))
    owner_id: Mapped[int] = mapped_column(BigInteger)
