"""By which rules and in which cells does one side of a replay run? Those of one instant, for all of its orders."""

from __future__ import annotations

from datetime import datetime

from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.ports import Admission, Cell, CellState, Ruleset
from governance.variants.register import Index, Scope
from readiness.waves.flow import GrantState
from readiness.waves.register import Index as Grants


class RulesAt:
    """The register's answers as of one instant: what is in force then decides, whenever the order was captured."""

    def __init__(self, index: Index, at: datetime) -> None:
        self._index, self._at = index, at
        self._resolved: dict[Scope, Ruleset] = {}
        self._stored: dict[str, Ruleset] = {}

    def resolve(
        self, work: UnitOfWork, *, entity: int, site: int, channel: int | None, customer_group: int | None
    ) -> Ruleset:
        """The ruleset of a document."""
        return self._of(Scope(None, customer_group, channel, site, entity))

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
        """The ruleset of a line: its document's, unless a variant names the item group."""
        named = item_group if self._index.names_item_groups else None
        return self._of(Scope(named, customer_group, channel, site, entity))

    def consult(
        self, work: UnitOfWork, *, entity: int, channel: int | None, customer_group: int | None, item_group: int | None
    ) -> Ruleset:
        """The values for what no one site has."""
        return self._of(Scope(item_group, customer_group, channel, None, entity))

    def stored(self, work: UnitOfWork, hash_: str) -> Ruleset:
        """A ruleset that was resolved here."""
        return self.of(hash_)

    def of(self, hash_: str) -> Ruleset:
        """A ruleset that was resolved here, by its hash; raises ``RuleBroken`` for another."""
        if hash_ not in self._stored:
            raise RuleBroken("rules_unreadable", ruleset=hash_[:12])
        return self._stored[hash_]

    def _of(self, asked: Scope) -> Ruleset:
        found = self._resolved.get(asked)
        if found is None:
            found = self._resolved[asked] = self._index.ruleset(asked, self._at)
            self._stored[found.hash] = found
        return found


class CellsAt:
    """Sites that sold a replayed order take orders, as they did; of others those whose cell is open at the instant."""

    def __init__(self, grants: Grants, sellers: frozenset[int], at: datetime) -> None:
        self._grants, self._sellers, self._at = grants, sellers, at

    def admission(self, work: UnitOfWork, realm: str, cell: Cell) -> Admission:
        """What the cell admits."""
        if cell.site in self._sellers:
            return Admission(CellState.OPEN, None, {})
        grant = self._grants.grant_for(cell.site, cell.channel, cell.process, cell.customer_group, self._at)
        is_open = grant is not None and grant.state == GrantState.OPEN
        return Admission(CellState.OPEN if is_open else CellState.CLOSED, None, {})
