"""Tables of scarce stock: runs that allocate it with their explanation, what is kept for contracts, what was chosen when short."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Integer, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, Quantity, UtcDateTime, append_only, states


class RunState(StrEnum):
    """Simulated runs change nothing; a committed one has, and what it decided stays."""

    SIMULATED = "simulated"
    COMMITTED = "committed"
    REJECTED = "rejected"


class RunTrigger(StrEnum):
    """Why a run was made."""

    PERSON = "person"
    STOCK = "stock"


class AllocationRun(Base):
    """One look at who waits for what at a site, and what each would get. ``is_moved``: somebody changed its ranking by hand.

    ``item_id`` limits it to one item. Who asked for a run whose ranking was changed never commits it.
    """

    __tablename__ = "allocation_run"
    __table_args__ = (
        states("state", RunState),
        states("trigger", RunTrigger),
        Index("ix_allocation_run_site", "site_id", "simulated_at"),
        Index(
            "ix_allocation_run_open", "site_id",
            sqlite_where=text("state = 'simulated'"), postgresql_where=text("state = 'simulated'"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    item_id: Mapped[int | None] = mapped_column(ForeignKey("item.id"))
    state: Mapped[str] = mapped_column(String(12))
    trigger: Mapped[str] = mapped_column(String(12))
    simulated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    simulated_by: Mapped[int] = mapped_column(BigInteger)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(Text)
    moved_by: Mapped[int | None] = mapped_column(BigInteger)
    moved_reason: Mapped[str | None] = mapped_column(Text)
    places: Mapped[int] = mapped_column(Integer)
    lines: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer)


class AllocationRunPlace(Base):
    """The inputs of one item in a run: what was free, what was wanted, by which rule it was shared."""

    __tablename__ = "allocation_run_place"
    run_id: Mapped[int] = mapped_column(ForeignKey("allocation_run.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True, autoincrement=False)
    rule: Mapped[str] = mapped_column(String(24))
    free: Mapped[Decimal] = mapped_column(Quantity)
    wanted: Mapped[Decimal] = mapped_column(Quantity)
    given: Mapped[Decimal] = mapped_column(Quantity)
    protected: Mapped[Decimal] = mapped_column(Quantity)


class AllocationRunLine(Base):
    """One line in a run: where it ranks and why, what it gets, and what every rule would have given it.

    ``moved_to``: its rank as changed by hand. What ranked it is kept as it was.
    """

    __tablename__ = "allocation_run_line"
    __table_args__ = (
        Index("ix_allocation_run_line_item", "run_id", "item_id", "rank"),
        CheckConstraint("got >= 0 AND got <= wanted", name="got_at_most_wanted"),
    )
    run_id: Mapped[int] = mapped_column(ForeignKey("allocation_run.id"), primary_key=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"), primary_key=True, autoincrement=False)
    order_id: Mapped[int] = mapped_column(BigInteger)
    item_id: Mapped[int] = mapped_column(BigInteger)
    customer_id: Mapped[int] = mapped_column(BigInteger)
    rank: Mapped[int] = mapped_column(Integer)
    moved_to: Mapped[int | None] = mapped_column(Integer)
    wanted: Mapped[Decimal] = mapped_column(Quantity)
    got: Mapped[Decimal] = mapped_column(Quantity)
    why: Mapped[str] = mapped_column(String(24))
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    priority: Mapped[int] = mapped_column(SmallInteger)
    tier: Mapped[int] = mapped_column(SmallInteger)
    by_first_come: Mapped[Decimal] = mapped_column(Quantity)
    by_priority: Mapped[Decimal] = mapped_column(Quantity)
    by_contract: Mapped[Decimal] = mapped_column(Quantity)
    by_fair_share: Mapped[Decimal] = mapped_column(Quantity)


class StockProtection(Base):
    """So much of an item at a site is kept for one customer by contract, where the allocation rule protects contracts."""

    __tablename__ = "stock_protection"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="protects_something"),
        CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name="validity"),
        Index("ix_stock_protection_place", "site_id", "item_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    contract: Mapped[str] = mapped_column(String(120))
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)


class TakeBackState(StrEnum):
    """A wish to take stock back that another person agrees to or not."""

    PROPOSED = "proposed"
    DONE = "done"
    REJECTED = "rejected"


class TakeBackWish(Base):
    """So much allocated stock should go from one line to another that ranks better. Who asked never decides."""

    __tablename__ = "take_back_wish"
    __table_args__ = (
        states("state", TakeBackState),
        CheckConstraint("quantity > 0", name="takes_something"),
        CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="two_people"),
        Index(
            "ix_take_back_wish_open", "site_id",
            sqlite_where=text("state = 'proposed'"), postgresql_where=text("state = 'proposed'"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    from_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"))
    to_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[int] = mapped_column(BigInteger)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[int | None] = mapped_column(BigInteger)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    note: Mapped[str | None] = mapped_column(Text)


class ShortageChoice(Base):
    """What somebody chose for a short line, out of what, and why. ``facts`` are the options as they stood, as JSON."""

    __tablename__ = "shortage_choice"
    __table_args__ = (Index("ix_shortage_choice_line", "order_line_id"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    order_id: Mapped[int] = mapped_column(ForeignKey("sales_order.id"))
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"))
    option: Mapped[str] = mapped_column(String(24))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    reason: Mapped[str] = mapped_column(Text)
    facts: Mapped[str] = mapped_column(Text)
    chosen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    chosen_by: Mapped[int] = mapped_column(BigInteger)


append_only(ShortageChoice)
