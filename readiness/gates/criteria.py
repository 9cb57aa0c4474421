"""What must be true before a wave may go: one criterion, and what is refused when criteria are frozen."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from readiness.measures.reading import Direction, Form


class Phase(StrEnum):
    """When a criterion is asked: before going live, while live, before hypercare ends."""

    ENTRY = "entry"
    STAY_LIVE = "stay_live"
    EXIT = "exit"


class Evidence(StrEnum):
    """Where a criterion's figure comes from."""

    OWN_REHEARSAL = "own_rehearsal"
    REFERENCE = "reference"
    LEGACY = "legacy"
    ATTESTATION = "attestation"
    OWN_LIVE = "own_live"


REALM_OF: Final[dict[Evidence, str]] = {
    Evidence.OWN_REHEARSAL: "rehearsal",
    Evidence.REFERENCE: "live",
    Evidence.LEGACY: "legacy",
    Evidence.OWN_LIVE: "live",
}


class Basis(StrEnum):
    """What is held against the marks: the figure itself, or the unfavourable limit of its interval."""

    VALUE = "value"
    BOUND = "bound"


class Layer(StrEnum):
    """The four layers of readiness."""

    PROCESS = "process"
    DATA = "data"
    DEPLOYMENT = "deployment"
    ADOPTION = "adoption"


@dataclass(frozen=True, kw_only=True, slots=True)
class Baseline:
    """What a relative mark is relative to: the same formula, measured before."""

    measure: str
    statistic: str | None = None
    version: int
    value: Decimal
    comparable: bool
    as_of: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Criterion:
    """One line of a gate, as frozen. Marks are in base units (0.95, 86400 s); relative ones are factors of a baseline.

    ``cells`` names the cells read: the wave's own for own evidence, those of an earlier wave for reference evidence;
    each is read and the worst counts. ``weight`` 0 shows a figure without counting it.
    """

    id: str
    measure: str | None
    statistic: str | None = None
    version: int = 1
    phase: Phase
    evidence: Evidence
    cells: tuple[str, ...] = ()
    basis: Basis = Basis.VALUE
    pass_mark: Decimal | None = None
    warn_mark: Decimal | None = None
    relative: bool = False
    baseline: Baseline | None = None
    window_days: int | None = None
    min_documents: int = 1
    min_actors: int = 1
    min_days: int = 1
    weight: Decimal = Decimal(1)
    key: bool = False
    statutory: bool = False
    hold: bool = False
    """A pass must hold for several evaluations; key criteria on a measure always must."""
    owner: str
    layer: Layer
    title: str = ""

    @property
    def must_hold(self) -> bool:
        """Whether one good evaluation is not enough."""
        return (self.key or self.hold) and self.evidence is not Evidence.ATTESTATION

    def basis_for(self, form: Form) -> Basis:
        """The bound for key criteria and where asked for; the value where the form has no interval."""
        wanted = Basis.BOUND if self.key else self.basis
        return wanted if form.has_interval else Basis.VALUE

    @property
    def lenient_mark(self) -> Decimal | None:
        """The warn mark, which equals the pass mark where there is none."""
        return self.pass_mark if self.warn_mark is None else self.warn_mark


@dataclass(frozen=True, slots=True)
class MeasureFacts:
    """What the catalogue says of a measure, as far as a criterion depends on it."""

    id: str
    version: int
    direction: Direction
    form: Form
    statistics: tuple[str, ...] = ()
    counts_actors: bool = False
    in_hypercare: bool = True


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a criterion cannot be frozen: a code and what fills its sentence."""

    criterion: str
    code: str
    facts: tuple[tuple[str, Any], ...] = ()


#: The part of a specification that each problem is about.
FIELD_OF: Final = {
    "weight_negative": "weight",
    "minimum_below_one": "min_documents",
    "entry_reads_own_live": "evidence",
    "no_cells_named": "cells",
    "cell_named_twice": "cells",
    "reference_is_own_cell": "cells",
    "reference_not_of_earlier_wave": "cells",
    "cell_of_another_wave": "cells",
    "attestation_has_no_measure": "measure",
    "measure_unknown": "measure",
    "measure_only_informs": "measure",
    "measure_not_in_hypercare": "measure",
    "statistic_not_named": "measure",
    "statistic_unknown": "measure",
    "actors_not_counted": "min_actors",
    "no_pass_mark": "pass_mark",
    "mark_not_a_number": "pass_mark",
    "mark_out_of_reach": "pass_mark",
    "mark_below_zero": "pass_mark",
    "warn_mark_stricter_than_pass_mark": "warn_mark",
    "baseline_missing": "baseline",
    "baseline_not_comparable": "baseline",
}


def problems_of(criterion: Criterion, measure: MeasureFacts | None, own_cells: Collection[str]) -> tuple[Problem, ...]:
    """Everything that forbids freezing ``criterion``, () where nothing does. ``measure`` is its catalogue entry."""
    codes = [*_weight_problems(criterion), *_cell_problems(criterion, own_cells)]
    if criterion.evidence is Evidence.ATTESTATION:
        if criterion.measure is not None or criterion.pass_mark is not None:
            codes.append("attestation_has_no_measure")
    elif measure is None or criterion.measure != measure.id or criterion.version != measure.version:
        codes.append("measure_unknown")
    else:
        codes += [*_measure_problems(criterion, measure), *_mark_problems(criterion, measure)]
    return tuple(Problem(criterion.id, code) for code in codes)


def _weight_problems(criterion: Criterion) -> Iterable[str]:
    if not criterion.weight.is_finite() or criterion.weight < 0:
        yield "weight_negative"
    if min(criterion.min_documents, criterion.min_actors, criterion.min_days) < 1:
        yield "minimum_below_one"


def _cell_problems(criterion: Criterion, own_cells: Collection[str]) -> Iterable[str]:
    if criterion.phase is Phase.ENTRY and criterion.evidence is Evidence.OWN_LIVE:
        yield "entry_reads_own_live"
    if criterion.evidence is Evidence.ATTESTATION:
        return
    if not criterion.cells:
        yield "no_cells_named"
    if len(set(criterion.cells)) != len(criterion.cells):
        yield "cell_named_twice"
    own = set(own_cells)
    if criterion.evidence is Evidence.REFERENCE:
        if own & set(criterion.cells):
            yield "reference_is_own_cell"
    elif not set(criterion.cells) <= own:
        yield "cell_of_another_wave"


def _measure_problems(criterion: Criterion, measure: MeasureFacts) -> Iterable[str]:
    if measure.direction is Direction.INFO:
        yield "measure_only_informs"
    if not measure.in_hypercare and criterion.phase is not Phase.ENTRY:
        yield "measure_not_in_hypercare"
    if measure.statistics and criterion.statistic not in measure.statistics:
        yield "statistic_not_named"
    if not measure.statistics and criterion.statistic is not None:
        yield "statistic_unknown"
    if criterion.min_actors > 1 and not measure.counts_actors:
        yield "actors_not_counted"


#: No figure of these forms lies below zero, and a share not above one.
_NEVER_NEGATIVE: Final = frozenset({Form.YES_NO, Form.SHARE, Form.PERCENTILE, Form.STATE, Form.RATE})
_SHARES: Final = frozenset({Form.YES_NO, Form.SHARE})


def _mark_problems(criterion: Criterion, measure: MeasureFacts) -> Iterable[str]:
    direction = measure.direction
    pass_mark, warn_mark = criterion.pass_mark, criterion.lenient_mark
    if pass_mark is None or warn_mark is None:
        yield "no_pass_mark"
    elif not (pass_mark.is_finite() and warn_mark.is_finite()):
        yield "mark_not_a_number"
    elif (warn_mark > pass_mark) if direction is Direction.UP else (warn_mark < pass_mark):
        yield "warn_mark_stricter_than_pass_mark"
    elif min(pass_mark, warn_mark) < 0 and (direction is Direction.ZERO or measure.form in _NEVER_NEGATIVE):
        yield "mark_below_zero"
    elif max(pass_mark, warn_mark) > 1 and measure.form in _SHARES and not criterion.relative:
        yield "mark_out_of_reach"
    if criterion.relative:
        yield from _baseline_problems(criterion)


def _baseline_problems(criterion: Criterion) -> Iterable[str]:
    baseline = criterion.baseline
    if baseline is None:
        yield "baseline_missing"
    elif not is_comparable(criterion):
        yield "baseline_not_comparable"


def is_comparable(criterion: Criterion) -> bool:
    """Whether the baseline carries a relative mark: same formula and version, marked comparable, above zero."""
    baseline = criterion.baseline
    return (
        baseline is not None
        and baseline.comparable
        and (baseline.measure, baseline.statistic, baseline.version)
        == (criterion.measure, criterion.statistic, criterion.version)
        and baseline.value.is_finite()
        and baseline.value > 0
    )
