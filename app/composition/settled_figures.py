"""Which invoices were settled with what deducted of them, and which payouts came: two parts of the statement of ``dispute_figures``."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Date,
    Integer,
    String,
    and_,
    case,
    cast,
    func,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from erpcore.billing.disputes.models import Dispute, DisputeKind, DisputeStep, StepKind
from erpcore.billing.models import CreditApplication, Invoice, ReceiptApplication
from erpcore.billing.settling.models import Payout, PayoutLine, PayoutState, SettlementPartner
from erpcore.credit.models import Receivable
from erpcore.kernel.model import UtcDateTime
from erpcore.masterdata.models import Customer, Entity, Site
from erpcore.orders.models import SalesOrder

NO_OUTCOMES = tuple(
    cast(null(), BigInteger).label(name) for name in ("valid_minor", "invalid_minor", "recovered_minor")
)
#: Days are the sites\'; none begins earlier than this before that of UTC.
_EARLY = timedelta(hours=14)


def _from(since: date) -> datetime:
    return datetime.combine(since, time(), UTC) - _EARLY


def settled_from(realms: Collection[str], since: date, at: datetime) -> Any:
    """Invoices settled from the day on, by when the last of them was settled: alone where something was deducted, else together."""
    applied = union_all(
        *(
            select(table.invoice_id, table.applied_at).where(table.applied_at >= _from(since), table.applied_at <= at)
            for table in (ReceiptApplication, CreditApplication)
        )
    ).subquery("applied")
    last = (
        select(applied.c.invoice_id, func.max(applied.c.applied_at).label("at"))
        .group_by(applied.c.invoice_id)
        .subquery("last")
    )
    told = _deductions()
    alone = case((told.c.invoice_id.is_not(None), Invoice.id), else_=null())
    group = (
        Entity.realm, Invoice.entity_id, Invoice.site_id, SalesOrder.channel_id, Customer.group_id, Site.time_zone,
        Invoice.currency, alone, case((told.c.invoice_id.is_not(None), Invoice.number), else_=null()), _Hour(last.c.at),
    )  # fmt: skip
    return (
        select(
            *group[:5], cast(null(), Date), group[7], group[8], cast(null(), UtcDateTime()), group[9], group[5], group[6],
            func.sum(Invoice.gross_minor), func.sum(func.coalesce(told.c.open, 0)), cast(func.count(), Integer),
            literal_column("\'settled\'", String), func.sum(func.coalesce(told.c.valid, 0)),
            func.sum(func.coalesce(told.c.invalid, 0)), func.sum(func.coalesce(told.c.recovered, 0)),
        )
        .select_from(last)
        .join(Invoice, Invoice.id == last.c.invoice_id)
        .join(Receivable, Receivable.document_id == Invoice.id)
        .join(SalesOrder, SalesOrder.id == Invoice.order_id)
        .join(Customer, Customer.id == Invoice.customer_id)
        .join(Site, Site.id == Invoice.site_id)
        .join(Entity, Entity.id == Invoice.entity_id)
        .join(told, told.c.invoice_id == Invoice.id, isouter=True)
        .where(Entity.realm.in_(sorted(realms)), Receivable.open_minor == func.coalesce(told.c.open, 0))
        .group_by(*group)
    )  # fmt: skip


class _Hour(FunctionElement[datetime]):
    """The beginning of the hour of an instant: days of sites begin with hours, and there are fewer hours than instants."""

    type = UtcDateTime()
    inherit_cache = True
    name = "begun_hour"


@compiles(_Hour)
def _hour_in_sql(element: Any, compiler: Any, **options: Any) -> str:
    return f"date_trunc('hour', {compiler.process(element.clauses, **options)})"


@compiles(_Hour, "sqlite")
def _hour_in_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"substr({compiler.process(element.clauses, **options)}, 1, 13)"


def _deductions() -> Any:
    """What was deducted of each invoice, by what became of it; what was withdrawn was none."""

    def sum_of(*kinds: StepKind) -> Any:
        return func.sum(
            case((DisputeStep.kind.in_([kind.value for kind in kinds]), -DisputeStep.amount_minor), else_=0)
        )

    return (
        select(
            Dispute.invoice_id, func.sum(DisputeStep.amount_minor).label("open"),
            sum_of(StepKind.CREDITED).label("valid"), sum_of(StepKind.PAID).label("recovered"),
            sum_of(StepKind.REBILLED, StepKind.WRITTEN_OFF, StepKind.ROUNDED).label("invalid"),
        )
        .join(DisputeStep, DisputeStep.dispute_id == Dispute.id)
        .where(Dispute.kind == DisputeKind.DEDUCTION.value)
        .group_by(Dispute.invoice_id)
        .subquery("told")
    )  # fmt: skip


def paid_out_from(realms: Collection[str], since: date, at: datetime) -> Any:
    """Payouts that came from the day on, with what of each nobody has explained by now."""
    left = (
        select(PayoutLine.payout_id, func.sum(func.abs(PayoutLine.open_minor)).label("open"))
        .group_by(PayoutLine.payout_id)
        .subquery("unexplained")
    )
    return (
        select(
            Entity.realm, Payout.entity_id, Payout.site_id, SettlementPartner.channel_id, cast(null(), BigInteger), cast(null(), Date),
            Payout.id, Payout.reference, cast(null(), UtcDateTime()), Payout.taken_at,
            Site.time_zone + " " + SettlementPartner.name, Payout.currency, Payout.gross_minor, func.coalesce(left.c.open, 0),
            cast(null(), Integer), literal_column("\'paid_out\'", String), *NO_OUTCOMES,
        )
        .join(SettlementPartner, SettlementPartner.id == Payout.partner_id)
        .join(Site, Site.id == Payout.site_id)
        .join(Entity, Entity.id == Payout.entity_id)
        .join(left, left.c.payout_id == Payout.id, isouter=True)
        .where(
            and_(Payout.state != PayoutState.REFUSED.value, Entity.realm.in_(sorted(realms))), Payout.taken_at >= _from(since),
            Payout.taken_at <= at,
        )
    )  # fmt: skip
