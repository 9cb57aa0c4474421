"""Builders of deductions and disputes: an invoice paid short, and those who settle the difference."""

from __future__ import annotations

from app.composition.dispute_approvals import BY_RULES
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.dispute_settling import Settle, settle_dispute
from erpcore.billing.disputing import Deduct, Object, name_deductions, open_disputes
from tests.support.core import OPEN, RULES


def paid_short(business, invoice, minor, **named):
    """The application of a receipt of so much, and the deductions named with it (all that is open without an amount)."""
    with business.work() as work:
        command = ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=minor)
        (receipt,) = receive_cash(work, [command])
        (application,) = apply_cash(work, [ApplyCash(receipt=receipt, invoice=invoice.id, amount_minor=minor)])
        made = name_deductions(work, [Deduct(application=application, **named)], rules=RULES, cells=OPEN)
    return application, made[0]


def objected(business, invoice, minor, reason="price", actor=None, **more):
    """The customer objects to so much of the invoice."""
    with business.work(actor) as work:
        command = Object(
            invoice=invoice.id, amount_minor=minor, reason=reason, note="They say 9.00 was agreed.", **more
        )
        return open_disputes(work, [command])[0]


def settled(business, dispute, actor=None, **parts):
    """Settle a difference by its parts; whether a write-off waits."""
    with business.work(actor) as work:
        command = Settle(dispute=dispute, **{"reason": "looked at the delivery note", **parts})
        return settle_dispute(work, command, rules=RULES, cells=OPEN, authority=BY_RULES)
