"""By which rules and in which cells does one side of a replay run? Those of one instant, for all of its orders."""

from __future__ import annotations

from datetime import datetime

from app.composition.policies import RegisterRules
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.ports import Admission, Cell, CellState, Ruleset
from governance.variants.register import Index, Scope
from readiness.waves.flow import GrantState
from readiness.waves.register import Index as Grants


class RulesAt(RegisterRules):
    """The register's answers as of one instant: what is in force then decides, whenever the order was captured."""

    def __init__(self, index: Index, at: datetime) -> None:
        super().__init__()
        self._fixed, self._at = index, at
        self._by_scope: dict[Scope, Ruleset] = {}
        self._by_hash: dict[str, Ruleset] = {}

    def in_force(self, work: UnitOfWork, asked: Scope) -> Ruleset:
        """The values of a scope at the instant."""
        return self._resolved(work, asked)

    def stored(self, work: UnitOfWork, hash_: str) -> Ruleset:
        """A ruleset that was resolved here."""
        return self.of(hash_)

    def of(self, hash_: str) -> Ruleset:
        """A ruleset that was resolved here, by its hash; raises ``RuleBroken`` for another."""
        if hash_ not in self._by_hash:
            raise RuleBroken("rules_unreadable", ruleset=hash_[:12])
        return self._by_hash[hash_]

    def _current(self, work: UnitOfWork) -> Index:
        return self._fixed

    def _resolved(self, work: UnitOfWork, asked: Scope) -> Ruleset:
        found = self._by_scope.get(asked)
        if found is None:
            found = self._by_scope[asked] = self._fixed.ruleset(asked, self._at)
            self._by_hash[found.hash] = found
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
