"""What is told of rebate agreements: amounts in minor units; the customer, the document and the agreement by their ids."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from erpcore.kernel.events import Event


class RebateAgreed(Event, frozen=True, kw_only=True):
    """Two people agree to what a customer, or a group of customers, gets back on ``[valid_from, valid_until)``."""

    type: ClassVar[str] = "rebate.agreed"
    customer: int | None
    customer_group: int | None
    item: int | None
    item_group: int | None
    valid_from: date
    valid_until: date


class RebateAccrued(Event, frozen=True, kw_only=True):
    """A document accrued so much for itself; negative where it takes something back."""

    type: ClassVar[str] = "rebate.accrued"
    agreement: int
    document_type: str
    document: int
    amount: int


class RebateAdjusted(Event, frozen=True, kw_only=True):
    """What was accrued before is so much more, or less, since another tier is reached."""

    type: ClassVar[str] = "rebate.adjusted"
    agreement: int
    document_type: str
    document: int
    amount: int
    level: int


class RebateClaimed(Event, frozen=True, kw_only=True):
    """The customer asks for so much."""

    type: ClassVar[str] = "rebate.claimed"
    amount: int
    accrued: int


class RebateSettled(Event, frozen=True, kw_only=True):
    """So much was given back; ``difference`` is what of it was not accrued, negative what was accrued in vain."""

    type: ClassVar[str] = "rebate.settled"
    paid: int
    accrued: int
    difference: int
    is_final: bool
