"""What does a new site begin with? Its calendar, places, collections, promises, lanes, proposals, cells, people and criteria."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.placing.parts import celled, counted, named, promised, proposed, zone_problems
from app.composition.placing.plan import Asked, Made, Part
from app.composition.planning import replan_wave
from app.security.roles import Role, title_of
from erpcore.fulfilment.carriers.models import Carrier, CarrierService
from erpcore.fulfilment.carriers.services import set_cut_offs
from erpcore.inventory.models import LocationKind
from erpcore.inventory.places import AddLocation, add_locations, add_zone
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import DomainError, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.calendars import Calendar, Hours
from erpcore.masterdata.lanes import KeepLane, keep_lanes
from erpcore.masterdata.models import Channel, Entity, Realm, Site, SiteKind
from erpcore.masterdata.services import NewSite, add_site
from erpcore.ports import Process
from governance.templates.content import DAYS, Content, Row
from readiness.gates.criteria import Phase
from readiness.gates.flow import GateState
from readiness.gates.models import Gate, GateTemplate
from readiness.gates.services import CreateGate, create_gate
from readiness.waves.queries import wave as wave_view
from readiness.waves.services import REPLANNABLE, ReplanWave


def parts_of_site(session: Session, content: Content, asked: Asked, now: datetime) -> list[Part]:
    """All parts of a new site, in the order in which they are made."""
    zone = content.facts["time_zone"]
    starts_on = asked.starts_on or (local_day(now, zone) if not zone_problems(zone) else now.date())
    channels = _channels(session, asked)
    names = [f"{asked.name.strip()} · {name}" for name in channels.values()]
    return [
        _site(session, content, asked, starts_on),
        _places(content),
        _collections(session, content, asked),
        promised(session, content, [(None, channel) for channel in channels], starts_on),
        _lanes(content),
        proposed(session, content, asked, "site", now),
        celled(session, asked, [(None, channel) for channel in channels], names),
        _wave(session, asked, list(channels)),
        _criteria(session, content, asked),
        _people(content),
    ]


def _channels(session: Session, asked: Asked) -> dict[int, str]:
    rows = session.execute(select(Channel.id, Channel.name).where(Channel.id.in_(asked.channels)).order_by(Channel.id))
    return {row.id: row.name for row in rows}


def _site(session: Session, content: Content, asked: Asked, starts_on: date) -> Part:
    facts, code, name = content.facts, asked.code.strip(), asked.name.strip()
    entity = session.get(Entity, asked.entity) if asked.entity is not None else None
    problems: list[DomainError] = []
    if entity is None or entity.realm != Realm.LIVE:
        problems.append(NotFound("entity_unknown", field="entity", entity=asked.entity))
    else:
        problems += named(code, name, Site, session, entity_id=entity.id)
    if strange := set(asked.channels) - set(_channels(session, asked)):
        problems.append(NotFound("channel_unknown", field="channels", channel=min(strange)))
    problems += zone_problems(facts["time_zone"])
    week, closed = _week(content.of("hours")), [date.fromisoformat(row["day"]) for row in content.of("closed")]
    if not any(week):
        problems.append(RuleBroken("calendar_never_open", field="hours", site=code or name))

    def make(work: UnitOfWork, made: Made) -> None:
        calendar = Calendar(valid_from=starts_on, week=week, closed=closed)
        opens, closes = next(hours for hours in week if hours is not None)
        made.place = add_site(
            work,
            NewSite(
                entity=asked.entity or 0, code=code, name=name, kind=facts["kind"], country=facts["country"],
                time_zone=facts["time_zone"], region=facts["region"] or None, opens_at=opens, closes_at=closes, calendar=calendar,
            ),
        ).id  # fmt: skip

    working = sum(hours is not None for hours in week)
    lines = (
        f"{code} {name}, {facts['kind'].replace('_', ' ')} of {entity.name if entity else 'no company'}, {facts['country']}",
        (
            f"Calendar from {starts_on:%-d %B %Y} in {facts['time_zone']}: {counted(working, 'working day')} a week, "
            f"{counted(len(set(closed)), 'closed day')}"
        ),
    )
    return Part(title="The site and its calendar", of="hours", lines=lines, problems=tuple(problems), make=make)


def _week(rows: Sequence[Row]) -> list[Hours | None]:
    hours = {row["weekday"]: (time.fromisoformat(row["opens"]), time.fromisoformat(row["closes"])) for row in rows}
    return [hours.get(day) for day in DAYS]


def _places(content: Content) -> Part:
    zones, locations = content.of("zones"), content.of("locations")
    strange = {row["kind"] for row in locations} - set(LocationKind)
    problems = [
        RuleBroken("template_name_unknown", field="locations", what="kind of location", name=kind)
        for kind in sorted(strange)
    ]

    def make(work: UnitOfWork, made: Made) -> None:
        made.things["zones"] = [add_zone(work, made.place, row["code"], row["name"]) for row in zones]
        commands = [
            AddLocation(
                site=made.place, code=row["code"], kind=row["kind"], zone=row["zone"] or None, walk=int(row["walk"])
            )
            for row in locations
        ]
        made.things["locations"] = len(add_locations(work, commands))

    kinds: dict[str, int] = defaultdict(int)
    for row in locations:
        kinds[row["kind"]] += 1
    lines = [counted(len(zones), "zone")] if zones else []
    lines += [f"{counted(number, 'location')} for {kind}" for kind, number in sorted(kinds.items())]
    return Part(title="Zones and locations", of="locations", lines=tuple(lines), problems=tuple(problems), make=make)


def _collections(session: Session, content: Content, asked: Asked) -> Part:
    rows = session.execute(
        select(CarrierService.id, CarrierService.code, Carrier.code.label("carrier"))
        .join(Carrier, Carrier.id == CarrierService.carrier_id)
        .where(Carrier.entity_id == (asked.entity or 0))
    )
    known = {(row.carrier, row.code): row.id for row in rows}
    found: dict[tuple[str, str], dict[int, time]] = defaultdict(dict)
    for row in content.of("collections"):
        found[row["carrier"], row["service"]][DAYS.index(row["weekday"])] = time.fromisoformat(row["cut_off"])
    problems = [
        NotFound("template_name_unknown", field="collections", what="service of a carrier", name=f"{carrier} {service}")
        for carrier, service in sorted(set(found) - set(known))
    ]

    def make(work: UnitOfWork, made: Made) -> None:
        for key, cut_offs in found.items():
            set_cut_offs(work, known[key], made.place, cut_offs)
        made.things["collections"] = len(found)

    lines = tuple(
        f"{carrier} {service}: {counted(len(days), 'day')} a week" for (carrier, service), days in found.items()
    )
    return Part(title="Collections by carriers", of="collections", lines=lines, problems=tuple(problems), make=make)


def _lanes(content: Content) -> Part:
    rows = () if content.facts["kind"] == SiteKind.DROP_SHIP else content.of("lanes")

    def make(work: UnitOfWork, made: Made) -> None:
        commands = [
            KeepLane(
                site=made.place,
                country=row["country"],
                transit_days=int(row["transit_days"]),
                cost_minor=int(row["cost_minor"]),
            )
            for row in rows
        ]
        made.things["lanes"] = len(keep_lanes(work, commands))

    lines = tuple(f"{row['country']}: {counted(int(row['transit_days']), 'day')} on the way" for row in rows)
    return Part(title="What it takes to serve countries", of="lanes", lines=lines, make=make)


def _wave(session: Session, asked: Asked, channels: Sequence[int]) -> Part:
    """The wave that the site joins, if any; else a later plan names its cells."""
    title = "Wave that it joins"
    if asked.wave is None:
        return Part(title=title, of="wave", lines=("None yet: a wave is planned with its cells later",))
    seen = wave_view(session, asked.wave)
    problems: list[DomainError] = []
    if seen.programme_id != asked.programme:
        problems.append(RuleBroken("template_wave_elsewhere", field="wave", wave=seen.code))
    if seen.state not in REPLANNABLE:
        problems.append(RuleBroken("wave_no_longer_plannable", field="wave", wave=seen.code, state=seen.state))
    frozen = session.scalar(select(Gate.phase).where(Gate.wave_id == seen.id, Gate.state == GateState.FROZEN).limit(1))
    if frozen is not None:
        problems.append(RuleBroken("wave_scope_frozen", field="wave", wave=seen.code, phase=frozen.replace("_", "-")))
    if not channels:
        problems.append(RuleBroken("template_channels_missing", field="channels"))

    def make(work: UnitOfWork, made: Made) -> None:
        replan_wave(
            work,
            ReplanWave(
                wave_id=seen.id, name=seen.name, owner=seen.owner, cells=(*seen.cells, *((made.place, one) for one in channels)),
                processes=tuple(Process(one) for one in seen.processes), customer_groups=seen.customer_groups,
                depends_on=seen.depends_on, reason=asked.reason.strip() or f"{asked.code.strip()} joins it",
                seen_version=seen.version,
            ),
        )  # fmt: skip
        made.things["wave"] = seen.id

    line = f"{seen.code} {seen.name}, live on {seen.go_live_on:%-d %B %Y}; its cells stay closed until its go"
    return Part(title=title, of="wave", lines=(line,), problems=tuple(problems), make=make)


def _criteria(session: Session, content: Content, asked: Asked) -> Part:
    """The wave's entry gate gets the criteria of the template where it has none yet."""
    title, code = "Criteria of its gate", content.facts["criteria"]
    if not code:
        return Part(title=title, of="criteria")
    known = session.scalar(
        select(GateTemplate.name).where(GateTemplate.code == code, GateTemplate.phase == Phase.ENTRY).limit(1)
    )
    if known is None:
        return Part(
            title=title,
            of="criteria",
            problems=(NotFound("template_name_unknown", field="criteria", what="gate template", name=code),),
        )
    if asked.wave is None:
        return Part(title=title, of="criteria", lines=(f"{known}, once a wave has its gate",))
    if session.scalar(select(Gate.id).where(Gate.wave_id == asked.wave, Gate.phase == Phase.ENTRY)) is not None:
        return Part(
            title=title, of="criteria", lines=("The wave has its entry gate, which reads the new cells as well",)
        )

    def make(work: UnitOfWork, made: Made) -> None:
        day = wave_view(work.session, asked.wave or 0).go_live_on
        gate = create_gate(work, CreateGate(wave_id=asked.wave or 0, phase=Phase.ENTRY, decides_on=day, template=code))
        made.things["gate"] = gate.id

    return Part(title=title, of="criteria", lines=(f"An entry gate in draft from {known}",), make=make)


def _people(content: Content) -> Part:
    """Who is needed; an administrator gives the roles, and the page of the template says who is missing."""
    rows = content.of("roles")
    problems = [
        RuleBroken("template_name_unknown", field="roles", what="role", name=row["role"])
        for row in rows
        if row["role"] not in set(Role)
    ]

    def make(_work: UnitOfWork, made: Made) -> None:
        made.things["roles"] = {row["role"]: int(row["people"]) for row in rows}

    lines = tuple(f"{title_of(row['role'])}: {row['people']}" for row in rows)
    return Part(title="People it needs", of="roles", lines=lines, problems=tuple(problems), make=make)
