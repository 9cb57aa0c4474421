"""What does a posting rule say? Which fact calls it, and which accounts it debits and credits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from erpcore.ledger.kinds import JournalKind
from erpcore.ledger.models import AccountRole


class Usual(StrEnum):
    """The side on which a rule uses an account."""

    DEBIT = "debit"
    CREDIT = "credit"


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleSide:
    """An account that a rule uses. ``may_turn``: its amount may also come on the other side."""

    role: AccountRole
    usual: Usual
    may_turn: bool = False

    def takes(self, amount: int) -> bool:
        """Whether this amount, positive for a debit, may come here."""
        return self.may_turn or (amount > 0) == (self.usual is Usual.DEBIT)


@dataclass(frozen=True, kw_only=True, slots=True)
class PostingRule:
    """``document``: the type of the document whose ``event`` calls the rule; ``when`` says it in words. ``is_free``: any account
    but those of control, on either side.
    """

    name: str
    document: str
    journal: JournalKind
    event: str
    sides: tuple[RuleSide, ...]
    when: str
    is_free: bool = False

    @property
    def debits(self) -> tuple[RuleSide, ...]:
        return tuple(side for side in self.sides if side.usual is Usual.DEBIT)

    @property
    def credits(self) -> tuple[RuleSide, ...]:
        return tuple(side for side in self.sides if side.usual is Usual.CREDIT)


def debit(role: AccountRole, *, may_turn: bool = False) -> RuleSide:
    """The rule debits this account."""
    return RuleSide(role=role, usual=Usual.DEBIT, may_turn=may_turn)


def credit(role: AccountRole, *, may_turn: bool = False) -> RuleSide:
    """The rule credits this account."""
    return RuleSide(role=role, usual=Usual.CREDIT, may_turn=may_turn)
