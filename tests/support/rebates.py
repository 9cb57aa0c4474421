"""Builders of rebate agreements, and what a test asks of them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import text

from app.composition.uow import reading
from app.security.permissions import Permission
from erpcore.billing.rebate_settling import SettleRebate, settle_rebate
from erpcore.billing.rebates.agreements import TierIn, WriteRebate, agree_rebate, end_rebate, write_rebate
from erpcore.kernel.actor import Actor

#: Who writes agreements and who agrees to them.
WRITER, OTHER = (Actor(id=key, role="finance", permissions=frozenset(map(str, Permission))) for key in (71, 72))


def tier(starts_at, percent=None, *, per_unit=None, back=False):
    """From so much on so many percent, or so much a unit; ``back``: for all that counts."""
    return TierIn(
        starts_at=Decimal(starts_at), percent=None if percent is None else Decimal(percent) / 100,
        per_unit=None if per_unit is None else Decimal(per_unit), is_retroactive=back,
    )  # fmt: skip


#: 2 % from the start, 5 % of everything from 250.00 on.
TWO = (tier(0, 2), tier(250, 5, back=True))


def terms(business, tiers=TWO, **changes):
    """A command for an agreement with the business's customer for the year 2026."""
    return WriteRebate(
        **{
            "site": business.site, "name": "Yearly bonus", "customer": business.customer, "valid_from": date(2026, 1, 1),
            "valid_until": date(2027, 1, 1), "tiers": tiers, **changes,
        }
    )  # fmt: skip


def drafted(business, tiers=TWO, **changes):
    with business.work(WRITER) as work:
        return write_rebate(work, terms(business, tiers, **changes))


def agreed(business, tiers=TWO, **changes):
    """An agreement that counts."""
    key = drafted(business, tiers, **changes)
    with business.work(OTHER) as work:
        agree_rebate(work, key)
    return key


def ended(business, key):
    with business.work(OTHER) as work:
        end_rebate(work, key, reason="The customer is sold")


def settled(business, key, actor=OTHER, **parts):
    with business.work(actor) as work:
        return settle_rebate(work, SettleRebate(agreement=key, **parts))


def asked(business, sql, **values):
    with reading(business.database) as session:
        return [tuple(row) for row in session.execute(text(sql), values)]


def standing(business, key):
    """What counts and what is accrued: net, thousandths, level, accrued."""
    sql = "SELECT net_minor, quantity, level, accrued_minor FROM rebate_standing WHERE agreement_id = :key"
    return asked(business, sql, key=key)[0]


def accruals(business, key):
    """What every document did: its type, for itself, for what was before it."""
    sql = "SELECT document_type, amount_minor, adjusted_minor FROM rebate_posting WHERE agreement_id = :key ORDER BY id"
    return asked(business, sql, key=key)


def in_books(business, role):
    """Credits less debits of the account with that role."""
    sql = (
        "SELECT COALESCE(SUM(l.credit_minor - l.debit_minor), 0) FROM journal_line l "
        "JOIN ledger_account a ON a.id = l.account_id WHERE a.role = :role"
    )
    return int(asked(business, sql, role=role)[0][0])


def state(business, key):
    return asked(business, "SELECT state FROM rebate_agreement WHERE id = :key", key=key)[0][0]
