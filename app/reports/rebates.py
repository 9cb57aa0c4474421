"""The paper of a rebate agreement: its tiers, what counts, what is accrued, and what was given back of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from app.queries.rebates import RebatePage, TierFact
from app.reports.papers import Paper, amount_text, day_text, frame, set_paper

_DAY = timedelta(days=1)


def plain(value: Decimal) -> str:
    """A number without zeros at its end."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def tier_text(tier: TierFact, currency: str) -> str:
    """What a tier gives, as people say it."""
    if tier.percent is not None:
        gives = f"{plain(tier.percent * 100)} %"
    else:
        gives = f"{plain(tier.per_unit or Decimal(0))} {currency} a unit"
    return f"{gives} of all that counts" if tier.is_retroactive else f"{gives} of what goes beyond"


def rebate_statement(page: RebatePage, at: datetime) -> Paper:
    """A statement of an agreement against what is accrued, dated when it is made."""
    row, currency = page.row, page.row.currency
    unit = currency if row.basis == "net" else "units"
    facts = [
        ("From", day_text(row.valid_from)), ("Last day", day_text(row.valid_until - _DAY)), ("On", row.what),
        ("State", row.state), ("Currency", currency),
    ]  # fmt: skip
    tiers = [
        {
            "level": str(one.level), "from": f"{plain(row.as_measured(one.starts_at))} {unit}", "gives": tier_text(one, currency),
            "missing": "reached" if one.is_reached else f"{plain(row.as_measured(one.missing))} {unit} to go",
        }
        for one in page.tiers
    ]  # fmt: skip
    settled = [
        {
            "on": day_text(one.settled_at.date()), "what": "settled for good" if one.is_final else "paid in part",
            "memos": ", ".join(f"{number} {customer}" for _, number, customer, _ in one.memos), "reason": one.reason or "",
            "paid": amount_text(one.paid_minor, currency), "difference": amount_text(one.difference_minor, currency),
        }
        for one in page.settlements
    ]  # fmt: skip
    sums = [
        ("Counts so far", f"{plain(row.as_measured(row.counted))} {unit}"), ("Accrued", f"{amount_text(row.accrued_minor, currency)} {currency}"),
        ("Given back", f"{amount_text(row.settled_minor, currency)} {currency}"),
        ("Settled above what was accrued", f"{amount_text(row.difference_minor, currency)} {currency}"),
    ]  # fmt: skip
    context = frame("Rebate statement", row.number, at, realm=row.realm, of=row.whose)
    return set_paper(
        "rebate",
        context
        | {
            "whose": row.entity, "name": row.name, "facts": facts, "tiers": tiers, "settled": settled, "sums": sums,
            "currency": currency, "open": f"{amount_text(row.open_minor, currency)} {currency}",
        },
        f"rebate-{row.number}",
    )  # fmt: skip
