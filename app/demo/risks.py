"""What may go wrong in the demo's roll-out, is taken for granted, has gone wrong and is waited for, and what people did about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app.composition.risk_desk import add_action, put_entry, turn_entry
from app.composition.uow import Database, reading, unit_of_work
from app.demo.people import Staff
from erpcore.kernel.clock import Clock, local_day
from erpcore.masterdata.models import Site
from governance.programme.models import Body
from governance.risks.actions import AddAction, SettleAction, settle_action
from governance.risks.content import Said, Watched
from governance.risks.flow import EntryKind, Layer, LinkKind, Response, Side
from governance.risks.services import AssessEntry, MoveEntry, RaiseEntry, TurnEntry, assess_entry, move_entry
from readiness.waves.models import Wave

_ZONE = "Europe/Berlin"
_STEP, _POINT = LinkKind.STEP, LinkKind.POINT
_OTIF = Watched(figure="otif_lines", side=Side.BELOW, limit=Decimal("0.9"))
#: Key; kind; owner; body; days until its day; wave; site; process; what it says.
_ENTRIES: tuple[tuple[str, EntryKind, str, str, int, str, str, str, dict[str, Any]], ...] = (
    ("depot", EntryKind.RISK, "dui.lead", "pmo", 12, "W1", "DUI", "warehouse", {
        "title": "Duisburg’s carrier loses its evening depot", "cause": "The carrier closes its depot at Krefeld before the winter peak.",
        "statement": "Parcels picked after four o’clock stay on the ramp until the next day.",
        "effect": "Lines on time in full fall below what the stay-live gate asks for.", "probability": 4, "impact": 4,
        "layer": Layer.DEPLOYMENT, "response": Response.REDUCE, "plan": "A second carrier collects at six; cut-off moved to half past three meanwhile.",
        "watched": _OTIF, "links": ((_STEP, "warehouse.ship"), (_STEP, "order_to_cash.allocate")),
    }),
    ("items", EntryKind.RISK, "data", "DA", 18, "W2", "", "", {
        "title": "Kassel’s item master arrives with wrong units", "cause": "The old system keeps cartons and pieces under one number.",
        "statement": "Cartons are counted as pieces when opening stock is taken over.",
        "effect": "Stock is wrong from the first day, and promises with it; a recount costs a weekend.", "probability": 3, "impact": 5,
        "layer": Layer.DATA, "response": Response.REDUCE, "plan": "Units of the thousand fastest items are compared by hand; the rest by a rule on weight.",
        "score_limit": 20, "links": ((_STEP, "warehouse.count"), (_POINT, "count_tolerance_permille")),
    }),
    ("override", EntryKind.RISK, "process", "PC", 25, "", "", "order_to_cash", {
        "title": "Prices are given away at the desk", "cause": "The desk may override within its limit, and nobody looks at the sum.",
        "statement": "Many small overrides add up to a price list of their own.", "effect": "Margin of regulars falls, and rebates are paid on top.",
        "probability": 3, "impact": 3, "layer": Layer.PROCESS, "response": Response.ACCEPT,
        "plan": "Margin by customer group is read each Monday by the process council.", "score_limit": 12,
        "links": ((_STEP, "order_to_cash.capture"), (_POINT, "override_limit_minor"), (_POINT, "price_tolerance_permille")),
    }),
    ("customs", EntryKind.RISK, "deployment", "pmo", 30, "W2", "", "", {
        "title": "Customs papers for Switzerland are refused", "cause": "Tariff numbers come from a list of two years ago.",
        "statement": "A lorry is turned back at Weil in the first week.", "effect": "Two days without supplies for Pratteln.",
        "probability": 2, "impact": 4, "layer": Layer.DEPLOYMENT, "response": Response.TRANSFER, "plan": "The forwarder checks papers a day ahead and answers for them.",
    }),
    ("lane", EntryKind.RISK, "sales", "pmo", 45, "W3", "LDS", "", {
        "title": "Leeds’ customers do not find the new portal", "cause": "Half of them order by telephone today.", "statement": "Calls double in the first fortnight.",
        "effect": "Waiting at the desk; orders typed twice.", "probability": 4, "impact": 2, "layer": Layer.ADOPTION, "response": Response.REDUCE,
        "plan": "A card with the address goes into each parcel from four weeks before.",
    }),
    ("trained", EntryKind.ASSUMPTION, "deployment", "pmo", -2, "W3", "LDS", "", {
        "title": "Leeds has two super users for each shift", "statement": "Both shifts keep two people who have passed the super user’s test.",
        "effect": "Without them the floor stops at the first question, and support sits four hundred miles away.", "impact": 4,
        "layer": Layer.ADOPTION, "plan": "The site lead names them; certificates are looked at.",
    }),
    ("network", EntryKind.ASSUMPTION, "technology", "DA", 9, "W2", "", "", {
        "title": "The radio network of Kassel carries the scanners", "statement": "Every aisle has coverage enough for a scan in under a second.",
        "effect": "Picking falls back to paper in the high racks.", "impact": 3, "layer": Layer.DEPLOYMENT,
        "plan": "A walk with two scanners during a busy hour.", "links": ((_STEP, "warehouse.pick"),),
    }),
    ("tax", EntryKind.ISSUE, "finance", "steering", 5, "W2", "", "order_to_cash", {
        "title": "Swiss tax codes are missing for services", "statement": "Freight and rush charges have no Swiss tax code yet, so test invoices stop.",
        "effect": "Invoices of the rehearsal cannot be posted.", "impact": 4, "layer": Layer.DATA,
        "plan": "Tax adviser names the codes; master data enters them, and a colleague checks them.", "links": ((_STEP, "order_to_cash.invoice"),),
    }),
    ("labels", EntryKind.DEPENDENCY, "dui.lead", "pmo", 6, "W2", "", "warehouse", {
        "title": "Label printers for Kassel", "statement": "Four label printers, set up and printing the carrier’s label.",
        "effect": "Parcels cannot leave; the dress rehearsal moves.", "impact": 4, "needed_by": "Warehouse team of wave 2",
        "needed_from": "Printer supplier, by way of Technology", "layer": Layer.DEPLOYMENT, "plan": "Ordered; delivery is confirmed for the week before.",
        "links": ((_STEP, "warehouse.ship"),),
    }),
    ("ledger", EntryKind.DEPENDENCY, "finance", "steering", 20, "W2", "", "record_to_report", {
        "title": "Opening balances of the Swiss company", "statement": "Balances of the old books as of the day before, signed by the auditor.",
        "effect": "The first month cannot be closed.", "impact": 3, "needed_by": "Finance", "needed_from": "Auditor of the Swiss company",
        "layer": Layer.DATA, "plan": "A draft comes with the trial balance of last month.",
    }),
)  # fmt: skip


@dataclass
class RiskBook:
    """Writes the register down and lets people work with it."""

    database: Database
    staff: Staff
    clock: Clock

    def write(self) -> None:
        """Raise everything, then what was done about some of it."""
        with reading(self.database) as session:
            bodies = {row.code: row.id for row in session.execute(select(Body.code, Body.id))}
            waves = {row.code: row.id for row in session.execute(select(Wave.code, Wave.id))}
            sites = {
                row.code: row.id for row in session.execute(select(Site.code, Site.id).where(Site.twin_id.is_(None)))
            }
        keys: dict[str, int] = {}
        for key, kind, owner, body, days, wave, site, process, words in _ENTRIES:
            said = Said(
                owner=self.staff.ids[owner], body=bodies[body], due_on=self._today() + timedelta(days=days), wave=waves.get(wave),
                site=sites.get(site), process=process or None, escalation_hours=8, **words,
            )  # fmt: skip
            with unit_of_work(self.database, actor=self.staff["pmo"], clock=self.clock) as work:
                # What is late by now was raised in time.
                raised_on = min(self._today(), said.due_on - timedelta(days=14))
                keys[key] = put_entry(work, RaiseEntry(kind=kind, said=said, today=raised_on)).id
        self._work(keys)

    def _today(self) -> date:
        return local_day(self.clock.now(), _ZONE)

    def _act(self, entry: int, who: str, owner: str, title: str, days: int, *, done: str = "") -> None:
        day = self._today() + timedelta(days=days)
        with unit_of_work(self.database, actor=self.staff[who], clock=self.clock) as work:
            command = AddAction(
                entry=entry, title=title, owner=self.staff.ids[owner], due_on=day, today=min(day, self._today())
            )
            action = add_action(work, command).id
        if done:
            with unit_of_work(self.database, actor=self.staff[owner], clock=self.clock) as work:
                settle_action(work, SettleAction(entry=entry, action=action, move="finish", note=done))

    def _work(self, keys: dict[str, int]) -> None:
        today = self._today()
        self._act(keys["depot"], "dui.lead", "deployment", "Contract with the second carrier", 4)
        self._act(
            keys["depot"],
            "dui.lead",
            "dui.lead",
            "Move the cut-off to half past three",
            -3,
            done="In force since Monday.",
        )
        self._act(keys["items"], "data", "data", "Compare units of the thousand fastest items", 7)
        self._act(keys["tax"], "finance", "data", "Enter the codes that the adviser names", 2)
        with unit_of_work(self.database, actor=self.staff["data"], clock=self.clock) as work:
            assess_entry(
                work,
                AssessEntry(entry=keys["items"], probability=4, impact=5, today=today, note="37 of the first 200 items were wrong."),
            )  # fmt: skip
        with unit_of_work(self.database, actor=self.staff["deployment"], clock=self.clock) as work:
            move_entry(
                work,
                MoveEntry(entry=keys["customs"], move="close", reason="Three lorries went through without a question.", today=today),
            )  # fmt: skip
        self._turn(keys["network"])

    def _turn(self, network: int) -> None:
        """An assumption proved wrong, and is a risk now."""
        with reading(self.database) as session:
            bodies = {row.code: row.id for row in session.execute(select(Body.code, Body.id))}
            wave = session.scalar(select(Wave.id).where(Wave.code == "W2"))
        said = Said(
            title="Picking in Kassel’s high racks falls back to paper", cause="Aisles 14 to 17 have no coverage above four metres.",
            statement="Scanners lose the network in the high racks.", effect="Picks are confirmed an hour late, and twice as often wrong.",
            owner=self.staff.ids["technology"], body=bodies["DA"], due_on=self._today() + timedelta(days=8), probability=3, impact=3,
            layer=Layer.DEPLOYMENT, response=Response.REDUCE, plan="Two more antennas; paper forms are printed in case.", wave=wave,
            process="warehouse", links=((_STEP, "warehouse.pick"),), escalation_hours=8,
        )  # fmt: skip
        with unit_of_work(self.database, actor=self.staff["technology"], clock=self.clock) as work:
            turn_entry(
                work,
                TurnEntry(
                    entry=network, into=EntryKind.RISK, said=said, today=self._today(),
                    reason="The walk found four aisles without coverage.",
                ),
            )  # fmt: skip
