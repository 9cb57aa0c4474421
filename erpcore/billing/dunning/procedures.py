"""How a company asks for what is overdue, from which day on: procedures are written once, and end when another follows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from erpcore.billing.dunning.flow import SET_UP
from erpcore.billing.dunning.models import DunningLevel, DunningProcedure, LetterKind
from erpcore.billing.dunning.records import company
from erpcore.billing.dunning.rules import Level
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import CustomerGroup, Entity

MOST_LEVELS = 6
#: More days, or minor units, than anybody means.
_MOST_DAYS, _MOST_MINOR = 3_650, 10**12


@dataclass(frozen=True, kw_only=True)
class WriteProcedure:
    """A procedure with its levels in their order. ``group`` ``None``: for customers whose group has none of its own."""

    entity: int
    name: str
    valid_from: date
    levels: Sequence[Level]
    group: int | None = None
    interval_days: int = 7
    min_total_minor: int = 0


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """A procedure in force."""

    id: int
    group: int | None
    interval_days: int
    min_total_minor: int
    levels: Mapping[int, Level]


def write_procedure(work: UnitOfWork, command: WriteProcedure) -> int:
    """Write a procedure that holds from its first day on; the one before it of the same customers ends there. Returns its id.

    Raises ``RuleBroken`` for a first day that has passed or that another procedure has already, for levels whose days do not
    grow, and for numbers that nobody means.
    """
    work.actor.require(SET_UP)
    facts = company(work, command.entity)
    # Two that write at once for the same customers would both find no other.
    work.session.execute(select(Entity.id).where(Entity.id == facts.id).with_for_update(key_share=True))
    if not command.name.strip():
        raise RuleBroken("dunning_incomplete", field="name")
    if command.valid_from < local_day(work.now, facts.time_zone):
        raise RuleBroken("dunning_from_past", field="valid_from", day=command.valid_from)
    if command.group is not None and work.session.get(CustomerGroup, command.group) is None:
        raise RuleBroken("choice_unknown", field="group", value=str(command.group))
    _check(command)
    known = work.session.scalars(
        select(DunningProcedure).where(
            DunningProcedure.entity_id == facts.id, DunningProcedure.customer_group_id.is_(None)
            if command.group is None
            else DunningProcedure.customer_group_id == command.group,
            or_(DunningProcedure.valid_until.is_(None), DunningProcedure.valid_until > command.valid_from),
        )
    ).all()  # fmt: skip
    if any(one.valid_from >= command.valid_from for one in known):
        raise RuleBroken("dunning_overlaps", field="valid_from", day=command.valid_from)
    for one in known:
        one.valid_until = command.valid_from
    key = work.ids.one()
    work.session.add(
        DunningProcedure(
            id=key, entity_id=facts.id, customer_group_id=command.group, name=command.name.strip(), valid_from=command.valid_from,
            valid_until=None, interval_days=command.interval_days, min_total_minor=command.min_total_minor,
            written_by=work.actor.id, written_at=work.now,
        )
    )  # fmt: skip
    # The levels refer to it.
    work.session.flush()
    work.session.add_all(
        DunningLevel(
            procedure_id=key, level=one.level, days_overdue=one.days_overdue, min_minor=one.min_minor, fee_minor=one.fee_minor,
            letter=one.letter, respite_days=one.respite_days, note=(one.note or "").strip() or None,
        )
        for one in command.levels
    )  # fmt: skip
    work.audit(
        "dunning_procedure.written", "dunning_procedure", key, entity=facts.id, customer_group=command.group,
        valid_from=command.valid_from, ends=[one.id for one in known],
        levels=[[one.level, one.days_overdue, one.min_minor, one.fee_minor, one.letter] for one in command.levels],
    )  # fmt: skip
    return key


def _check(command: WriteProcedure) -> None:
    if not 1 <= len(command.levels) <= MOST_LEVELS:
        raise RuleBroken("dunning_levels_few", field="levels-0-days_overdue", most=MOST_LEVELS)
    if not 1 <= command.interval_days <= _MOST_DAYS:
        raise RuleBroken("dunning_number_odd", field="interval_days")
    if not 0 <= command.min_total_minor < _MOST_MINOR:
        raise RuleBroken("dunning_number_odd", field="min_total")
    before = 0
    for number, one in enumerate(command.levels):
        if one.level != number + 1 or one.letter not in set(LetterKind):
            raise RuleBroken("choice_unknown", field=f"levels-{number}-letter", value=str(one.letter))
        if not before < one.days_overdue <= _MOST_DAYS:
            raise RuleBroken(
                "dunning_days_order", field=f"levels-{number}-days_overdue", level=one.level, before=before
            )
        for field, value, most in (
            ("fee", one.fee_minor, _MOST_MINOR), ("min", one.min_minor, _MOST_MINOR), ("respite_days", one.respite_days, _MOST_DAYS),
        ):  # fmt: skip
            if not 0 <= value < most:
                raise RuleBroken("dunning_number_odd", field=f"levels-{number}-{field}")
        before = one.days_overdue


def end_procedure(work: UnitOfWork, procedure: int, *, until: date) -> None:
    """End a procedure before this day, which must not have passed. Raises ``NotFound``, or ``RuleBroken`` for one that is over."""
    work.actor.require(SET_UP)
    row = work.session.get(DunningProcedure, procedure, with_for_update={"key_share": True})
    if row is None:
        raise NotFound("dunning_procedure_unknown", id=procedure)
    facts = company(work, row.entity_id)
    today = local_day(work.now, facts.time_zone)
    if until < today:
        raise RuleBroken("dunning_from_past", field="until", day=until)
    if row.valid_until is not None and row.valid_until <= today:
        raise RuleBroken("dunning_procedure_over", field="until", day=row.valid_until)
    was, row.valid_until = row.valid_until, max(until, row.valid_from)
    work.audit("dunning_procedure.ended", "dunning_procedure", row.id, valid_until=[was, row.valid_until])


def procedures_on(session: Session, entity: int, day: date) -> dict[int | None, Procedure]:
    """The procedures in force on a day, by customer group; ``None`` is for the groups that have none. Two queries."""
    return procedures_of(session, [entity], day)[entity]


def procedures_of(session: Session, entities: Collection[int], day: date) -> dict[int, dict[int | None, Procedure]]:
    """Those of several companies, by company. Two queries."""
    rows = session.execute(
        select(DunningProcedure.__table__).where(
            DunningProcedure.entity_id.in_(sorted(entities)), DunningProcedure.valid_from <= day,
            or_(DunningProcedure.valid_until.is_(None), DunningProcedure.valid_until > day),
        )
    ).all()  # fmt: skip
    levels = levels_of(session, [row.id for row in rows])
    found: dict[int, dict[int | None, Procedure]] = {entity: {} for entity in entities}
    for row in rows:
        found[row.entity_id][row.customer_group_id] = Procedure(
            id=row.id, group=row.customer_group_id, interval_days=row.interval_days, min_total_minor=row.min_total_minor,
            levels={one.level: one for one in levels.get(row.id, ())},
        )  # fmt: skip
    return found


def levels_of(session: Session, procedures: Sequence[int]) -> dict[int, list[Level]]:
    """The levels of procedures in their order."""
    found: dict[int, list[Level]] = {}
    table = DunningLevel.__table__.c
    query = (
        select(DunningLevel.__table__)
        .where(table.procedure_id.in_(procedures))
        .order_by(table.procedure_id, table.level)
    )
    for row in session.execute(query) if procedures else ():
        found.setdefault(row.procedure_id, []).append(
            Level(
                level=row.level, days_overdue=row.days_overdue, min_minor=row.min_minor, fee_minor=row.fee_minor,
                letter=row.letter, respite_days=row.respite_days, note=row.note,
            )
        )  # fmt: skip
    return found
