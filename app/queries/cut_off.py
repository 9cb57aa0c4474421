"""The cut-off test of a period by channel: what was tested, what its documents date differently, and what of it no accrual mends."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.terms import late_rulesets
from erpcore.billing.accruals.cutoff import Tested, shipments_around
from erpcore.billing.accruals.ends import period_end
from erpcore.kernel.actor import Actor
from erpcore.kernel.money import from_minor
from erpcore.masterdata.models import Channel, Site

#: Shipments that a page shows one by one; the worst come first.
MOST = 200


@dataclass(frozen=True, kw_only=True)
class ChannelRow:
    """A channel in one currency: shipments and value tested, value whose documents lie on different sides, value that is wrong."""

    channel_id: int
    channel: str
    currency: str
    count: int
    tested_minor: int
    differing: int
    differs_minor: int
    wrong: int
    wrong_minor: int

    @property
    def error(self) -> Decimal | None:
        """The wrong part of what was tested, in per cent; ``None`` where nothing was tested."""
        return None if not self.tested_minor else Decimal(self.wrong_minor) * 100 / self.tested_minor


@dataclass(frozen=True, kw_only=True)
class CutOffRow:
    """A shipment whose revenue period and period of control differ by its documents, and whether an accrual mends it."""

    one: Tested
    site: str
    channel: str

    @property
    def is_wrong(self) -> bool:
        return self.one.wrong_minor > 0


@dataclass(frozen=True, kw_only=True)
class CutOffPage:
    """The test of one period's end. ``rows`` are the first ``MOST`` of ``found``."""

    until: date
    last_on: date
    channels: list[ChannelRow]
    rows: list[CutOffRow]
    found: int

    @property
    def wrong(self) -> int:
        return sum(one.wrong for one in self.channels)


def _found(session: Session, entity: int, until: date) -> list[Tested]:
    return shipments_around(session, period_end(session, entity, until, late_rulesets(session)))


def cut_off_page(session: Session, actor: Actor, entity: int, until: date, channel: int | None = None) -> CutOffPage:
    """What the test finds at the end of a company's days before ``until``, of the person's sites and this channel."""
    every = [
        one for one in _found(session, entity, until)
        if (actor.sites is None or one.site in actor.sites) and channel in (None, one.channel)
    ]  # fmt: skip
    names = {row.id: row.name for row in session.execute(select(Channel.id, Channel.name))}
    sites = {row.id: row.name for row in session.execute(select(Site.id, Site.name).where(Site.entity_id == entity))}
    groups: dict[tuple[int, str], list[Tested]] = defaultdict(list)
    for one in every:
        groups[one.channel, one.currency].append(one)
    differing = sorted(
        (one for one in every if one.differs or one.wrong_minor), key=lambda one: (-one.wrong_minor, -one.worth_minor, one.shipment)
    )  # fmt: skip
    return CutOffPage(
        until=until, last_on=date.fromordinal(until.toordinal() - 1),
        channels=sorted(
            (_channel(key, names[key], currency, group) for (key, currency), group in groups.items()),
            key=lambda row: (row.channel, row.currency),
        ),
        rows=[CutOffRow(one=one, site=sites.get(one.site, ""), channel=names[one.channel]) for one in differing[:MOST]],
        found=len(differing),
    )  # fmt: skip


def _channel(key: int, name: str, currency: str, group: list[Tested]) -> ChannelRow:
    differing, wrong = [one for one in group if one.differs], [one for one in group if one.wrong_minor]
    return ChannelRow(
        channel_id=key, channel=name, currency=currency, count=len(group), tested_minor=sum(one.worth_minor for one in group),
        differing=len(differing), differs_minor=sum(one.worth_minor for one in differing), wrong=len(wrong),
        wrong_minor=sum(one.wrong_minor for one in wrong),
    )  # fmt: skip


def wrong_in_words(session: Session, entity: int, until: date, first: int) -> str:
    """What stands in the wrong period, by its sums and its first shipments; nothing when all is well."""
    wrong = [one for one in _found(session, entity, until) if one.wrong_minor]
    sums: dict[str, int] = defaultdict(int)
    for one in wrong:
        sums[one.currency] += one.wrong_minor
    if not wrong:
        return ""
    worth = " and ".join(f"{from_minor(minor, currency)} {currency}" for currency, minor in sorted(sums.items()))
    named = ", ".join(one.number for one in wrong[:first])
    more = f" and {len(wrong) - first} more" if len(wrong) > first else ""
    return f"Revenue of {worth} stands in another period than the transfer of control: {named}{more}."
