"""Was this order entered before: the same customer, site and day, the same items, quantities and wanted days?

A digest of that stands on orders that people and programs enter, so the question is one look into an index. It is a warning,
not a lock: two who enter the same at the same instant do not see each other; a request sent twice has its key for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import DomainError, NeedsConfirmation, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts
from erpcore.orders.documents import Order
from erpcore.orders.holds import place_hold
from erpcore.orders.models import HoldKind, OrderState, SalesOrder
from erpcore.ports import ProcessRules

#: The warning's code; who accepts it names it with a reason.
DUPLICATE = "order_duplicate"
#: Doors behind which somebody can be asked.
_ASKED = ("screen", "api")


@dataclass(frozen=True)
class Duplicate:
    """An order that looks like one before it. ``reason``: why it is taken all the same; ``None``: it is held instead."""

    order: Order
    before: str
    reason: str | None


def digest(work: UnitOfWork, order: Order) -> int:
    """A 64-bit digest of what makes two orders the same."""
    day = local_day(order.captured_at, site_facts(work, order.site_id).time_zone)
    lines = sorted([line.item_id, line.quantity, line.requested_on.isoformat()] for line in order.lines)
    content = canonical_json([order.customer_id, order.site_id, day, lines])
    return int.from_bytes(sha256(content).digest()[:8], "big", signed=True)


def notice_duplicates(
    work: UnitOfWork, orders: Sequence[Order], accepted: Sequence[Mapping[str, str]], rules: ProcessRules
) -> list[Duplicate]:
    """The orders, not yet written, that were entered before, as their rules want to know.

    Raises ``NeedsConfirmation(order_duplicate)`` naming the earlier order where the rule warns and nobody gave a reason.
    """
    found = []
    for one in duplicates_among(work, orders, accepted, rules):
        if isinstance(one, DomainError):
            raise one
        if one is not None:
            found.append(one)
    return found


def duplicates_among(
    work: UnitOfWork, orders: Sequence[Order], accepted: Sequence[Mapping[str, str]], rules: ProcessRules
) -> list[Duplicate | DomainError | None]:
    """For each order what it looks like that was entered before or stands before it here, or why that needs a reason first.

    One question for all of them. What is refused here does not count as entered for those behind it.
    """
    out: list[Duplicate | DomainError | None] = [None] * len(orders)
    if work.source not in _ASKED:
        return out
    looked: list[tuple[int, str]] = []
    for place, order in enumerate(orders):
        rule = rules.stored(work, order.ruleset)["duplicate_rule"]
        if rule != "off":
            order.duplicate_key = digest(work, order)
            looked.append((place, rule))
    names = ("duplicate_key", "number", "state")
    earlier: dict[int | None, tuple[str, str]] = {}
    for row in read_rows(
        work, SalesOrder, names, "duplicate_key", {orders[place].duplicate_key for place, _ in looked}
    ):
        if row.state != OrderState.CANCELLED:
            earlier[row.duplicate_key] = (row.number, "entered today")
    for place, rule in looked:
        order = orders[place]
        known = earlier.get(order.duplicate_key)
        if known is None:
            earlier[order.duplicate_key] = (order.number, "handed in with it")
            continue
        before, how = known
        try:
            out[place] = Duplicate(order, before, _reason(accepted[place], before, how) if rule == "warn" else None)
        except (NeedsConfirmation, RuleBroken) as refusal:
            out[place] = refusal
    return out


def _reason(given: Mapping[str, str], before: str, how: str) -> str:
    if DUPLICATE not in given:
        raise NeedsConfirmation(DUPLICATE, document=before, how=how)
    reason = given[DUPLICATE].strip()
    if not reason:
        raise RuleBroken("reason_required", field="accept_reason", document="order", move="accept")
    return reason


def settle_duplicates(work: UnitOfWork, found: Sequence[Duplicate]) -> None:
    """Keep with each of these orders, now written, why it was taken all the same; hold those that nobody may just take."""
    for one in found:
        facts: dict[str, Any] = {"warning": DUPLICATE, "before": one.before}
        if one.reason is None:
            place_hold(work, one.order, HoldKind.DUPLICATE, reason=f"the same as {one.before}", facts=facts)
        else:
            state = one.order.state
            record_move(work, "order", one.order.id, "accept", state, state, reason=one.reason, facts=facts)
