"""Who gets scarce stock, by which rule, and why not the others? Pure, so that a run can be simulated and explained.

Quantities are thousandths of the unit. A rule ranks the claims on one place (site and item) and shares what is free there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple


class AllocationRule(StrEnum):
    """First come: who waits longest. Priority: channel, then customer tier. Protection: contracts first. Fair: in proportion."""

    FIRST_COME = "first_come"
    PRIORITY = "priority"
    CONTRACT_PROTECTION = "contract_protection"
    FAIR_SHARE = "fair_share"


#: Where documents of several rules meet at one place the most protective rule holds for all of them.
_STRICTEST = (
    AllocationRule.CONTRACT_PROTECTION,
    AllocationRule.PRIORITY,
    AllocationRule.FAIR_SHARE,
    AllocationRule.FIRST_COME,
)


class Why(StrEnum):
    """What decided a line's share."""

    SERVED = "served"
    PART = "part"
    EARLIER_RANKS = "earlier_ranks"
    HELD_FOR_CONTRACT = "held_for_contract"
    SHARE = "share"
    ORDER_NOT_WHOLE = "order_not_whole"
    NO_STOCK = "no_stock"


class Claim(NamedTuple):
    """What one order line still wants, and what ranks it. Lower priority and tier numbers are served first.

    ``whole``: its order leaves whole or not at all. ``moved``: its place in a ranking made by hand. ``cell``: site, channel and
    customer group that sell it.
    """

    line: int
    order: int
    customer: int
    wanted: int
    since: datetime
    priority: int = 5
    tier: int = 5
    whole: bool = False
    promised: date | None = None
    moved: int | None = None
    rule: str = AllocationRule.FIRST_COME
    cell: tuple[int, int, int | None] | None = None


class Share(NamedTuple):
    """What a line gets, at which rank, and what decided it."""

    line: int
    rank: int
    got: int
    why: Why


def rule_of(claims: Iterable[Claim]) -> AllocationRule:
    """The rule of a place: that of its documents; where they differ the most protective one."""
    rules = {claim.rule for claim in claims}
    return next((rule for rule in _STRICTEST if rule in rules), AllocationRule.FIRST_COME)


def ranked(rule: str, claims: Iterable[Claim]) -> list[Claim]:
    """The claims, first served first. A place given by hand comes before every rule."""
    by_priority = rule == AllocationRule.PRIORITY

    def key(claim: Claim) -> tuple[object, ...]:
        moved = (0, claim.moved) if claim.moved is not None else (1, 0)
        return (*moved, *((claim.priority, claim.tier) if by_priority else ()), claim.since, claim.line)

    return sorted(claims, key=key)


def outranks(one: Claim, other: Claim) -> bool:
    """Whether stock may be taken back from ``other`` for ``one``: better channel or tier, or the same and waiting longer."""
    return (one.priority, one.tier, one.since, one.line) < (other.priority, other.tier, other.since, other.line)


def shares(
    rule: str, free: int, claims: Sequence[Claim], *, step: int = 1, protected: Mapping[int, int] | None = None
) -> list[Share]:
    """What each claim on a place gets of what is free there, in the order of the ranking.

    ``step`` is the smallest quantity the item is counted in; ``protected`` what is still kept for each customer by contract.
    Never gives out more than is free, nor more than a claim wants.
    """
    order = ranked(rule, claims)
    free = max(0, free)
    if rule == AllocationRule.FAIR_SHARE:
        got, held = _in_proportion(free, order, step), 0
    elif rule == AllocationRule.CONTRACT_PROTECTION:
        got, held = _protected(free, order, step, protected or {})
    else:
        got, held = _in_turn(free, order, step), 0
    fair = rule == AllocationRule.FAIR_SHARE
    return [
        Share(claim.line, rank, got[claim.line], _why(claim, got[claim.line], free, held, fair=fair))
        for rank, claim in enumerate(order, 1)
    ]


def _why(claim: Claim, got: int, free: int, held: int, *, fair: bool) -> Why:
    if got >= claim.wanted:
        return Why.SERVED
    if not free:
        return Why.NO_STOCK
    if fair and claim.moved is None:
        return Why.SHARE
    if held:
        return Why.HELD_FOR_CONTRACT
    return Why.PART if got else Why.EARLIER_RANKS


def _floor(quantity: int, step: int) -> int:
    return quantity - quantity % step


def _in_turn(free: int, order: Sequence[Claim], step: int) -> dict[int, int]:
    got = {}
    for claim in order:
        got[claim.line] = claim.wanted if claim.wanted <= free else _floor(free, step)
        free -= got[claim.line]
    return got


def _protected(
    free: int, order: Sequence[Claim], step: int, protected: Mapping[int, int]
) -> tuple[dict[int, int], int]:
    """First every customer's protected part, then the rest, less what stays kept for those who do not ask now."""
    kept = dict(protected)
    got: dict[int, int] = {}
    for claim in order:
        most = min(claim.wanted, kept.get(claim.customer, 0), free)
        got[claim.line] = most if most == claim.wanted else _floor(most, step)
        free -= got[claim.line]
        kept[claim.customer] = kept.get(claim.customer, 0) - got[claim.line]
    held = min(free, sum(kept.values()))
    rest = _in_turn(free - held, [claim._replace(wanted=claim.wanted - got[claim.line]) for claim in order], step)
    return {line: quantity + rest[line] for line, quantity in got.items()}, held


def _in_proportion(free: int, order: Sequence[Claim], step: int) -> dict[int, int]:
    """Each the same share of what it wants, in whole steps; the odd steps go to those who lost most to rounding.

    Claims with a place given by hand are served before the others share.
    """
    got = _in_turn(free, [claim for claim in order if claim.moved is not None], step)
    free -= sum(got.values())
    sharing = [claim for claim in order if claim.moved is None]
    wanted = sum(claim.wanted for claim in sharing)
    if wanted <= free:
        return got | {claim.line: claim.wanted for claim in sharing}
    lost: list[tuple[int, int, Claim]] = []
    left = free
    for rank, claim in enumerate(sharing):
        got[claim.line] = _floor(free * claim.wanted // wanted, step)
        left -= got[claim.line]
        lost.append((got[claim.line] * wanted - free * claim.wanted, rank, claim))
    for _, _, claim in sorted(lost, key=lambda each: each[:2]):
        more = min(step, claim.wanted - got[claim.line])
        if more <= left:
            got[claim.line] += more
            left -= more
    return got


def plan(
    claims: Mapping[tuple[int, int], Sequence[Claim]],
    free: Mapping[tuple[int, int], int],
    *,
    rules: Mapping[tuple[int, int], str],
    steps: Mapping[tuple[int, int], int],
    protected: Mapping[tuple[int, int], Mapping[int, int]] | None = None,
    uncovered: Iterable[int] = (),
) -> dict[tuple[int, int], list[Share]]:
    """Shares of every place. An order that leaves whole and is not covered whole gets nothing; others get its part.

    ``uncovered``: such orders of which a line cannot be covered by any of these places. Ends, since every round takes at
    least one order out, and only the places of those are shared again.
    """
    kept = protected or {}
    out: set[int] = set(uncovered)
    places_of: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for place, there in claims.items():
        for claim in there:
            if claim.whole:
                places_of[claim.order].add(place)
                if claim.wanted > free.get(place, 0):
                    out.add(claim.order)
    result: dict[tuple[int, int], list[Share]] = {}
    again: Iterable[tuple[int, int]] = list(claims)
    short: dict[tuple[int, int], set[int]] = {}
    while again:
        for place in again:
            running = [claim for claim in claims[place] if not (claim.whole and claim.order in out)]
            result[place] = shares(
                rules[place], free.get(place, 0), running, step=steps.get(place, 1), protected=kept.get(place)
            )
            got = {share.line: share.got for share in result[place]}
            short[place] = {claim.order for claim in running if claim.whole and got[claim.line] < claim.wanted}
        # Not all at once: what the last ranked gives back may cover the next.
        worst = _last_ranked({order for orders in short.values() for order in orders} - out, claims, places_of)
        out |= worst
        again = sorted({place for order in worst for place in places_of[order]})
    for place, there in claims.items():
        gone = [claim for claim in there if claim.whole and claim.order in out]
        first = len(result[place]) + 1
        result[place] += [Share(claim.line, first + n, 0, Why.ORDER_NOT_WHOLE) for n, claim in enumerate(gone)]
    return result


def _last_ranked(
    failed: Iterable[int],
    claims: Mapping[tuple[int, int], Sequence[Claim]],
    places_of: Mapping[int, set[tuple[int, int]]],
) -> set[int]:
    """Of the orders that are not covered whole, the youngest of each group that shares a place."""
    best: dict[int, tuple[datetime, int]] = {}
    for order in failed:
        best[order] = max(
            (claim.since, claim.line) for place in places_of[order] for claim in claims[place] if claim.order == order
        )
    out: set[int] = set()
    taken: set[tuple[int, int]] = set()
    for order in sorted(best, key=lambda each: best[each], reverse=True):
        if not places_of[order] & taken:
            out.add(order)
        taken |= places_of[order]
    return out
