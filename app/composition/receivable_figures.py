"""What customers owe and what was sold to them, as figures count it: by company and customer group, now or at the end of a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Date, Integer, case, cast, extract, func, literal, null, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from erpcore.billing.dunning.models import DunningFee
from erpcore.billing.models import CreditMemo, DebtJournal, Invoice, InvoiceState
from erpcore.billing.queries import by_company, documents_on, on_account_on
from erpcore.credit.models import Receivable
from erpcore.kernel.clock import day_start, local_day
from erpcore.masterdata.models import Customer, Entity, Realm, Site
from readiness.measures.ports import OpenDebt, Owed, Sold

#: Where a session keeps the companies that it has read.
_COMPANIES = "companies_of_figures"
_OWED, _SOLD = "owed", "sold"
_DAY = timedelta(days=1)


class _Company(NamedTuple):
    realm: str
    currency: str
    zone: str
    sites: frozenset[int]


def _companies(session: Session) -> Mapping[int, _Company]:
    """Every company with its sites; read once a session."""
    known: dict[int, _Company] | None = session.info.get(_COMPANIES)
    if known is not None:
        return known
    sites: dict[int, set[int]] = defaultdict(set)
    rows: dict[int, Any] = {}
    columns = (Entity.id, Entity.realm, Entity.currency, Entity.time_zone, Site.id.label("site"))
    for row in session.execute(select(*columns).outerjoin(Site, Site.entity_id == Entity.id)):
        rows[row.id] = row
        sites[row.id] |= {row.site} - {None}
    found = {key: _Company(row.realm, row.currency, row.time_zone, frozenset(sites[key])) for key, row in rows.items()}
    session.info[_COMPANIES] = found
    return found


def owed_and_sold(
    session: Session, realms: Collection[str], days: Collection[date | None], sold_since: date, at: datetime
) -> tuple[list[Owed], list[Sold]]:
    """What is owed at the end of each day (``None``: now) and the sales of each month. One query beside the companies."""
    companies = {key: one for key, one in _companies(session).items() if one.realm in realms}
    if not companies:
        return [], []
    todays = {key: local_day(at, one.zone) for key, one in companies.items()}
    zones = {key: one.zone for key, one in companies.items()}
    parts = [_owed_on(zones, todays, on) for on in sorted(days, key=lambda one: (one is not None, one))]
    rows = session.execute(union_all(*parts, _sales(companies, sold_since)))
    owed, sold = [], []
    for row in rows:
        one = companies[row.entity_id]
        if row.what == _OWED:
            owed.append(
                Owed(
                    one.realm, row.entity_id, one.sites, one.currency, row.group_id, row.day, int(row.not_due), int(row.overdue),
                    row.documents,
                )
            )  # fmt: skip
        else:
            sold.append(
                Sold(
                    one.realm, row.entity_id, one.sites, one.currency, row.group_id, date(row.year, row.month, 1), int(row.minor),
                    row.documents, row.days, todays[row.entity_id],
                )
            )  # fmt: skip
    return owed, sold


def _owed_on(zones: Mapping[int, str], todays: Mapping[int, date], on: date | None) -> Any:
    """Net by company and group: of each customer first what is longest due is settled by what stands on account and by credits."""
    days = {key: on or today for key, today in todays.items()}
    documents = documents_on(zones, days, is_today=on is None).subquery()
    receipts = on_account_on(zones, days, is_today=on is None).subquery()
    parts = union_all(
        select(documents.c.customer_id, documents.c.entity_id, documents.c.due_on, documents.c.open_minor),
        select(receipts.c.customer_id, receipts.c.entity_id, cast(null(), Date), receipts.c.open_minor),
    ).subquery()
    minor, due = parts.c.open_minor, parts.c.due_on
    day = by_company(parts.c.entity_id, {key: literal(one, Date) for key, one in days.items()})
    nothing = literal(0, BigInteger)
    owner = (
        select(
            parts.c.customer_id, func.sum(case((minor < 0, -minor), else_=nothing)).label("less"),
            func.sum(case(((minor > 0) & (due < day), minor), else_=nothing)).label("overdue"),
            func.sum(case(((minor > 0) & (due >= day), minor), else_=nothing)).label("not_due"),
            func.sum(case((minor > 0, 1), else_=0)).label("documents"),
        )
        .group_by(parts.c.customer_id)
        .subquery()
    )  # fmt: skip
    late, young, less = owner.c.overdue, owner.c.not_due, owner.c.less
    return (
        select(
            literal(_OWED).label("what"), Customer.entity_id, Customer.group_id, literal(on, Date).label("day"),
            func.sum(case((less <= late, young), (less < late + young, late + young - less), else_=nothing)).label("not_due"),
            func.sum(case((less < late, late - less), else_=nothing)).label("overdue"),
            cast(func.sum(owner.c.documents), Integer).label("documents"), cast(null(), Integer).label("year"),
            cast(null(), Integer).label("month"), cast(null(), BigInteger).label("minor"), cast(null(), Integer).label("days"),
        )
        .select_from(owner)
        .join(Customer, Customer.id == owner.c.customer_id)
        .group_by(Customer.entity_id, Customer.group_id)
    )  # fmt: skip


def _sales(companies: Mapping[int, _Company], since: date) -> Any:
    """Gross sales by month; to those of a live company count what its replaced system had sold, where that was loaded."""
    theirs = aliased(Entity)
    live = [key for key, one in companies.items() if one.realm == Realm.LIVE]
    entity = case((Invoice.entity_id.in_(list(companies)), Invoice.entity_id), else_=theirs.twin_id)
    loaded = (theirs.realm == Realm.LEGACY) & theirs.twin_id.in_(live) & Invoice.entity_id.not_in(list(companies))
    year, month = extract("year", Invoice.invoice_on), extract("month", Invoice.invoice_on)
    return (
        select(
            literal(_SOLD), entity, Customer.group_id, cast(null(), Date), cast(null(), BigInteger), cast(null(), BigInteger),
            cast(func.count(), Integer), cast(year, Integer), cast(month, Integer), func.sum(Invoice.gross_minor),
            cast(func.count(Invoice.invoice_on.distinct()), Integer),
        )
        .select_from(Invoice)
        .join(theirs, theirs.id == Invoice.entity_id)
        .join(Customer, Customer.id == Invoice.customer_id)
        .where(Invoice.state == InvoiceState.POSTED, Invoice.invoice_on >= since)
        .where(or_(Invoice.entity_id.in_(list(companies)), loaded))
        .group_by(entity, Customer.group_id, year, month)
    )  # fmt: skip


def debts_of(
    session: Session, realm: str, entities: Collection[int], sites: Collection[int], on: date | None, at: datetime, limit: int,
    *, customer_group: int | None, is_due: bool,
) -> list[OpenDebt]:  # fmt: skip
    """The largest open documents of the companies in scope, as of the end of the day or now; overdue ones where ``is_due``."""
    companies: dict[int, _Company] = {
        key: one
        for key, one in _companies(session).items()
        if one.realm == realm and (not entities or key in entities) and (not sites or one.sites & frozenset(sites))
    }
    if not companies:
        return []
    zones = {key: one.zone for key, one in companies.items()}
    days = {key: on or local_day(at, zone) for key, zone in zones.items()}
    found = documents_on(zones, days, is_today=on is None).subquery()
    query = (
        select(
            found.c.document_id, found.c.entity_id, found.c.due_on, found.c.open_minor, Receivable.document_type, Customer.group_id,
            func.coalesce(Invoice.number, CreditMemo.number, DebtJournal.number, DunningFee.number).label("number"),
        )
        .join(Receivable, Receivable.document_id == found.c.document_id)
        .join(Customer, Customer.id == found.c.customer_id)
        .outerjoin(Invoice, Invoice.id == found.c.document_id)
        .outerjoin(CreditMemo, CreditMemo.id == found.c.document_id)
        .outerjoin(DebtJournal, DebtJournal.id == found.c.document_id)
        .outerjoin(DunningFee, DunningFee.id == found.c.document_id)
        .where(found.c.open_minor > 0)
        .order_by(found.c.open_minor.desc(), found.c.document_id)
        .limit(limit)
    )  # fmt: skip
    if is_due:
        query = query.where(
            found.c.due_on < by_company(found.c.entity_id, {k: literal(d, Date) for k, d in days.items()})
        )
    if customer_group is not None:
        query = query.where(Customer.group_id == customer_group)
    return [
        OpenDebt(
            row.document_type, row.document_id, row.number or str(row.document_id), companies[row.entity_id].sites, row.group_id,
            companies[row.entity_id].currency, day_start(row.due_on, companies[row.entity_id].zone),
            max(0, (days[row.entity_id] - row.due_on).days), row.open_minor,
        )
        for row in session.execute(query)
    ]  # fmt: skip
