"""Pure decisions about carriage: which service fits, what it will cost, and with which collection the goods leave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from erpcore.kernel.clock import zone
from erpcore.kernel.money import scaled_amount

#: A service that does not collect within so many days does not collect.
DAYS_AHEAD = 14


class ServiceRule(NamedTuple):
    """A carrier rule as stored; ``most_kg`` in thousandths."""

    id: int
    site_id: int | None
    channel_id: int | None
    customer_group_id: int | None
    country: str | None
    most_kg: int | None
    service_id: int
    valid_from: date
    valid_until: date | None


class Going(NamedTuple):
    """What a rule looks at: from where, through which channel, for whom, to which country, how heavy (``None``: not yet known)."""

    site: int
    channel: int
    customer_group: int | None
    country: str
    weight_kg: int | None
    on: date


def fits(rule: ServiceRule, going: Going) -> bool:
    """Whether the rule is in force and every dimension it names is this one's. An unknown weight counts as light."""
    return (
        rule.valid_from <= going.on
        and (rule.valid_until is None or going.on < rule.valid_until)
        and rule.site_id in (None, going.site)
        and rule.channel_id in (None, going.channel)
        and rule.customer_group_id in (None, going.customer_group)
        and rule.country in (None, going.country)
        and (rule.most_kg is None or (going.weight_kg or 0) <= rule.most_kg)
    )


def _rank(rule: ServiceRule) -> tuple[int, bool, bool, bool, bool, int, int, int]:
    named = [rule.customer_group_id, rule.channel_id, rule.site_id, rule.country]
    given = [one is not None for one in named]
    light = -rule.most_kg if rule.most_kg is not None else -(2**62)
    return (sum(given), given[0], given[1], given[2], given[3], light, rule.valid_from.toordinal(), rule.id)


def service_rule(rules: Iterable[ServiceRule], going: Going) -> ServiceRule | None:
    """The rule that decides: who names most dimensions, then customer group before channel before site before country, then the
    lightest limit that still fits, then the newest. No two rules are ever equal, since the last word is the id.
    """
    return max((rule for rule in rules if fits(rule, going)), key=_rank, default=None)


def freight_estimate(base_charge: int, per_kg: int, weight_kg: int, currency: str) -> int:
    """Base charge (millionths) + weight (thousandths of a kilogram) × price per kilogram, in minor units, rounded once."""
    return scaled_amount(1000, base_charge + (weight_kg * per_kg + 500) // 1000, currency)


def collection_after(cut_offs: Mapping[int, time], at: datetime, time_zone: str) -> datetime | None:
    """The first cut-off (by weekday, in the site's time) that is not before ``at``; ``None`` without one in the next days."""
    here = zone(time_zone)
    day = at.astimezone(here).date()
    for ahead in range(DAYS_AHEAD + 1):
        then = day + timedelta(days=ahead)
        if then.weekday() in cut_offs:
            moment = datetime.combine(then, cut_offs[then.weekday()], here)
            if moment >= at:
                return moment
    return None
