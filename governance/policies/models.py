"""Tables of the values that depart from the standard. Scopes are named by the ids of live rows; names are learnt where shown."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, UtcDateTime, states
from governance.policies.flow import ValueState


class PolicyValue(Base):
    """One value of one policy point for a scope, from ``valid_from`` until before ``valid_until``. ``value`` is JSON.

    A dimension that is ``None`` holds for all of them. Who asked and who decided are different people.
    """

    __tablename__ = "policy_value"
    __table_args__ = (
        states("state", ValueState),
        CheckConstraint("valid_until > valid_from", name="validity"),
        CheckConstraint("decided_by IS NULL OR decided_by <> requested_by", name="four_eyes"),
        CheckConstraint(
            "entity_id IS NOT NULL OR site_id IS NOT NULL OR channel_id IS NOT NULL OR customer_group_id IS NOT NULL"
            " OR item_group_id IS NOT NULL",
            name="scope_named",
        ),
        Index("ix_policy_value_state", "state", "point"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    point: Mapped[str] = mapped_column(String(48))
    value: Mapped[str] = mapped_column(Text)
    entity_id: Mapped[int | None] = mapped_column(BigInteger)
    site_id: Mapped[int | None] = mapped_column(BigInteger)
    channel_id: Mapped[int | None] = mapped_column(BigInteger)
    customer_group_id: Mapped[int | None] = mapped_column(BigInteger)
    item_group_id: Mapped[int | None] = mapped_column(BigInteger)
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_until: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(12))
    version: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[int] = mapped_column(BigInteger)
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[int | None] = mapped_column(BigInteger)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision_reason: Mapped[str | None] = mapped_column(Text)
    revoked_by: Mapped[int | None] = mapped_column(BigInteger)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoke_reason: Mapped[str | None] = mapped_column(Text)


class PolicyRegister(Base):
    """A word that changes whenever a value begins or ceases to be approved. Always one row, which also puts approvals in order."""

    __tablename__ = "policy_register"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    revision: Mapped[str] = mapped_column(String(32))
