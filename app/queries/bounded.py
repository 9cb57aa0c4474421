"""How many rows of a long list fit, counted no further than its page needs, and how is it kept to a realm and to its order?

What a list holds grows with the years, what its page shows does not. So nothing is counted beyond a bound, and what only narrows a
list to one company's realm never leads the database away from the index that has the rows in the order of the page.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, TypeVar

from sqlalchemy import BigInteger, ColumnElement, func, literal_column, select, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

from erpcore.masterdata.models import Entity

K = TypeVar("K", bound=Hashable)

#: As the partial index of open orders says it, so that both databases use it.
OPEN_ORDER = text("sales_order.state NOT IN ('closed', 'cancelled')")

#: So many rows are counted; beyond them a list says "more than".
MOST_COUNTED = 1_000


class _Aside(FunctionElement[int]):
    """A column as it is, but not for SQLite to look for an index by: it takes a column with few values for a good one."""

    type = BigInteger()
    inherit_cache = True
    name = "aside"


@compiles(_Aside)
def _in_sql(element: Any, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(_Aside, "sqlite")
def _in_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"


def of_realm(company: Any, realm: str) -> ColumnElement[bool]:
    """Whether a row's company is of this realm."""
    return _Aside(company).in_(select(Entity.id).where(Entity.realm == realm))


def by_sorting(column: Any) -> ColumnElement[Any]:
    """A column to order few rows by: SQLite is not to read the many of an index that has them in this order."""
    return _Aside(column)


def bound_of(page: int, size: int) -> int:
    """How far a list is counted for this page: as far as it is known whether one follows, and that many in any case."""
    return max(MOST_COUNTED, (page + 1) * size)


def counted_up_to(session: Session, queries: Mapping[K, Any], bound: int) -> dict[K, int]:
    """How many rows each of the queries has, ``bound + 1`` standing for all that have more. One statement."""
    counts = []
    for query in queries.values():
        rows = query.with_only_columns(literal_column("1"), maintain_column_froms=True).order_by(None).limit(bound + 1)
        counts.append(select(func.count()).select_from(rows.subquery()).scalar_subquery())
    return dict(zip(queries, session.execute(select(*counts)).one(), strict=True)) if counts else {}
