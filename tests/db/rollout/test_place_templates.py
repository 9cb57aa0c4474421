"""Sites, companies and channels from templates: made whole or not at all, closed until their go, and the neighbours as they were."""

from __future__ import annotations

import threading
from datetime import date, time
from decimal import Decimal

import orjson
import pytest
from sqlalchemy import func, select

from app.composition.cells import RegisteredCells
from app.composition.placing import site as site_parts
from app.composition.placing.making import (
    apply_template,
    plan_of,
    rewrite_template,
    take_template,
    type_template,
)
from app.composition.placing.plan import Asked, Made
from app.composition.placing.site import parts_of_site
from app.composition.policy_desk import would_run
from app.composition.uow import reading
from erpcore.fulfilment.carriers.models import CarrierCutOff
from erpcore.inventory.models import Location
from erpcore.inventory.stock import ChangeStock, open_stock
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import AuditEntry
from erpcore.kernel.errors import Busy, Conflict, DomainError, NotAllowed, NotFound, RuleBroken
from erpcore.ledger.models import Account
from erpcore.masterdata.calendars import calendars_of
from erpcore.masterdata.models import Channel, Entity, ServiceCommitment, Site, SourcingLane
from erpcore.masterdata.tax_models import TaxRate
from erpcore.orders.services import capture_orders
from erpcore.ports import Process
from governance.programme.models import ProgrammeCell
from governance.templates.content import Content, PlaceKind, checked
from governance.templates.models import PlaceTemplate, TemplateUse
from governance.templates.queries import content_of, newest, template
from governance.templates.services import retire_template
from governance.variants.models import Variant
from governance.variants.register import Scope
from readiness.waves.grants import RecordAlreadyLive, record_already_live
from readiness.waves.models import Wave, WaveScope
from readiness.waves.services import PlanWave, ReplanWave, plan_wave, replan_wave
from tests.support.controls import assert_books_agree
from tests.support.core import RULES, a_business
from tests.support.places import a_model_site, a_new_site, a_site_template, applied, office

TABLES = (
    Site,
    Entity,
    Channel,
    Location,
    CarrierCutOff,
    ServiceCommitment,
    SourcingLane,
    Variant,
    ProgrammeCell,
    TemplateUse,
)


@pytest.fixture
def business(database):
    return a_business(database)


@pytest.fixture
def world(business):
    """The business, its programme, somebody to answer for it, the office and the template."""
    programme, lead = a_model_site(business)
    who = office(business.database)
    return business, programme, lead, who, a_site_template(business, who)


def said(business, key):
    with reading(business.database) as session:
        row = template(session, key)
        return content_of(newest(session, row), PlaceKind(row.kind))


def counts(business):
    with reading(business.database) as session:
        return [session.scalar(select(func.count()).select_from(table)) for table in TABLES]


def problems(business, key, asked):
    with reading(business.database) as session:
        return [one.code for one in plan_of(session, key, asked, business.clock.now()).problems]


def neighbour(business):
    """All that is kept of the first site."""
    with reading(business.database) as session:
        return [
            [tuple(row) for row in session.execute(select(table.__table__).where(column == business.site).order_by(table.id))]
            for table, column in (
                (Site, Site.id), (Location, Location.site_id), (CarrierCutOff, CarrierCutOff.site_id),
                (ServiceCommitment, ServiceCommitment.site_id), (SourcingLane, SourcingLane.site_id),
                (Variant, Variant.site_id), (ProgrammeCell, ProgrammeCell.site_id),
            )
        ]  # fmt: skip


def test_a_template_says_what_the_site_says(world):
    business, _, _, _, key = world
    content = said(business, key)
    assert content.facts == {
        "kind": "distribution_centre", "country": "Germany", "region": "", "time_zone": "Europe/Berlin", "criteria": "entry",
    }  # fmt: skip
    assert [row["weekday"] for row in content.of("hours")] == ["Mon", "Tue", "Wed", "Thu", "Fri"]
    assert content.of("hours")[0] == {"weekday": "Mon", "opens": "07:00", "closes": "16:00"}
    assert content.of("closed") == [{"day": "2026-04-03"}], "what is past is no part of a new site"
    assert [(row["code"], row["kind"], row["zone"]) for row in content.of("locations")] == [
        ("IN", "receiving", ""), ("A-01", "storage", "A"),
    ]  # fmt: skip
    assert [(row["service"], row["weekday"], row["cut_off"]) for row in content.of("collections")] == [
        ("standard", "Mon", "16:00"), ("standard", "Fri", "12:00"),
    ]  # fmt: skip
    assert [(row["channel"], row["lead_days"], row["cut_off"]) for row in content.of("commitments")] == [
        ("wholesale", "2", "14:00")
    ]
    assert content.of("policies") == [{"point": "partial_shipment", "value": "false"}]
    assert content.of("roles") == [{"role": "site_lead", "people": "1"}]


def test_a_site_is_made_whole_takes_an_order_after_its_go_and_the_neighbour_is_as_it_was(world):
    business, programme, lead, who, key = world
    before = neighbour(business)
    use = applied(business, who, key, a_new_site(business, programme, lead))
    made = orjson.loads(use.made)
    bremen = use.place_id
    assert neighbour(business) == before
    with reading(business.database) as session:
        site = session.get_one(Site, bremen)
        assert (site.code, site.kind, site.time_zone, site.opens_at) == (
            "BRE",
            "distribution_centre",
            "Europe/Berlin",
            time(7),
        )
        (told,) = calendars_of(session, [bremen])
        assert (told.valid_from, told.closed) == (date(2026, 3, 2), (date(2026, 4, 3),))
        assert made["locations"] == 2
        assert (
            session.scalar(select(func.count()).select_from(CarrierCutOff).where(CarrierCutOff.site_id == bremen)) == 2
        )
        variant = session.get_one(Variant, made["variant"])
        assert (variant.state, variant.site_id, variant.owner_id) == ("submitted", bremen, lead)
        acts = {one.kind for one in session.scalars(select(AuditEntry).where(AuditEntry.actor == who.id))}
        assert {"site.added", "location.added", "commitment.kept", "variant.submitted", "template.used"} <= acts
    cells = RegisteredCells()
    order = business.order(site=bremen)
    with pytest.raises(RuleBroken) as closed, business.work() as work:
        capture_orders(work, [order], rules=RULES, cells=cells)
    assert closed.value.code == "cell_closed"
    with business.work() as work:
        processes = (Process.ORDER_TO_CASH, Process.WAREHOUSE, Process.RETURNS_TO_CREDIT)
        record_already_live(
            work, RecordAlreadyLive(cells=((bremen, business.channel),), processes=processes, reason="the go")
        )
    with business.work() as work:
        open_stock(
            work, [ChangeStock(site=bremen, item=business.items[0], quantity=Decimal(50), note="opening")], rules=RULES, cells=cells
        )  # fmt: skip
        (taken,) = capture_orders(work, [order], rules=RULES, cells=cells)
    assert taken.site_id == bremen
    with reading(business.database) as session:
        here = would_run(session, who, business.clock.now(), Scope(site=bremen), "Europe/Berlin", None)
    assert here.values["partial_shipment"] is True, "what is proposed is not in force"
    assert_books_agree(business.database)


def test_what_stands_in_the_way_is_said_by_name_and_nothing_is_made(world):
    business, programme, lead, who, key = world
    asked = a_new_site(business, programme, lead)
    assert problems(business, key, asked) == []
    before = counts(business)
    wrong = {
        "code_in_use": {"code": "DUI"}, "code_missing": {"code": " "}, "name_missing": {"name": ""},
        "entity_unknown": {"entity": 4711}, "channel_unknown": {"channels": (4711,)},
        "time_zone_unknown": {"facts": {"time_zone": "Europe/Nowhere"}}, "template_programme_missing": {"programme": None},
        "programme_not_found": {"programme": 4711}, "variant_end_missing": {"until_on": None},
        "variant_person_unknown": {"owner": 4711}, "variant_unsaid": {"reason": ""}, "template_name_unknown": {"facts": {"criteria": "nowhere"}},
    }  # fmt: skip
    for code, changes in wrong.items():
        bad = a_new_site(business, programme, lead, **changes)
        assert code in problems(business, key, bad), code
        with pytest.raises(DomainError):
            applied(business, who, key, bad)
    assert counts(business) == before
    with pytest.raises(RuleBroken, match="template_cell_unusable"):
        applied(business, who, key, a_new_site(business, programme, lead, facts={"kind": "castle"}))
    scoped = Actor(id=who.id, role="pmo", permissions=who.permissions, sites=frozenset({business.site}))
    with pytest.raises(NotAllowed, match="template_everywhere"):
        applied(business, scoped, key, asked)
    with pytest.raises(NotAllowed):
        applied(business, Actor(id=1, role="site_lead"), key, asked)
    with business.work(who) as work:
        retire_template(work, key, reason="another one is better")
    with pytest.raises(RuleBroken, match="template_retired"):
        applied(business, who, key, asked)
    assert counts(business) == before


def test_a_crash_in_between_leaves_nothing_and_the_same_again_makes_it(world, monkeypatch):
    business, programme, lead, who, key = world
    before, asked = counts(business), a_new_site(business, programme, lead)

    def dies(*_):
        raise RuntimeError("the power is gone")

    monkeypatch.setattr(site_parts, "keep_lanes", dies)
    with pytest.raises(RuntimeError):
        applied(business, who, key, asked)
    assert counts(business) == before
    monkeypatch.undo()
    applied(business, who, key, asked)
    with pytest.raises(Conflict, match="code_in_use"):
        applied(business, who, key, asked)
    assert counts(business)[0] == before[0] + 1


def test_of_two_who_make_the_same_site_at_once_one_makes_it(world):
    business, programme, lead, who, key = world
    other = a_site_template(business, who, code="another")
    asked, start = a_new_site(business, programme, lead), threading.Barrier(2)
    came: list[object] = []

    def make(which):
        start.wait()
        try:
            came.append(applied(business, who, which, asked).place_id)
        except (Conflict, Busy) as refusal:
            came.append(refusal.code)

    threads = [threading.Thread(target=make, args=(which,)) for which in (key, other)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len([one for one in came if isinstance(one, int)]) == 1, came
    with reading(business.database) as session:
        assert session.scalar(select(func.count()).select_from(Site).where(Site.code == "BRE")) == 1


def test_what_was_seen_is_what_is_made_and_versions_stay(world):
    business, programme, lead, who, key = world
    asked = a_new_site(business, programme, lead)
    with reading(business.database) as session:
        seen = plan_of(session, key, asked, business.clock.now()).digest
    content = said(business, key)
    with business.work(who) as work:
        rows = {**content.rows, "locations": []}
        rewrite_template(work, key, content.facts, rows, name="A small branch", reason="no racks yet", seen=1)
    with pytest.raises(Conflict, match="template_plan_changed"):
        applied(business, who, key, asked, seen=seen)
    with pytest.raises(Conflict, match="changed_meanwhile"), business.work(who) as work:
        rewrite_template(work, key, content.facts, content.rows, name="A branch", reason="again", seen=1)
    with reading(business.database) as session:
        seen = plan_of(session, key, asked, business.clock.now()).digest
    use = applied(business, who, key, asked, seen=seen)
    assert orjson.loads(use.made)["locations"] == 0
    assert said(business, key).of("zones") == [{"code": "A", "name": "Racks"}]


def test_a_wave_that_is_being_planned_takes_the_site_in_and_one_that_rehearses_does_not(world):
    business, programme, lead, who, key = world
    with business.work() as work:
        wave = plan_wave(
            work,
            PlanWave(
                programme_id=programme, code="W3", name="The north", owner=lead, time_zone="Europe/Berlin",
                cells=((business.site, business.channel),), processes=(Process.ORDER_TO_CASH,), go_live_on=date(2026, 6, 1),
                hypercare_until=date(2026, 6, 29),
            ),
        ).id  # fmt: skip
    assert "template_wave_elsewhere" in problems(business, key, a_new_site(business, 4711, lead, wave=wave))
    use = applied(business, who, key, a_new_site(business, programme, lead, wave=wave, facts={"criteria": ""}))
    with reading(business.database) as session:
        cells = session.execute(select(WaveScope.site_id, WaveScope.channel_id).where(WaveScope.wave_id == wave)).all()
    assert sorted(map(tuple, cells)) == sorted([(business.site, business.channel), (use.place_id, business.channel)])


def test_a_company_is_made_with_its_chart_rates_and_carriers_and_never_without_an_account_that_postings_need(world):
    business, _, _, who, _ = world
    with business.work(who) as work:
        key = take_template(work, PlaceKind.ENTITY, business.entity, code="company", name="A company as Nordhaus").id
    asked = Asked(
        code="AT01",
        name="Nordhaus Austria",
        facts={"country": "Austria", "time_zone": "Europe/Vienna"},
        starts_on=date(2026, 4, 1),
    )
    use = applied(business, who, key, asked)
    with reading(business.database) as session:
        entity = session.get_one(Entity, use.place_id)
        assert (entity.code, entity.country, entity.currency, entity.realm) == ("AT01", "Austria", "EUR", "live")
        of = select(Account.role, Account.code).order_by(Account.code)
        charts = [session.execute(of.where(Account.entity_id == one)).all() for one in (business.entity, entity.id)]
        assert charts[0] == charts[1]
        rates = session.execute(
            select(TaxRate.country, TaxRate.rate, TaxRate.valid_from).where(TaxRate.entity_id == entity.id)
        ).all()
        assert list(map(tuple, rates)) == [("Germany", Decimal("0.2"), date(2026, 4, 1))]
    content, before = said(business, key), counts(business)
    with business.work(who) as work:
        without = {**content.rows, "accounts": [row for row in content.of("accounts") if row["role"] != "tax"]}
        rewrite_template(work, key, content.facts, without, name="Without tax", reason="a slip", seen=1)
    bad = Asked(code="CH01", name="Nordhaus Suisse", facts={"currency": "Franken"})
    assert problems(business, key, bad) == ["business_currency", "chart_role_missing"]
    with pytest.raises(RuleBroken):
        applied(business, who, key, bad)
    assert counts(business) == before
    assert_books_agree(business.database)


def test_a_channel_is_made_with_what_it_promises_at_chosen_sites_and_closed_cells(world):
    business, programme, _, who, _ = world
    with business.work(who) as work:
        key = take_template(work, PlaceKind.CHANNEL, business.channel, code="trade", name="A channel as wholesale").id
    asked = Asked(
        code="portal", name="Dealer portal", programme=programme, sites=(business.site,), starts_on=date(2026, 3, 2)
    )
    use = applied(business, who, key, asked)
    with reading(business.database) as session:
        assert session.get_one(Channel, use.place_id).priority == 5
        (promise,) = session.scalars(select(ServiceCommitment).where(ServiceCommitment.channel_id == use.place_id))
        assert (promise.site_id, promise.lead_days, promise.cut_off) == (business.site, 2, time(14))
        cell = select(ProgrammeCell.site_id).where(ProgrammeCell.channel_id == use.place_id)
        assert session.scalars(cell).all() == [business.site]
    with pytest.raises(RuleBroken, match="cell_closed"), business.work() as work:
        capture_orders(work, [business.order(channel=use.place_id)], rules=RULES, cells=RegisteredCells())
    assert "code_in_use" in problems(business, key, asked)


def test_a_template_is_typed_and_what_means_nothing_is_named(business):
    who = office(business.database)
    facts = {"kind": "branch", "country": "Germany", "time_zone": "Europe/Berlin"}
    for rows, code in (
        ({"hours": [{"weekday": "Someday", "opens": "08:00", "closes": "17:00"}]}, "template_cell_unusable"),
        ({"hours": [{"weekday": "Mon", "opens": "8", "closes": "17:00"}]}, "template_cell_unusable"),
        ({"zones": [{"code": "A", "name": "Racks"}] * 2}, "template_row_twice"),
        ({"castles": []}, "template_part_unknown"),
        ({"lanes": [{"country": "Germany", "transit_days": "-1", "cost_minor": "0"}]}, "template_cell_unusable"),
    ):  # fmt: skip
        with pytest.raises(RuleBroken, match=code), business.work(who) as work:
            type_template(work, PlaceKind.SITE, facts, rows, code="typed", name="Typed")
    with pytest.raises(NotFound), business.work(who) as work:
        take_template(work, PlaceKind.SITE, 4711, code="typed", name="Typed")
    with reading(business.database) as session:
        assert session.scalar(select(func.count()).select_from(PlaceTemplate)) == 0
    with business.work(who) as work:
        key = type_template(work, PlaceKind.SITE, facts, {}, code="typed", name="Typed").id
    assert isinstance(said(business, key), Content)
    with pytest.raises(Conflict, match="template_there"), business.work(who) as work:
        type_template(work, PlaceKind.SITE, facts, {}, code="typed", name="Typed")
    assert "calendar_never_open" in problems(business, key, a_new_site(business, None, None, channels=()))
    with pytest.raises(NotFound, match="template_not_found"), business.work(who) as work:
        apply_template(work, 4711, a_new_site(business, None, None), seen=None)


def test_what_somebody_plans_meanwhile_is_not_written_over_by_a_site_that_joins(world):
    business, programme, lead, _who, key = world
    with business.work() as work:
        wave = plan_wave(
            work,
            PlanWave(
                programme_id=programme, code="W3", name="The north", owner=lead, time_zone="Europe/Berlin",
                cells=((business.site, business.channel),), processes=(Process.ORDER_TO_CASH,), go_live_on=date(2026, 6, 1),
                hypercare_until=date(2026, 6, 29),
            ),
        ).id  # fmt: skip
    with reading(business.database) as session:
        content = content_of(newest(session, template(session, key)), PlaceKind.SITE)
        parts = parts_of_site(session, content, a_new_site(business, programme, lead, wave=wave), business.clock.now())
    with business.work() as work:
        replan_wave(
            work,
            ReplanWave(
                wave_id=wave, name="The far north", owner=lead, cells=((business.site, business.channel),),
                processes=(Process.ORDER_TO_CASH,), reason="it has another name",
            ),
        )  # fmt: skip
    joining = next(part for part in parts if part.of == "wave")
    with pytest.raises(Conflict, match="changed_meanwhile"), business.work() as work:
        joining.make(work, Made(place=business.site))
    with reading(business.database) as session:
        assert session.get_one(Wave, wave).name == "The far north"


@pytest.mark.parametrize("name", ["Racks\rEast", "Racks\u2028East", "Racks\x85East"])
def test_a_cell_is_one_line_for_whoever_changes_the_template(name):
    facts = {"kind": "branch", "country": "Germany", "time_zone": "Europe/Berlin"}
    with pytest.raises(RuleBroken, match="template_cell_unusable"):
        checked(PlaceKind.SITE, facts, {"zones": [{"code": "A", "name": name}]})


@pytest.mark.parametrize(
    ("kind", "facts", "rows"),
    [
        (PlaceKind.SITE, {"kind": "branch", "country": "G" * 65, "time_zone": "Europe/Berlin"}, {}),
        (
            PlaceKind.SITE,
            {"kind": "branch", "country": "Germany", "region": "N" * 65, "time_zone": "Europe/Berlin"},
            {},
        ),
        (PlaceKind.CHANNEL, {"priority": "1"}, {"policies": [{"point": "p" * 121, "value": "true"}]}),
    ],
)
def test_what_a_place_has_no_room_for_is_refused_where_it_is_typed(kind, facts, rows):
    with pytest.raises(RuleBroken, match="template_cell_unusable"):
        checked(kind, facts, rows)
