"""How facts are stored: the declarative base, and column types that refuse what would lose them.

Money and quantity are scaled integers in the database and ``Decimal`` in Python; instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Dialect, Integer, MetaData, String, Table, TypeDecorator
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeEngine

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

#: 64-bit key. On SQLite ``INTEGER`` makes it the row id, which saves a second index on every table.
Key = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    """Root of all tables; constraints are named so that migrations can name them on both databases."""

    metadata = MetaData(naming_convention=NAMING)
    if TYPE_CHECKING:
        #: Every model here is mapped to a table of its own, never to a join or a subquery.
        __table__: ClassVar[Table]


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant in UTC; naive values are refused.

    ``timestamptz`` on PostgreSQL; on SQLite text of one fixed width, so that text order is time order.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String(26) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("an instant needs a time zone; naive datetimes are refused")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None).isoformat(" ", "microseconds") if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value.astimezone(UTC)


def scaled_int(value: Decimal | int, places: int) -> int:
    """``value`` as an integer count of 10**-places; refuses floats and digits that would be lost."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value * 10**places)
    if not isinstance(value, Decimal):
        raise TypeError(f"expected Decimal, got {type(value).__name__}: floats cannot hold money or quantity")
    shifted = value.scaleb(places)
    whole = int(shifted)
    if whole != shifted:
        raise ValueError(f"{value} has more than {places} decimal places")
    return whole


class Scaled(TypeDecorator[Decimal]):
    """A decimal with a fixed number of places, kept as a 64-bit integer on both databases."""

    impl = BigInteger
    cache_ok = True

    def __init__(self, places: int) -> None:
        super().__init__()
        self.places = places

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> int | None:
        return None if value is None else scaled_int(value, self.places)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(int(value)).scaleb(-self.places)


#: Unit prices, rates, unit costs.
PRICE_PLACES = 6
#: Quantities: every unit of measure has at most this many places.
QUANTITY_PLACES = 3
Price = Scaled(PRICE_PLACES)
Quantity = Scaled(QUANTITY_PLACES)
Code = String(120)
Name = String(300)


def states(column: str, allowed: type[StrEnum] | Iterable[str]) -> CheckConstraint:
    """A named CHECK that ``column`` holds one of the allowed words."""
    words = ", ".join(f"'{word}'" for word in allowed)
    return CheckConstraint(f"{column} IN ({words})", name=f"{column}_known")


def append_only(*tables: Table | type[Base]) -> None:
    """Mark history: migrations give these tables triggers that refuse UPDATE and DELETE."""
    for item in tables:
        table = item if isinstance(item, Table) else item.__table__
        table.info["append_only"] = True


def append_only_ddl(table: str, dialect: str) -> list[str]:
    """The statements that make ``table`` refuse UPDATE and DELETE on that database."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is history: append a correction instead'); END"
            for verb in ("update", "delete")
        ]
    refuse = "FOR EACH ROW EXECUTE FUNCTION wavegate_refuse_change()"
    return [f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} {refuse}"]


def frozen_when(table: type[Base], condition: str) -> None:
    """Mark documents that become history: once ``condition`` (in SQL, over ``OLD``) holds, UPDATE and DELETE are refused."""
    table.__table__.info["frozen_when"] = condition


def frozen_ddl(table: str, condition: str, dialect: str) -> list[str]:
    """The statements that make rows of ``table`` refuse changes once the condition holds."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_frozen_{verb} BEFORE {verb.upper()} ON {table} WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is posted: post a correction instead'); END"
            for verb in ("update", "delete")
        ]
    function = (
        f"CREATE FUNCTION {table}_frozen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} THEN "
        f"RAISE EXCEPTION '{table} is posted: post a correction instead' USING ERRCODE = 'restrict_violation'; END IF; "
        "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$"
    )
    return [
        function,
        f"CREATE TRIGGER {table}_frozen BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_frozen()",
    ]


#: Created once, before the first append-only table on PostgreSQL.
REFUSE_CHANGE_FUNCTION = """
CREATE FUNCTION wavegate_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is history: append a correction instead', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""
