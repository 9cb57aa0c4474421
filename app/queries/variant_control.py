"""Did every document get its rules while the variants in them held? Worked out from the register and the documents, one by one
only where a class of documents reaches beyond the time of one of its variants.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.composition.coverage import RegisterCoverage
from app.queries.controls import Comparison
from erpcore.kernel.events import EventLog
from readiness.conformance.models import ConformanceRow

NAME = "variants_in_force"
_TITLE = "Documents under a variant = those that got their rules while it held"
_J = ConformanceRow.__table__.c


def compare_variants(session: Session) -> list[Comparison]:
    """By site: documents that carry variants, and those of them all of whose variants held when they were stamped."""
    register = RegisterCoverage(session.connection())
    query = (
        select(
            _J.entity, _J.site, _J.variants, func.count().label("many"), func.min(_J.stamped_at).label("first"),
            func.max(_J.stamped_at).label("last"),
        )
        .where(_J.variants != "")
        .group_by(_J.entity, _J.site, _J.variants)
    )  # fmt: skip
    sides: dict[tuple[int, int | None], list[int]] = defaultdict(lambda: [0, 0])
    wrong: dict[tuple[int, int | None], int] = {}
    for row in session.execute(query.order_by(_J.entity, _J.site, _J.variants)):
        bad: list[int] = []
        if not _held(register, row.variants, (row.first, row.last)):
            bad = _outside(session, register, row)
        place = (row.entity, row.site)
        sides[place][0] += row.many
        sides[place][1] += row.many - len(bad)
        if bad:
            wrong.setdefault(place, bad[0])
    return [
        Comparison(
            control=NAME, unit="documents", title=_TITLE, entity=entity, site=site, left=left, right=right,
            difference=left - right, first_key=f"journey {wrong[entity, site]}" if (entity, site) in wrong else None,
        )
        for (entity, site), (left, right) in sorted(sides.items(), key=lambda one: (one[0][0], one[0][1] or 0))
    ] or [Comparison(NAME, "documents", _TITLE, None, None, 0, 0, 0)]  # fmt: skip


def _held(register: RegisterCoverage, variants: str, instants: Iterable[Any]) -> bool:
    """Whether all of them held at all of these instants; a variant holds in one stretch, so the ends of a span are enough."""
    ids = [int(one) for one in variants.split(",")]
    return all(at is not None and register.in_force(key, at) for at in instants for key in ids)


def _outside(session: Session, register: RegisterCoverage, group: Any) -> list[int]:
    """The journeys of a class whose variants did not all hold. What was entered afterwards happened before it got its rules, so
    there the moment counts at which it was entered.
    """
    same = (_J.entity == group.entity, _J.variants == group.variants, _J.site.is_not_distinct_from(group.site))
    rows = session.execute(select(_J.root_id, _J.ruleset, _J.stamped_at).where(*same).order_by(_J.root_id)).all()
    late = [row for row in rows if not _held(register, group.variants, (row.stamped_at,))]
    out = []
    for row in late:
        query = select(EventLog.recorded_at).where(EventLog.journey == row.root_id, EventLog.ruleset == row.ruleset)
        entered = session.scalar(query.order_by(EventLog.seq).limit(1))
        if not _held(register, group.variants, (entered,)):
            out.append(row.root_id)
    return out
