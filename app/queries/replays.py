"""What did replays of a variant say, how far are those under way, and does what they say still hold?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.identity.queries import names_of
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from governance.replays.flow import OPEN, ReplayState
from governance.replays.models import ReplayOrder, ReplayRecord, VariantReplay
from governance.replays.services import SILENT, proposal_of
from governance.variants.models import Variant, VariantValue
from governance.variants.register import read_revision

#: So many replays of a variant are listed, and orders shown on a page.
MOST_LISTED, AT_ONCE = 12, 50


@dataclass(frozen=True, kw_only=True)
class ReplayRow:
    """A replay with its record, if there is one. ``number`` counts those of its variant. ``is_outdated``: the variant asks for
    something else now. ``is_moved``: the register has changed since, so today's standard may differ from that of the record.
    """

    id: int
    number: int
    variant: int
    variant_version: int
    period_from: datetime
    period_until: datetime
    most: int
    state: ReplayState
    asked_by: str
    asked_at: datetime
    finished_at: datetime | None
    beat_at: datetime
    tries: int
    steps: int
    steps_done: int
    note: str | None
    is_outdated: bool
    is_moved: bool
    inputs: str = ""
    orders: int = 0
    lines: int = 0
    differing: int = 0
    figures: Mapping[str, Any] | None = None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_bounded(self) -> bool:
        """Whether there may have been more orders in the period than were replayed."""
        return self.orders == self.most

    def is_silent(self, at: datetime) -> bool:
        """Whether its worker was probably killed."""
        return self.state == ReplayState.RUNNING and self.beat_at < at - SILENT


@dataclass(frozen=True, kw_only=True)
class OrderThatDiffers:
    """An order that went another way: what differs, and the points of which its own rules have another value."""

    id: int
    number: str
    differs: tuple[Mapping[str, Any], ...]
    points: tuple[str, ...]


def replays_of(session: Session, variant_id: int) -> list[ReplayRow]:
    """The replays of a variant, the newest first; at most a dozen. Five queries, one for none."""
    found = session.execute(
        select(VariantReplay, ReplayRecord, func.count().over().label("total"))
        .outerjoin(ReplayRecord, ReplayRecord.replay_id == VariantReplay.id)
        .where(VariantReplay.variant_id == variant_id)
        .order_by(VariantReplay.id.desc())
        .limit(MOST_LISTED)
    ).all()
    if not found:
        return []
    variant = session.get_one(Variant, variant_id)
    values = session.execute(
        select(VariantValue.point, VariantValue.value).where(VariantValue.variant_id == variant_id)
    ).all()
    proposal = proposal_of(variant, {row.point: orjson.loads(row.value) for row in values})
    revision = read_revision(session)
    names = names_of(session, {row.VariantReplay.asked_by for row in found})
    return [
        _row(row.VariantReplay, row.ReplayRecord, row.total - place, proposal, revision, names)
        for place, row in enumerate(found)
    ]


def replay_of(session: Session, variant_id: int, replay_id: int) -> ReplayRow:
    """One replay of a variant; raises ``NotFound`` for another's and one that is too old to be listed."""
    return named(replays_of(session, variant_id), replay_id)


def named(rows: Iterable[ReplayRow], replay_id: int) -> ReplayRow:
    """The one of this id; raises ``NotFound`` where it is not among them."""
    found = next((row for row in rows if row.id == replay_id), None)
    if found is None:
        raise NotFound("replay_unknown", replay=replay_id)
    return found


def orders_that_differ(
    session: Session, replay_id: int, *, after: int = -1, limit: int = AT_ONCE
) -> list[OrderThatDiffers]:
    """Orders that went another way, in the order in which they came in, behind position ``after``."""
    rows = session.scalars(
        select(ReplayOrder)
        .where(ReplayOrder.replay_id == replay_id, ReplayOrder.position > after)
        .order_by(ReplayOrder.position)
        .limit(limit)
    )
    out = []
    for row in rows:
        said = orjson.loads(row.differs)
        out.append(
            OrderThatDiffers(
                id=row.order_id, number=row.number, differs=tuple(said["differs"]), points=tuple(said["points"])
            )
        )
    return out


def may_see_orders(actor: Actor, site: int | None) -> bool:
    """Whether the person may see the orders of a replay one by one: who sees all sites, or the one that the variant is for."""
    return actor.sites is None or site in actor.sites


def _row(
    row: VariantReplay, record: ReplayRecord | None, number: int, proposal: str, revision: str, names: Mapping[int, str]
) -> ReplayRow:
    kept: dict[str, Any] = {}
    if record is not None:
        kept = {
            "inputs": record.inputs, "orders": record.orders, "lines": record.lines, "differing": record.differing,
            "figures": orjson.loads(record.figures), "is_moved": record.revision != revision,
        }  # fmt: skip
    return ReplayRow(
        id=row.id, number=number, variant=row.variant_id, variant_version=row.variant_version, period_from=row.period_from,
        period_until=row.period_until, most=row.most, state=ReplayState(row.state), asked_by=names.get(row.asked_by, "–"),
        asked_at=row.asked_at, finished_at=row.finished_at, beat_at=row.beat_at, tries=row.tries, steps=row.steps,
        steps_done=row.steps_done, note=row.note, is_outdated=row.proposal != proposal, **{"is_moved": False, **kept},
    )  # fmt: skip
