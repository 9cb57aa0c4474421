"""How does what people ask become a design question? Steps, points, sites and people are looked up where they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from app.composition.process_desk import check_person
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Channel, Entity, Realm, Site
from erpcore.ports import POLICY_POINTS
from governance.processes.models import BusinessProcess
from governance.processes.queries import step_exists
from governance.questions.flow import LinkKind
from governance.questions.models import DesignQuestion
from governance.questions.services import AskQuestion, Option, ask_question
from governance.variants.models import Variant


@dataclass(frozen=True, kw_only=True)
class Asking:
    """A question as a person or a program asks it."""

    title: str
    question: str
    process: str
    options: tuple[Option, ...]
    decider: int
    due_on: date
    impact: str = ""
    site: int | None = None
    channel: int | None = None
    points: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    variants: tuple[int, ...] = ()
    #: Where the day counts of a question that holds everywhere.
    time_zone: str = "UTC"


def put_question(work: UnitOfWork, asking: Asking) -> DesignQuestion:
    """Ask it. Raises ``RuleBroken`` for a process, step, point or person that is not there, ``NotFound`` for a site, channel or
    variant.
    """
    if work.session.scalar(select(BusinessProcess.id).where(BusinessProcess.code == asking.process)) is None:
        raise RuleBroken("question_process", field="process", process=asking.process)
    for step in asking.steps:
        if not step_exists(work.session, step):
            raise RuleBroken("question_step", field="steps", step=step[:81])
    for point in asking.points:
        if point not in POLICY_POINTS:
            raise RuleBroken("policy_point_unknown", field="points", point=point[:48])
    known = set(work.session.scalars(select(Variant.id).where(Variant.id.in_(asking.variants))))
    for variant in asking.variants:
        if variant not in known:
            raise NotFound("variant_unknown", field="variants", variant=variant)
    check_person(work, asking.decider, field="decider")
    here = _zone_of(work, asking)
    links = [(LinkKind.STEP, one) for one in asking.steps] + [(LinkKind.POINT, one) for one in asking.points]
    links += [(LinkKind.VARIANT, str(one)) for one in asking.variants]
    return ask_question(
        work,
        AskQuestion(
            title=asking.title, question=asking.question, process=asking.process, options=asking.options,
            decider=asking.decider, due_on=asking.due_on, today=local_day(work.now, here), impact=asking.impact,
            site=asking.site, channel=asking.channel, links=links,
        ),
    )  # fmt: skip


def _zone_of(work: UnitOfWork, asking: Asking) -> str:
    """Where its days are counted: at its site."""
    zone = asking.time_zone
    if asking.site is not None:
        site = work.session.execute(
            select(Entity.realm, Site.time_zone).join(Site, Site.entity_id == Entity.id).where(Site.id == asking.site)
        ).first()
        if site is None or site.realm != Realm.LIVE:
            raise NotFound("site_unknown", field="site", site=asking.site)
        zone = site.time_zone
    if asking.channel is not None and work.session.get(Channel, asking.channel) is None:
        raise NotFound("channel_unknown", field="channel", channel=asking.channel)
    return zone
