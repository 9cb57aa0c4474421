"""Builders: a programme, a site that is worth copying, and people who keep and apply templates of places."""

from __future__ import annotations

from datetime import date, time

from app.composition.placing.making import apply_template, take_template
from app.composition.placing.plan import Asked
from erpcore.fulfilment.carriers.services import NewCarrier, NewService, add_carrier, add_service, set_cut_offs
from erpcore.inventory.places import AddLocation, add_locations, add_zone
from erpcore.kernel.actor import Actor
from erpcore.masterdata.calendars import Calendar, SetCalendar, set_calendars
from erpcore.masterdata.lanes import KeepLane, keep_lanes
from governance.programme.services import CreateProgramme, create_programme
from governance.templates.content import PlaceKind
from governance.templates.permissions import TemplatePermission
from readiness.gates.templates import save_standard_templates
from tests.support.policies import approve
from tests.support.web import a_person

HOURS = (time(7), time(16))
WORKER = frozenset({TemplatePermission.VIEW, TemplatePermission.WRITE, TemplatePermission.APPLY})


def office(database):
    """Somebody of the programme office who may keep and apply templates, and nothing else."""
    return Actor(id=a_person(database, "pmo", name="Paul Nowak").id, role="pmo", permissions=WORKER)


def a_model_site(business):
    """Give the business's site all that a template can say; the programme's id and the lead's account."""
    lead = a_person(business.database, "site_lead", site=business.site, clock=business.clock, name="Femke Visser")
    with business.work() as work:
        programme = create_programme(
            work,
            CreateProgramme(
                code="ONE", name="One core", purpose="One ERP for all sites.", starts_on=date(2026, 1, 1),
                cells=((business.site, business.channel),),
            ),
        ).id  # fmt: skip
        save_standard_templates(work)
        week = (HOURS, HOURS, HOURS, HOURS, HOURS, None, None)
        calendar = Calendar(valid_from=date(2020, 1, 1), week=week, closed=(date(2026, 4, 3), date(2025, 12, 25)))
        set_calendars(work, [SetCalendar(site=business.site, calendar=calendar, reason="as it is")])
        add_zone(work, business.site, "A", "Racks")
        add_locations(
            work,
            [
                AddLocation(site=business.site, code="A-01", zone="A", walk=10),
                AddLocation(site=business.site, code="IN", kind="receiving", walk=1),
            ],
        )
        carrier = add_carrier(work, NewCarrier(entity=business.entity, code="RHEIN", name="Rheinfracht"))
        work.session.flush()
        service = add_service(work, NewService(carrier=carrier.id, code="standard", name="Standard", transit_days=1))
        set_cut_offs(work, service.id, business.site, {0: time(16), 4: time(12)})
        keep_lanes(work, [KeepLane(site=business.site, country="Germany", transit_days=1, cost_minor=450)])
    approve(business, "partial_shipment", False)
    return programme, lead.id


def a_site_template(business, who, code="branch"):
    """The id of a template taken from the business's site."""
    with business.work(who) as work:
        return take_template(work, PlaceKind.SITE, business.site, code=code, name="A branch as Duisburg").id


def a_new_site(business, in_programme, by, **changes):
    """What is asked for: Bremen, in the wholesale channel."""
    return Asked(
        **{
            "code": "BRE", "name": "Bremen", "reason": "the north grows", "entity": business.entity, "programme": in_programme,
            "channels": (business.channel,), "starts_on": date(2026, 3, 2), "owner": by, "until_on": date(2026, 12, 31), **changes,
        }
    )  # fmt: skip


def applied(business, who, template, asked, **more):
    """The use that came of it."""
    with business.work(who) as work:
        return apply_template(work, template, asked, **{"seen": None, **more})
