"""Where do a customer's goods go? Addresses with the days on which they hold, one of them the usual one.

An address is never overwritten: changing it ends it and begins the one that follows it, so that what was printed for goods that
have left stays true, and open orders go to where the customer is now.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Index, Integer, String, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.model import Base, Code, Key, Name
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.countries import country_code
from erpcore.masterdata.models import Customer
from erpcore.masterdata.queries import customers, entity_facts

CHANGE = "masterdata:address:change"
_GLN = 13
_FOLLOWED = 50
#: Countries whose letters find their way without one.
_WITHOUT_POSTAL_CODES = frozenset(
    "AE AG AO AW BF BI BJ BS BW BZ CF CG CI CM DJ DM ER FJ GH GM GY HK KI KM ML MO MR NR QA RW SB SC SL SR ST SY TD TG TO TV UG VU YE ZW".split()
)


class CustomerAddress(Base):
    """One address while it held. ``followed_by``: the one that took its place. ``needs_export_check``: goods to it wait for one."""

    __tablename__ = "customer_address"
    __table_args__ = (
        CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="validity"),
        Index("ix_customer_address_customer", "customer_id", "code"),
        Index(
            "uq_customer_address_code", "customer_id", "code", unique=True,
            sqlite_where=text("followed_by IS NULL"), postgresql_where=text("followed_by IS NULL"),
        ),
        Index(
            "uq_customer_address_default", "customer_id", unique=True,
            sqlite_where=text("is_default AND followed_by IS NULL"),
            postgresql_where=text("is_default AND followed_by IS NULL"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)
    street: Mapped[str] = mapped_column(String(120))
    postal_code: Mapped[str] = mapped_column(String(16))
    city: Mapped[str] = mapped_column(String(80))
    region: Mapped[str | None] = mapped_column(String(64))
    country: Mapped[str] = mapped_column(String(64))
    gln: Mapped[str | None] = mapped_column(String(13))
    is_default: Mapped[bool] = mapped_column(Boolean)
    needs_export_check: Mapped[bool] = mapped_column(Boolean)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    followed_by: Mapped[int | None] = mapped_column(ForeignKey("customer_address.id"))
    version: Mapped[int] = mapped_column(Integer)


@dataclass(frozen=True, kw_only=True)
class AddressContent:
    """What an address says. Street and city may be missing; goods to it wait until they are known."""

    code: str
    name: str
    country: str
    street: str = ""
    postal_code: str = ""
    city: str = ""
    region: str | None = None
    gln: str | None = None
    is_default: bool = False
    needs_export_check: bool = False
    valid_until: date | None = None


_PARTS = (
    "code", "name", "street", "postal_code", "city", "region", "country", "gln", "is_default", "needs_export_check", "valid_until",
)  # fmt: skip


def missing_parts(address: Any) -> list[str]:
    """What an address lacks to be shipped to, by the names of its parts."""
    return _lacking(address, ("name", "street", "city", "country"))


def missing_on_bills(address: Any) -> list[str]:
    """What an address lacks to stand on an invoice; the postal code too, where the country has any."""
    parts = ["name", "street", "postal_code", "city", "country"]
    if country_code(address.country or "") in _WITHOUT_POSTAL_CODES:
        parts.remove("postal_code")
    return _lacking(address, parts)


def _lacking(address: Any, parts: Iterable[str]) -> list[str]:
    return [part for part in parts if not (getattr(address, part) or "").strip()]


def check_digit(gln: str) -> int:
    """The last digit of a GLN by GS1's rule: weights 3 and 1 from the right, up to the next ten."""
    body = [int(digit) for digit in gln[:12]]
    return -sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(body)) % 10


def add_address(work: UnitOfWork, customer: int, content: AddressContent, *, valid_from: date) -> CustomerAddress:
    """A new address of the customer from a day on; the first one is the usual one, a new usual one takes the other's place."""
    _begin(work, customer)
    _check(content, valid_from)
    taken = [row for row in _present(work, customer) if row.code == content.code.strip()]
    if taken:
        raise Conflict("address_code_used", field="code", code=content.code.strip())
    first = not _present(work, customer)
    row = _insert(work, customer, content, valid_from, is_default=content.is_default or first)
    work.audit(
        "customer_address.added", "customer_address", row.id, customer=customer, code=row.code, is_default=row.is_default,
        valid_from=valid_from,
    )  # fmt: skip
    return row


def change_address(
    work: UnitOfWork, address: int, content: AddressContent, *, valid_from: date, seen_version: int | None = None
) -> CustomerAddress:
    """The address that takes this one's place from a day on. Raises ``Conflict`` when it was changed since it was seen.

    The day is today or earlier: open orders follow at once, and until a later day the customer would have no address.
    """
    before = _locked(work, address, seen_version)
    _check(content, valid_from)
    entity = entity_facts(work, customers(work, {before.customer_id})[before.customer_id].entity_id)
    if not before.valid_from <= valid_from <= local_day(work.now, entity.time_zone):
        raise RuleBroken("address_validity", field="valid_from", day=valid_from)
    if before.is_default and not content.is_default:
        raise RuleBroken("address_default_needed", field="is_default", code=before.code)
    key, said = work.ids.one(), {part: getattr(before, part) for part in _PARTS}
    before.valid_until, before.version = valid_from, before.version + 1
    # A followed one no longer counts for what may be there once.
    others = [row for row in _present(work, before.customer_id) if row.id != before.id]
    if any(row.code == content.code.strip() for row in others):
        raise Conflict("address_code_used", field="code", code=content.code.strip())
    work.session.execute(update(CustomerAddress).where(CustomerAddress.id == before.id).values(followed_by=before.id))
    after = _insert(work, before.customer_id, content, valid_from, is_default=content.is_default, key=key)
    before.followed_by = key
    work.session.flush()
    record_move(work, "customer_address", before.id, "change", None, "followed", facts={"by": key})
    # Which parts are other, not what they say: where people live is kept with the customer alone.
    other = [part for part in _PARTS if said[part] != getattr(after, part)]
    work.audit(
        "customer_address.changed", "customer_address", key, customer=before.customer_id, follows=before.id, parts=other,
        valid_from=valid_from,
    )  # fmt: skip
    return after


def end_address(work: UnitOfWork, address: int, *, on: date, seen_version: int | None = None) -> CustomerAddress:
    """Nothing goes there from that day on; the usual one ends only once another is."""
    row = _locked(work, address, seen_version)
    if on < row.valid_from:
        raise RuleBroken("address_validity", field="valid_until", day=on)
    if row.is_default:
        raise RuleBroken("address_default_needed", field="valid_until", code=row.code)
    before, row.valid_until, row.version = row.valid_until, on, row.version + 1
    work.session.flush()
    record_move(work, "customer_address", row.id, "end", None, "ended")
    work.audit("customer_address.ended", "customer_address", row.id, customer=row.customer_id, before=before, until=on)
    return row


def _begin(work: UnitOfWork, customer: int) -> None:
    """Addresses of one customer are changed by one at a time; what the unit of work has read of them holds no more."""
    work.actor.require(CHANGE)
    for read in ("ship_to", "usual ship_to"):
        work.memo.pop(read, None)
    customers(work, {customer})
    query: Any = select(Customer.id).where(Customer.id == customer).with_for_update(key_share=True)
    work.session.execute(query)


def _locked(work: UnitOfWork, address: int, seen_version: int | None) -> CustomerAddress:
    found = work.session.get(CustomerAddress, address)
    if found is None:
        raise NotFound("address_unknown", address=address)
    _begin(work, found.customer_id)
    work.session.refresh(found)
    if found.followed_by is not None or (seen_version is not None and seen_version != found.version):
        raise Conflict("changed_meanwhile", document=found.code)
    return found


def _present(work: UnitOfWork, customer: int) -> list[CustomerAddress]:
    query = select(CustomerAddress).where(
        CustomerAddress.customer_id == customer, CustomerAddress.followed_by.is_(None)
    )
    return list(work.session.scalars(query))


def _insert(
    work: UnitOfWork,
    customer: int,
    content: AddressContent,
    valid_from: date,
    *,
    is_default: bool,
    key: int | None = None,
) -> CustomerAddress:
    if is_default:
        for row in _present(work, customer):
            row.is_default = False
        work.session.flush()
    row = CustomerAddress(
        id=key or work.ids.one(), customer_id=customer, code=content.code.strip(), name=content.name.strip(),
        street=content.street.strip(), postal_code=content.postal_code.strip(), city=content.city.strip(),
        region=(content.region or "").strip() or None, country=content.country.strip(), gln=content.gln or None,
        is_default=is_default, needs_export_check=content.needs_export_check, valid_from=valid_from,
        valid_until=content.valid_until, followed_by=None, version=1,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()
    record_move(work, "customer_address", row.id, "add", None, "present")
    return row


def _check(content: AddressContent, valid_from: date) -> None:
    for part in ("code", "name", "country"):
        if not getattr(content, part).strip():
            raise RuleBroken("address_part_missing", field=part, part=part)
    gln = content.gln
    if gln and (len(gln) != _GLN or not (gln.isascii() and gln.isdecimal()) or int(gln[-1]) != check_digit(gln)):
        raise RuleBroken("gln_wrong", field="gln", gln=gln)
    if content.valid_until is not None and content.valid_until < valid_from:
        raise RuleBroken("address_validity", field="valid_until", day=content.valid_until)


_FACTS = (
    "id", "customer_id", "code", "name", "street", "postal_code", "city", "country", "is_default", "needs_export_check", "valid_from",
    "valid_until", "followed_by",
)  # fmt: skip


def addresses_by_id(work: UnitOfWork, ids: Iterable[int]) -> dict[int, Any]:
    """What each id stands for now: the address that followed it in the end, or itself. One read per step of following."""
    wanted = set(ids)
    known: dict[int, Any] = {}
    ask = wanted
    for _ in range(_FOLLOWED):
        ask = {key for key in ask if key not in known}
        if not ask:
            break
        found = read_rows(work, CustomerAddress, _FACTS, "id", ask)
        known.update({row.id: row for row in found})
        ask = {row.followed_by for row in found if row.followed_by is not None}
    out = {}
    for key in wanted:
        row = known.get(key)
        while row is not None and row.followed_by is not None and row.followed_by in known:
            row = known[row.followed_by]
        if row is not None:
            out[key] = row
    return out


def usual_addresses(work: UnitOfWork, customers_: Iterable[int], on: date) -> dict[int, Any]:
    """The usual address of each customer that holds on that day, by customer."""
    rows = read_rows(work, CustomerAddress, _FACTS, "customer_id", customers_, also=("is_default", True))
    return {row.customer_id: row for row in rows if row.followed_by is None and holds_on(row, on)}


def holds_on(address: Any, day: date) -> bool:
    """Whether goods may go there on that day: half-open, as all validity."""
    return bool(address.valid_from <= day and (address.valid_until is None or day < address.valid_until))
