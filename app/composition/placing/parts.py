"""Parts that places of several kinds have: what customers are promised, policy values that are proposed, cells in a programme."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from typing import Any
from zoneinfo import available_timezones

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.placing.plan import Asked, Made, Part
from app.composition.variants import AskForVariant, write_variant
from app.identity.models import Account
from erpcore.kernel.errors import Conflict, DomainError, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.commitments import NewCommitment, keep_commitments
from erpcore.masterdata.models import Channel, CustomerGroup
from erpcore.ports import POLICY_POINTS, Freedom
from governance.programme.models import Programme
from governance.programme.services import add_cells
from governance.templates.content import DAYS, Content, Row
from governance.variants.kinds import Kind, Rationale
from governance.variants.queries import standards_at
from governance.variants.register import Scope
from governance.variants.writing import Content as Said


def counted(number: int, one: str, many: str | None = None) -> str:
    """``1 zone``, ``12 zones``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def by_code(session: Session, table: Any, codes: Iterable[str]) -> dict[str, int]:
    """Ids by code. One query."""
    return {
        row.code: row.id
        for row in session.execute(select(table.id, table.code).where(table.code.in_(sorted(set(codes)))))
    }


def named(code: str, name: str, table: Any, session: Session, **where: Any) -> list[DomainError]:
    """What is wrong with the code and name of something new."""
    out: list[DomainError] = []
    if not code:
        out.append(RuleBroken("code_missing", field="code"))
    elif session.scalar(
        select(table.id).where(table.code == code, *(getattr(table, key) == value for key, value in where.items()))
    ):
        out.append(Conflict("code_in_use", field="code", code=code))
    if not name:
        out.append(RuleBroken("name_missing", field="name"))
    return out


def zone_problems(name: str) -> list[DomainError]:
    """Whether it is no time zone."""
    return [] if name in available_timezones() else [RuleBroken("time_zone_unknown", field="time_zone", time_zone=name)]


def promised(
    session: Session, content: Content, cells: Sequence[tuple[int | None, int]], starts_on: date, only: str | None = None
) -> Part:  # fmt: skip
    """What is promised at these cells; ``None`` is the site that is being made, ``only`` the channel that the rows speak of
    whatever they name.
    """
    rows = content.of("commitments")
    channels = {} if only is not None else by_code(session, Channel, (row["channel"] for row in rows))
    groups = by_code(session, CustomerGroup, (row["group"] for row in rows if row["group"]))
    problems: list[DomainError] = []
    wanted: list[tuple[int | None, int, Row]] = []
    for row in rows:
        if only is None and row["channel"] not in channels:
            problems.append(NotFound("template_name_unknown", field="commitments", what="channel", name=row["channel"]))
        elif row["group"] and row["group"] not in groups:
            problems.append(
                NotFound("template_name_unknown", field="commitments", what="customer group", name=row["group"])
            )
        else:
            of = channels.get(row["channel"])
            wanted += [(site, channel, row) for site, channel in cells if only is not None or channel == of]

    def make(work: UnitOfWork, made: Made) -> None:
        commands = [
            _commitment(made.place if site is None else site, channel or made.place, row, groups, starts_on)
            for site, channel, row in wanted
        ]
        made.things["commitments"] = keep_commitments(work, commands)

    lines = tuple(
        f"{only or row['channel']}{', ' + row['group'] if row['group'] else ''}: {row['basis']} after {counted(int(row['lead_days']), 'day')}"
        + (f", cut-off {row['cut_off']}" if row["cut_off"] else "")
        for row in {id(row): row for _, _, row in wanted}.values()
    )
    return Part(title="What customers are promised", of="commitments", lines=lines, problems=tuple(problems), make=make)


def _commitment(site: int, channel: int, row: Row, groups: Mapping[str, int], starts_on: date) -> NewCommitment:
    days = row["weekdays"].split()
    return NewCommitment(
        site=site, channel=channel, lead_days=int(row["lead_days"]), valid_from=starts_on, group=groups.get(row["group"]),
        basis=row["basis"], transit_days=int(row["transit_days"]), cut_off=time.fromisoformat(row["cut_off"]) if row["cut_off"] else None,
        early_days=int(row["early_days"]), late_days=int(row["late_days"]),
        weekdays=sum(1 << DAYS.index(day) for day in days) if days else None,
        fill_target_permille=int(row["fill_permille"]) if row["fill_permille"] else None,
    )  # fmt: skip


def proposed(session: Session, content: Content, asked: Asked, dimension: str, now: Any) -> Part:
    """The policy values as one variant that is put to those who decide; until they agree, the standard holds there."""
    standards, values = standards_at(session, now), {}
    problems: list[DomainError] = []
    lines: list[str] = []
    for row in content.of("policies"):
        point, value = POLICY_POINTS.get(row["point"]), _value(row["value"])
        if point is None:
            problems.append(NotFound("policy_point_unknown", field="policies", point=row["point"]))
        elif point.freedom == Freedom.LOCKED:
            problems.append(
                RuleBroken("policy_point_locked", field="policies", point=point.title, sentence=point.sentence)
            )
        elif dimension not in point.dimensions:
            problems.append(RuleBroken(
                "policy_scope_too_wide", field="policies", point=point.title, dimension=dimension,
                may=[one.replace("_", " ") for one in point.dimensions],
            ))  # fmt: skip
        elif not point.admits(value):
            problems.append(
                RuleBroken("template_value_outside", field="policies", point=point.title, value=row["value"])
            )
        elif value == standards.get(point.name, point.standard):
            lines.append(f"{point.title}: {point.shown(value)}, which is the standard anyway")
        else:
            values[point.name] = value
            lines.append(f"{point.title}: {point.shown(value)}, proposed and not in force until it is approved")
    if values:
        problems += _variant_problems(session, asked)

    def make(work: UnitOfWork, made: Made) -> None:
        if values:
            made.things["variant"] = _propose(work, asked, values, Scope(**{dimension: made.place}))

    return Part(
        title="Policy values to propose", of="policies", lines=tuple(lines), problems=tuple(problems), make=make
    )


def _variant_problems(session: Session, asked: Asked) -> list[DomainError]:
    out: list[DomainError] = []
    if asked.until_on is None:
        out.append(RuleBroken("variant_end_missing", field="until_on"))
    account = session.get(Account, asked.owner) if asked.owner is not None else None
    if account is None or account.closed_at is not None:
        out.append(RuleBroken("variant_person_unknown", field="owner"))
    if not asked.reason.strip():
        out.append(RuleBroken("variant_unsaid", field="reason", what="the reason"))
    return out


def _propose(work: UnitOfWork, asked: Asked, values: Mapping[str, Any], scope: Scope) -> int:
    said = Said(
        title=f"{asked.name.strip()}: as its template", owner=asked.owner, rationale=Rationale.SITE_LIMIT, reason=asked.reason,
        support_who="The programme office, until the place is live", exit_condition="The standard fits the place, or the last day is over",
    )  # fmt: skip
    command = AskForVariant(
        kind=Kind.CONTROLLED_VARIATION, scope=scope, values=values, until_on=asked.until_on, content=said
    )
    return write_variant(work, command).id


def _value(text: str) -> Any:
    """A policy value as it is typed: a number, yes or no as ``true`` and ``false``, or a word."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def celled(
    session: Session, asked: Asked, cells: Sequence[tuple[int | None, int | None]], names: Sequence[str]
) -> Part:
    """The cells that the programme gets; ``None`` stands for what is being made. All of them are closed until a wave's go."""
    problems: list[DomainError] = []
    if asked.programme is None and cells:
        problems.append(RuleBroken("template_programme_missing", field="programme"))
    elif asked.programme is not None and session.get(Programme, asked.programme) is None:
        problems.append(NotFound("programme_not_found", field="programme", programme=asked.programme))

    def make(work: UnitOfWork, made: Made) -> None:
        if cells and asked.programme is not None:
            found = tuple(
                (made.place if site is None else site, made.place if channel is None else channel)
                for site, channel in cells
            )
            add_cells(work, asked.programme, found)
            made.things["cells"] = [list(cell) for cell in found]

    return Part(
        title="Cells, closed until their wave’s go", of="cells", lines=tuple(names), problems=tuple(problems), make=make
    )  # fmt: skip
