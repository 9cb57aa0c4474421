"""How the demo's companies depart from the standard: asked for by those who answer for it, decided by those whom the rules name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from app.composition import variants
from app.composition.approving import Answer, answer
from app.composition.replaying.asking import ask_replay
from app.composition.replaying.runs import run_replays
from app.composition.uow import Database, unit_of_work
from app.composition.variants import AskForVariant
from app.demo.desk import Desk
from app.demo.people import Staff
from app.demo.world import World
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from erpcore.kernel.errors import RuleBroken
from erpcore.masterdata.models import Realm
from governance.approvals.flow import RequestState
from governance.replays.services import AskReplay
from governance.variants.kinds import Kind, Rationale
from governance.variants.register import Scope
from governance.variants.services import MoveVariant
from governance.variants.writing import Content

#: A fifth off, as site leads have always given, stands by itself.
_TOLERANCE = 250
LASTS = timedelta(days=365)
#: Who answers for the steering committee, enough for its quorum.
_COMMITTEE = ("sponsor", "finance", "operations", "sales", "technology")


def ask(
    database: Database, clock: Clock, asker: Actor, values: Mapping[str, Any], scope: Scope, *, until: date,
    content: Content, kind: Kind = Kind.CONTROLLED_VARIATION, deviations: tuple[str, ...] = (),
) -> tuple[int, int]:  # fmt: skip
    """The variant, and the request for approval that it waits for."""
    with unit_of_work(database, actor=asker, clock=clock) as work:
        command = AskForVariant(
            kind=kind, scope=scope, values=values, deviations=deviations, until_on=until, content=content
        )
        row = variants.write_variant(work, command)
        return row.id, row.approval_id or 0


def agree(database: Database, clock: Clock, request: int, deciders: Sequence[Actor], reason: str) -> None:
    """One after the other agrees, until there are enough."""
    for who in deciders:
        with unit_of_work(database, actor=who, clock=clock) as work:
            found = answer(work, Answer(request=request, verdict="approve", reason=reason))
            if found.state != RequestState.WAITING:
                return


def departure(
    database: Database,
    staff: Staff,
    clock: Clock,
    values: Mapping[str, Any],
    scope: Scope,
    *,
    content: Content,
    agreed: str,
) -> int:
    """A controlled variation that the process owner asks for and the design authority agrees to, for a year."""
    until = clock.now().date() + LASTS
    key, request = ask(database, clock, staff["process"], values, scope, until=until, content=content)
    agree(database, clock, request, [staff["design"]], agreed)
    return key


def said(reason: str, **more: Any) -> Content:
    """What is said about a variant of the demo; a trial unless it says more."""
    usual = {
        "rationale": Rationale.TRANSITION, "support_who": "process owner order to cash", "review_months": 6,
        "exit_condition": "the trial is evaluated",
    }  # fmt: skip
    return Content(reason=reason, **{**usual, **more})


def approve_departures(database: Database, world: World, staff: Staff, clock: Clock) -> None:
    """The tolerance within which site leads give their customers prices, in every live company."""
    for (realm, _), entity in sorted(world.entities.items()):
        if realm == Realm.LIVE:
            departure(
                database, staff, clock, {"price_tolerance_permille": _TOLERANCE}, Scope(entity=entity),
                content=said(
                    "Site leads have given regulars up to a fifth off for years; contracts follow by the summer.",
                    title="Site leads give regulars up to a fifth off", rationale=Rationale.CUSTOMER_VALUE,
                    step="order_to_cash.capture", benefit="Regulars stay until their contracts are written.",
                    controls="Every price below the rules is listed to finance each Monday.",
                    exit_condition="all regulars have contracts",
                ),
                agreed="Agreed for a year, until the contracts are in.",
            )  # fmt: skip


class Register:
    """The variants whose story the demo tells: one in force, one that waits, one that expired, one revoked, one of the committee."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.revoked = 0

    def _site(self, code: str) -> int:
        return self.desk.world.nodes[Realm.LIVE.value, code].id

    def begin(self) -> None:
        """Two that do not last: Leeds freezes stock while it counts, for a week, and Pratteln writes off more by itself."""
        desk, staff = self.desk, self.desk.staff
        until = desk.clock.now().date() + timedelta(days=8)
        _, request = ask(
            desk.database, desk.clock, staff["process"], {"count_freeze": True}, Scope(site=self._site("LDS")), until=until,
            content=said(
                "The yearly count of the yard: nothing moves while it is counted.", title="Leeds freezes its stock for the count",
                step="warehouse.count", rationale=Rationale.SITE_LIMIT, exit_condition="the count is done",
            ),
        )  # fmt: skip
        agree(desk.database, desk.clock, request, [staff["design"]], "For the week of the count.")
        self.revoked = departure(
            desk.database, staff, desk.clock, {"adjustment_limit_minor": 60_000}, Scope(site=self._site("PRA")),
            content=said(
                "Damage from the old racks is written off every day.", title="Pratteln writes off up to 600 by itself",
                step="warehouse.count", cost_minor=42_000, exit_condition="the new racks stand",
            ),
            agreed="Until the racks are there.",
        )  # fmt: skip

        self._cover()

    def _cover(self) -> None:
        """Two ways of working that no policy point sets, agreed to: what they cover is no departure."""
        desk, staff = self.desk, self.desk.staff
        for site, deviation, content in (
            (
                "DUI", "released_under_override",
                said(
                    "Builders phone when a crane waits; the lead lifts the hold and calls the customer's office the same day.",
                    title="Duisburg lifts holds by telephone", step="order_to_cash.release", rationale=Rationale.CUSTOMER_VALUE,
                    controls="Finance reads the list of lifted holds each Monday.", cost_minor=21_000,
                    exit_condition="customers pay by card at once",
                ),
            ),
            (
                "KOL", "price_overridden",
                said(
                    "At the counter a scratched piece goes for less than the list says.", title="Cologne prices scratched goods itself",
                    step="order_to_cash.capture", rationale=Rationale.SITE_LIMIT, exit_condition="damaged goods have items of their own",
                ),
            ),
        ):  # fmt: skip
            _, request = ask(
                desk.database, desk.clock, staff["process"], {}, Scope(site=self._site(site)),
                until=desk.clock.now().date() + LASTS, content=content, deviations=(deviation,),
            )  # fmt: skip
            agree(desk.database, desk.clock, request, [staff["design"]], "Agreed for a year.")

    def revoke(self) -> None:
        """The racks stand."""
        with unit_of_work(self.desk.database, actor=self.desk.staff["design"], clock=self.desk.clock) as work:
            variants.move(
                work,
                MoveVariant(variant=self.revoked, move="revoke", reason="The racks stand; write-offs doubled instead."),
            )

    def end(self) -> None:
        """Today: the committee has decided on what public bodies may owe, and Kassel's wish waits for its owner and the authority."""
        desk, staff = self.desk, self.desk.staff
        today = desk.clock.now().date()
        _, request = ask(
            desk.database, desk.clock, staff["process.billing"], {"credit_overdue_days": 60},
            Scope(customer_group=desk.world.groups["public"]), until=today + LASTS, kind=Kind.STRATEGIC_EXCEPTION,
            content=said(
                "Public bodies pay by budget rounds. Holding their orders at the first late day stops schools and roads.",
                title="Orders of public bodies are held after 60 late days only", step="order_to_cash.release",
                rationale=Rationale.CUSTOMER_VALUE, evidence="Their share of bad debt in five years: none.",
                benefit="About a tenth of the turnover in the north hangs on it.", cost_minor=118_000,
                controls="Collections call every public body that is 30 days late.",
                exit_condition="the framework contracts name payment days", review_months=3,
            ),
        )  # fmt: skip
        agree(desk.database, desk.clock, request, [staff[who] for who in _COMMITTEE], "As discussed in the meeting.")
        ask(
            desk.database, desk.clock, staff.at("KAS", "lead"), {"partial_shipment": False}, Scope(site=self._site("KAS")),
            until=today + timedelta(days=180),
            content=said(
                "The warehouse bills every start of an order, and has no room for what is left over of one.",
                title="Kassel ships whole orders", step="warehouse.ship", rationale=Rationale.SITE_LIMIT,
                support_who="the warehouse's own desk", cost_minor=9_500, exit_condition="the contract is priced by line",
                trainings="Picking in somebody else's warehouse", tests="Two orders that are short, one of them released in parts",
            ),
        )  # fmt: skip
        self._wonder(today + timedelta(days=180))

    def _wonder(self, until: date) -> None:
        """A thought of the process owner's, only written down: what would it change for Duisburg to ship whole orders?"""
        desk, staff = self.desk, self.desk.staff
        with unit_of_work(desk.database, actor=staff["process"], clock=desk.clock) as work:
            command = AskForVariant(
                scope=Scope(site=self._site("DUI")), values={"partial_shipment": False}, until_on=until, is_draft=True,
                content=said(
                    "Customers complain about second deliveries; the yard would send what is complete.",
                    title="Duisburg ships whole orders", step="warehouse.ship", rationale=Rationale.CUSTOMER_VALUE,
                    exit_condition="fill is back above target",
                ),
            )  # fmt: skip
            row = variants.write_variant(work, command)
            # What is replayed is what was really ordered there; a demo without live orders has nothing to replay.
            try:
                ask_replay(work, AskReplay(variant=row.id, days=28))
            except RuleBroken:
                return
        run_replays(desk.database, clock=desk.clock)
