"""The exposure row of each customer."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base


class CreditExposure(Base):
    """Open receivable plus what is released and not yet invoiced, in minor units of the customer's currency."""

    __tablename__ = "credit_exposure"
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    exposure_minor: Mapped[int] = mapped_column(BigInteger)
