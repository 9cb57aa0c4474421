"""Which approved value holds here and now? Answered from an index that a revision row guards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex
from typing import Any, NamedTuple

import orjson
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.ports import Ruleset
from erpcore.ports.rules import ruleset_of
from governance.policies.flow import ValueState
from governance.policies.models import PolicyRegister, PolicyValue


class Scope(NamedTuple):
    """What a value holds for, or what a document is; the first dimension is the most specific. ``None``: not named."""

    item_group: int | None = None
    customer_group: int | None = None
    channel: int | None = None
    site: int | None = None
    entity: int | None = None

    @property
    def named(self) -> tuple[bool, ...]:
        """Which dimensions are named: who names a more specific one is of higher rank."""
        return tuple(part is not None for part in self)


class Entry(NamedTuple):
    """An approved value."""

    id: int
    point: str
    value: Any
    starts: datetime
    ends: datetime

    def holds(self, at: datetime) -> bool:
        return self.starts <= at < self.ends


@dataclass(frozen=True)
class Index:
    """All approved values. ``ranks`` are the combinations of dimensions in use, the most specific first."""

    revision: str
    ranks: tuple[tuple[bool, ...], ...]
    entries: Mapping[Scope, tuple[Entry, ...]]
    _rulesets: dict[tuple[int, ...], Ruleset] = field(default_factory=dict)

    @property
    def names_item_groups(self) -> bool:
        return bool(self.ranks) and self.ranks[0][0]

    def ruleset(self, asked: Scope, at: datetime) -> Ruleset:
        """The standard with every approved value that holds for this scope at this instant, the most specific of a point."""
        departures: dict[str, Entry] = {}
        for rank in self.ranks:
            key = Scope(*(part if is_named else None for part, is_named in zip(asked, rank, strict=True)))
            for entry in self.entries.get(key, ()):
                if entry.point not in departures and entry.holds(at):
                    departures[entry.point] = entry
        winners = tuple(sorted(entry.id for entry in departures.values()))
        found = self._rulesets.get(winners)
        if found is None:
            found = self._rulesets[winners] = ruleset_of(
                {point: (one.id, one.value) for point, one in departures.items()}
            )
        return found


def scope_of(row: PolicyValue) -> Scope:
    """The scope of a stored value."""
    return Scope(row.item_group_id, row.customer_group_id, row.channel_id, row.site_id, row.entity_id)


_register = PolicyRegister.__table__
_REVISION = select(_register.c.revision).where(_register.c.id == 1)


def read_revision(session: Session) -> str:
    """The register's present revision. Raises ``RuleBroken`` when it cannot be read: a rule is never guessed."""
    revision: str | None = session.execute(_REVISION).scalar_one_or_none()
    if revision is None:
        raise RuleBroken("rules_unreadable", ruleset="register")
    return revision


def read_index(session: Session, revision: str) -> Index:
    """All approved values, also those that do not hold yet. One query."""
    entries: dict[Scope, list[Entry]] = defaultdict(list)
    rows = session.execute(
        select(
            PolicyValue.id, PolicyValue.point, PolicyValue.value, PolicyValue.item_group_id, PolicyValue.customer_group_id,
            PolicyValue.channel_id, PolicyValue.site_id, PolicyValue.entity_id, PolicyValue.valid_from,
            PolicyValue.valid_until,
        ).where(PolicyValue.state == ValueState.APPROVED)
    )  # fmt: skip
    for row in rows:
        entry = Entry(row.id, row.point, orjson.loads(row.value), row.valid_from, row.valid_until)
        entries[Scope(*row[3:8])].append(entry)
    ranks = sorted({scope.named for scope in entries}, reverse=True)
    return Index(revision, tuple(ranks), {scope: tuple(found) for scope, found in entries.items()})


#: Where a unit of work keeps the index it has read, and what it has resolved with it.
MEMO, RESOLVED = "policy_register", "policy_resolved"


def lock_register(work: UnitOfWork) -> None:
    """One approval at a time: what overlaps is looked for among values that nobody else is approving."""
    work.session.execute(
        select(PolicyRegister.id).where(PolicyRegister.id == 1).with_for_update(key_share=True)
    ).scalar_one()


def touch(work: UnitOfWork) -> None:
    """Say that a value began or ceased to be approved, so that every later unit of work reads them anew.

    The revision is a random word, not a count: one that was rolled back never comes again.
    """
    work.session.flush()
    work.session.execute(update(PolicyRegister).where(PolicyRegister.id == 1).values(revision=token_hex(16)))
    work.memo.pop(MEMO, None)
    work.memo.pop(RESOLVED, None)
    work.memo[MEMO + "_changed"] = True
