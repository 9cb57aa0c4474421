"""Which rules does a document run under? The answer to the core's ``ProcessRules`` port, from the register of variants.

The index of what was agreed is kept per process; where the register's revision has moved, what changed since is read anew. The
revision is read once in every unit of work, so nothing is ever answered from a stale one.
"""

from __future__ import annotations

from datetime import datetime
from weakref import WeakKeyDictionary

import orjson
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError

from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.ids import IdPool
from erpcore.kernel.rows import first_row, read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import StoredRuleset
from erpcore.ports import CATALOGUE_VERSION, Ruleset
from governance.variants.register import MEMO, RESOLVED, Index, Scope, current_index

#: Rulesets that are stored in a database for good, by its pool of ids: what has a hash as its key never changes.
_STORED: WeakKeyDictionary[IdPool, dict[str, Ruleset]] = WeakKeyDictionary()
_MOST_KEPT = 1000
_TABLE = StoredRuleset.__table__
_STORE = sqlite_insert(_TABLE).on_conflict_do_nothing()
_COLUMNS = tuple(column.name for column in _TABLE.columns)
#: Stores it unless it is there, and says since when it was there before: one round trip for both, by the driver.
_STORE_PG = (
    f"WITH made AS (INSERT INTO {_TABLE.name} ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "  # noqa: S608 - names alone
    f"ON CONFLICT DO NOTHING) SELECT first_used_at FROM {_TABLE.name} WHERE hash = ?"
)


def _kept(work: UnitOfWork) -> dict[str, Ruleset]:
    return _STORED.setdefault(work.pool, {})


def _keep_for_good(work: UnitOfWork, ruleset: Ruleset, stored_at: datetime) -> None:
    """Remember one that an earlier transaction has stored; what this one has stored itself may still be taken back."""
    kept = _kept(work)
    if stored_at < work.now and len(kept) < _MOST_KEPT:
        kept[ruleset.hash] = ruleset


class RegisterRules:
    """Rulesets by scope, each stored by its hash before a document is stamped with it. Safe to share between threads."""

    def __init__(self) -> None:
        self._index: Index | None = None

    def resolve(
        self, work: UnitOfWork, *, entity: int, site: int, channel: int | None, customer_group: int | None
    ) -> Ruleset:
        """The values for a document of this scope: the standard with the variants that hold now."""
        return self._resolved(work, Scope(None, customer_group, channel, site, entity))

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
        """The values for one line: its document's, unless a variant names the item group."""
        named = item_group if item_group is not None and self._current(work).names_item_groups else None
        return self._resolved(work, Scope(named, customer_group, channel, site, entity))

    def consult(
        self, work: UnitOfWork, *, entity: int, channel: int | None, customer_group: int | None, item_group: int | None
    ) -> Ruleset:
        """The values for what no document is stamped with and no one site has, such as a price. Nothing is stored."""
        return self.in_force(work, Scope(item_group, customer_group, channel, None, entity))

    def in_force(self, work: UnitOfWork, asked: Scope) -> Ruleset:
        """As resolved, but only looked at: nothing is stored, since no document is stamped with it."""
        return self._current(work).ruleset(asked, work.now)

    def stored(self, work: UnitOfWork, hash_: str) -> Ruleset:
        """The ruleset a document was stamped with; raises ``RuleBroken`` when it is not there: never guess."""
        known: dict[str, Ruleset] = work.memo.setdefault("rulesets", {})
        if hash_ not in known:
            known[hash_] = _kept(work).get(hash_) or self._read(work, hash_)
        return known[hash_]

    def _read(self, work: UnitOfWork, hash_: str) -> Ruleset:
        names = ("content", "variants", "origins", "first_used_at")
        rows = read_rows(work, StoredRuleset, names, "hash", [hash_])
        if not rows:
            raise RuleBroken("rules_unreadable", ruleset=hash_[:12])
        row = rows[0]
        found = Ruleset(hash_, orjson.loads(row.content), row.variants, orjson.loads(row.origins))
        _keep_for_good(work, found, row.first_used_at)
        return found

    def _resolved(self, work: UnitOfWork, asked: Scope) -> Ruleset:
        known: dict[Scope, Ruleset] = work.memo.setdefault(RESOLVED, {})
        if asked not in known:
            known[asked] = self._keep(work, self._current(work).ruleset(asked, work.now))
        return known[asked]

    def _current(self, work: UnitOfWork) -> Index:
        known: Index | None = work.memo.get(MEMO)
        if known is not None:
            return known
        try:
            index = current_index(work, self._index)
        except (SQLAlchemyError, work.dialect.loaded_dbapi.Error) as error:
            raise RuleBroken("rules_unreadable", ruleset="register") from error
        if not work.memo.get(MEMO + "_changed"):
            self._index = index
        work.memo[MEMO] = index
        return index

    def _keep(self, work: UnitOfWork, ruleset: Ruleset) -> Ruleset:
        known: dict[str, Ruleset] = work.memo.setdefault("rulesets", {})
        if ruleset.hash not in known and ruleset.hash not in _kept(work):
            before = self._stored_before(work, ruleset)
            if before is not None:
                _keep_for_good(work, ruleset, before)
        return known.setdefault(ruleset.hash, ruleset)

    def _stored_before(self, work: UnitOfWork, ruleset: Ruleset) -> datetime | None:
        """Since when it is stored; ``None`` where it was not, and is now."""
        row = {
            "hash": ruleset.hash, "catalogue_version": CATALOGUE_VERSION, "first_used_at": work.now,
            "content": canonical_json(dict(ruleset.values)).decode(), "variants": ruleset.variants,
            "origins": canonical_json(dict(ruleset.origins)).decode(),
        }  # fmt: skip
        if work.dialect.name == "postgresql":
            before = first_row(work, _STORE_PG, *(row[name] for name in _COLUMNS), ruleset.hash)
            return None if before is None else before[0]
        if found := read_rows(work, StoredRuleset, ("first_used_at",), "hash", [ruleset.hash]):
            since: datetime = found[0].first_used_at
            return since
        work.connection.execute(_STORE, row)
        return None
