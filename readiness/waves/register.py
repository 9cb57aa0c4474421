"""Which cells are open, and which wave does a closed one wait for? Answered from an index that a revision row guards."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from secrets import token_hex

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from readiness.waves.flow import GrantState, WaveState
from readiness.waves.models import Grant, Wave, WaveRegister, WaveScope

#: Waves in these states may practise in the rehearsal realm.
REHEARSING = frozenset({WaveState.IN_REHEARSAL, WaveState.APPROVED})
#: A fallback says how a cell works now, so it comes first; then what admits most.
_ORDER = {GrantState.IN_FALLBACK: 0, GrantState.OPEN: 1, GrantState.DRAINING: 2}


@dataclass(frozen=True, slots=True)
class GrantEntry:
    """A grant that is not closed."""

    id: int
    wave: int | None
    channel: int
    group: int | None
    state: GrantState
    opens_at: datetime


@dataclass(frozen=True, slots=True)
class ScopeEntry:
    """A wave that covers a cell."""

    wave: int
    code: str
    name: str
    state: WaveState
    go_live_on: date
    channel: int
    group: int | None


@dataclass(frozen=True)
class Index:
    """All grants that are not closed and all scopes of waves, by live site and process."""

    revision: str
    grants: dict[tuple[int, str], tuple[GrantEntry, ...]]
    scopes: dict[tuple[int, str], tuple[ScopeEntry, ...]]

    def grant_for(
        self, site: int, channel: int | None, process: str, group: int | None, now: datetime
    ) -> GrantEntry | None:
        """The grant that speaks for a live transaction. Without a channel any channel of the site does."""
        fitting = [
            grant
            for grant in self.grants.get((site, process), ())
            if (channel is None or grant.channel == channel) and grant.group in {None, group} and grant.opens_at <= now
        ]
        return min(fitting, key=lambda grant: (_ORDER[grant.state], grant.id), default=None)

    def scopes_for(self, site: int, channel: int | None, process: str, group: int | None) -> list[ScopeEntry]:
        """The waves that cover the cell and are not cancelled or closed, the next to go live first."""
        return sorted(
            (
                scope
                for scope in self.scopes.get((site, process), ())
                if (channel is None or scope.channel == channel) and scope.group in {None, group}
            ),
            key=lambda scope: (scope.go_live_on, scope.wave),
        )


_register = WaveRegister.__table__
_REVISION = select(_register.c.revision).where(_register.c.id == 1)


def read_revision(session: Session) -> str:
    """The register's present revision. Raises ``RuleBroken`` when it cannot be read: a cell is never guessed open."""
    revision: str | None = session.execute(_REVISION).scalar_one_or_none()
    if revision is None:
        raise RuleBroken("grants_unreadable")
    return revision


def read_index(session: Session, revision: str) -> Index:
    """The whole register. Two queries."""
    grants = defaultdict(list)
    # What an approved wave has opened waits until the wave is live: its go is looked at once more on that day.
    rows = session.execute(
        select(
            Grant.id, Grant.wave_id, Grant.site_id, Grant.channel_id, Grant.process, Grant.customer_group_id,
            Grant.state, Grant.opens_at,
        )
        .outerjoin(Wave, Wave.id == Grant.wave_id)
        .where(Grant.state != GrantState.CLOSED, Wave.state.is_(None) | (Wave.state != WaveState.APPROVED))
    )  # fmt: skip
    for row in rows:
        grants[row.site_id, row.process].append(
            GrantEntry(row.id, row.wave_id, row.channel_id, row.customer_group_id, GrantState(row.state), row.opens_at)
        )
    scopes = defaultdict(list)
    rows = session.execute(
        select(
            Wave.id, Wave.code, Wave.name, Wave.state, Wave.go_live_on, WaveScope.site_id, WaveScope.channel_id,
            WaveScope.process, WaveScope.customer_group_id,
        )
        .join(WaveScope, WaveScope.wave_id == Wave.id)
        .where(Wave.state.not_in((WaveState.CANCELLED, WaveState.CLOSED)))
    )  # fmt: skip
    for row in rows:
        scopes[row.site_id, row.process].append(
            ScopeEntry(
                row.id, row.code, row.name, WaveState(row.state), row.go_live_on, row.channel_id, row.customer_group_id
            )
        )
    return Index(
        revision,
        {key: tuple(sorted(found, key=lambda grant: grant.id)) for key, found in grants.items()},
        {key: tuple(found) for key, found in scopes.items()},
    )


def lock(work: UnitOfWork) -> None:
    """Let nobody else change waves, scopes or grants until this unit of work ends: cells are scarce."""
    work.session.execute(select(WaveRegister.id).where(WaveRegister.id == 1).with_for_update(key_share=True))


#: Where a unit of work keeps the index it has read.
MEMO = "wave_register"


def touch(work: UnitOfWork) -> None:
    """Say that waves, scopes or grants have changed, so that every later unit of work reads them anew.

    The revision is a random word, not a count: one that was rolled back never comes again.
    """
    work.session.flush()  # what follows in this unit of work reads the rows that changed
    work.session.execute(update(WaveRegister).where(WaveRegister.id == 1).values(revision=token_hex(16)))
    work.memo.pop(MEMO, None)
    work.memo[MEMO + "_changed"] = True
