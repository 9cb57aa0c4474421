"""Which variant covered a departure then, and did it hold? The register's answer to conformance, as of the time of the step.

What the register says of an instant that has passed never changes: a variant that was revoked or retired since covered what
was done before. The register's own function decides on validity; it is handed the facts as they stood then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, select

from erpcore.masterdata.models import StoredRuleset
from governance.variants.flow import AGREED, VariantState
from governance.variants.models import Variant, VariantDeviation
from governance.variants.register import Scope
from governance.variants.validity import Facts, is_valid
from readiness.conformance.ports import Coverage, Where

#: Agreed, and ended since: until then it held.
_ENDED = (VariantState.RETIRED, VariantState.REVOKED)
_COLUMNS = (
    Variant.id, Variant.state, Variant.valid_from, Variant.valid_until, Variant.owner_left_at, Variant.ended_at,
    Variant.item_group_id, Variant.customer_group_id, Variant.channel_id, Variant.site_id, Variant.entity_id,
)  # fmt: skip


class _Term(NamedTuple):
    """When a variant held, and where."""

    id: int
    facts: Facts
    ended_at: datetime | None
    scope: Scope

    def held(self, at: datetime) -> bool:
        """Whether it was in force at this instant, whatever has become of it since."""
        return (self.ended_at is None or at < self.ended_at) and is_valid(self.facts, at)

    def takes_in(self, place: Scope) -> bool:
        return all(part is None or part == mine for part, mine in zip(self.scope, place, strict=True))


class RegisterCoverage:
    """The register as one connection sees it; read when the first question comes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: Mapping[int, _Term] | None = None
        self._covers: Mapping[str, Sequence[_Term]] | None = None
        self._points: dict[str, tuple[str, ...]] = {}

    def covering(self, deviation: str, where: Where, at: datetime) -> int | None:
        """The most specific variant that allows this deviation here at this instant."""
        # A departure is a document's, not an item's: what names an item group covers none.
        place = Scope(None, where.customer_group, where.channel, where.site, where.entity)
        if self._covers is None:
            self._covers = self._read_covers()
        for term in self._covers.get(deviation, ()):
            if term.takes_in(place) and term.held(at):
                return term.id
        return None

    def in_force(self, variant: int, at: datetime) -> bool:
        """Whether a variant held at this instant; one that the register does not know never did."""
        term = self._terms().get(variant)
        return term is not None and term.held(at)

    def points(self, ruleset: str) -> Sequence[str]:
        """The policy points that variants set in a stored ruleset. Raises ``LookupError`` for one that is not stored."""
        if ruleset not in self._points:
            query = select(StoredRuleset.origins).where(StoredRuleset.hash == ruleset)
            origins = self._connection.execute(query).scalar()
            if origins is None:
                raise LookupError(f"ruleset {ruleset[:12]} is not stored")
            self._points[ruleset] = tuple(sorted(orjson.loads(origins)))
        return self._points[ruleset]

    def _read_covers(self) -> Mapping[str, Sequence[_Term]]:
        found: dict[str, list[_Term]] = {}
        terms = self._terms()
        for row in self._connection.execute(select(VariantDeviation.variant_id, VariantDeviation.deviation)):
            if row.variant_id in terms:
                found.setdefault(row.deviation, []).append(terms[row.variant_id])
        for covering in found.values():
            # Who names a more specific dimension goes first.
            covering.sort(key=lambda term: (term.scope.named, term.id), reverse=True)
        return found

    def _terms(self) -> Mapping[int, _Term]:
        if self._known is None:
            query = select(*_COLUMNS).where(Variant.state.in_((*AGREED, *_ENDED)))
            self._known = {
                row.id: _Term(
                    row.id,
                    # Whether the core could follow it is answered by the document that it was stamped on.
                    Facts(VariantState.APPROVED, row.valid_from, row.valid_until, row.owner_left_at),
                    row.ended_at,
                    Scope(row.item_group_id, row.customer_group_id, row.channel_id, row.site_id, row.entity_id),
                )
                for row in self._connection.execute(query)
            }
        return self._known


def read_coverage(connection: Connection) -> Coverage:
    """The register, for the consumer of conformance."""
    return RegisterCoverage(connection)
