"""What a batch changes in the buckets: signed sums, times and counts per actor, merged by key, and the slices they belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from readiness.measures.journeys import Journey
from readiness.measures.sketch import bin_of


class SliceKey(NamedTuple):
    """The dimensions of a bucket's slice."""

    realm: str
    entity: int
    site: int | None
    channel: int | None
    process: str
    variants: str
    grant: int | None
    currency: str | None


_PROCESS = {"return": "returns_to_credit", "adjustment": "warehouse", "other": "record_to_report"}


def slice_key(root: Journey) -> SliceKey:
    """The slice that a family counts in."""
    return SliceKey(
        root.realm, root.entity, root.site, root.channel, _PROCESS.get(root.kind, "order_to_cash"), root.variants,
        root.grant_id, root.currency,
    )  # fmt: skip


class Deltas:
    """Signed changes of buckets, sketches and counts per actor, merged by key."""

    __slots__ = ("actors", "buckets", "sketches")

    def __init__(self) -> None:
        #: (measure, slice, period, dimension, group) → [documents, x, y, xx, xy, yy]
        self.buckets: dict[tuple[int, int, int, str, int], list[int]] = {}
        #: (measure, slice, period, dimension, group, bin) → count
        self.sketches: dict[tuple[int, int, int, str, int, int], int] = defaultdict(int)
        #: (measure, slice, period, actor) → count
        self.actors: dict[tuple[int, int, int, int], int] = defaultdict(int)

    def add(self, key: tuple[int, int, int, str, int], sign: int, x: int, y: int) -> None:
        """One document's share in a bucket, with its squares."""
        row = self.buckets.get(key)
        if row is None:
            self.buckets[key] = [sign, sign * x, sign * y, sign * x * x, sign * x * y, sign * y * y]
            return
        row[0] += sign
        row[1] += sign * x
        row[2] += sign * y
        row[3] += sign * x * x
        row[4] += sign * x * y
        row[5] += sign * y * y

    def renumber(self, ids: Mapping[int, int]) -> None:
        """Put the slices' ids in place of the numbers they went by until they were written."""
        self.buckets = {(key[0], ids.get(key[1], key[1]), *key[2:]): row for key, row in self.buckets.items()}
        self.sketches = defaultdict(int, {(k[0], ids.get(k[1], k[1]), *k[2:]): n for k, n in self.sketches.items()})
        self.actors = defaultdict(int, {(k[0], ids.get(k[1], k[1]), *k[2:]): n for k, n in self.actors.items()})

    def add_money(self, key: tuple[int, int, int, str, int], sign: int, x: int, y: int) -> None:
        """As ``add``; sums in minor units, squares in whole hundreds of them (see ``models.BucketRow``)."""
        row = self.buckets.setdefault(key, [0, 0, 0, 0, 0, 0])
        row[0] += sign
        row[1] += sign * x
        row[2] += sign * y
        x, y = hundreds(x), hundreds(y)
        row[3] += sign * x * x
        row[4] += sign * x * y
        row[5] += sign * y * y


def hundreds(amount: int) -> int:
    """An amount in whole hundreds of minor units, half up, at least one where there is any: small is not nothing."""
    whole = (abs(amount) + 50) // 100
    whole = whole if whole or not amount else 1
    return whole if amount >= 0 else -whole


def add_time(out: Deltas, sign: int, key: tuple[int, int, int, str, int], start: datetime, end: int | datetime) -> None:
    """A finished time; ``end`` in microseconds since 1970 or as an instant. Less than nothing counts as nothing."""
    until = end / 1_000_000 if isinstance(end, int) else end.timestamp()
    seconds = max(0.0, until - start.timestamp())
    row = out.buckets.setdefault(key, [0, 0, 0, 0, 0, 0])
    row[0] += sign
    row[1] += sign * round(seconds)
    row[2] += sign
    # No squares: percentiles take their limits from the sketch, and squared seconds would fill 64 bits.
    out.sketches[*key, bin_of(seconds)] += sign
