"""What is told of payouts of partners: they came, were matched, and are in the books or out of them again."""

from __future__ import annotations

from typing import ClassVar

from erpcore.kernel.events import Event


class SettlementReceived(Event, frozen=True, kw_only=True):
    """A payout adds up and waits to be posted. ``gross`` is what the partner sold, ``transfer`` what it pays; ``unexplained`` the sum of
    what no document explains, without signs.
    """

    type: ClassVar[str] = "settlement.received"
    partner: int
    lines: int
    gross: int
    transfer: int
    unexplained: int


class SettlementMatched(Event, frozen=True, kw_only=True):
    """The lines of a payout were set against our documents (anew)."""

    type: ClassVar[str] = "settlement.matched"
    partner: int
    matched: int
    differs: int
    unknown: int
    unexplained: int


class SettlementDiffered(Event, frozen=True, kw_only=True):
    """A line is not as we have it, or means nothing that we know; ``unexplained`` of it is nobody's yet."""

    type: ClassVar[str] = "settlement.differed"
    partner: int
    payout: int
    kind: str
    result: str
    amount: int
    unexplained: int


class SettlementPosted(Event, frozen=True, kw_only=True):
    """A payout is in the books, with what is unexplained of it on an account of its own."""

    type: ClassVar[str] = "settlement.posted"
    partner: int
    gross: int
    transfer: int
    unexplained: int


class SettlementReversed(Event, frozen=True, kw_only=True):
    """A payout is out of the books again and waits as before."""

    type: ClassVar[str] = "settlement.reversed"
    partner: int
    reason: str


class SettlementExplained(Event, frozen=True, kw_only=True):
    """So much of a line that was unexplained is accepted, or offset by another one; ``left`` is not."""

    type: ClassVar[str] = "settlement.explained"
    partner: int
    payout: int
    outcome: str
    amount: int
    left: int
