"""How are amounts, quantities, days and people written on the pages of the core?"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from flask import Blueprint, g

from app.composition.request import now
from app.security.roles import title_of
from app.web.pasts import past
from erpcore.kernel.money import from_minor, places

_MINUS = "−"


def money(minor: int | None, currency: str, *, code: bool = True) -> str:
    """Minor units as people write an amount: ``1,234.50 EUR``; a dash for none."""
    if minor is None:
        return "–"
    text = f"{abs(from_minor(minor, currency)):,.{places(currency)}f}"
    return f"{_MINUS if minor < 0 else ''}{text}{f' {currency}' if code else ''}"


def amount(minor: int | None, currency: str) -> str:
    """``money`` without its currency, for columns whose head says it."""
    return money(minor, currency, code=False)


def quantity(value: Decimal | None, unit: str = "") -> str:
    """A quantity without idle zeros: ``1,200 pc``; a dash for none."""
    if value is None:
        return "–"
    text = f"{abs(value):,f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{_MINUS if value < 0 else ''}{text or '0'}{f' {unit}' if unit else ''}"


def price(value: Decimal | None) -> str:
    """A unit price with at least two places and no idle zeros beyond: ``1.84``, ``0.035``."""
    if value is None:
        return "–"
    whole, _, parts = f"{abs(value):,f}".partition(".")
    return f"{_MINUS if value < 0 else ''}{whole}.{parts.rstrip('0').ljust(2, '0')}"


def percent(rate: Decimal | None) -> str:
    """A share as a percentage without idle zeros: ``19 %``; a dash for none."""
    return "–" if rate is None else f"{quantity((rate * 100).normalize())} %"


def on(day: date | None) -> str:
    """A day in a table: ``Thu 14 Jan``, with the year when it is not this one; a dash for none."""
    if day is None:
        return "–"
    text = f"{day:%a} {day.day} {day:%b}"
    return text if day.year == now().year else f"{text} {day.year}"


def counted(number: int, thing: str, things: str = "") -> str:
    """So many of something: ``1 day``, ``1,200 days``; ``things`` where an s does not make the plural."""
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"


def words(code: str | None) -> str:
    """A code as words: ``drop_ship`` → ``drop ship``."""
    return (code or "").replace("_", " ")


def heading(code: str | None) -> str:
    """A code as words that begin a line: ``order_to_cash`` → ``Order to cash``."""
    text = words(code)
    return text[:1].upper() + text[1:]


def who(actor: int, role: str, site: str = "") -> str:
    """Who did something, as everybody may read it: oneself as oneself, others by role and site, jobs by their name."""
    if role.startswith("system:"):
        return f"Job {role.removeprefix('system:')}"
    acting = g.get("actor")
    if acting is not None and acting.id == actor and actor:
        return "You"
    return ", ".join(part for part in (title_of(role), site) if part)


#: Words for a promise's reason.
PROMISES = {
    "stock": "from stock", "transit": "from goods on their way", "receipt": "from an expected receipt",
    "lead_time": "once the supplier delivers", "third_party": "from a third party's stock",
    "drop_ship": "straight from the supplier", "replenishment": "once replenished", "commitment": "as committed", "stated": "as stated",
    "backordered": "backordered", "amended": "as changed", "moved": "moved by us",
}  # fmt: skip


def promised_from(reason: str) -> str:
    """Where promised goods come from, in words."""
    return PROMISES.get(reason, words(reason))


FILTERS: dict[str, Any] = {
    "money": money, "amount": amount, "quantity": quantity, "price": price, "percent": percent, "on": on, "words": words,
    "heading": heading, "promised_from": promised_from, "counted": counted, "past": past,
}  # fmt: skip


def register_figures(blueprint: Blueprint) -> None:
    """Give every template these filters, and ``who``. Called by each area that uses them."""
    for name, function in FILTERS.items():
        blueprint.add_app_template_filter(function, name)
    blueprint.add_app_template_global(who, "who")
