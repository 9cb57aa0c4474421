"""What is said of a figure in the catalogue: how it is made, what feeds it, and what its documents and days are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from readiness.measures.reading import Direction, Form, Unit


class Kind(StrEnum):
    """Documents add to a flow; a state is sampled."""

    FLOW = "flow"
    STATE = "state"


class Source(StrEnum):
    """What feeds a figure: a consumer, and it is believed only as long as that one keeps up; or records, read themselves: the
    registers, what customers owe, and what they or partners see differently.
    """

    JOURNEYS = "journeys"
    CONFORMANCE = "conformance"
    REGISTER = "register"
    RECEIVABLES = "receivables"
    DISPUTES = "disputes"


#: What is read from records: nobody can be behind with it.
READ = frozenset({Source.REGISTER, Source.RECEIVABLES, Source.DISPUTES})


class Layer(StrEnum):
    """The layer of the rollout that a figure speaks for."""

    PROCESS = "process"
    DATA = "data"
    DEPLOYMENT = "deployment"
    ADOPTION = "adoption"


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A figure. Window and maturity are days of the site; window 0 is now.

    ``dimension`` names what the figure splits by; dimensions with a slash (``drop_ship/``) are kept apart from the main
    figure. With ``parts`` the dimension "" carries the whole and the others their part of it; without, the main figure is
    the sum of its dimensions. ``by_channel`` false: its documents belong to a site, whatever the channel. ``worked_id`` is the
    number of the sketch that holds its times in working hours, for the statistics that begin with ``work.``. ``is_monthly``: its
    window is the last whole calendar month. ``in_hypercare`` false: no gate of hypercare is held against it. ``cohort_id``: the number of the measure
    that keeps since when there have been its documents, where it keeps nothing itself.
    """

    id: int
    key: str
    version: int = 1
    title: str
    unit: Unit
    direction: Direction
    form: Form
    kind: Kind = Kind.FLOW
    statistics: tuple[str, ...] = ()
    window_days: int = 14
    maturity_days: int = 0
    layer: Layer = Layer.PROCESS
    owner: str
    documents: str
    level: str
    cohort: str
    formula: str
    dimension: str | None = None
    parts: bool = False
    carries_group: bool = False
    counts_actors: bool = False
    is_money: bool = False
    by_channel: bool = True
    wait_point: str | None = None
    worked_id: int | None = None
    source: Source = Source.JOURNEYS
    is_monthly: bool = False
    in_hypercare: bool = True
    cohort_id: int | None = None
