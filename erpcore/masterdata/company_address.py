"""Where is a company, from which day on, and who said so? What its documents name as the seller.

An address is never changed: a new one holds from its first day on, and of two that hold on a day the one told later does. A
company that stands for a live one has the address of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import BigInteger, Date, ForeignKey, Integer, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.model import Base, Name, UtcDateTime, append_only
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.countries import country_names
from erpcore.masterdata.models import Entity

TELL = "masterdata:tax:keep"
_NEEDED = ("name", "street", "postal_code", "city")


class EntityAddress(Base):
    """The registered address of a legal entity from ``valid_from`` on, as it was told. ``country`` is a code of ISO 3166-1.

    ``name`` is the one that it trades under by law, ``register_number`` where it stands in a register of companies.
    """

    __tablename__ = "entity_address"
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    valid_from: Mapped[date] = mapped_column(Date)
    name: Mapped[str] = mapped_column(Name)
    street: Mapped[str] = mapped_column(String(120))
    postal_code: Mapped[str] = mapped_column(String(16))
    city: Mapped[str] = mapped_column(String(80))
    region: Mapped[str | None] = mapped_column(String(64))
    country: Mapped[str] = mapped_column(String(2))
    register_number: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200))
    set_by: Mapped[int] = mapped_column(BigInteger)
    set_as: Mapped[str] = mapped_column(String(64))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)


append_only(EntityAddress)


@dataclass(frozen=True, kw_only=True)
class CompanyAddress:
    """What an address says."""

    name: str
    street: str
    postal_code: str
    city: str
    country: str
    region: str | None = None
    register_number: str | None = None


@dataclass(frozen=True, kw_only=True)
class TellAddress:
    """A live company's next address. ``seen`` is the number of the last one that the person saw, 0 for none."""

    entity: int
    address: CompanyAddress
    valid_from: date
    reason: str
    seen: int = 0


def tell_address(work: UnitOfWork, c: TellAddress) -> EntityAddress:
    """Keep a company's address from a day on, which may lie behind us: documents of then name it as well.

    Raises ``NotFound`` for a company that is not there, ``Conflict`` where another address was told meanwhile, ``RuleBroken``
    for what is no address, a first day that is still ahead, and a company that has the address of another.
    """
    work.actor.require(TELL)
    entity = work.session.execute(
        select(Entity).where(Entity.id == c.entity).with_for_update(key_share=True)
    ).scalar_one_or_none()
    if entity is None or entity.realm != work.realm:
        raise NotFound("entity_unknown", entity=c.entity)
    if entity.twin_id is not None:
        raise RuleBroken("company_address_of_twin", company=entity.code)
    known = addresses_told(work.session, entity.id)
    if c.seen != len(known):
        raise Conflict(
            "company_address_changed", company=entity.code, set_at=known[-1].set_at if known else work.now
        )  # fmt: skip
    _check(c, local_day(work.now, entity.time_zone))
    said = c.address
    row = EntityAddress(
        entity_id=entity.id, number=len(known) + 1, valid_from=c.valid_from, name=said.name.strip(), street=said.street.strip(),
        postal_code=said.postal_code.strip(), city=said.city.strip(), region=(said.region or "").strip() or None,
        country=said.country, register_number=(said.register_number or "").strip() or None, reason=c.reason.strip(),
        set_by=work.actor.id, set_as=work.actor.role, set_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()
    work.audit(
        "company_address.told", "entity", entity.id, number=row.number, valid_from=row.valid_from, name=row.name,
        street=row.street, postal_code=row.postal_code, city=row.city, region=row.region, country=row.country,
        register_number=row.register_number, reason=row.reason,
    )  # fmt: skip
    return row


def addresses_told(session: Session, entity: int) -> list[EntityAddress]:
    """The addresses of a company in the order they were told; those of the live one for a company that stands for it."""
    live = session.scalar(select(Entity.twin_id).where(Entity.id == entity)) or entity
    query = select(EntityAddress).where(EntityAddress.entity_id == live).order_by(EntityAddress.number)
    return list(session.scalars(query))


def address_on(told: Sequence[EntityAddress], day: date) -> EntityAddress | None:
    """The address that holds on a day: the last told of those that have begun."""
    return next((one for one in reversed(told) if one.valid_from <= day), None)


def _check(c: TellAddress, today: date) -> None:
    for part in _NEEDED:
        if not getattr(c.address, part).strip():
            raise RuleBroken("address_part_missing", field=part, part=part.replace("_", " "))
    if c.address.country not in country_names():
        raise RuleBroken("country_unknown", field="country", country=c.address.country)
    if not c.reason.strip():
        raise RuleBroken("company_address_reason", field="reason")
    if c.valid_from > today:
        raise RuleBroken("company_address_ahead", field="valid_from", day=c.valid_from)
