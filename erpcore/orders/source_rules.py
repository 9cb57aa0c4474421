"""Which of the sites that have it ships a line? Pure: candidates in, a choice out, with ties broken for the seller's own site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import combinations
from typing import NamedTuple

#: More sites than these are not tried in all combinations.
_MOST_TRIED = 12
_FAR = 10**9


class SourcingRule(StrEnum):
    """How the site that ships is chosen among those that have all of a line."""

    OWN_SITE = "own_site"
    MOST_STOCK = "most_stock"
    NEAREST = "nearest"
    CHEAPEST = "cheapest"
    FEWEST_SPLITS = "fewest_splits"
    COMMITMENT = "commitment"


class Candidate(NamedTuple):
    """A site with what is free of one item there; days and cost of its way to the customer, ``None``: no lane leads there.

    ``late_days``: how long after the day that is committed to it would come from there.
    """

    site: int
    free: int
    is_own: bool
    transit_days: int | None = None
    cost_minor: int | None = None
    late_days: int = 0


def _rank(rule: str, one: Candidate) -> tuple[int, ...]:
    days = _FAR if one.transit_days is None else one.transit_days
    cost = _FAR if one.cost_minor is None else one.cost_minor
    first = {
        SourcingRule.MOST_STOCK: (-one.free,),
        SourcingRule.NEAREST: (days, cost),
        SourcingRule.CHEAPEST: (cost, days),
        SourcingRule.COMMITMENT: (one.late_days, cost, days),
    }.get(SourcingRule(rule), ())
    return (*first, 0 if one.is_own else 1, days, one.site)


def choose(rule: str, candidates: Sequence[Candidate], quantity: int) -> Candidate | None:
    """The site that ships so much by the rule, of those that have all of it; ``None`` when none has."""
    able = [one for one in candidates if one.free >= quantity]
    return min(able, key=lambda one: _rank(rule, one), default=None)


def fewest(lines: Mapping[int, tuple[int, Sequence[Candidate]]]) -> dict[int, Candidate]:
    """Sites for an order's lines so that it leaves from as few as can be; lines that no site has whole are left out.

    ``lines`` maps a line to its quantity and candidates. Lines of one item are told apart by the caller, who takes away what
    was chosen. Of equally few sites those with the seller's own site, then the nearest ones are taken.
    """
    able = {
        line: {one.site: one for one in candidates if one.free >= quantity}
        for line, (quantity, candidates) in lines.items()
    }
    able = {line: there for line, there in able.items() if there}
    sites = {site: one for there in able.values() for site, one in there.items()}
    ordered = sorted(sites.values(), key=lambda one: _rank(SourcingRule.FEWEST_SPLITS, one))
    if len(ordered) <= _MOST_TRIED:
        for size in range(1, len(ordered) + 1):
            for some in combinations(ordered, size):
                chosen = {one.site for one in some}
                if all(chosen & there.keys() for there in able.values()):
                    return {
                        line: next(there[one.site] for one in some if one.site in there) for line, there in able.items()
                    }
    return _greedy(able, ordered)


def _greedy(able: Mapping[int, Mapping[int, Candidate]], ordered: Sequence[Candidate]) -> dict[int, Candidate]:
    """Again and again the site that has most of the lines still open."""
    found: dict[int, Candidate] = {}
    while open_ := [line for line in able if line not in found]:
        best = max(ordered, key=lambda one: sum(1 for line in open_ if one.site in able[line]))
        found |= {line: able[line][best.site] for line in open_ if best.site in able[line]}
    return found
