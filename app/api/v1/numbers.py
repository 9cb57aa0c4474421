"""How do stored figures and the API's decimals become each other, and where in the body does a refusal point?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Annotated

from pydantic import Field
from sqlalchemy.orm import Session

from erpcore.credit.services import write_exposures
from erpcore.kernel.errors import DomainError, RuleBroken
from erpcore.kernel.money import from_minor, places, to_minor
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.records import write_changed_lines

#: The id of something: 64 bits.
Key = Annotated[int, Field(ge=1, le=2**63 - 1)]


def as_amount(minor: int, currency: str) -> Decimal:
    """Minor units as an amount with all places of its currency."""
    return from_minor(minor, currency)


def as_minor(amount: Decimal, currency: str, field: str) -> int:
    """An amount as minor units; raises ``RuleBroken`` when the currency has no such small coin."""
    exponent = amount.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > places(currency):
        raise RuleBroken("quantity_too_precise", field=field, value=str(amount))
    return to_minor(amount, currency)


def as_quantity(thousandths_: int) -> Decimal:
    """Thousandths of the unit as the quantity people speak of."""
    return Decimal(thousandths_).scaleb(-3)


def thousandths(quantity: Decimal) -> int:
    """A quantity as the services count it; at most three places come through the API."""
    return int(quantity.scaleb(3))


@contextmanager
def pointing(prefix: str = "") -> Iterator[None]:
    """Let a refusal point into the body: the core names fields as forms do, ``lines-0-quantity``."""
    try:
        yield
    except DomainError as refusal:
        if refusal.field is not None:
            refusal.field = prefix + refusal.field.replace("-", "/")
        raise


def fresh(work: UnitOfWork) -> Session:
    """The session to read an answer with: what services keep back until the end is written, what they wrote is read anew."""
    work.session.flush()
    write_changed_lines(work)
    write_exposures(work)
    work.session.expire_all()
    return work.session
