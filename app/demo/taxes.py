"""The taxes of the demo: the rates of its three countries, and sales across a border that the customer's number decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select

from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.tax_keeping import NewTaxNumber, NewTaxRule, keep_tax_number, keep_tax_rule
from erpcore.masterdata.tax_models import TaxCategory, TaxRate


class _Rates(NamedTuple):
    code: str
    reduced: Decimal
    number: str
    #: How sales to who has a tax number abroad are exempt, and by which kind of rule.
    across: tuple[str, str, TaxCategory] | None = None


#: By country: how its rules are named, the reduced rate, and the tax number of our company there.
_COUNTRIES = {
    "Germany": _Rates(
        "DE", Decimal("0.07"), "DE811907980",
        (
            "EU", "Intra-community supply: exempt, the customer accounts for the tax in the country of destination.",
            TaxCategory.INTRA_COMMUNITY,
        ),
    ),
    "Switzerland": _Rates("CH", Decimal("0.026"), "CHE-123.456.788 MWST"),
    "United Kingdom": _Rates(
        "GB", Decimal("0.05"), "GB 123 4567 82", ("EX", "Zero-rated: goods exported from Great Britain.", TaxCategory.EXPORT)
    ),
}  # fmt: skip


def tax_a_company(work: UnitOfWork, entity: int, *, country: str, abroad: str, rate: Decimal, since: date) -> None:
    """Standard and reduced rate at home, and what goes abroad without tax to who has a tax number there."""
    named = _COUNTRIES[country]
    code = f"{named.code}-{rate * 100:.4g}"
    home = NewTaxRule(entity=entity, valid_from=since, code=code, country=country, rate=rate)
    lower = f"{named.code}-{named.reduced * 100:.4g}"
    keep_tax_rule(work, home)
    keep_tax_rule(work, replace(home, code=lower, rate=named.reduced, item_tax_class="reduced"))
    keep_tax_number(work, NewTaxNumber(entity=entity, valid_from=since, country=country, number=named.number))
    if named.across is not None:
        where, sentence, category = named.across
        across = NewTaxRule(
            entity=entity, valid_from=since, code=f"{named.code}-{where}-0", ship_from=country, country=abroad, rate=Decimal(0),
            sentence=sentence, category=category, registration=country, needs_number=True,
        )  # fmt: skip
        keep_tax_rule(work, across)


def rule_to_name(work: UnitOfWork, entity: int) -> int:
    """The rule under which finance releases what no rule determines: what leaves Great Britain as an export, other sales to who has
    no number abroad at the full rate of home (Liechtenstein is in the customs area of Switzerland).
    """
    rules = work.session.scalars(select(TaxRate).where(TaxRate.entity_id == entity)).all()
    named = max(rules, key=lambda one: (one.category == TaxCategory.EXPORT, one.rate, -one.id))
    return named.id
