"""Tax rules, tax numbers and exemptions for programs."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field

from app.api.companies import in_company
from app.api.framework import operation
from app.api.v1.numbers import Key, pointing
from app.api.values import Answer, Body, Realm
from app.composition.request import reader
from app.queries.taxes import company_of_customer, company_of_rule, tax_rules
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.tax_keeping import (
    NewExemption,
    NewTaxNumber,
    NewTaxRule,
    end_tax_rule,
    keep_exemption,
    keep_tax_number,
    keep_tax_rule,
)
from erpcore.masterdata.tax_models import TaxRate

TAG = "Taxes"
_CLASS, _PLACE = 24, 64


class TaxRuleAnswer(Answer):
    """One rule; `*` stands for every country or class, `category` is the code of EN 16931."""

    id: int
    entity_id: int
    code: str
    ship_from: str
    country: str
    customer_tax_class: str
    item_tax_class: str
    rate: Decimal
    category: str
    sentence: str | None
    registration: str | None
    needs_number: bool
    valid_from: date
    valid_until: date | None


class TaxRuleQuery(Body):
    """Of which realm."""

    realm: Realm = "live"


class TaxRuleList(Answer):
    """All that are seen, by company, destination and first day."""

    count: int
    items: list[TaxRuleAnswer]


class TaxRuleBody(Body):
    """A new rule. Of those that fit a line the one that says most is taken: destination, origin, customer, item."""

    entity: Key
    code: str = Field(min_length=1, max_length=_CLASS)
    country: str = Field(min_length=1, max_length=_PLACE)
    rate: Decimal = Field(ge=0, lt=1, decimal_places=6)
    valid_from: date
    valid_until: date | None = None
    ship_from: str = Field("*", min_length=1, max_length=_PLACE)
    customer_tax_class: str = Field("*", min_length=1, max_length=_CLASS)
    item_tax_class: str = Field("*", min_length=1, max_length=_CLASS)
    category: Literal["S", "Z", "E", "AE", "K", "G", "O"] = "S"
    sentence: str | None = Field(None, max_length=500)
    registration: str | None = Field(None, max_length=_PLACE)
    needs_number: bool = False


class EndBody(Body):
    """The first day on which it holds no more."""

    until: date


class TaxNumberBody(Body):
    """A tax number of the company, or of its customer."""

    entity: Key
    customer: Key | None = None
    country: str = Field(min_length=1, max_length=_PLACE)
    number: str = Field(min_length=2, max_length=32)
    valid_from: date
    valid_until: date | None = None


class ExemptionBody(Body):
    """What exempts a customer, until a day."""

    customer: Key
    certificate: str = Field(min_length=1, max_length=64)
    country: str = Field("*", min_length=1, max_length=_PLACE)
    item_tax_class: str = Field("*", min_length=1, max_length=_CLASS)
    valid_from: date
    valid_until: date


class KeptAnswer(Answer):
    """What was written down."""

    id: int


def _rule(row: TaxRate) -> TaxRuleAnswer:
    return TaxRuleAnswer(
        id=row.id, entity_id=row.entity_id, code=row.code, ship_from=row.ship_from, country=row.country,
        customer_tax_class=row.customer_tax_class, item_tax_class=row.item_tax_class, rate=row.rate, category=row.category,
        sentence=row.sentence, registration=row.registration, needs_number=row.needs_number, valid_from=row.valid_from,
        valid_until=row.valid_until,
    )  # fmt: skip


@operation(
    "GET", "/tax-rules", permission=Permission.MASTERDATA_READ, summary="List tax rules", tag=TAG, query=TaxRuleQuery,
    answer=TaxRuleList,
)  # fmt: skip
def list_tax_rules(query: TaxRuleQuery) -> TaxRuleList:
    rows = [_rule(row) for row in tax_rules(reader(), actor(), query.realm)]
    return TaxRuleList(count=len(rows), items=rows)


@operation(
    "POST", "/tax-rules", permission=Permission.TAX_KEEP, summary="Add a tax rule", tag=TAG, body=TaxRuleBody,
    answer=TaxRuleAnswer, status=201,
    example={"entity": 1000, "code": "DE-19", "country": "Germany", "rate": "0.19", "valid_from": "2026-01-01"},
)  # fmt: skip
def add_rule(work: UnitOfWork, body: TaxRuleBody) -> TaxRuleAnswer:
    in_company(work, body.entity)
    with pointing():
        return _rule(keep_tax_rule(work, NewTaxRule(**body.model_dump())))


@operation(
    "POST", "/tax-rules/{rule_id}/end", permission=Permission.TAX_KEEP, summary="Let a tax rule end", tag=TAG,
    body=EndBody, answer=KeptAnswer, example={"until": "2027-01-01"},
)  # fmt: skip
def end_rule(work: UnitOfWork, rule_id: int, body: EndBody) -> KeptAnswer:
    in_company(work, company_of_rule(work.session, rule_id))
    with pointing():
        end_tax_rule(work, rule_id, body.until)
    return KeptAnswer(id=rule_id)


@operation(
    "POST", "/tax-numbers", permission=Permission.TAX_KEEP, summary="Write down a tax number", tag=TAG,
    body=TaxNumberBody, answer=KeptAnswer, status=201,
    example={"entity": 1000, "country": "Germany", "number": "DE811907980", "valid_from": "2026-01-01"},
)  # fmt: skip
def add_number(work: UnitOfWork, body: TaxNumberBody) -> KeptAnswer:
    in_company(work, body.entity)
    with pointing():
        return KeptAnswer(id=keep_tax_number(work, NewTaxNumber(**body.model_dump())).id)


@operation(
    "POST", "/tax-exemptions", permission=Permission.TAX_KEEP, summary="Write down an exemption", tag=TAG,
    body=ExemptionBody, answer=KeptAnswer, status=201,
    example={"customer": 1003, "certificate": "FZ-2026-118", "valid_from": "2026-01-01", "valid_until": "2027-01-01"},
)  # fmt: skip
def add_exemption(work: UnitOfWork, body: ExemptionBody) -> KeptAnswer:
    entity = company_of_customer(work.session, body.customer)
    in_company(work, entity)
    with pointing():
        return KeptAnswer(id=keep_exemption(work, NewExemption(**body.model_dump())).id)
