"""Does a variant do better than the standard? What ran under it beside what ran by the standard, elsewhere and here before.

Read from the sums that figures are made of: a slice carries the class of ruleset, so the documents of a variant and those of the
standard are sums of different slices by day. No document is read, but for the margin of a bounded number of orders.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.calendars import SiteCalendars
from app.queries.measures_pages import Place, places
from app.queries.variant_cases import CASES, case_shares
from app.queries.variant_margins import MARGIN, margins, newest_by_side
from app.queries.variant_terms import Term, read_terms
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Site
from governance.variants.kinds import Kind
from governance.variants.models import Variant, VariantValue
from readiness.measures.catalogue import find_figure
from readiness.measures.plans import Asked
from readiness.measures.queries import read_periods
from readiness.measures.reading import Direction, Reading
from readiness.measures.scopes import Scope, Slice, load_slices

#: A comparison looks at most so many days back: a quarter.
LONGEST = timedelta(days=91)
#: From so many documents on each side something may be said at all.
LEAST = 30
VOLUME = "off_standard_share"
#: What is compared: a figure, and one value of its own dimension where it has one.
FIGURES: tuple[tuple[str, str | None], ...] = (
    ("order_exception_rate", None), ("order_exception_rate", "held"), ("touchless_rate", None), ("fill_rate_lines", None),
    ("otif_lines", None), ("order_cycle_time.p50", None), ("order_cycle_time.p90", None), ("billing_cycle_time.p50", None),
    ("return_credit_time.p50", None), ("conformance", None),
)  # fmt: skip


class Side(StrEnum):
    """Which documents: those that ran under the variant, those by the standard elsewhere meanwhile, or here before it began."""

    UNDER = "under"
    ELSEWHERE = "elsewhere"
    BEFORE = "before"


class Finding(StrEnum):
    """What two figures with their intervals prove; a small sample proves nothing."""

    BETTER = "better"
    WORSE = "worse"
    DIFFERENT = "different"
    UNPROVEN = "unproven"
    TOO_FEW = "too few"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class SideScope:
    """The documents of one side: their scope, and the days from ``start`` until before ``end``. ``why_not``: why there are none."""

    side: Side
    scope: Scope
    start: date
    end: date
    text: str
    why_not: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the variant's figure is beside that of another side, and in words why no more can be said."""

    finding: Finding
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A figure under the variant and by each of the others, with what that proves. ``spans``: the days that each side was read for."""

    key: str
    dimension: str | None
    readings: tuple[Reading, ...]
    spans: tuple[tuple[date, date], ...]
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """What keeping the variant costs: per month, in the days compared, and for each document that ran under it; minor units."""

    per_month: int
    in_window: int
    per_document: int | None
    currency: str


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A variant against the standard. ``why_not``: why it cannot be compared at all; then nothing else is said."""

    term: Term
    parts: tuple[SideScope, ...] = ()
    volumes: tuple[Reading, ...] = ()
    figures: tuple[Compared, ...] = ()
    keeping: Keeping | None = None
    why_not: str = ""

    def of_side(self, side: str) -> SideScope | None:
        return next((one for one in self.parts if one.side == side), None)


def find_term(session: Session, actor: Actor, variant_id: int) -> Term:
    """The variant; raises ``NotFound`` for one that was never agreed to, and for another site's."""
    found = read_terms(session, actor, only={variant_id})
    if not found:
        raise NotFound("variant_unknown", variant=variant_id)
    return found[0]


def comparison(session: Session, actor: Actor, variant_id: int, now: datetime) -> Comparison:
    """The variant against the standard on both other sides. About twenty queries. Raises ``NotFound`` as ``find_term`` does."""
    term = find_term(session, actor, variant_id)
    slices = load_slices(session.connection(), {"live"})
    parts, why_not = sides_of(session, actor, term, now, slices, places(session, actor, "live"))
    if why_not:
        return Comparison(term=term, why_not=why_not)
    calendars, today = SiteCalendars(session), local_day(now, term.zone)
    wanted: list[tuple[Asked, date, date]] = []
    for key, dimension in ((VOLUME, None), *FIGURES):
        for part in parts:
            start, end = span_of(part, key, today)
            wanted.append((Asked(key=key, scope=part.scope, dimension=dimension), start, end))
    found = read_periods(session, wanted, as_of=now, calendars=calendars, slices=slices)
    many = len(parts)
    rows = [
        _compared(key, dimension, parts, found[at * many : at * many + many], wanted[at * many : at * many + many])
        for at, (key, dimension) in enumerate(((VOLUME, None), *FIGURES))
    ]
    spans = [(part.start, part.end) for part in parts]
    newest = newest_by_side(session, [part.scope for part in parts], spans, term.zone)
    asked = [(Asked(key=VOLUME, scope=part.scope), *span) for part, span in zip(parts, spans, strict=True)]
    more = (
        _compared(CASES, None, parts, case_shares(session, newest, spans, now), asked),
        _compared(MARGIN, None, parts, margins(session, newest, spans, now), asked),
    )
    return Comparison(
        term=term, parts=tuple(parts), volumes=rows[0].readings, figures=(*rows[1:], *more),
        keeping=keeping(term, parts[0], rows[0].readings[0].count),
    )  # fmt: skip


def span_of(part: SideScope, key: str, today: date) -> tuple[date, date]:
    """The days of a side that are old enough for the figure; all of them where none is, and then it is provisional."""
    ripe = min(part.end, today - timedelta(days=find_figure(key).measure.maturity_days))
    return (part.start, ripe) if ripe > part.start else (part.start, part.end)


def sides_of(
    session: Session,
    actor: Actor,
    term: Term,
    now: datetime,
    slices: Sequence[Slice],
    known: tuple[Sequence[Place], Sequence[Place]],
) -> tuple[list[SideScope], str]:
    """The three sides, or why there is nothing to compare. ``known``: the live sites that the person sees, and all channels."""
    if term.kind == Kind.STANDARD_CHANGE:
        return [], "A new standard holds for everybody: nobody goes on by the old one."
    if not term.values:
        return [], "What people do by hand is stamped on no document. Conformance counts the steps that it covers."
    if term.scope.item_group is not None:
        return [], "It is set line by line for an item group, and figures are kept by document."
    today = local_day(now, term.zone)
    end = min(today, term.end_day or today)
    start = max(term.first_day, end - LONGEST)
    if end <= start:
        return [], "It is not in force for a whole day yet."
    sites, channels = known
    same = _same_points(session, term)
    under = frozenset(one.variants for one in slices if term.id in _ids(one.variants))
    standard = frozenset(one.variants for one in slices if not same & _ids(one.variants))
    seen = frozenset(site.id for site in sites) or frozenset({-1})
    here = _sites_of(session, term, sites)
    length = end - start
    usual = Scope(realm="live", customer_group=term.scope.customer_group)
    elsewhere, text, why_not = _elsewhere(term, sites, channels, here, replace(usual, classes=standard))
    mine = replace(
        usual, sites=(here & seen or frozenset({-1})) if here else seen, classes=standard,
        channels=frozenset() if term.scope.channel is None else frozenset({term.scope.channel}),
    )  # fmt: skip
    first = term.first_day
    return [
        SideScope(side=Side.UNDER, scope=Scope(realm="live", sites=seen, classes=under), start=start, end=end, text="Under it"),
        SideScope(side=Side.ELSEWHERE, scope=elsewhere, start=start, end=end, text=text, why_not=why_not),
        SideScope(side=Side.BEFORE, scope=mine, start=first - length, end=first, text=f"{term.where}, before it began"),
    ], ""  # fmt: skip


def _ids(variants: str) -> frozenset[int]:
    return frozenset(int(one) for one in variants.split(",") if one)


def _same_points(session: Session, term: Term) -> frozenset[int]:
    """Every variant that sets one of the same points: what ran under any of them did not run by the standard."""
    query = (
        select(VariantValue.variant_id)
        .join(Variant, Variant.id == VariantValue.variant_id)
        .where(VariantValue.point.in_(sorted(term.values)), Variant.kind != Kind.STANDARD_CHANGE)
    )
    return frozenset(session.scalars(query))


def _sites_of(session: Session, term: Term, sites: Sequence[Place]) -> frozenset[int]:
    """The live sites of its scope that the person sees; empty where it names no place."""
    if term.scope.site is not None:
        return frozenset({term.scope.site})
    if term.scope.entity is None:
        return frozenset()
    query = select(Site.id).where(Site.entity_id == term.scope.entity, Site.id.in_([site.id for site in sites]))
    return frozenset(session.scalars(query)) or frozenset({-1})


def _elsewhere(
    term: Term, sites: Sequence[Place], channels: Sequence[Place], here: Collection[int], usual: Scope
) -> tuple[Scope, str, str]:
    """The standard outside its scope: at other places where it names one, else through other channels, else with other customers."""
    scope = term.scope
    if here:
        others = frozenset(site.id for site in sites) - set(here)
        found = replace(usual, sites=others or frozenset({-1}))
        if scope.channel is not None:
            found = replace(found, channels=frozenset({scope.channel}))
        return found, "Standard at other sites", "" if others else "There is no other site to see."
    seen = frozenset(site.id for site in sites) or frozenset({-1})
    if scope.channel is not None:
        rest = frozenset(one.id for one in channels) - {scope.channel}
        found = replace(usual, sites=seen, channels=rest or frozenset({-1}))
        return found, "Standard through other channels", "" if rest else "There is no other channel."
    return replace(usual, sites=seen, customer_group=None), "Standard with other customers", ""


def _compared(
    key: str, dimension: str | None, parts: Sequence[SideScope], found: Sequence[Reading],
    asked: Sequence[tuple[Asked, date, date]],
) -> Compared:  # fmt: skip
    return Compared(
        key=key, dimension=dimension, readings=tuple(found), spans=tuple((start, end) for _, start, end in asked),
        verdicts=tuple(verdict(found[0], one, part) for one, part in zip(found[1:], parts[1:], strict=True)),
    )  # fmt: skip


def verdict(mine: Reading, other: Reading, part: SideScope) -> Verdict:
    """What the variant's figure proves beside another: only intervals that do not touch prove anything.

    That two intervals of 95 % lie apart happens by chance far less often than one time in twenty, which leaves room for the
    rows of a page.
    """
    if part.why_not:
        return Verdict(finding=Finding.UNKNOWN, why=part.why_not)
    for reading in (mine, other):
        if reading.stale is not None:
            return Verdict(
                finding=Finding.UNKNOWN, why=(reading.stale_detail or "the figures are late").capitalize() + "."
            )
    fewest = min(mine.count, other.count)
    if fewest < LEAST:
        where = "under it" if mine.count == fewest else "to hold it against"
        more, thing = LEAST - fewest, mine.documents
        return Verdict(finding=Finding.TOO_FEW, why=f"{more} more {thing if more == 1 else f'{thing}s'} needed {where}")
    if mine.provisional or other.provisional:
        return Verdict(finding=Finding.UNKNOWN, why="Too young: what comes late is not in yet.")
    one, two = mine.interval, other.interval
    if one is None or two is None or mine.value is None or other.value is None or not (mine.reached and other.reached):
        return Verdict(finding=Finding.TOO_FEW, why="No interval yet")
    is_higher = one.low is not None and two.high is not None and one.low > two.high
    is_lower = one.high is not None and two.low is not None and one.high < two.low
    if not is_higher and not is_lower:
        return Verdict(finding=Finding.UNPROVEN)
    if mine.direction not in (Direction.UP, Direction.DOWN):
        return Verdict(finding=Finding.DIFFERENT)
    return Verdict(finding=Finding.BETTER if is_higher == (mine.direction is Direction.UP) else Finding.WORSE)


def keeping(term: Term, part: SideScope, documents: int) -> Keeping | None:
    """The register's cost of keeping; a month is a twelfth of 365 days. ``None`` where nobody said it."""
    if term.cost_minor is None:
        return None
    days = (part.end - part.start).days
    whole = Decimal(term.cost_minor) * 12 * days / 365
    return Keeping(
        per_month=term.cost_minor, in_window=_minor(whole), currency=term.cost_currency or "EUR",
        per_document=_minor(whole / documents) if documents else None,
    )  # fmt: skip


def _minor(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_HALF_EVEN))
