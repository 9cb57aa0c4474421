"""Which variants hold here and now? Answered from an index that a revision row guards."""

from __future__ import annotations

from collections import Counter, defaultdict, namedtuple
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex
from typing import Any, NamedTuple

import orjson
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.rows import all_rows, first_row
from erpcore.kernel.work import UnitOfWork
from erpcore.ports import Ruleset
from erpcore.ports.rules import ruleset_of
from governance.variants.flow import AGREED
from governance.variants.models import Variant, VariantChange, VariantRegister, VariantValue
from governance.variants.validity import Facts, facts_of, fits, is_valid


class Scope(NamedTuple):
    """What a variant holds for, or what a document is; the first dimension is the most specific. ``None``: not named."""

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
    """A value that was agreed, with what its validity depends on."""

    id: int
    point: str
    value: Any
    facts: Facts

    def holds(self, at: datetime) -> bool:
        return is_valid(self.facts, at)


@dataclass(frozen=True)
class Index:
    """All values that were agreed. ``ranks`` are the combinations of dimensions in use, the most specific first, each with the
    number of its scopes; ``standards`` are the standards that were changed, the latest first. ``since`` are the scopes that
    changed after all were read: the many that did not are shared with the index before.
    """

    revision: str
    ranks: Mapping[tuple[bool, ...], int]
    read: Mapping[Scope, tuple[Entry, ...]]
    standards: tuple[Entry, ...] = ()
    since: Mapping[Scope, tuple[Entry, ...]] = field(default_factory=dict)
    rulesets: dict[tuple[tuple[str, int], ...], Ruleset] = field(default_factory=dict)

    @property
    def entries(self) -> dict[Scope, tuple[Entry, ...]]:
        """What was agreed, by scope."""
        return {scope: found for scope, found in {**self.read, **self.since}.items() if found}

    def at(self, scope: Scope) -> tuple[Entry, ...]:
        """What was agreed for exactly this scope."""
        found = self.since.get(scope)
        return self.read.get(scope, ()) if found is None else found

    @property
    def names_item_groups(self) -> bool:
        return any(rank[0] for rank in self.ranks)

    def ruleset(self, asked: Scope, at: datetime) -> Ruleset:
        """The standard with every variant that holds for this scope at this instant, the most specific of a point."""
        departures: dict[str, Entry] = {}
        for rank in self.ranks:
            key = Scope(*(part if is_named else None for part, is_named in zip(asked, rank, strict=True)))
            for entry in self.at(key):
                if entry.point not in departures and entry.holds(at):
                    departures[entry.point] = entry
        changed = self._changed(at) if self.standards else {}
        winners = tuple(sorted((one.point, one.id) for one in (*departures.values(), *changed.values())))
        found = self.rulesets.get(winners)
        if found is None:
            found = self.rulesets[winners] = ruleset_of(
                {point: (one.id, one.value) for point, one in departures.items()},
                {point: one.value for point, one in changed.items()},
            )
        return found

    def _changed(self, at: datetime) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        for entry in self.standards:
            if entry.point not in found and entry.holds(at):
                found[entry.point] = entry
        return found


def scope_of(row: Any) -> Scope:
    """The scope of a stored variant, or of a row with its columns."""
    return Scope(row.item_group_id, row.customer_group_id, row.channel_id, row.site_id, row.entity_id)


_register = VariantRegister.__table__
_REVISION = select(_register.c.revision).where(_register.c.id == 1)


def read_revision(session: Session) -> str:
    """The register's present revision. Raises ``RuleBroken`` when it cannot be read: a rule is never guessed."""
    revision: str | None = session.execute(_REVISION).scalar_one_or_none()
    if revision is None:
        raise RuleBroken("rules_unreadable", ruleset="register")
    return revision


def read_index(session: Session, revision: str) -> Index:
    """All values that were agreed, also those that do not hold yet. One query."""
    entries = _entries(session.execute(_VALUES.where(Variant.state.in_(AGREED))))
    standards = _latest_first(entries.pop(Scope(), ()))
    return Index(revision, _in_order(Counter(scope.named for scope in entries)), entries, standards)


def current_index(work: UnitOfWork, known: Index | None) -> Index:
    """The index as the register stands now, from the one that is ``known``: only what changed since is read, however many
    variants there are. All is read where there is none, or it is not told what changed.

    Raises ``RuleBroken`` when the register cannot be read: a rule is never guessed.
    """
    now, rows = _now(work, known)
    if now is None:
        raise RuleBroken("rules_unreadable", ruleset="register")
    revision: str = now[0]
    if known is not None and known.revision == revision:
        return known
    changed = None if known is None else _changed_since(work, known.revision, now)
    if known is None or changed is None:
        return read_index(work.session, revision)
    is_last = now[1] == known.revision
    return _renewed(
        work, known, changed, rows if is_last and rows is not None else _read_changed(work, changed), revision
    )


def _now(work: UnitOfWork, known: Index | None) -> tuple[tuple[Any, ...] | None, Sequence[Any] | None]:
    """The register's word with what made it, and the variants that this changed: by a server in the same answer, else ``None``."""
    if known is None or work.dialect.name != "postgresql":
        return first_row(work, _NOW), None
    found = all_rows(work, _NOW_PG, known.revision)
    if not found:
        return None, None
    return found[0][:_STEP_WIDTH], [_Row._make(row[_STEP_WIDTH:]) for row in found if row[_STEP_WIDTH] is not None]


#: So many rulesets are kept from one word of the register to the next.
_MOST_RULESETS = 20_000
#: So many steps back are followed; who is further behind reads all.
_MOST_STEPS = 32
#: The register's word, and what made it from the one before.
_NOW = (
    "SELECT r.revision, c.before, c.variants FROM variant_register r LEFT JOIN variant_change c ON c.revision = r.revision "
    "WHERE r.id = 1"
)
_STEP = "SELECT revision, before, variants FROM variant_change WHERE revision = ?"


def _changed_since(work: UnitOfWork, known: str, step: tuple[Any, ...] | None) -> list[int] | None:
    """The variants that changed on the way from the one word of the register to the other."""
    changed: set[int] = set()
    for _ in range(_MOST_STEPS):
        if step is None or step[1] is None:
            return None
        changed.update(orjson.loads(step[2]))
        if step[1] == known:
            return sorted(changed)
        step = first_row(work, _STEP, step[1])
    return None


def _renewed(
    work: UnitOfWork, known: Index, changed: Collection[int], rows: Sequence[Any], revision: str
) -> Index:  # fmt: skip
    """The index with these variants as they stand now. Among the ``rows`` are those that are no longer agreed to: their scope says
    where they stood.
    """
    since, ranks, standards = dict(known.since), Counter(known.ranks), known.standards
    found = _entries(row for row in rows if row.state in AGREED)
    for scope in {scope_of(row) for row in rows}:
        were = standards if scope == Scope() else known.at(scope)
        are = tuple(entry for entry in were if entry.id not in changed) + found.get(scope, ())
        if scope == Scope():
            standards = _latest_first(are)
            continue
        ranks[scope.named] += bool(are) - bool(were)
        since[scope] = are
    # A value that was agreed never changes, so what came of the same values is the same rules.
    # What this unit of work has agreed to itself may still be taken back, and written otherwise.
    is_shared = not work.memo.get(MEMO + "_changed") and len(known.rulesets) < _MOST_RULESETS
    kept = known.rulesets if is_shared else {}
    return Index(revision, _in_order(ranks), known.read, standards, since, kept)


def _read_changed(work: UnitOfWork, changed: Collection[int]) -> Sequence[Any]:
    """These variants with their values. By the driver, where the first document after an approval waits for a server."""
    if work.dialect.name != "postgresql":
        return work.connection.execute(_CHANGED, {"changed": list(changed)}).all()
    return [_Row._make(row) for row in all_rows(work, _CHANGED_PG, list(changed))]


def _entries(rows: Iterable[Any]) -> dict[Scope, tuple[Entry, ...]]:
    first: dict[int, Any] = {}
    values: dict[int, list[tuple[str, Any]]] = defaultdict(list)
    for row in rows:
        first.setdefault(row.id, row)
        values[row.id].append((row.point, orjson.loads(row.value)))
    entries: dict[Scope, list[Entry]] = defaultdict(list)
    for key, row in first.items():
        # A variant was agreed as a whole: one value that the core does not have takes the others with it.
        facts = facts_of(row, fits(values[key]))
        entries[scope_of(row)] += [Entry(key, point, value, facts) for point, value in values[key]]
    return {scope: tuple(found) for scope, found in entries.items()}


def _latest_first(standards: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(standards, key=lambda entry: (entry.facts.starts, entry.id), reverse=True))


def _in_order(ranks: Counter[tuple[bool, ...]]) -> dict[tuple[bool, ...], int]:
    return {rank: count for rank, count in sorted(ranks.items(), reverse=True) if count}


#: What validity and scope depend on.
_COLUMNS = (
    "id", "item_group_id", "customer_group_id", "channel_id", "site_id", "entity_id", "state", "valid_from", "valid_until",
    "owner_left_at",
)  # fmt: skip
_VALUES = select(*(getattr(Variant, name) for name in _COLUMNS), VariantValue.point, VariantValue.value).join(
    VariantValue, VariantValue.variant_id == Variant.id
)
_CHANGED = _VALUES.where(Variant.id.in_(bindparam("changed", expanding=True)))
_Row: Any = namedtuple("Row", (*_COLUMNS, "point", "value"))  # type: ignore[misc]  # noqa: PYI024  # the names are those above
_CHANGED_PG = (
    f"SELECT {', '.join(f'v.{name}' for name in _COLUMNS)}, w.point, w.value "  # noqa: S608 - names alone
    "FROM variant v JOIN variant_value w ON w.variant_id = v.id WHERE v.id = ANY(?)"
)


#: The register's word, what made it, and the variants that this changed, in one round trip: the first document after an approval waits for
#: it. Who knows the word already is told nothing more. What changed is a list in JSON, which is an array but for its brackets.
_NOW_PG = (
    f"SELECT r.revision, c.before, c.variants, x.* FROM variant_register r "  # noqa: S608 - names alone
    "LEFT JOIN variant_change c ON c.revision = r.revision AND r.revision <> ? "
    f"LEFT JOIN LATERAL (SELECT {', '.join(f'v.{name}' for name in _COLUMNS)}, w.point, w.value "
    "FROM variant v JOIN variant_value w ON w.variant_id = v.id "
    "WHERE v.id = ANY(CAST(translate(c.variants, '[]', '{}') AS bigint[]))) x ON true WHERE r.id = 1"
)
_STEP_WIDTH = 3


#: Where a unit of work keeps the index it has read, and what it has resolved with it.
MEMO, RESOLVED = "variant_register", "variant_resolved"


def lock_register(work: UnitOfWork) -> VariantRegister:
    """One approval at a time: what overlaps is looked for among variants that nobody else is approving."""
    return work.session.execute(
        select(VariantRegister).where(VariantRegister.id == 1).with_for_update(key_share=True)
    ).scalar_one()


def touch(work: UnitOfWork, *variants: int) -> None:
    """Say that these variants began or ceased to be agreed, so that every later unit of work reads them anew.

    The register must be locked. Its revision is a random word, not a count: one that was rolled back never comes again.
    """
    work.session.flush()
    before, revision = read_revision(work.session), token_hex(16)
    work.session.execute(update(VariantRegister).where(VariantRegister.id == 1).values(revision=revision))
    changed = orjson.dumps(sorted(variants)).decode()
    work.session.execute(insert(VariantChange).values(revision=revision, before=before, variants=changed))
    work.memo.pop(MEMO, None)
    work.memo.pop(RESOLVED, None)
    work.memo[MEMO + "_changed"] = True
