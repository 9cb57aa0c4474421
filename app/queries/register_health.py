"""Is the register kept small? How many variants there are over time, which nobody uses, which overlap, what they cost, which could go."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.queries.variant_terms import NEVER, UNUSED_AFTER, Term, Use, read_terms, used
from app.queries.variants import SOON
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.money import from_minor
from erpcore.masterdata.models import Site
from erpcore.ports import POLICY_POINTS
from governance.variants.kinds import Kind
from governance.variants.queries import standards_at
from governance.variants.register import Scope
from readiness.conformance.models import ConformanceRow
from readiness.measures import catalogue as c
from readiness.measures.health import consumer_health

#: Months of the picture, the present one included.
MONTHS = 12
#: So many overlaps are named.
MOST_NAMED = 200


@dataclass(frozen=True, kw_only=True)
class Month:
    """How many variants were in force at the end of a month (now, for the present one), by kind. Standards are none."""

    at: datetime
    by_kind: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.by_kind.values())


@dataclass(frozen=True, kw_only=True)
class Held:
    """A variant in force, for how many days, and what ran under it."""

    term: Term
    days: int
    use: Use
    is_same: bool = False

    @property
    def per_document(self) -> int | None:
        """What keeping it cost for each document of the last 30 days, in minor units, half to even; ``None`` without either."""
        if self.term.cost_minor is None or not self.use.lately:
            return None
        return int((Decimal(self.term.cost_minor) / self.use.lately).to_integral_value())


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Two variants in force that set the same point where their scopes meet; the more specific one, ``wins``, is what runs there."""

    point: str
    wins: Term
    loses: Term


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A variant that could be retired, and why, in words with the figures."""

    held: Held
    why: str


@dataclass(frozen=True, kw_only=True)
class ExpiredInUse:
    """Documents that were stamped with a variant that did not hold then, of so many that were stamped with any; and which."""

    documents: int
    stamped: int
    journeys: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class RegisterHealth:
    """The register as a whole. ``doubt``: why what ran under variants cannot be told now; then nothing is called unused."""

    months: tuple[Month, ...]
    held: tuple[Held, ...]
    unused: tuple[Held, ...]
    idle: tuple[Held, ...]
    expiring: tuple[Held, ...]
    overlaps: tuple[Overlap, ...]
    costly: tuple[Held, ...]
    costs: tuple[tuple[str, int], ...]
    proposals: tuple[Proposal, ...]
    expired: ExpiredInUse
    since: date
    doubt: str = ""

    @property
    def unsaid_costs(self) -> int:
        """Variants in force of which nobody said what keeping them costs."""
        return sum(1 for one in self.held if one.term.cost_minor is None)


def register_health(session: Session, actor: Actor, now: datetime) -> RegisterHealth:
    """The health of what the person sees of the register. About a dozen queries, none of documents."""
    terms = [one for one in read_terms(session, actor) if one.kind != Kind.STANDARD_CHANGE]
    since = local_day(now, "UTC") - UNUSED_AFTER
    held = held_now(session, actor, terms, now, since)
    stale = consumer_health(session.connection(), now, "conformance").stale(actor.sites or frozenset())
    doubt = "" if stale is None else stale[1]
    unused, idle = _unused(held), _idle(held, now)
    costly = sorted(
        (one for one in held if one.term.cost_minor),
        key=lambda one: (one.per_document is not None, -(one.per_document or 0), -(one.term.cost_minor or 0)),
    )
    totals: Counter[str] = Counter()
    for one in held:
        totals[one.term.cost_currency or ""] += one.term.cost_minor or 0
    return RegisterHealth(
        months=tuple(sprawl(terms, now)), held=tuple(held), unused=() if doubt else unused, idle=() if doubt else idle,
        expiring=tuple(
            sorted((one for one in held if _ends_soon(one.term, now)), key=lambda one: (one.term.ends_at, one.term.id))
        ),
        overlaps=tuple(overlaps(session, [one.term for one in held])), costly=tuple(costly),
        costs=tuple(sorted((currency, cost) for currency, cost in totals.items() if cost)),
        proposals=() if doubt else tuple(Proposal(held=one, why=why_retire(one, now)) for one in _could_go(held, now)),
        expired=expired_in_use(session, actor), since=since, doubt=doubt,
    )  # fmt: skip


def held_now(session: Session, actor: Actor, terms: Sequence[Term], now: datetime, since: date) -> list[Held]:
    """The variants in force with what ran under them, the oldest first."""
    live = [one for one in terms if one.holds(now)]
    uses = used(session, actor, live, since)
    standards = standards_at(session, now)
    usual = {name: standards.get(name, point.standard) for name, point in POLICY_POINTS.items()}
    found = [
        Held(
            term=one, days=(now - one.starts_at).days, use=uses.get(one.id, NEVER),
            is_same=bool(one.values) and not one.deviations and all(usual[name] == value for name, value in one.values.items()),
        )
        for one in live
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.term.starts_at, one.term.id))


def sprawl(terms: Iterable[Term], now: datetime) -> list[Month]:
    """Variants in force at the end of each of the last months (UTC) and now, by kind, the oldest first."""
    known = list(terms)
    return [
        Month(at=at, by_kind=Counter(one.kind for one in known if (one.holds(now) if at == now else one.held(at))))
        for at in _ends_of_months(now)
    ]


def _ends_of_months(now: datetime) -> list[datetime]:
    ends, first = [now], now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(MONTHS - 1):
        ends.append(first - timedelta(microseconds=1))
        first = (first - timedelta(days=1)).replace(day=1)
    return ends[::-1]


def _ends_soon(term: Term, now: datetime) -> bool:
    return term.ends_at is not None and term.ends_at <= now + SOON


def _unused(held: Iterable[Held]) -> tuple[Held, ...]:
    return tuple(one for one in held if one.days >= UNUSED_AFTER.days and one.use == NEVER)


def _idle(held: Iterable[Held], now: datetime) -> tuple[Held, ...]:
    """Used before, and not in the last 30 days."""
    return tuple(
        one for one in held
        if one.days >= UNUSED_AFTER.days and one.use.is_counted and one.use.ever and not one.use.lately
    )  # fmt: skip


def _could_go(held: Sequence[Held], now: datetime) -> list[Held]:
    """Nothing runs under it, it says what the standard says, or nobody answers for it; the costliest first."""
    quiet = {one.term.id for one in (*_unused(held), *_idle(held, now))}
    found = [one for one in held if one.term.id in quiet or one.is_same or one.term.owner_left_at is not None]
    return sorted(found, key=lambda one: (-(one.term.cost_minor or 0), one.term.id))


def why_retire(one: Held, now: datetime) -> str:
    """Why it could go, with the figures that say so, as a reason to be read by those who decide."""
    term, use = one.term, one.use
    said = []
    if one.days >= UNUSED_AFTER.days and use == NEVER:
        said.append(f"in force for {one.days} days, and nothing ran under it")
    elif one.days >= UNUSED_AFTER.days and use.is_counted and not use.lately:
        last = f", the last on {use.last_on:%-d %B %Y}" if use.last_on is not None else ""
        said.append(
            f"nothing ran under it in the last {UNUSED_AFTER.days} days, {use.ever:,} documents or steps before{last}"
        )
    if one.is_same:
        said.append("it says what the standard says by now")
    if term.owner_left_at is not None:
        said.append(f"whoever answered for it left on {local_day(term.owner_left_at, term.zone):%-d %B %Y}")
    if not said:
        said.append(f"in force for {one.days} days; {_volume(use)}")
    text = "; ".join(said)
    cost = "not said" if term.cost_minor is None else (
        f"{from_minor(term.cost_minor, term.cost_currency or 'EUR'):,f} {term.cost_currency} per month"
    )  # fmt: skip
    read_on = local_day(now, term.zone)
    return f"Proposed for retirement: {text}. Cost of keeping: {cost}. Read on {read_on:%-d %B %Y}."


def _volume(use: Use) -> str:
    if not use.is_counted:
        return "set line by line, which is not counted by document"
    return f"{use.lately:,} documents or steps in the last {UNUSED_AFTER.days} days, {use.ever:,} in all"


def proposal_for(session: Session, actor: Actor, variant_id: int, now: datetime) -> str:
    """The same of one variant, to be written into its review; empty where it is not in force or its use cannot be told."""
    terms = read_terms(session, actor, only={variant_id})
    since = local_day(now, "UTC") - UNUSED_AFTER
    if consumer_health(session.connection(), now, "conformance").stale(actor.sites or frozenset()) is not None:
        return ""
    found = held_now(session, actor, terms, now, since)
    return why_retire(found[0], now) if found else ""


def overlaps(session: Session, terms: Sequence[Term]) -> list[Overlap]:
    """Pairs that set the same point where their scopes meet, the winner first: who names a more specific dimension."""
    entity_of = {row.id: row.entity_id for row in session.execute(select(Site.id, Site.entity_id))}
    by_point: dict[str, list[Term]] = defaultdict(list)
    for one in terms:
        for name in one.values:
            by_point[name].append(one)
    found: list[Overlap] = []
    for name in sorted(by_point):
        ranked = sorted(by_point[name], key=lambda one: (one.scope.named, -one.id), reverse=True)
        for at, wins in enumerate(ranked):
            for loses in ranked[at + 1 :]:
                if wins.scope.named != loses.scope.named and _meet(wins.scope, loses.scope, entity_of):
                    found.append(Overlap(point=name, wins=wins, loses=loses))
                    if len(found) == MOST_NAMED:
                        return found
    return found


def _meet(one: Scope, other: Scope, entity_of: Mapping[int, int]) -> bool:
    """Whether some document is in both: no dimension that both name differs, and a site lies in the company that is named."""
    if any(mine is not None and theirs is not None and mine != theirs for mine, theirs in zip(one, other, strict=True)):
        return False
    site = one.site if one.site is not None else other.site
    entity = one.entity if one.entity is not None else other.entity
    return site is None or entity is None or entity_of.get(site) == entity


_SUMS = text(
    "SELECT b.measure_id, s.site, SUM(b.x) AS x FROM measure_bucket b JOIN measure_slice s ON s.id = b.slice_id "
    "WHERE b.measure_id IN (:expired, :under) AND b.dimension = '' AND s.realm = 'live' GROUP BY b.measure_id, s.site"
)


def expired_in_use(session: Session, actor: Actor) -> ExpiredInUse:
    """Live documents stamped with a variant that did not hold at that moment: for policy points there can be none."""
    sums: Counter[int] = Counter()
    values: dict[str, Any] = {"expired": c.VARIANT_EXPIRED_IN_USE, "under": c.OFF_STANDARD_SHARE}
    for row in session.execute(_SUMS, values):
        if actor.sites is None or row.site in actor.sites:
            sums[row.measure_id] += int(row.x)
    journeys: Sequence[int] = ()
    if sums[c.VARIANT_EXPIRED_IN_USE]:
        query: Any = select(ConformanceRow.root_id).where(ConformanceRow.is_expired, ConformanceRow.realm == "live")
        if actor.sites is not None:
            query = query.where(ConformanceRow.site.in_(sorted(actor.sites)))
        journeys = session.scalars(query.order_by(ConformanceRow.stamped_at.desc()).limit(20)).all()
    return ExpiredInUse(
        documents=sums[c.VARIANT_EXPIRED_IN_USE], stamped=sums[c.OFF_STANDARD_SHARE], journeys=tuple(journeys)
    )
