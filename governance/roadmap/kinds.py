"""Which phases has a rollout, and what does its business case count?"""

from __future__ import annotations

from enum import StrEnum


class PhaseCode(StrEnum):
    """The six phases, in order."""

    MOBILISE = "mobilise"
    DESIGN = "design"
    DATA = "data"
    TEST = "test"
    DEPLOY = "deploy"
    OPTIMISE = "optimise"


TITLES = {
    PhaseCode.MOBILISE: "Mobilise and baseline", PhaseCode.DESIGN: "Design the future state",
    PhaseCode.DATA: "Cleanse and govern data", PhaseCode.TEST: "Integrate and test end to end",
    PhaseCode.DEPLOY: "Deploy in waves with hypercare", PhaseCode.OPTIMISE: "Optimise",
}  # fmt: skip


class PhaseState(StrEnum):
    """One phase of a roadmap is current at a time."""

    AHEAD = "ahead"
    CURRENT = "current"
    CLOSED = "closed"


class MoneyKind(StrEnum):
    """Budget and spend are added up; of the forecast the newest counts."""

    BUDGET = "budget"
    SPEND = "spend"
    FORECAST = "forecast"
