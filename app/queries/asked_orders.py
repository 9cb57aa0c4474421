"""Whom and what does a program name by id when it asks for an order: the customer as order entry needs it, and items of the company."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.queries.order_entry import CustomerPick, find_customers
from erpcore.masterdata.models import Customer, Item


def customer_by_id(session: Session, entity: int, customer: int) -> CustomerPick | None:
    """The customer of the company; ``None`` for an unknown one and another company's."""
    code = session.execute(
        select(Customer.code).where(Customer.id == customer, Customer.entity_id == entity)
    ).scalar_one_or_none()
    return None if code is None else find_customers(session, entity, code)[0]


def items_of(session: Session, entity: int, items: Collection[int]) -> set[int]:
    """Those of the items that are the company's."""
    return set(session.scalars(select(Item.id).where(Item.id.in_(items), Item.entity_id == entity)))
