"""Is an invoice doubtful, and why? Pure rules over facts; each finding says what is wrong and the way out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.model import PRICE_PLACES
from erpcore.kernel.money import from_minor
from erpcore.kernel.quantity import as_units

#: What can be doubtful, in the order in which it is told.
DOUBTS = ("tax", "price", "quantity", "address", "duplicate", "amount")
#: From so many invoices on a customer has a history to compare with; so many of the latest are looked at.
FEWEST, LATEST = 5, 24


class Finding(NamedTuple):
    """One doubt, by its code, with the facts it rests on."""

    code: str
    facts: Mapping[str, Any]

    @property
    def sentence(self) -> str:
        """What is wrong, with its figures."""
        return _SAID[self.code][0](self.facts)

    @property
    def way_out(self) -> str:
        """What somebody can do about it."""
        return _SAID[self.code][1]


@dataclass(frozen=True, kw_only=True, slots=True)
class LineFacts:
    """A line as billed, ordered and shipped; prices in millionths, quantities in thousandths."""

    line_no: int
    price: int
    order_price: int
    quantity: int
    shipped: int


@dataclass(frozen=True, kw_only=True, slots=True)
class InvoiceFacts:
    """What the rules look at. ``no_tax``: why there is none. ``missing``: parts of the billing address that lack, all of it where
    it is ``None``. ``twin``: what bills the same. ``history``: net amounts of the customer's latest invoices; ``limit_permille``: the
    share of the largest above which an amount is unusual, 0: not looked at.
    """

    currency: str
    net_minor: int
    lines: Sequence[LineFacts]
    no_tax: str = ""
    missing: Sequence[str] | None = ()
    twin: str = ""
    history: Sequence[int] = ()
    limit_permille: int = 0


def doubts_of(facts: InvoiceFacts) -> list[Finding]:
    """All that is doubtful, in the order of ``DOUBTS``; empty: it may be posted."""
    out = [Finding("tax", {"why": facts.no_tax})] if facts.no_tax else []
    out += [
        Finding("price", {"line": one.line_no, "price": one.price, "ordered": one.order_price})
        for one in facts.lines if one.price != one.order_price
    ]  # fmt: skip
    out += [
        Finding("quantity", {"line": one.line_no, "billed": one.quantity, "shipped": one.shipped})
        for one in facts.lines if one.quantity != one.shipped
    ]  # fmt: skip
    if facts.missing is None or facts.missing:
        out.append(Finding("address", {"missing": list(facts.missing or ())}))
    if facts.twin:
        out.append(Finding("duplicate", {"twin": facts.twin}))
    if facts.limit_permille and len(facts.history) >= FEWEST:
        largest = max(facts.history)
        if facts.net_minor * 1000 > largest * facts.limit_permille:
            out.append(
                Finding(
                    "amount",
                    {
                        "net": facts.net_minor, "largest": largest, "of": len(facts.history), "currency": facts.currency,
                        "limit": facts.limit_permille,
                    },
                )
            )  # fmt: skip
    return out


def stored(findings: Iterable[Finding]) -> str | None:
    """As the invoice keeps them."""
    rows = [{"code": one.code, "facts": dict(one.facts)} for one in findings]
    return canonical_json(rows).decode() if rows else None


def read(text: str | None) -> list[Finding]:
    """Those that an invoice keeps."""
    return [Finding(one["code"], one["facts"]) for one in json.loads(text or "[]")]


def mark_of(code: str) -> str:
    """The part of what is stored that only a finding of this code has."""
    return f'"code":"{code}"'


def summary(findings: Iterable[Finding]) -> str:
    """All of them in one line, as the queue shows it."""
    return "; ".join(one.sentence for one in findings)


def _price(value: int) -> str:
    price = Decimal(value).scaleb(-PRICE_PLACES)
    return f"{max(price.normalize(), price.quantize(Decimal('0.01')), key=lambda one: -int(one.as_tuple().exponent)):f}"


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _amount_said(facts: Mapping[str, Any]) -> str:
    net, largest = (from_minor(facts[name], facts["currency"]) for name in ("net", "largest"))
    return (
        f"{net} {facts['currency']} net is more than {_plain(Decimal(facts['limit']) / 10)} % of the largest of the customer’s last "
        f"{facts['of']} invoices, {largest}"
    )


def _address_said(facts: Mapping[str, Any]) -> str:
    parts = " and ".join(part.replace("_", " ") for part in facts["missing"])
    return f"the billing address lacks its {parts}" if parts else "the customer has no billing address"


_SAID: dict[str, tuple[Callable[[Mapping[str, Any]], str], str]] = {
    "tax": (
        lambda facts: str(facts["why"]),
        "Add the tax rule or the number that is missing, then check again; or name the rule when you release it.",
    ),
    "price": (
        lambda facts: f"line {facts['line']} charges {_price(facts['price'])}, ordered at {_price(facts['ordered'])}",
        "Amend the line to the price of the order; or somebody else than who set it releases the invoice.",
    ),
    "quantity": (
        lambda facts: (
            f"line {facts['line']} bills {as_units(facts['billed'])}, shipped were {as_units(facts['shipped'])}"
        ),
        "Find out what left; release it once the difference is explained.",
    ),
    "address": (_address_said, "Complete the customer’s usual address, then check again."),
    "duplicate": (
        lambda facts: f"{facts['twin']} bills the same customer the same goods and amount",
        "Compare both; release it when both are right, else credit the order’s other invoice.",
    ),
    "amount": (_amount_said, "Compare it with the order; release it when the amount is right."),
}
