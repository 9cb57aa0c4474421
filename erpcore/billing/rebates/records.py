"""Rebate agreements as services hold them: read once for a unit of work, their standings locked in the order of their ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import update

from erpcore.billing.rebates.models import RebateAgreement, RebateStanding, RebateState, RebateTier
from erpcore.billing.rebates.rules import Terms, Tier
from erpcore.kernel.errors import Conflict, NotFound
from erpcore.kernel.rows import Change, first_row, param, read_rows
from erpcore.kernel.work import UnitOfWork


@dataclass(slots=True)
class AgreementRow:
    """An agreement as stored, with its tiers."""

    id: int
    number: str
    name: str
    entity_id: int
    site_id: int
    customer_id: int | None
    customer_group_id: int | None
    item_id: int | None
    item_group_id: int | None
    valid_from: date
    valid_until: date
    currency: str
    basis: str
    base: int
    adds_up: bool
    state: str
    written_by: int
    written_at: datetime
    agreed_by: int | None
    agreed_at: datetime | None
    version: int
    tiers: list[Tier] = field(kw_only=True, default_factory=list)

    @property
    def terms(self) -> Terms:
        """What decides how much is earned."""
        return Terms(self.basis, self.base, self.currency, self.tiers)


@dataclass(slots=True)
class StandingRow:
    """What counts for an agreement so far, locked."""

    agreement_id: int
    net_minor: int
    quantity: int
    level: int
    accrued_minor: int
    settled_minor: int
    difference_minor: int

    @property
    def open_minor(self) -> int:
        """Accrued and not settled."""
        return self.accrued_minor - self.settled_minor + self.difference_minor


COLUMNS = tuple(f.name for f in fields(AgreementRow) if f.name != "tiers")
TIER = ("agreement_id", "level", "starts_at", "percent", "per_unit", "is_retroactive")
STANDING = tuple(f.name for f in fields(StandingRow))
agreement_values = attrgetter(*COLUMNS)
_standing_values = attrgetter(*STANDING)
#: What a draft may become as long as nobody has agreed to it, and what moves change.
_SAVED = (
    "name", "site_id", "customer_id", "customer_group_id", "item_id", "item_group_id", "valid_from", "valid_until", "basis",
    "base", "adds_up", "state", "agreed_by", "agreed_at",
)  # fmt: skip
#: Of these something still counts.
_COUNTING = (RebateState.AGREED.value, RebateState.ENDED.value)
#: Held shared by who posts, alone by who agrees: what is posted is found by the agreement, or finds it.
_HOLD = "SELECT pg_advisory_xact_lock{}(82, 1)"


def _save() -> Any:
    table = RebateAgreement.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("was", table.c.version))
        .values(version=table.c.version + 1, **{name: param(f"new_{name}", table.c[name]) for name in _SAVED})
    )


def _stand() -> Any:
    table = RebateStanding.__table__
    return (
        update(table)
        .where(table.c.agreement_id == param("agreement_id", table.c.agreement_id))
        .values({name: param(name, table.c[name]) for name in STANDING[1:]})
    )


_SAVE = Change(_save)
_STAND = Change(_stand)


def hold_terms(work: UnitOfWork, *, shared: bool) -> None:
    """Nothing becomes agreed while somebody posts, and nobody posts while something does. SQLite has one writer anyway."""
    if work.dialect.name == "postgresql" and not (shared and work.memo.get("rebates held")):
        first_row(work, _HOLD.format("_shared" if shared else ""))
        work.memo["rebates held"] = True


def save_agreements(work: UnitOfWork, rows: Sequence[AgreementRow]) -> None:
    """Write back changed agreements, each one version on."""
    _SAVE.run(
        work,
        [{"of": row.id, "was": row.version, **{f"new_{name}": getattr(row, name) for name in _SAVED}} for row in rows],
    )
    for row in rows:
        row.version += 1


def save_standings(work: UnitOfWork, rows: Iterable[StandingRow]) -> None:
    """Write back what counts. They must be locked."""
    _STAND.run_rows(work, STANDING, [_standing_values(row) for row in rows])


def with_tiers(work: UnitOfWork, found: Sequence[Any]) -> list[AgreementRow]:
    """Rows of agreements with their tiers."""
    tiers: dict[int, list[Tier]] = defaultdict(list)
    for row in read_rows(work, RebateTier, TIER, "agreement_id", [row.id for row in found]):
        tiers[row.agreement_id].append(
            Tier(row.level, row.starts_at, row.percent, row.per_unit, bool(row.is_retroactive))
        )
    return [AgreementRow(*row, tiers=sorted(tiers[row.id])) for row in found]


def counting(work: UnitOfWork, entity: int) -> list[AgreementRow]:
    """Agreements of a company for which something may still count, read once for a unit of work."""
    held: dict[int, list[AgreementRow]] = work.memo.setdefault("rebates", {})
    if entity not in held:
        hold_terms(work, shared=True)
        found = read_rows(work, RebateAgreement, COLUMNS, "entity_id", [entity], also=("state", _COUNTING))
        held[entity] = with_tiers(work, sorted(found, key=lambda row: row.id)) if found else []
    return held[entity]


def lock_agreement(work: UnitOfWork, key: int, seen_version: int | None = None) -> AgreementRow:
    """The agreement, locked. Raises ``NotFound``, and ``Conflict`` when it changed since it was seen."""
    found = read_rows(work, RebateAgreement, COLUMNS, "id", [key], lock=True)
    if not found or (work.actor.sites is not None and found[0].site_id not in work.actor.sites):
        raise NotFound("rebate_unknown", id=key)
    (row,) = with_tiers(work, found)
    if seen_version not in (None, row.version):
        raise Conflict("changed_meanwhile")
    return row


def lock_standings(work: UnitOfWork, agreements: Iterable[int]) -> dict[int, StandingRow]:
    """What counts for agreements, locked until the unit of work ends, in the order of their ids."""
    held: dict[int, StandingRow] = work.memo.setdefault("rebate standings", {})
    wanted = sorted(set(agreements))
    unread = [key for key in wanted if key not in held]
    for row in read_rows(work, RebateStanding, STANDING, "agreement_id", unread, lock=True):
        held[row.agreement_id] = StandingRow(*row)
    return {key: held[key] for key in wanted}
