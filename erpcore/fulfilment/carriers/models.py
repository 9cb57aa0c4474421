"""Carriers with services, cut-offs and rules, and the carriage of a shipment: by whom, at what cost, what went wrong."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    Time,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Name, Price, Scaled, UtcDateTime, states


class LabelFormat(StrEnum):
    """The paper a carrier's label is printed on."""

    A6 = "a6"
    LABEL_100_150 = "100x150"
    A4 = "a4"


class TroubleKind(StrEnum):
    """What a carrier reports that is no delivery."""

    DELAYED = "delayed"
    REFUSED = "refused"
    LOST = "lost"


class Carrier(Base):
    """Who drives. ``tracking_address`` holds ``{number}`` where the tracking number goes."""

    __tablename__ = "carrier"
    __table_args__ = (UniqueConstraint("entity_id", "code"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)
    tracking_address: Mapped[str | None] = mapped_column(String(300))
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)


class CarrierService(Base):
    """What a carrier offers. Freight is estimated as base charge + weight × price per kilogram, in the entity's currency."""

    __tablename__ = "carrier_service"
    __table_args__ = (
        UniqueConstraint("carrier_id", "code"),
        states("label_format", LabelFormat),
        CheckConstraint("base_charge >= 0 AND per_kg >= 0 AND transit_days >= 0", name="not_negative"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    carrier_id: Mapped[int] = mapped_column(ForeignKey("carrier.id"))
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)
    transit_days: Mapped[int] = mapped_column(SmallInteger)
    label_format: Mapped[str] = mapped_column(String(12))
    is_premium: Mapped[bool] = mapped_column(Boolean, default=False)
    base_charge: Mapped[Decimal] = mapped_column(Price)
    per_kg: Mapped[Decimal] = mapped_column(Price)
    most_kg: Mapped[Decimal | None] = mapped_column(Scaled(3))
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)


class CarrierCutOff(Base):
    """When a service collects at a site on a weekday (0 is Monday), in the site's time; a weekday without a row: never."""

    __tablename__ = "carrier_cut_off"
    __table_args__ = (
        UniqueConstraint("service_id", "site_id", "weekday"),
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday_known"),
        Index("ix_carrier_cut_off_site", "site_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    service_id: Mapped[int] = mapped_column(ForeignKey("carrier_service.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    weekday: Mapped[int] = mapped_column(SmallInteger)
    cut_off: Mapped[time] = mapped_column(Time)


class CarrierRule(Base):
    """Which service a shipment takes. A dimension that is not named fits all; the rule that names most wins, then the lighter
    weight limit, then the newer rule.
    """

    __tablename__ = "carrier_rule"
    __table_args__ = (
        Index("ix_carrier_rule_entity", "entity_id"),
        CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name="validity"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    channel_id: Mapped[int | None] = mapped_column(ForeignKey("channel.id"))
    customer_group_id: Mapped[int | None] = mapped_column(ForeignKey("customer_group.id"))
    country: Mapped[str | None] = mapped_column(String(64))
    most_kg: Mapped[Decimal | None] = mapped_column(Scaled(3))
    service_id: Mapped[int] = mapped_column(ForeignKey("carrier_service.id"))
    reason: Mapped[str] = mapped_column(String(200))
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)


class Carriage(Base):
    """How a shipment travels: by which service, with what papers, at what freight. Imports and plain confirmations have none.

    ``collected_on`` is the day of the collection it goes with; ``missed_cut_off``: it was confirmed after that day's cut-off
    and waits for the next. ``premium_reason``: why a dearer service than the rule's was taken.
    """

    __tablename__ = "carriage"
    __table_args__ = (
        CheckConstraint("freight_estimate_minor >= 0 AND freight_actual_minor >= 0", name="not_negative"),
        Index("ix_carriage_service", "service_id", "collected_on"),
        Index("ix_carriage_tracking", "tracking_number"),
        Index(
            "ix_carriage_missed", "shipment_id",
            sqlite_where=text("missed_cut_off IS 1"), postgresql_where=text("missed_cut_off IS true"),
        ),
    )  # fmt: skip
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipment.id"), primary_key=True, autoincrement=False)
    service_id: Mapped[int | None] = mapped_column(ForeignKey("carrier_service.id"))
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("carrier_rule.id"))
    tracking_number: Mapped[str | None] = mapped_column(String(80))
    weight_kg: Mapped[Decimal | None] = mapped_column(Scaled(3))
    currency: Mapped[str] = mapped_column(String(3))
    freight_estimate_minor: Mapped[int | None] = mapped_column(BigInteger)
    freight_actual_minor: Mapped[int | None] = mapped_column(BigInteger)
    premium_reason: Mapped[str | None] = mapped_column(String(200))
    collected_on: Mapped[date | None] = mapped_column(Date)
    missed_cut_off: Mapped[bool] = mapped_column(Boolean, default=False)
    packed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer)


class Trouble(Base):
    """A shipment that was delayed, refused or lost on the way: why, who looks after it, until when, and how it ended."""

    __tablename__ = "shipment_trouble"
    __table_args__ = (
        states("kind", TroubleKind),
        Index("ix_shipment_trouble_shipment", "shipment_id"),
        Index(
            "ix_shipment_trouble_open", "site_id", "due_at",
            sqlite_where=text("resolved_at IS NULL"), postgresql_where=text("resolved_at IS NULL"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipment.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    kind: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(200))
    expected_on: Mapped[date | None] = mapped_column(Date)
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opened_by: Mapped[int] = mapped_column(BigInteger)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_by: Mapped[int | None] = mapped_column(BigInteger)
    resolution: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)


class DeliveryProof(Base):
    """Who took the goods at the door. Apart from the shipment, because a name can be erased and history cannot."""

    __tablename__ = "delivery_proof"
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipment.id"), primary_key=True, autoincrement=False)
    received_by: Mapped[str] = mapped_column(Name)
    note: Mapped[str | None] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
