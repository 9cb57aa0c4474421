"""Is this cell open? The core's question, answered from the register of waves and grants.

The index is kept per process and read anew when the register's revision has moved; the revision is read once in every unit of
work, so nothing is ever answered from a stale one.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Realm
from erpcore.ports import Admission, Cell, CellState
from readiness.waves.flow import GrantState, WaveState
from readiness.waves.register import MEMO, REHEARSING, Index, ScopeEntry, read_index, read_revision

_STATE = {
    GrantState.OPEN: CellState.OPEN,
    GrantState.DRAINING: CellState.DRAINING,
    GrantState.IN_FALLBACK: CellState.IN_FALLBACK,
}
#: What a wave waits for, in each of its states.
_WAITS_FOR = {
    WaveState.PLANNED: "preparation",
    WaveState.PREPARING: "rehearsal",
    WaveState.IN_REHEARSAL: "decision",
    WaveState.APPROVED: "go_live",
    WaveState.LIVE: "grant",
    WaveState.HYPERCARE: "grant",
}


class RegisteredCells:
    """Answers from the grants of one database. One object per process and database; safe to share between threads."""

    def __init__(self) -> None:
        self._index: Index | None = None

    def admission(self, work: UnitOfWork, realm: str, cell: Cell) -> Admission:
        """What the cell admits now in this realm, under which grant, and what a closed one waits for.

        Practice of one's own and the events of a replaced system need no grant; a rehearsal needs a wave that rehearses
        the cell. Raises ``RuleBroken("grants_unreadable")`` when the register cannot be read.
        """
        if realm in {Realm.TRAINING, Realm.LEGACY}:
            return Admission(CellState.OPEN, None, {})
        index = self._current(work)
        scopes = index.scopes_for(cell.site, cell.channel, cell.process, cell.customer_group)
        if realm == Realm.REHEARSAL:
            if any(scope.state in REHEARSING for scope in scopes):
                return Admission(CellState.IN_REHEARSAL, None, {})
            return Admission(CellState.CLOSED, None, {**_why(cell, scopes), "realm": realm})
        if realm != Realm.LIVE:
            raise RuleBroken("realm_unknown", realm=realm)
        grant = index.grant_for(cell.site, cell.channel, cell.process, cell.customer_group, work.now)
        if grant is None:
            return Admission(CellState.CLOSED, None, _why(cell, scopes))
        state = _STATE[grant.state]
        return Admission(state, grant.id, {} if state == CellState.OPEN else _why(cell, scopes))

    def _current(self, work: UnitOfWork) -> Index:
        known: Index | None = work.memo.get(MEMO)
        if known is not None:
            return known
        try:
            revision = read_revision(work.session)
            index = self._index
            if index is None or index.revision != revision:
                index = read_index(work.session, revision)
                if not work.memo.get(MEMO + "_changed"):
                    self._index = index
        except SQLAlchemyError as error:
            raise RuleBroken("grants_unreadable") from error
        work.memo[MEMO] = index
        return index


def _why(cell: Cell, scopes: list[ScopeEntry]) -> dict[str, Any]:
    """Which wave brings the cell live, and what that waits for."""
    where = {"site": cell.site, "channel": cell.channel, "customer_group": cell.customer_group}
    if not scopes:
        return {**where, "wave": None, "waits_for": "wave"}
    wave = scopes[0]
    return {
        **where,
        "wave": wave.code,
        "wave_name": wave.name,
        "waits_for": _WAITS_FOR[wave.state],
        "go_live_on": wave.go_live_on,
    }
