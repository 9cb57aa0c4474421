"""Working for what is overdue: a contact noted, the day of the next one set, customers given to somebody, and whose a group's are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select, update

from erpcore.billing.collecting.models import CollectionCase, CollectionContact, CollectionRoute, ContactKind
from erpcore.billing.dunning.flow import SET_UP, WORK
from erpcore.billing.dunning.records import company
from erpcore.kernel.audit import audit_all
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.first import insert_absent
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Customer, CustomerGroup
from erpcore.masterdata.queries import EntityFacts

#: A customer who is left alone for longer is a matter of a block, which has a reason and an owner.
_LONGEST = timedelta(days=366)
_CONTACT = ("id", "entity_id", "customer_id", "kind", "spoke_with", "said", "follow_up_on", "actor", "at")
_CASE = ("customer_id", "entity_id", "owner_id", "follow_up_on")


@dataclass(frozen=True, kw_only=True, slots=True)
class NoteContact:
    """Somebody was spoken to. ``follow_up``: when again; without one, a day that has come is done with."""

    customer: int
    kind: str
    spoke_with: str
    said: str
    follow_up: date | None = None


def _follow() -> Any:
    table = CollectionCase.__table__
    return (
        update(table).where(table.c.customer_id == param("of", table.c.customer_id))
        .values(follow_up_on=param("day", table.c.follow_up_on))
    )  # fmt: skip


def _own() -> Any:
    table = CollectionCase.__table__
    return (
        update(table).where(table.c.customer_id == param("of", table.c.customer_id))
        .values(owner_id=param("owner", table.c.owner_id))
    )  # fmt: skip


_FOLLOW, _OWN = Change(_follow), Change(_own)


def note_contact(work: UnitOfWork, command: NoteContact) -> int:
    """Keep what was said to a customer; returns its id. Nobody changes it afterwards."""
    ((case, facts),) = _cases(work, [command.customer])
    today = local_day(work.now, facts.time_zone)
    if command.kind not in set(ContactKind):
        raise RuleBroken("choice_unknown", field="kind", value=command.kind)
    if not command.spoke_with.strip():
        raise RuleBroken("contact_whom", field="spoke_with")
    if not command.said.strip():
        raise RuleBroken("contact_what", field="said")
    _check_day(command.follow_up, today)
    key = work.ids.one()
    row = (
        key, facts.id, command.customer, command.kind, command.spoke_with.strip()[:300], command.said.strip(), command.follow_up,
        work.actor.id, work.now,
    )  # fmt: skip
    write_rows(work, CollectionContact.__table__, _CONTACT, [row])
    was = case.follow_up_on
    day = command.follow_up or (was if was is not None and was > today else None)
    _FOLLOW.run(work, [{"of": command.customer, "day": day}])
    return key


def set_follow_up(work: UnitOfWork, customer: int, day: date | None) -> None:
    """Say when the customer is due again; without a day, whenever the rules say so."""
    ((_, facts),) = _cases(work, [customer])
    _check_day(day, local_day(work.now, facts.time_zone))
    _FOLLOW.run(work, [{"of": customer, "day": day}])
    work.audit("collection.follow_up", "customer", customer, day=day)


def give_customers(work: UnitOfWork, customers: Sequence[int], owner: int | None) -> None:
    """Let somebody look after these customers; ``None``: whoever the routes say. Who did before is kept."""
    wanted = sorted(set(customers))
    found = _cases(work, wanted)
    _OWN.run(work, [{"of": case.customer_id, "owner": owner} for case, _ in found])
    changed = {
        case.customer_id: {"before": case.owner_id, "owner": owner} for case, _ in found if case.owner_id != owner
    }
    audit_all(work, "collection.given", "customer", changed)


def route_customers(work: UnitOfWork, entity: int, group: int | None, owner: int | None) -> None:
    """Say whose a company's customers of a group are, or of no named group all others; ``None``: nobody's any more."""
    work.actor.require(SET_UP)
    facts = company(work, entity)
    if group is not None and work.session.get(CustomerGroup, group) is None:
        raise RuleBroken("choice_unknown", field="group", value=str(group))
    table = CollectionRoute.__table__
    same = table.c.customer_group_id.is_(None) if group is None else table.c.customer_group_id == group
    mine = (table.c.entity_id == facts.id, same)
    before = work.session.scalar(select(table.c.owner_id).where(*mine).with_for_update(key_share=True))
    if owner is None:
        work.session.execute(table.delete().where(*mine))
    elif before is None:
        row = {"id": work.ids.one(), "entity_id": facts.id, "customer_group_id": group, "owner_id": owner}
        if not insert_absent(work, CollectionRoute, row):
            work.session.execute(update(table).where(*mine).values(owner_id=owner))
    else:
        work.session.execute(update(table).where(*mine).values(owner_id=owner))
    work.audit("collection.routed", "entity", facts.id, group=group, before=before, owner=owner)


def _check_day(day: date | None, today: date) -> None:
    if day is not None and not today <= day <= today + _LONGEST:
        raise RuleBroken("dunning_until", field="follow_up", most=_LONGEST.days)


def _cases(work: UnitOfWork, customers: Sequence[int]) -> list[tuple[Any, EntityFacts]]:
    """The case of each customer, locked and made where there was none, with the company."""
    work.actor.require(WORK)
    known = {row.id: row for row in read_rows(work, Customer, ("id", "entity_id"), "id", customers)}
    facts = {row.entity_id: row.entity_id for row in known.values()}
    companies = {key: company(work, key) for key in facts}
    for customer in customers:
        if customer not in known:
            raise NotFound("customer_unknown", id=customer)
        values = {
            "customer_id": customer,
            "entity_id": known[customer].entity_id,
            "owner_id": None,
            "follow_up_on": None,
        }
        insert_absent(work, CollectionCase, values)
    rows = read_rows(work, CollectionCase, _CASE, "customer_id", customers, lock=True)
    return [(row, companies[row.entity_id]) for row in rows]
