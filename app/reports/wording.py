"""How do the stored documents of a dossier read? Names for ids, times at the gate's site, figures in their units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from app.charts.glyphs import Kind
from app.reports.pack import Mark
from erpcore.kernel.clock import zone
from readiness.gates.verdicts import Verdict, Word
from readiness.gates.wording import figure, sentence
from readiness.measures.catalogue import MEASURES

GATE_MARKS: Final[dict[str, Mark]] = {
    "ready": Mark("pass", "Ready"),
    "conditional": Mark("warn", "Conditional"),
    "not_ready": Mark("fail", "Not ready"),
    "not_ready_no_evidence": Mark("none", "Not ready: no evidence"),
}
WORD_MARKS: Final[dict[str, tuple[Kind, str]]] = {
    "pass": ("pass", "Pass"),
    "warn": ("warn", "Warn"),
    "fail": ("fail", "Fail"),
    "no_evidence": ("none", "No evidence"),
}
CHOICES: Final[dict[str, tuple[Kind, str]]] = {
    "go": ("pass", "Go"),
    "conditional_go": ("warn", "Conditional go"),
    "no_go": ("fail", "No-go"),
    "postpone": ("wait", "Postpone"),
    "not_passed": ("none", "Not passed"),
    "no_quorum": ("none", "No quorum"),
}
PHASES: Final = {"entry": "Entry gate", "stay_live": "Stay-live gate", "exit": "Exit gate"}
LAYERS: Final = {"process": "Process", "data": "Data", "deployment": "Deployment", "adoption": "Adoption"}
EVIDENCE: Final = {
    "own_rehearsal": "Own rehearsal",
    "reference": "Reference, live",
    "legacy": "Legacy events",
    "attestation": "Attestation",
    "own_live": "Own live cells",
}
PROCESSES: Final = {
    "order_to_cash": "Order to cash",
    "returns_to_credit": "Returns to credit",
    "warehouse": "Warehouse",
    "record_to_report": "Record to report",
}
SIGNS: Final = {"up": "≥", "down": "≤", "zero": "within ±"}


def words(code: str) -> str:
    """A code as a sentence begins with it: ``already_live`` as "Already live"."""
    text = code.replace("_", " ")
    return text[:1].upper() + text[1:]


def day(value: str | date) -> str:
    """A calendar day: Mon 2 Mar 2026."""
    on = value if isinstance(value, date) else date.fromisoformat(value)
    return f"{on:%a} {on.day} {on:%b %Y}"


@dataclass(frozen=True)
class Speech:
    """The words of one dossier: ``names`` as it brings them, times in ``time_zone``."""

    names: Mapping[str, Any]
    time_zone: str

    def moment(self, value: str | datetime | None) -> str:
        """An instant at the gate's site: Mon 2 Mar 2026 10:00; a dash for none."""
        if value is None:
            return "–"
        at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        here = at.astimezone(zone(self.time_zone))
        return f"{day(here.date())} {here:%H:%M}"

    def person(self, account: int | None, nobody: str = "vacant") -> str:
        """A person's name; a number that has none keeps it, so that it can be found in the audit trail."""
        if account is None:
            return nobody
        if account == 0:
            return "the system"
        return str(self.names["people"].get(str(account), f"account {account}"))

    def site(self, site: int | str) -> str:
        found = self.names["sites"].get(str(site))
        return str(found["name"]) if found else f"site {site}"

    def channel(self, channel: int | str | None) -> str:
        if channel is None:
            return "all channels"
        return str(self.names["channels"].get(str(channel), f"channel {channel}"))

    def body(self, code: str) -> str:
        return str(self.names["bodies"].get(code, words(code)))

    def customer_group(self, group: int) -> str:
        return str(self.names["customer_groups"].get(str(group), f"customer group {group}"))

    def cell(self, scope: str) -> str:
        """What a reading was taken of, by the word that the gate gives it: all, a site, or site:channel."""
        if scope == "all":
            return "all cells together"
        site, _, channel = scope.partition(":")
        return f"{self.site(site)}, {self.channel(channel)}" if channel else self.site(site)

    def verdict(self, line: Mapping[str, Any]) -> str:
        """The verdict in one sentence, with cells by their names."""
        facts = dict(line["verdict_facts"])
        if "cell" in facts:
            facts["cell"] = self.cell(facts["cell"])
        for key in ("value", "bound", "pass_mark", "warn_mark"):
            if isinstance(facts.get(key), str):
                facts[key] = Decimal(facts[key])
        return sentence(Verdict(line["code"], Word(line["word"]), line["verdict_code"], facts))


def unit_of(line: Mapping[str, Any]) -> str:
    """The unit of a criterion's figure; empty for an attestation."""
    if line["readings"]:
        return str(line["readings"][0]["unit"])
    measure = MEASURES.get(line["measure"] or "")
    return measure.unit.value if measure else ""


def direction_of(line: Mapping[str, Any]) -> str:
    """Which way is better: up, down, zero or info."""
    if line["readings"]:
        return str(line["readings"][0]["direction"])
    measure = MEASURES.get(line["measure"] or "")
    return measure.direction.value if measure else "info"


def amount(value: str | Decimal | None, unit: str) -> str:
    """A figure with its unit as people read it."""
    return figure(None if value is None else Decimal(value), unit)


def points(share: str | Decimal) -> str:
    """A share of the score as points of a hundred, one place: 0.125 as 12.5."""
    return f"{Decimal(share) * 100:.1f}"
