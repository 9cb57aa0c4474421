"""Which headline figures lack a baseline, which measures an owner, and what does one figure cost another?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.identity.models import Account
from app.queries.measures_pages import Filter, Line, Place, lines, places, scope_of
from app.security.permissions import Permission
from erpcore.kernel.actor import Actor
from erpcore.ledger.models import Account as LedgerAccount
from erpcore.ledger.models import AccountRole, JournalEntry, JournalLine
from readiness.measures.baselines import BaselineView, baselines, owners
from readiness.measures.catalogue import MEASURES, Figure, find_figure
from readiness.measures.measure import Measure

#: What the board asks for first; each needs a baseline before anything is designed.
HEADLINE = (
    "fill_rate_lines", "otif_lines", "promise_accuracy", "perfect_order_rate", "order_cycle_time.p90", "touchless_rate",
    "order_exception_rate", "invoice_accuracy", "billing_cycle_time.p90", "return_credit_time.p90", "inventory_adjustment_rate",
    "silent_failures",
)  # fmt: skip
#: Figures that pull against each other: more of one is often bought with the others.
TRADED = ("fill_rate_lines", "promise_accuracy", "order_cycle_time.p90", "inventory_adjustment_rate")


@dataclass(frozen=True, kw_only=True)
class HeadlineRow:
    """A headline figure with its baseline of all sites, and of single ones."""

    figure: Figure
    whole: BaselineView | None
    by_site: tuple[tuple[Place, BaselineView], ...]


def baseline_desk(session: Session, actor: Actor) -> list[HeadlineRow]:
    """Every headline figure with what is known of it before the programme; those without come first. Three queries."""
    sites, _ = places(session, actor, "live")
    known = baselines(session, [None, *(site.id for site in sites)])
    rows = [
        HeadlineRow(
            figure=find_figure(key), whole=known.get((key, None)),
            by_site=tuple((site, known[key, site.id]) for site in sites if (key, site.id) in known),
        )
        for key in HEADLINE
    ]  # fmt: skip
    return sorted(rows, key=lambda row: bool(row.whole or row.by_site))


@dataclass(frozen=True, kw_only=True)
class OwnedMeasure:
    """A measure with who answers for it. ``has_left``: their account is closed, which is as good as nobody."""

    measure: Measure
    person: int | None
    name: str
    has_left: bool

    @property
    def is_gap(self) -> bool:
        return self.person is None or self.has_left


def owner_desk(session: Session) -> list[OwnedMeasure]:
    """Every measure with its owner, those without first. Two queries."""
    known = owners(session)
    people = {
        row.id: row
        for row in session.execute(
            select(Account.id, Account.name, Account.closed_at).where(Account.id.in_(sorted(set(known.values()))))
        )
    }
    rows = []
    for measure in MEASURES.values():
        person = people.get(known.get(measure.key, 0))
        rows.append(
            OwnedMeasure(
                measure=measure, person=person.id if person else None, name=person.name if person else "",
                has_left=person is not None and person.closed_at is not None,
            )
        )  # fmt: skip
    return sorted(rows, key=lambda row: not row.is_gap)


@dataclass(frozen=True, kw_only=True)
class TradeOffPage:
    """Figures that pull against each other, week by week. ``margin`` is missing for who may not see costs.

    ``why_no_margin`` says why there is none.
    """

    lines: tuple[Line, ...]
    margin: tuple[tuple[date, Decimal | None], ...]
    why_no_margin: str
    sites: tuple[Place, ...]


def trade_off_page(session: Session, wanted: Filter, actor: Actor, now: datetime) -> TradeOffPage:
    """Fill, promise, speed and corrections of stock beside the margin of the books. About twenty queries."""
    sites, _ = places(session, actor, wanted.realm)
    scope = scope_of(wanted, sites, actor)
    found = lines(session, TRADED, scope, now, realm=wanted.realm, window=wanted.window)
    chosen = scope.sites or frozenset(site.id for site in sites)
    weeks = [end for end, _ in found[0].weeks]
    margin: tuple[tuple[date, Decimal | None], ...] = ()
    why = ""
    if not actor.may(Permission.COST_READ):
        why = "The margin is shown to who may see costs."
    else:
        margin, why = _margin(session, chosen, weeks)
    return TradeOffPage(lines=tuple(found), margin=margin, why_no_margin=why, sites=tuple(sites))


def _margin(
    session: Session, sites: frozenset[int], weeks: list[date]
) -> tuple[tuple[tuple[date, Decimal | None], ...], str]:
    """Sales less cost of sales over sales, as posted in each week that ends before its day. One query."""
    if not weeks or not sites:
        return (), "There is no site to read."
    sold = LedgerAccount.role == AccountRole.REVENUE
    net = JournalLine.credit_minor - JournalLine.debit_minor
    rows = session.execute(
        select(
            JournalEntry.entry_on, JournalEntry.currency,
            func.sum(case((sold, net), else_=0)).label("sales"), func.sum(case((sold, 0), else_=-net)).label("cost"),
        )
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .join(LedgerAccount, LedgerAccount.id == JournalLine.account_id)
        .where(
            JournalEntry.site_id.in_(sorted(sites)), JournalEntry.entry_on >= weeks[0] - timedelta(days=7),
            JournalEntry.entry_on < weeks[-1], LedgerAccount.role.in_((AccountRole.REVENUE, AccountRole.COST_OF_SALES)),
        )
        .group_by(JournalEntry.entry_on, JournalEntry.currency)
    ).all()  # fmt: skip
    if len({row.currency for row in rows}) > 1:
        return (), "These sites keep their books in several currencies. Choose one site to see its margin."
    sums: dict[date, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        end = next((week for week in weeks if row.entry_on < week), None)
        if end is not None:
            sums[end][0] += int(row.sales or 0)
            sums[end][1] += int(row.cost or 0)
    return tuple((end, _share(*sums[end])) for end in weeks), ""


def _share(sales: int, cost: int) -> Decimal | None:
    return None if sales <= 0 else (Decimal(sales - cost) / Decimal(sales)).quantize(Decimal("0.000001"))
