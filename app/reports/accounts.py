"""The paper of a customer's account: what was owed, what came and went, what is open and since when."""

from __future__ import annotations

from datetime import datetime

from app.queries.customer_statement import Statement
from app.queries.receivables import BUCKETS
from app.reports.papers import Paper, amount_text, day_text, frame, pay_rows, set_paper

_KINDS = {
    "invoice": "Invoice",
    "credit_memo": "Credit memo",
    "debt_journal": "Debt journal",
    "dunning_fee": "Dunning fee",
    "fee_waived": "Fee waived",
    "receipt": "Payment",
    "receipt_return": "Payment returned",
}


def statement_paper(page: Statement, at: datetime) -> Paper:
    """A statement of account, dated when it is made."""
    row = page.account.row
    currency = row.currency
    number = f"{row.code}-{page.until:%Y%m%d}"
    lines = [
        {
            "on": day_text(one.on), "kind": _KINDS[one.kind], "number": one.number, "note": one.note,
            "due": day_text(one.due_on) if one.due_on else "", "amount": amount_text(one.minor, currency),
            "balance": amount_text(one.balance_minor, currency),
        }
        for one in page.movements
    ]  # fmt: skip
    aged = [
        (name, amount_text(minor, currency))
        for name, minor in (
            *zip(BUCKETS, row.due_minor, strict=True), *([("Deducted", row.deducted_minor)] if row.deducted_minor else []), ("Credits", row.credits_minor), ("On account", row.on_account_minor),
        )
    ]  # fmt: skip
    facts = [
        ("From", day_text(page.since)), ("Until", day_text(page.until)), ("Customer", row.code), ("Currency", currency),
        ("Overdue", amount_text(row.overdue_minor, currency)), ("Balance", amount_text(row.balance_minor, currency)),
    ]  # fmt: skip
    context = frame("Statement of account", number, at, realm=page.account.realm, of=row.customer)
    return set_paper(
        "statement",
        context
        | {
            "whose": row.entity, "facts": facts, "lines": lines, "aged": aged, "currency": currency, "head": page.head,
            "pay_to": pay_rows(page.head.pay_to, row.code) if row.balance_minor > 0 else [],
            "opening": amount_text(page.opening_minor, currency), "closing": amount_text(page.closing_minor, currency),
            "first": day_text(page.since), "last": day_text(page.until),
        },
        f"statement-{number}",
    )  # fmt: skip
