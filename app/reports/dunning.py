"""The paper of a notice: what is overdue since when, what the notice costs, and until when to pay."""

from __future__ import annotations

from app.queries.dunning import NoticePage
from app.reports.papers import Paper, amount_text, day_text, frame, pay_rows, set_paper
from erpcore.kernel.errors import RuleBroken

_CELLS = 3
#: What the letters are called.
KINDS = {"reminder": "Reminder", "demand": "Demand for payment", "final": "Last demand"}


def notice_paper(page: NoticePage) -> Paper:
    """The letter of an issued notice, dated by that. Raises ``RuleBroken`` for one that was not issued."""
    row, currency = page.row, page.currency
    if page.issued_at is None:
        raise RuleBroken("dunning_not_issued", notice=row.number)
    # As it was sent: documents may be paid by now, and the paper stays what it was.
    parts = [(_rows(part), part.split("\n")) for part in page.body.split("\n\n")]
    facts = [
        ("Date", day_text(page.run_on)), ("Customer", row.code), ("Level", str(row.level)), ("Pay by", day_text(row.pay_until)),
    ]  # fmt: skip
    context = frame(KINDS[row.letter], row.number, page.issued_at, realm=page.realm, of=row.customer)
    return set_paper(
        "dunning",
        context
        | {
            "whose": page.entity, "facts": facts, "parts": parts, "currency": currency, "head": page.head,
            "pay_to": pay_rows(page.head.pay_to, row.number),
            "overdue": amount_text(row.overdue_minor, currency), "fee": amount_text(row.fee_minor, currency) if row.fee_minor else "",
            "total": amount_text(row.overdue_minor + row.fee_minor, currency),
        },
        f"dunning-{row.number}",
    )  # fmt: skip


def _rows(part: str) -> list[list[str]]:
    """The invoices of a paragraph that lists them: number, day, amount; nothing of any other."""
    rows = [line.split(" · ") for line in part.split("\n")]
    return rows if all(len(row) == _CELLS for row in rows) else []
