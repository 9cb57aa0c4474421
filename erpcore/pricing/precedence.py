"""Which of several prices that fit holds? The one total order of price rules, and when two rules contradict each other.

1. The kind: contract, customer, promotion, group, channel, quantity break, list.
2. Within a kind, who names the customer beats who does not; then likewise the customer group, the channel, and the item as
   against its group.
3. Then the higher minimum quantity.

Two rules of the same kind that name the same things and the same minimum quantity are of equal rank. They may not hold on the
same day: saving the second is refused, so the order has no ties. Should the database hold such a pair all the same, the later
start decides, then the newer rule.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple, Protocol

from erpcore.pricing.models import PriceKind

_STRENGTH = {kind: len(PriceKind) - place for place, kind in enumerate(PriceKind)}
#: Kinds whose price is what others are compared with and discounts are taken from.
LISTED = frozenset({PriceKind.CHANNEL, PriceKind.BREAK, PriceKind.LIST})


class RuleLike(Protocol):
    """What the order looks at; rows of the table have it."""

    @property
    def id(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def item_id(self) -> int | None: ...
    @property
    def customer_id(self) -> int | None: ...
    @property
    def customer_group_id(self) -> int | None: ...
    @property
    def channel_id(self) -> int | None: ...
    @property
    def minimum_quantity(self) -> int: ...
    @property
    def valid_from(self) -> date: ...


Key = tuple[int, bool, bool, bool, bool, int, date, int]


def precedence(rule: RuleLike) -> Key:
    """The place of a rule in the order: the greater holds. Quantities in thousandths."""
    return (
        _STRENGTH[PriceKind(rule.kind)], rule.customer_id is not None, rule.customer_group_id is not None,
        rule.channel_id is not None, rule.item_id is not None, rule.minimum_quantity, rule.valid_from, rule.id,
    )  # fmt: skip


class Slot(NamedTuple):
    """What may hold one price on one day: rules of one slot are of equal rank and of the same scope."""

    entity: int
    kind: str
    item: int | None
    item_group: int | None
    customer: int | None
    customer_group: int | None
    channel: int | None
    minimum_quantity: int
    currency: str


def meet(starts: date, ends: date | None, other_starts: date, other_ends: date | None) -> bool:
    """Whether two times have a day in common; both run until before their end, ``None`` being without end."""
    if ends is not None and ends <= starts:
        return False
    if other_ends is not None and other_ends <= other_starts:
        return False
    return (ends is None or other_starts < ends) and (other_ends is None or starts < other_ends)
