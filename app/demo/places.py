"""The demo's newcomer: a branch in Bremen, made from the template of Cologne's, in a wave of its own that is being planned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from app.composition.placing.making import apply_template, take_template
from app.composition.placing.plan import Asked
from app.composition.planning import plan_wave
from app.demo.desk import Desk, working_day
from app.demo.rollout import Rollout
from erpcore.masterdata.models import Realm
from erpcore.ports import Process
from governance.templates.content import PlaceKind
from readiness.waves.services import PlanWave


@dataclass
class Newcomer:
    """What the programme office makes of a site that works well."""

    desk: Desk
    rollout: Rollout

    def make(self) -> None:
        """The template, the site with its closed cell, and the wave that will bring it live."""
        desk, world = self.desk, self.desk.world
        today, channel = desk.clock.now().date(), world.channels["branch"]
        with desk.work(desk.staff["pmo"], "live", "screen") as work:
            model = world.nodes[Realm.LIVE, "KOL"].id
            template = take_template(
                work, PlaceKind.SITE, model, code="branch", name="A branch as Cologne", reason="Cologne has the fewest exceptions"
            ).id  # fmt: skip
        with desk.work(desk.staff["pmo"], "live", "screen") as work:
            bremen = apply_template(
                work, template,
                Asked(
                    code="BRE", name="Bremen branch", reason="Customers on the Weser are served from Cologne today",
                    facts={"region": "Bremen"}, entity=world.entities[Realm.LIVE, "AHD"], programme=self.rollout.programme,
                    channels=(channel,), owner=desk.staff.ids["process"], until_on=today + timedelta(days=300),
                ),
                seen=None,
            ).place_id  # fmt: skip
        live = working_day(today + timedelta(days=90))
        with desk.work(desk.staff["pmo"], "live", "screen") as work:
            self.rollout.waves["W4"] = plan_wave(
                work,
                PlanWave(
                    programme_id=self.rollout.programme, code="W4", name="The north: Bremen", owner=desk.staff.ids["deployment"],
                    time_zone="Europe/Berlin", cells=((bremen, channel),), processes=tuple(Process), go_live_on=live,
                    hypercare_until=live + timedelta(days=28), depends_on=((self.rollout.waves["W3"], "The same support team"),),
                    blackout_reason="Planned around it",
                ),
            ).id  # fmt: skip
