"""What do partners owe us, since when, and what of their payouts has nobody explained?

Four kinds: orders that were invoiced and not paid out, payouts that the bank has not brought, reserves that are not released (the
oldest are released first), and what of posted payouts is not explained, which is positive where the partner took it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, and_, case, func, literal_column, select, text, union_all
from sqlalchemy import cast as sql_cast

from app.queries.listing import Eyes, SqlList
from app.queries.settlement import NOT_PAID
from erpcore.billing.models import Invoice
from erpcore.billing.settling.models import Payout, PayoutLine, PayoutLineKind, PayoutState, SettlementPartner
from erpcore.credit.models import Receivable
from erpcore.masterdata.models import Entity, Site
from erpcore.orders.models import SalesOrder

KINDS = ("invoice", "payout", "reserve", "unexplained")
#: The first day of each bucket of age but the youngest, and what the buckets are called.
BUCKETS = {"0-30": (0, 30), "31-60": (31, 60), "61-90": (61, 90), "over-90": (91, None)}
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class OwedRow:
    """Something that a partner owes, or, negative, we owe it. ``link_id``: the invoice or the payout."""

    kind: str
    id: int
    link_id: int
    number: str
    what: str
    partner_id: int
    partner: str
    site: str
    since: datetime
    minor: int
    currency: str

    def age_days(self, now: datetime) -> int:
        """Whole days."""
        return (now - self.since).days


def _word(value: str) -> Any:
    return literal_column(f"'{value}'", String)


def _columns(kind: str, key: Any, link: Any, number: Any, what: Any, since: Any, minor: Any) -> list[Any]:
    return [
        _word(kind).label("kind"), key.label("id"), link.label("link_id"), sql_cast(number, String).label("number"),
        sql_cast(what, String).label("what"), since.label("since"), minor.label("minor"),
    ]  # fmt: skip


def _invoices() -> Any:
    """Orders of the partner's channel that are invoiced and not paid."""
    return (
        select(
            *_columns(
                "invoice", Invoice.id, Invoice.id, Invoice.number, func.coalesce(SalesOrder.customer_reference, SalesOrder.number),
                Invoice.posted_at, Receivable.open_minor,
            ),
            SettlementPartner.id.label("partner_id"), Invoice.site_id, Invoice.currency,
        )
        .select_from(SettlementPartner)
        .join(
            SalesOrder,
            and_(SalesOrder.channel_id == SettlementPartner.channel_id, SalesOrder.entity_id == SettlementPartner.entity_id),
        )
        .join(Invoice, and_(Invoice.order_id == SalesOrder.id, Invoice.state == "posted"))
        .join(Receivable, Receivable.document_id == Invoice.id)
        .where(text("receivable.open_minor <> 0"), Receivable.open_minor > 0)
    )  # fmt: skip


def _payouts() -> Any:
    return select(
        *_columns(
            "payout", Payout.id, Payout.id, Payout.reference, _word("not at the bank yet"), Payout.posted_at,
            Payout.transfer_minor - Payout.paid_minor,
        ),
        Payout.partner_id.label("partner_id"), Payout.site_id, Payout.currency,
    ).where(NOT_PAID)  # fmt: skip


def _reserves() -> Any:
    """What is left of each reserve when the oldest are released first."""
    known = PayoutLine.unexplained_minor - PayoutLine.amount_minor
    held = case((PayoutLine.kind == PayoutLineKind.RESERVE_HELD.value, known), else_=0)
    released = case((PayoutLine.kind == PayoutLineKind.RESERVE_RELEASED.value, -known), else_=0)
    lines = (
        select(
            PayoutLine.id, PayoutLine.payout_id, PayoutLine.partner_id, PayoutLine.site_id, PayoutLine.received_at,
            Payout.reference, Payout.currency, held.label("held"),
            func.sum(held).over(partition_by=PayoutLine.partner_id, order_by=PayoutLine.id).label("until"),
            func.sum(released).over(partition_by=PayoutLine.partner_id).label("released"),
        )
        .join(Payout, Payout.id == PayoutLine.payout_id)
        .where(
            Payout.state == PayoutState.POSTED.value,
            PayoutLine.kind.in_([PayoutLineKind.RESERVE_HELD.value, PayoutLineKind.RESERVE_RELEASED.value]),
        )
        .subquery("reserve")
    ).c  # fmt: skip
    beyond = lines.until - lines.released
    left = case((beyond >= lines.held, lines.held), (beyond > 0, beyond), else_=0)
    return select(
        *_columns("reserve", lines.id, lines.payout_id, lines.reference, _word("held and not released"), lines.received_at, left),
        lines.partner_id.label("partner_id"), lines.site_id, lines.currency,
    ).where(lines.held > 0, left > 0)  # fmt: skip


def _unexplained() -> Any:
    return (
        select(
            *_columns(
                "unexplained", PayoutLine.id, PayoutLine.payout_id, Payout.reference, PayoutLine.explanation,
                PayoutLine.received_at, -PayoutLine.open_minor,
            ),
            PayoutLine.partner_id.label("partner_id"), PayoutLine.site_id, Payout.currency,
        )
        .join(Payout, Payout.id == PayoutLine.payout_id)
        .where(text("settlement_line.open_minor <> 0"), Payout.state == PayoutState.POSTED.value)
    )  # fmt: skip


_FOUND = union_all(_invoices(), _payouts(), _reserves(), _unexplained()).subquery("owed").c


def _select() -> Any:
    return (
        select(
            _FOUND.kind, _FOUND.id, _FOUND.link_id, _FOUND.number, _FOUND.what, _FOUND.since, _FOUND.minor, _FOUND.currency,
            _FOUND.partner_id, SettlementPartner.name.label("partner"), Site.name.label("site"),
        )
        .select_from(_FOUND.kind.table)
        .join(SettlementPartner, SettlementPartner.id == _FOUND.partner_id)
        .join(Site, Site.id == _FOUND.site_id)
        .join(Entity, Entity.id == Site.entity_id)
    )  # fmt: skip


def _in_bucket(value: Any, eyes: Eyes) -> Any:
    first, last = BUCKETS[value]
    # So many whole days old is one more day old at most.
    youngest = _FOUND.since <= eyes.now - first * _DAY
    return youngest if last is None else and_(youngest, _FOUND.since > eyes.now - (last + 1) * _DAY)


#: All that partners owe or left unexplained, the oldest first.
OWED: SqlList[OwedRow] = SqlList(
    select=_select, row=lambda found: OwedRow(**found._mapping), tie=(_FOUND.kind, _FOUND.id), key=(_FOUND.kind, _FOUND.id),  # noqa: SLF001 - rows have no other name for it
    kinds=(str, int), usual="since", site=_FOUND.site_id, realm=Entity.realm, by=("kind", _FOUND.kind),
    text=(_FOUND.number, _FOUND.what, SettlementPartner.name), sums={"Owed": _FOUND.minor}, currency=_FOUND.currency,
    sorts={
        "number": _FOUND.number, "partner": SettlementPartner.name, "since": _FOUND.since, "owed": _FOUND.minor,
    },
    wanted={
        "kind": lambda value, _: _FOUND.kind == value,
        "partner": lambda value, _: _FOUND.partner_id == value,
        "age": _in_bucket,
    },
)  # fmt: skip
