"""Keeping tax rules, tax numbers and exemptions: added from a day on, ended on a day, never edited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Customer, Entity
from erpcore.masterdata.services import add_tax_rate
from erpcore.masterdata.tax_models import EVERY, UNTAXED, TaxCategory, TaxExemption, TaxRate, TaxRegistration

CHANGE = "masterdata:tax:keep"
#: Kinds whose reason must stand on the invoice.
_SAYS_WHY = frozenset(UNTAXED - {TaxCategory.ZERO})


@dataclass(frozen=True, kw_only=True)
class NewTaxRule:
    """A rate on what goes from one country to another, for classes of customers and items, from a day on."""

    entity: int
    code: str
    country: str
    rate: Decimal
    valid_from: date
    ship_from: str = EVERY
    customer_tax_class: str = EVERY
    item_tax_class: str = EVERY
    category: str = TaxCategory.STANDARD
    sentence: str | None = None
    registration: str | None = None
    needs_number: bool = False
    valid_until: date | None = None


def keep_tax_rule(work: UnitOfWork, c: NewTaxRule) -> TaxRate:
    """Add a tax rule; invoices drafted before keep theirs."""
    work.actor.require(CHANGE)
    _require_company(work, c.entity)
    if c.category not in set(TaxCategory):
        raise RuleBroken("choice_unknown", field="category", value=c.category)
    if not 0 <= c.rate < 1 or (c.category in UNTAXED and c.rate):
        raise RuleBroken("tax_rate_outside", field="rate", rate=c.rate, category=c.category)
    if c.category in _SAYS_WHY and not (c.sentence or "").strip():
        raise RuleBroken("tax_sentence_missing", field="sentence", category=c.category)
    _require_days(c.valid_from, c.valid_until)
    return add_tax_rate(
        work, entity=c.entity, country=c.country, rate=c.rate, valid_from=c.valid_from,
        customer_tax_class=c.customer_tax_class, item_tax_class=c.item_tax_class, ship_from=c.ship_from, code=c.code,
        category=c.category, sentence=c.sentence, registration=c.registration, needs_number=c.needs_number,
        valid_until=c.valid_until,
    )  # fmt: skip


def end_tax_rule(work: UnitOfWork, rule: int, until: date) -> None:
    """Let a tax rule hold no longer from a day on."""
    work.actor.require(CHANGE)
    row = work.session.get(TaxRate, rule)
    if row is None:
        raise NotFound("tax_rule_unknown", rule=rule)
    _require_company(work, row.entity_id)
    if until <= row.valid_from or (row.valid_until is not None and until > row.valid_until):
        raise RuleBroken("validity_empty", field="until", since=row.valid_from, ends=row.valid_until, until=until)
    row.valid_until = until
    work.audit("tax_rate.ended", "tax_rate", rule, until=until.isoformat())
    work.session.flush()


@dataclass(frozen=True, kw_only=True)
class NewTaxNumber:
    """The tax number of a company in a country, or of one of its customers."""

    entity: int
    country: str
    number: str
    valid_from: date
    customer: int | None = None
    valid_until: date | None = None


def keep_tax_number(work: UnitOfWork, c: NewTaxNumber) -> TaxRegistration:
    """Write down a tax number from a day on."""
    work.actor.require(CHANGE)
    _require_company(work, c.entity)
    _require_days(c.valid_from, c.valid_until)
    if c.customer is not None:
        customer = work.session.get(Customer, c.customer)
        if customer is None or customer.entity_id != c.entity:
            raise NotFound("customer_unknown", id=c.customer)
    row = TaxRegistration(
        id=work.ids.one(), entity_id=c.entity, customer_id=c.customer, country=c.country, number=c.number.strip(),
        valid_from=c.valid_from, valid_until=c.valid_until,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()
    said = {
        "entity": c.entity,
        "customer": c.customer,
        "country": c.country,
        "number": row.number,
        "from": c.valid_from,
    }
    work.audit("tax_number.added", "tax_registration", row.id, **said)
    return row


@dataclass(frozen=True, kw_only=True)
class NewExemption:
    """A customer pays no tax until a day, by a certificate."""

    customer: int
    certificate: str
    valid_from: date
    valid_until: date
    country: str = EVERY
    item_tax_class: str = EVERY


def keep_exemption(work: UnitOfWork, c: NewExemption) -> TaxExemption:
    """Write down what exempts a customer; it ends by itself."""
    work.actor.require(CHANGE)
    customer = work.session.get(Customer, c.customer)
    if customer is None:
        raise NotFound("customer_unknown", id=c.customer)
    _require_company(work, customer.entity_id)
    _require_days(c.valid_from, c.valid_until)
    if not c.certificate.strip():
        raise RuleBroken("certificate_missing", field="certificate")
    row = TaxExemption(
        id=work.ids.one(), customer_id=c.customer, country=c.country, item_tax_class=c.item_tax_class,
        certificate=c.certificate.strip(), valid_from=c.valid_from, valid_until=c.valid_until,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()
    said = {"customer": c.customer, "certificate": row.certificate, "from": c.valid_from, "until": c.valid_until}
    work.audit("tax_exemption.added", "tax_exemption", row.id, **said)
    return row


def _require_company(work: UnitOfWork, entity: int) -> None:
    row = work.session.get(Entity, entity)
    if row is None or row.realm != work.realm:
        raise NotFound("entity_unknown", entity=entity)


def _require_days(first: date, until: date | None) -> None:
    if until is not None and until <= first:
        raise RuleBroken("validity_empty", field="valid_until", since=first, until=until)
