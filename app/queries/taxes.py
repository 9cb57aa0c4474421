"""Which tax rules, numbers and exemptions are kept? Of the companies that somebody sees."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.security.scopes import within_companies
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Customer, Entity
from erpcore.masterdata.tax_models import TaxExemption, TaxRate


def tax_rules(session: Session, actor: Actor, realm: str) -> list[TaxRate]:
    """The rules of a realm's companies, by company, destination and first day."""
    query = select(TaxRate).join(Entity, Entity.id == TaxRate.entity_id).where(Entity.realm == realm)
    order = (TaxRate.entity_id, TaxRate.country, TaxRate.valid_from, TaxRate.id)
    return list(session.scalars(within_companies(query, actor, TaxRate.entity_id).order_by(*order)))


def rules_of_company(session: Session, actor: Actor, entity: int) -> list[tuple[int, str]]:
    """The rules of a company by id and a few words, for who names one."""
    query = within_companies(select(TaxRate).where(TaxRate.entity_id == entity), actor, TaxRate.entity_id)
    rows = session.scalars(query.order_by(TaxRate.country, TaxRate.code, TaxRate.id))
    return [(row.id, f"{row.code or row.country} · {(row.rate * 100).normalize():f} % · {row.country}") for row in rows]


def company_of_rule(session: Session, rule: int) -> int:
    """The company whose rule it is; raises ``NotFound`` for an unknown rule."""
    entity = session.scalar(select(TaxRate.entity_id).where(TaxRate.id == rule))
    if entity is None:
        raise NotFound("tax_rule_unknown", rule=rule)
    return int(entity)


def rule_shown(session: Session, rule: int) -> str:
    """A rule in a few words. Of one that there is."""
    row = session.get_one(TaxRate, rule)
    return f"{row.code or row.country}, {row.rate * 100:.4g} %"


def company_of_customer(session: Session, customer: int) -> int:
    """The company whose customer it is; raises ``NotFound`` for an unknown customer."""
    entity = session.scalar(select(Customer.entity_id).where(Customer.id == customer))
    if entity is None:
        raise NotFound("customer_unknown", id=customer)
    return int(entity)


def stamps(session: Session, rules: Iterable[int], exemptions: Iterable[int]) -> dict[tuple[str, int], tuple[str, str]]:
    """What documents say of the rules and exemptions that their lines are stamped with: code and sentence."""
    found: dict[tuple[str, int], tuple[str, str]] = {}
    wanted, excused = set(rules), set(exemptions)
    if wanted:
        for rule in session.scalars(select(TaxRate).where(TaxRate.id.in_(wanted))):
            code = rule.code or f"{rule.country} {rule.rate * 100:.4g} %".replace("* ", "")
            found["rule", rule.id] = (code, rule.sentence or "")
    if excused:
        for one in session.scalars(select(TaxExemption).where(TaxExemption.id.in_(excused))):
            said = f"Exempt by certificate {one.certificate}, which holds until {one.valid_until:%d.%m.%Y}."
            found["exemption", one.id] = ("exempt", said)
    return found
