"""By which rules? A document's resolved policy values, and the question for those of a scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

from erpcore.kernel.canonical import fingerprint
from erpcore.kernel.work import UnitOfWork
from erpcore.ports.catalogue import CATALOGUE_VERSION, POLICY_POINTS


@dataclass(frozen=True)
class Ruleset:
    """The policy values a document runs under, by point.

    ``origins`` names the approved value that set a point, by its id; what is not in it is the standard. ``variants`` are these
    ids, sorted, as text: the class that measures are cut by. A point that is younger than the ruleset has the value that says how
    the core behaved before it was there.
    """

    hash: str
    values: Mapping[str, Any]
    variants: str = ""
    origins: Mapping[str, int] = field(default_factory=dict)

    def __getitem__(self, point: str) -> Any:
        if point in self.values:
            return self.values[point]
        return POLICY_POINTS[point].before_introduction


class ProcessRules(Protocol):
    """The effective policy values for a scope, stored by content hash before they are returned.

    Entity and site are the live ones, by id, also for a rehearsal. Raises ``RuleBroken("rules_unreadable")`` when the source
    cannot be read: never guess.
    """

    def resolve(
        self, work: UnitOfWork, *, entity: int, site: int, channel: int | None, customer_group: int | None
    ) -> Ruleset:
        """The ruleset of a document."""
        ...

    def resolve_line(
        self,
        work: UnitOfWork,
        *,
        entity: int,
        site: int,
        channel: int | None,
        customer_group: int | None,
        item_group: int | None,
    ) -> Ruleset:
        """The ruleset of a line: its document's, unless an approved value names the item group."""
        ...

    def consult(
        self, work: UnitOfWork, *, entity: int, channel: int | None, customer_group: int | None, item_group: int | None
    ) -> Ruleset:
        """The values for what no document is stamped with and no one site has, such as a price. Nothing is stored."""
        ...

    def stored(self, work: UnitOfWork, hash_: str) -> Ruleset:
        """The ruleset a document was stamped with."""
        ...


#: How much text a document keeps of the variants it ran under.
_MOST_VARIANTS = 200


def ruleset_of(departures: Mapping[str, tuple[int, Any]], standards: Mapping[str, Any] | None = None) -> Ruleset:
    """The standard with the values that approved departures set, each with its id. ``standards`` are values that became the
    standard since this catalogue was written; they are nobody's departure.
    """
    usual = {name: point.standard for name, point in POLICY_POINTS.items()} | dict(standards or {})
    values = {name: departures[name][1] if name in departures else usual[name] for name in POLICY_POINTS}
    origins = {name: departures[name][0] for name in sorted(departures)}
    content = {"catalogue": CATALOGUE_VERSION, "values": values, "variants": origins}
    text = ""
    for one in sorted(set(origins.values())):
        longer = f"{text},{one}" if text else str(one)
        # Whole ids as far as they fit: what set which point stands in the origins in any case.
        if len(longer) > _MOST_VARIANTS:
            break
        text = longer
    return Ruleset(fingerprint(content), values, text, origins)


@cache
def standard_ruleset() -> Ruleset:
    """The enterprise standard of this catalogue version, with no departure."""
    return ruleset_of({})
