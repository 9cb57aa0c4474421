"""The rows of all registers that figures are counted from, read together: one shape for all, and where each entry holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Boolean, Date, String, Text, cast, literal, null, select

from erpcore.kernel.model import UtcDateTime
from erpcore.masterdata.models import Site

SITE = "site"
COLUMNS: tuple[tuple[str, Any], ...] = (
    ("id", BigInteger), ("kind", String), ("title", String), ("state", String), ("realm", String), ("entity_id", BigInteger),
    ("site_id", BigInteger), ("channel_id", BigInteger), ("customer_group_id", BigInteger), ("process", String), ("zone", String),
    ("valid_from", UtcDateTime), ("valid_until", UtcDateTime), ("owner_left_at", UtcDateTime), ("next_review_on", Date),
    ("point", String), ("value", Text), ("wave_id", BigInteger), ("number", BigInteger), ("ends_on", Date), ("is_gone", Boolean),
)  # fmt: skip


def part(register: str, **known: Any) -> Any:
    """A part of the query: what it does not know is nothing, of the column's type."""
    columns = [known.get(name, cast(null(), of)).label(name) for name, of in COLUMNS]
    return select(literal(register).label("register"), *columns)


def site_part() -> Any:
    """Every site with the one that it stands for."""
    return part(SITE, id=Site.id, entity_id=Site.entity_id, site_id=Site.twin_id, zone=Site.time_zone)


class Places(NamedTuple):
    """Sites with those that stand for them in other realms; their entities and zones."""

    twins: Mapping[int, frozenset[int]]
    entity: Mapping[int, int]
    zone: Mapping[int, str]

    @classmethod
    def of(cls, rows: Sequence[Any]) -> Places:
        twins: dict[int, set[int]] = {row.id: {row.id} for row in rows}
        for row in rows:
            if row.site_id in twins:
                twins[row.site_id].add(row.id)
        return cls(
            {site: frozenset(found) for site, found in twins.items()},
            {row.id: row.entity_id for row in rows}, {row.id: row.zone for row in rows},
        )  # fmt: skip

    def where(self, row: Any) -> dict[str, Any]:
        """The sites and entities that an entry holds at, its twins' too; ``None`` for one that names none."""
        if row.site_id is not None:
            sites = self.twins.get(row.site_id, frozenset({row.site_id}))
        elif row.entity_id is not None:
            own = [site for site, entity in self.entity.items() if entity == row.entity_id]
            sites = frozenset().union(*(self.twins[site] for site in own))
        else:
            return {"sites": None, "entities": None}
        entities = {self.entity[site] for site in sites if site in self.entity}
        return {
            "sites": sites,
            "entities": frozenset(entities | ({row.entity_id} if row.entity_id is not None else set())),
        }

    def cells(self, cells: Iterable[tuple[int, int]]) -> frozenset[tuple[int, int]]:
        """These cells and those of the sites that stand for theirs."""
        return frozenset((twin, channel) for site, channel in cells for twin in self.twins.get(site, frozenset({site})))
