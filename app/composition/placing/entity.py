"""What does a new company begin with? Its currency and days, chart of accounts, tax rates, carriers and proposals."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from app.composition.placing.parts import counted, named, proposed, zone_problems
from app.composition.placing.plan import Asked, Made, Part
from erpcore.fulfilment.carriers.services import NewCarrier, NewService, add_carrier, add_service
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import DomainError, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountKind, AccountRole
from erpcore.ledger.services import LATER_ROLES, ChartRow, open_chart
from erpcore.masterdata.models import Entity
from erpcore.masterdata.services import NewEntity, add_entity, add_tax_rate
from governance.templates.content import Content

_CURRENCY = re.compile(r"^[A-Z]{3}$")


def parts_of_entity(session: Session, content: Content, asked: Asked, now: datetime) -> list[Part]:
    """All parts of a new company, in the order in which they are made. Its legal numbers begin with its first invoice of a year."""
    zone = content.facts["time_zone"]
    starts_on = asked.starts_on or (local_day(now, zone) if not zone_problems(zone) else now.date())
    return [
        _entity(session, content, asked), _chart(content), _taxes(content, starts_on), _carriers(content),
        proposed(session, content, asked, "entity", now),
    ]  # fmt: skip


def _entity(session: Session, content: Content, asked: Asked) -> Part:
    facts, code, name = content.facts, asked.code.strip(), asked.name.strip()
    problems = [*named(code, name, Entity, session), *zone_problems(facts["time_zone"])]
    if not _CURRENCY.match(facts["currency"]):
        problems.append(RuleBroken("business_currency", field="currency", currency=facts["currency"]))

    def make(work: UnitOfWork, made: Made) -> None:
        new = NewEntity(
            code=code, name=name, country=facts["country"], currency=facts["currency"], time_zone=facts["time_zone"]
        )
        made.place = add_entity(work, new).id

    line = f"{code} {name}, {facts['country']}, books in {facts['currency']}, days in {facts['time_zone']}"
    return Part(title="The company", of="facts", lines=(line,), problems=tuple(problems), make=make)


def _chart(content: Content) -> Part:
    rows = content.of("accounts")
    problems: list[DomainError] = []
    for row in rows:
        if row["kind"] not in set(AccountKind):
            problems.append(
                RuleBroken("template_name_unknown", field="accounts", what="kind of account", name=row["kind"])
            )
        if row["role"] and row["role"] not in set(AccountRole):
            problems.append(
                RuleBroken("template_name_unknown", field="accounts", what="role of an account", name=row["role"])
            )
    used = Counter(row["role"] for row in rows if row["role"])
    problems += [
        RuleBroken("chart_role_twice", field="accounts", role=role.replace("_", " "))
        for role, often in used.items()
        if often > 1
    ]
    if missing := [role.replace("_", " ") for role in AccountRole if role not in {*used, *LATER_ROLES}]:
        problems.append(RuleBroken("chart_role_missing", field="accounts", roles=missing))

    def make(work: UnitOfWork, made: Made) -> None:
        chart: list[ChartRow] = [
            (AccountRole(row["role"]) if row["role"] else None, row["code"], row["name"], AccountKind(row["kind"]))
            for row in rows
        ]
        open_chart(work, made.place, chart)
        made.things["accounts"] = len(chart)

    lines = (f"{counted(len(rows), 'account')}, {sum(used.values())} of them used by postings",)
    return Part(title="Chart of accounts", of="accounts", lines=lines, problems=tuple(problems), make=make)


def _taxes(content: Content, starts_on: date) -> Part:
    rows = content.of("taxes")
    problems = [
        RuleBroken("template_tax_above_one", field="taxes", rate=row["rate"])
        for row in rows
        if Decimal(row["rate"]) > 1
    ]

    def make(work: UnitOfWork, made: Made) -> None:
        for row in rows:
            add_tax_rate(
                work, entity=made.place, country=row["country"], rate=Decimal(row["rate"]), valid_from=starts_on,
                customer_tax_class=row["customers"], item_tax_class=row["items"],
            )  # fmt: skip
        made.things["taxes"] = len(rows)

    lines = tuple(f"{row['country']}: {Decimal(row['rate']) * 100:f} % from {starts_on:%-d %B %Y}" for row in rows) or (
        "None: until there is one, tax is undetermined and invoices are blocked",
    )
    return Part(title="Tax rates", of="taxes", lines=lines, problems=tuple(problems), make=make)


def _carriers(content: Content) -> Part:
    rows = content.of("services")
    names = {row["carrier"]: row["carrier_name"] for row in rows}

    def make(work: UnitOfWork, made: Made) -> None:
        carriers = {
            code: add_carrier(work, NewCarrier(entity=made.place, code=code, name=name)).id
            for code, name in sorted(names.items())
        }
        work.session.flush()
        for row in rows:
            add_service(
                work,
                NewService(
                    carrier=carriers[row["carrier"]], code=row["service"], name=row["service_name"],
                    transit_days=int(row["transit_days"]), base_charge=Decimal(row["base_charge"]), per_kg=Decimal(row["per_kg"]),
                ),
            )  # fmt: skip
        made.things["carriers"] = len(carriers)

    lines = tuple(
        f"{name}: {counted(sum(row['carrier'] == code for row in rows), 'service')}"
        for code, name in sorted(names.items())
    )
    return Part(title="Carriers and their services", of="services", lines=lines, make=make)
