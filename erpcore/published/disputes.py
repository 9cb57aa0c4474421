"""What is told of deductions and disputes: amounts in minor units; the customer and the invoice by their ids."""

from __future__ import annotations

from typing import ClassVar

from erpcore.kernel.events import Event


class DeductionRaised(Event, frozen=True, kw_only=True):
    """A customer paid an invoice short by so much, for that reason."""

    type: ClassVar[str] = "deduction.raised"
    invoice: int
    customer: int
    application: int
    amount: int
    reason: str


class DeductionJudged(Event, frozen=True, kw_only=True):
    """So much of a deduction is right (``is_valid``: it is credited), or is asked for again."""

    type: ClassVar[str] = "deduction.judged"
    invoice: int
    amount: int
    is_valid: bool


class DeductionRecovered(Event, frozen=True, kw_only=True):
    """The customer paid so much of a deduction after all."""

    type: ClassVar[str] = "deduction.recovered"
    invoice: int
    amount: int


class DeductionWrittenOff(Event, frozen=True, kw_only=True):
    """So much of a deduction is given up; ``within_tolerance``: it was too small to ask anybody."""

    type: ClassVar[str] = "deduction.written_off"
    invoice: int
    amount: int
    within_tolerance: bool


class DisputeOpened(Event, frozen=True, kw_only=True):
    """A customer objects to so much of an invoice; ``from_deduction``: after having paid it short."""

    type: ClassVar[str] = "dispute.opened"
    invoice: int
    customer: int
    amount: int
    reason: str
    from_deduction: bool


class DisputeResolved(Event, frozen=True, kw_only=True):
    """Nothing of a deduction or dispute is open any more, and what became of it, part by part."""

    type: ClassVar[str] = "dispute.resolved"
    invoice: int
    credited: int
    paid: int
    rebilled: int
    written_off: int
    withdrawn: int
