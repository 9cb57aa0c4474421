"""Tables of the projection: what became of each document, what is open, and the additive figures.

Written by the journeys consumer alone, in bulk (see store.py), and rebuilt from the events at any time; only samples of
states are not in the events and stay. What figures read before the programme, and who answers for them, people record.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, Index, Integer, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, Scaled, UtcDateTime, append_only, states
from readiness.measures.baseline_kinds import BaselineKind

#: SQLite keeps these tables in the order of their key: one tree instead of two, and ranges lie together.
_CLUSTERED = {"sqlite_with_rowid": False}


class JourneyRow(Base):
    """One order, return, invoice, receipt, transfer, arrival of goods or stock adjustment. An invoice's ``root_id`` is its order's id.

    ``calendar_seq`` is the place in the log of an order's last shipment: its working hours count by the calendars told before.
    Dimensions are as the events had them. ``opened`` is when the document began: captured, requested, triggered (posted,
    where no trigger was reported), received, adjusted. An invoice that is due and not drafted yet goes by its shipment's id. ``flags`` and ``misses`` are bit sets (journeys.py, catalogue.py).
    """

    __tablename__ = "journey"
    __table_args__ = (
        Index("ix_journey_site", "site", "kind", "opened_on"),
        Index("ix_journey_open", "kind", "site", sqlite_where=text("is_open"), postgresql_where=text("is_open")),
        _CLUSTERED,
    )
    root_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(12))
    realm: Mapped[str] = mapped_column(String(12))
    entity: Mapped[int] = mapped_column(BigInteger)
    site: Mapped[int | None] = mapped_column(BigInteger)
    channel: Mapped[int | None] = mapped_column(BigInteger)
    customer_group: Mapped[int | None] = mapped_column(BigInteger)
    grant_id: Mapped[int | None] = mapped_column(BigInteger)
    ruleset: Mapped[str | None] = mapped_column(String(64))
    variants: Mapped[str] = mapped_column(String(200))
    currency: Mapped[str | None] = mapped_column(String(3))
    actor: Mapped[int] = mapped_column(BigInteger)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    opened_on: Mapped[date | None] = mapped_column(Date)
    start_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    start_on: Mapped[date | None] = mapped_column(Date)
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    allocated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    picked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    shipped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    invoiced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    invoiced_on: Mapped[date | None] = mapped_column(Date)
    received_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    received_on: Mapped[date | None] = mapped_column(Date)
    credited_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paid_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    hold_ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    holds: Mapped[str | None] = mapped_column(Text)
    postings: Mapped[str | None] = mapped_column(Text)
    must_post: Mapped[int] = mapped_column(Integer)
    shipments: Mapped[int] = mapped_column(Integer)
    shipment_id: Mapped[int | None] = mapped_column(BigInteger)
    value: Mapped[int] = mapped_column(BigInteger)
    gross: Mapped[int] = mapped_column(BigInteger)
    remaining: Mapped[int] = mapped_column(BigInteger)
    topic: Mapped[str] = mapped_column(String(200))
    flags: Mapped[int] = mapped_column(Integer)
    misses: Mapped[int] = mapped_column(BigInteger)
    is_open: Mapped[bool] = mapped_column(Boolean)
    steps: Mapped[str] = mapped_column(Text)
    calendar_seq: Mapped[int | None] = mapped_column(BigInteger)


class JourneyLineRow(Base):
    """One order line and what became of it. Quantities in thousandths; ``quantity`` is the original one.

    ``shipments`` and ``deliveries`` are JSON lists of [microseconds since 1970, ordinal of the site's day, quantity], by time.
    ``backordered_at`` is when it was short for the first time. ``substitutes``: JSON list of [line sent instead, quantity of
    this line that it replaces, value of that, reason].
    """

    __tablename__ = "journey_line"
    __table_args__ = (_CLUSTERED,)
    journey_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    line: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    item: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(12))
    abc: Mapped[str | None] = mapped_column(String(8))
    basis: Mapped[str] = mapped_column(String(8))
    quantity: Mapped[int] = mapped_column(BigInteger)
    priced_quantity: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[int] = mapped_column(BigInteger)
    requested: Mapped[date | None] = mapped_column(Date)
    requested_ship: Mapped[date | None] = mapped_column(Date)
    committed: Mapped[date | None] = mapped_column(Date)
    early: Mapped[int] = mapped_column(SmallInteger)
    late: Mapped[int] = mapped_column(SmallInteger)
    first_promised: Mapped[date | None] = mapped_column(Date)
    promise_basis: Mapped[str | None] = mapped_column(String(8))
    promise_is_void: Mapped[bool] = mapped_column(Boolean)
    current_promised: Mapped[date | None] = mapped_column(Date)
    dropped: Mapped[int] = mapped_column(BigInteger)
    allocated: Mapped[int] = mapped_column(BigInteger)
    backordered: Mapped[int] = mapped_column(BigInteger)
    picked: Mapped[int] = mapped_column(BigInteger)
    short: Mapped[int] = mapped_column(BigInteger)
    shipped: Mapped[int] = mapped_column(BigInteger)
    delivered: Mapped[int] = mapped_column(BigInteger)
    shipments: Mapped[str | None] = mapped_column(Text)
    deliveries: Mapped[str | None] = mapped_column(Text)
    misses: Mapped[int] = mapped_column(BigInteger)
    backordered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    substitutes: Mapped[str | None] = mapped_column(Text)


class CalendarRow(Base):
    """A site's calendar as an event told it, by the event's place in the log (see ``worked.py``)."""

    __tablename__ = "measure_calendar"
    __table_args__ = (_CLUSTERED,)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    site: Mapped[int] = mapped_column(BigInteger)
    valid_from: Mapped[date] = mapped_column(Date)
    time_zone: Mapped[str] = mapped_column(String(48))
    week: Mapped[str] = mapped_column(Text)
    closed: Mapped[str] = mapped_column(Text)


class ControlLimit(Base):
    """How long a document may stand at a control point of a live site, in minutes of its working hours, and why so long.

    Only what differs from the usual limit has a row; what it was before stands in the audit trail. Twins keep the live site's.
    """

    __tablename__ = "control_limit"
    __table_args__ = (CheckConstraint("minutes BETWEEN 1 AND 14400", name="minutes"),)
    site_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    point: Mapped[str] = mapped_column(String(24), primary_key=True)
    minutes: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(String(200))
    set_by: Mapped[int] = mapped_column(BigInteger)
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)


class WaitRow(Base):
    """A document that stands at a control point or in the backlog now, or a line of it (its ``id``) that is backordered;
    ageing reads these rows and no others.

    The clock of the limit runs from ``since`` and not before the first instant of ``due_on``; ``deadline_at`` replaces the
    limit. ``cohort`` is the start that its time measure counts from.
    """

    __tablename__ = "journey_wait"
    __table_args__ = (Index("ix_journey_wait_point", "point", "slice_id"), _CLUSTERED)
    root_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    point: Mapped[str] = mapped_column(String(24), primary_key=True)
    slice_id: Mapped[int] = mapped_column(BigInteger)
    dimension: Mapped[str] = mapped_column(String(64))
    customer_group: Mapped[int] = mapped_column(BigInteger)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    due_on: Mapped[date | None] = mapped_column(Date)
    deadline_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cohort_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cohort_on: Mapped[date | None] = mapped_column(Date)
    value: Mapped[int] = mapped_column(BigInteger)


class SliceRow(Base):
    """A combination of dimensions that documents ran in. ``variants`` is the class of ruleset: empty for the standard."""

    __tablename__ = "measure_slice"
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    realm: Mapped[str] = mapped_column(String(12))
    entity: Mapped[int] = mapped_column(BigInteger)
    site: Mapped[int | None] = mapped_column(BigInteger)
    channel: Mapped[int | None] = mapped_column(BigInteger)
    process: Mapped[str] = mapped_column(String(24))
    variants: Mapped[str] = mapped_column(String(200))
    grant_id: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))


class MeasureRow(Base):
    """The number that buckets know a measure and version by."""

    __tablename__ = "measure"
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(SmallInteger)


class BucketRow(Base):
    """Additive sums of one measure, slice, period and dimension. Rows of zeros mean nothing.

    ``period`` is the ordinal of a site's day (739,000 and so on), or ordinal × 24 + UTC hour (17.7 million and so on) for
    hourly samples: the two never meet. Sums of money are minor units. Squares of money are in whole hundreds of minor
    units: a document of a million, squared in minor units, is 10^16, and a thousand of them would not fit into 64 bits.
    """

    __tablename__ = "measure_bucket"
    __table_args__ = (_CLUSTERED,)
    measure_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    slice_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    period: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    dimension: Mapped[str] = mapped_column(String(64), primary_key=True)
    customer_group: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    documents: Mapped[int] = mapped_column(BigInteger)
    x: Mapped[int] = mapped_column(BigInteger)
    y: Mapped[int] = mapped_column(BigInteger)
    xx: Mapped[int] = mapped_column(BigInteger)
    xy: Mapped[int] = mapped_column(BigInteger)
    yy: Mapped[int] = mapped_column(BigInteger)
    samples: Mapped[int] = mapped_column(Integer)


class SketchRow(Base):
    """How many times fell into one logarithmic bin (sketch.py) of a bucket."""

    __tablename__ = "measure_sketch"
    __table_args__ = (_CLUSTERED,)
    measure_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    slice_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    period: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    dimension: Mapped[str] = mapped_column(String(64), primary_key=True)
    customer_group: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    bin: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(BigInteger)


class ActorRow(Base):
    """How many documents of a bucket one person began; read as a number of people, never shown by name."""

    __tablename__ = "measure_actor"
    __table_args__ = (_CLUSTERED,)
    measure_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    slice_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    period: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    actor: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(BigInteger)


class ControlResultRow(Base):
    """The last comparison of a control where it was made. ``site`` 0: for the whole entity."""

    __tablename__ = "control_result"
    __table_args__ = (_CLUSTERED,)
    realm: Mapped[str] = mapped_column(String(12), primary_key=True)
    entity: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    site: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    control: Mapped[str] = mapped_column(String(64), primary_key=True)
    unit: Mapped[str] = mapped_column(String(16))
    difference: Mapped[int] = mapped_column(BigInteger)
    tolerance: Mapped[int] = mapped_column(BigInteger)
    read_to: Mapped[int] = mapped_column(BigInteger)
    compared_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seq: Mapped[int] = mapped_column(BigInteger)


class BaselineRow(Base):
    """What a figure read before the programme: computed by its own formula, or typed with its source. The last one counts.

    ``period_until`` is the first day after the period. ``completeness`` is the share of the period of which there is something.
    """

    __tablename__ = "measure_baseline"
    __table_args__ = (
        states("kind", BaselineKind),
        Index("ix_measure_baseline_figure", "figure", "site_id"),
        CheckConstraint("period_until > period_from", name="period"),
        CheckConstraint("completeness BETWEEN 0 AND 10000", name="completeness"),
        CheckConstraint("is_comparable OR why_not <> ''", name="why_not_said"),
        CheckConstraint("(kind = 'taken') = (realm IS NOT NULL)", name="realm_of_taken"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    figure: Mapped[str] = mapped_column(String(80))
    version: Mapped[int] = mapped_column(Integer)
    site_id: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(8))
    realm: Mapped[str | None] = mapped_column(String(12))
    value: Mapped[Decimal] = mapped_column(Scaled(6))
    count: Mapped[int | None] = mapped_column(BigInteger)
    period_from: Mapped[date] = mapped_column(Date)
    period_until: Mapped[date] = mapped_column(Date)
    completeness: Mapped[Decimal] = mapped_column(Scaled(4))
    method: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    is_comparable: Mapped[bool] = mapped_column(Boolean)
    why_not: Mapped[str] = mapped_column(Text)
    recorded_by: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class MeasureOwnerRow(Base):
    """Who answers for a measure from ``since`` on; ``person_id`` ``None``: nobody any more. The last one counts."""

    __tablename__ = "measure_owner"
    __table_args__ = (Index("ix_measure_owner_measure", "measure"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    measure: Mapped[str] = mapped_column(String(64))
    person_id: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    recorded_by: Mapped[int] = mapped_column(BigInteger)
    since: Mapped[datetime] = mapped_column(UtcDateTime)


append_only(BaselineRow, MeasureOwnerRow)
