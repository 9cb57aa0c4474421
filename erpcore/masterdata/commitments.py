"""What a site promises its customers in a channel: kept as data with its validity, and never two that say different things."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time

from sqlalchemy import select

from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import CustomerGroup, ServiceCommitment, Site
from erpcore.masterdata.queries import channel_exists, site_facts

CHANGE = "masterdata:record:change"
_MOST_DAYS = 365
EVERY_DAY = 127


@dataclass(frozen=True, kw_only=True, slots=True)
class NewCommitment:
    """What is promised from a day on. ``group`` ``None``: to all customers without a commitment of their group.

    ``weekdays``: on which days that is shipped or delivered, as bits, Monday 1; ``None``: any working day. ``fill_target_permille``:
    the share of what is ordered that is to be met in time.
    """

    site: int
    channel: int
    lead_days: int
    valid_from: date
    valid_until: date | None = None
    group: int | None = None
    basis: str = "ship"
    transit_days: int = 0
    cut_off: time | None = None
    early_days: int = 0
    late_days: int = 0
    weekdays: int | None = None
    fill_target_permille: int | None = None


def keep_commitments(work: UnitOfWork, commands: Sequence[NewCommitment]) -> list[int]:
    """New commitments; orders taken before keep their committed day. Returns the ids.

    Raises ``Conflict`` naming the one that holds at the same time for the same customers, ``RuleBroken`` for nonsense.
    """
    work.actor.require(CHANGE)
    made = []
    for c in commands:
        site = site_facts(work, c.site)
        if work.actor.sites is not None and site.id not in work.actor.sites:
            raise NotFound("site_unknown", site=c.site)
        channel_exists(work, c.channel)
        if c.group is not None and work.session.get(CustomerGroup, c.group) is None:
            raise NotFound("customer_group_unknown", group=c.group)
        _check(c)
        _check_overlap(work, c)
        row = ServiceCommitment(
            id=work.ids.one(), site_id=c.site, channel_id=c.channel, customer_group_id=c.group, basis=c.basis,
            lead_days=c.lead_days, transit_days=c.transit_days, cut_off=c.cut_off, early_days=c.early_days,
            late_days=c.late_days, valid_from=c.valid_from, valid_until=c.valid_until, weekdays=c.weekdays,
            fill_target_permille=c.fill_target_permille,
        )  # fmt: skip
        work.session.add(row)
        # The next of the same batch is compared with it.
        work.session.flush()
        work.audit("commitment.kept", "service_commitment", row.id, site=site.code, lead_days=c.lead_days)
        made.append(row.id)
    return made


def _check(c: NewCommitment) -> None:
    if c.basis not in ("ship", "delivery"):
        raise RuleBroken("choice_unknown", field="basis", value=c.basis)
    for field, days in (
        ("lead_days", c.lead_days), ("transit_days", c.transit_days), ("early_days", c.early_days), ("late_days", c.late_days),
    ):  # fmt: skip
        if not 0 <= days <= _MOST_DAYS:
            raise RuleBroken("commitment_days", field=field, most=_MOST_DAYS)
    if c.weekdays is not None and not 1 <= c.weekdays <= EVERY_DAY:
        raise RuleBroken("commitment_weekdays", field="weekdays")
    if c.fill_target_permille is not None and not 1 <= c.fill_target_permille <= 1000:
        raise RuleBroken("commitment_fill", field="fill_target")
    if c.valid_until is not None and c.valid_until <= c.valid_from:
        raise RuleBroken("validity_empty", field="valid_until", since=c.valid_from, until=c.valid_until)


def _check_overlap(work: UnitOfWork, c: NewCommitment) -> None:
    """Two that hold on one day for the same customers would contradict each other, or be one too many."""
    # Two people who keep the same at once meet at the site's row.
    work.session.execute(select(Site.id).where(Site.id == c.site).with_for_update(key_share=True))
    query = (
        select(ServiceCommitment)
        .where(ServiceCommitment.site_id == c.site, ServiceCommitment.channel_id == c.channel)
        .order_by(ServiceCommitment.id)
    )
    for row in work.session.execute(query).scalars():
        if row.customer_group_id != c.group:
            continue
        if (row.valid_until is None or c.valid_from < row.valid_until) and (
            c.valid_until is None or row.valid_from < c.valid_until
        ):
            raise Conflict(
                "commitment_overlaps", field="valid_from", lead_days=row.lead_days, since=row.valid_from,
                until=row.valid_until or "further notice",
            )  # fmt: skip


def end_commitment(work: UnitOfWork, commitment: int, until: date) -> None:
    """Let a commitment hold no longer from a day on; orders taken before keep their committed day."""
    work.actor.require(CHANGE)
    row = work.session.get(ServiceCommitment, commitment)
    if row is None or (work.actor.sites is not None and row.site_id not in work.actor.sites):
        raise NotFound("commitment_unknown", commitment=commitment)
    site_facts(work, row.site_id)
    if until <= row.valid_from:
        raise RuleBroken("validity_empty", field="until", since=row.valid_from, until=until)
    if row.valid_until is not None and until > row.valid_until:
        raise RuleBroken("commitment_ended", field="until", until=row.valid_until)
    row.valid_until = until
    work.audit("commitment.ended", "service_commitment", commitment, until=until.isoformat())
    work.session.flush()
