"""What stands on the pages of design questions: each with the names of its process, its place and its people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.queries.processes import Person, people
from app.queries.variants import codes_of
from app.queries.worked_out import MemoryList
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.kernel.history import Transition
from erpcore.masterdata.models import Channel, Site
from governance.processes.queries import processes, step_codes
from governance.questions.flow import LinkKind, QuestionState
from governance.questions.queries import QuestionView, moves_of, open_in_scope, question, questions
from readiness.waves.queries import WaveView


@dataclass(frozen=True, kw_only=True)
class QuestionRow:
    """A question with names. Its days are those of its site, of UTC where it holds everywhere; it ages while it is open."""

    view: QuestionView
    process: str
    where: str
    decider: Person | None
    today: date
    asked_on: date
    time_zone: str

    @property
    def age_days(self) -> int | None:
        if self.view.state is not QuestionState.OPEN:
            return None
        return (self.today - self.asked_on).days

    @property
    def is_late(self) -> bool:
        return self.view.is_late(self.today)

    @property
    def standing(self) -> str:
        """Its state, or ``late`` while it is open beyond its day."""
        return "late" if self.is_late else self.view.state.value

    @property
    def chosen(self) -> str:
        """What was decided, in a word or two."""
        return next((one.title for one in self.view.options if one.id == self.view.option), "")


@dataclass(frozen=True, kw_only=True)
class QuestionPage:
    """A question with what it bears on by name, and what happened to it. ``codes``: of its variants that the person may see."""

    row: QuestionRow
    steps: tuple[tuple[str, str], ...]
    points: tuple[str, ...]
    variants: tuple[int, ...]
    codes: dict[int, str]
    moves: tuple[Transition, ...]
    names: dict[int, Person]


def _rows(session: Session, found: Sequence[QuestionView], actor: Actor, now: datetime) -> list[QuestionRow]:
    names = {one.code: one.name for one in processes(session)}
    wanted = {one.site for one in found if one.site}
    sites = {
        row.id: row for row in session.execute(select(Site.id, Site.name, Site.time_zone).where(Site.id.in_(wanted)))
    }
    channels = {row.id: row.name for row in session.execute(select(Channel.id, Channel.name))}
    who = people(session, [one.decider for one in found])

    def row(one: QuestionView) -> QuestionRow:
        site = sites.get(one.site or 0)
        zone = site.time_zone if site else "UTC"
        return QuestionRow(
            view=one, process=names.get(one.process, one.process), decider=who.get(one.decider), time_zone=zone,
            today=local_day(now, zone), asked_on=local_day(one.asked_at, zone),
            where=", ".join(part for part in (site.name if site else "", channels.get(one.channel or 0)) if part) or "everywhere",
        )  # fmt: skip

    return [row(one) for one in found if actor.sites is None or one.site is None or one.site in actor.sites]


def question_rows(session: Session, actor: Actor, now: datetime) -> list[QuestionRow]:
    """Every question that the person may see. Nine queries."""
    return _rows(session, questions(session), actor, now)


def question_page(session: Session, actor: Actor, question_id: int, now: datetime) -> QuestionPage:
    """One question; raises ``NotFound`` for an unknown one and for another site's."""
    rows = _rows(session, [question(session, question_id)], actor, now)
    if not rows:
        raise NotFound("question_not_found", question=question_id)
    view = rows[0].view
    codes = step_codes(session)
    moves = moves_of(session, question_id)
    variants = tuple(int(target) for kind, target in view.links if kind is LinkKind.VARIANT)
    return QuestionPage(
        row=rows[0], moves=tuple(moves), names=people(session, [view.asked_by, view.decided_by, view.decider]),
        steps=tuple((target, codes.get(target, target)) for kind, target in view.links if kind is LinkKind.STEP),
        points=tuple(target for kind, target in view.links if kind is LinkKind.POINT),
        variants=variants, codes=codes_of(session, actor, variants),
    )  # fmt: skip


def open_of_wave(session: Session, actor: Actor, wave: WaveView) -> dict[str, int]:
    """How many questions are open by process of the wave that hold in its scope, as far as the person may see them. One query."""
    sites = {site for site, _ in wave.cells if actor.sites is None or site in actor.sites}
    return open_in_scope(
        session, processes=wave.processes, sites=sites, channels={channel for _, channel in wave.cells}
    )


QUESTIONS: MemoryList[QuestionRow] = MemoryList(
    rows=lambda session, actor, _asked, now: question_rows(session, actor, now),
    text=lambda row: f"{row.view.title} {row.view.question} {row.view.impact} {row.chosen}",
    by=("standing", lambda row: row.standing), flags=("mine",),
    sorts={
        "due": lambda row: row.view.due_on, "age": lambda row: row.age_days, "process": lambda row: row.process,
        "title": lambda row: row.view.title.lower(),
    },
    usual="due",
    wanted={
        "state": lambda row, value, _: row.view.state == value,
        "standing": lambda row, value, _: row.standing == value, "process": lambda row, value, _: row.view.process == value,
        "mine": lambda row, _value, eyes: row.view.decider == eyes.actor.id and row.view.state is QuestionState.OPEN,
    },
)  # fmt: skip
