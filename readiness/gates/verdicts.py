"""Is this criterion met, and if not, what is missing? One reading held against its marks; nothing is green by default.

Values are compared as exact fractions, so a figure at its mark meets it. Limits are decimals of six places, rounded
to the unfavourable side. Only the search for "how many more" uses floats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from readiness.gates.criteria import REALM_OF, Basis, Criterion, Evidence, Phase, is_comparable
from readiness.measures.intervals import LEVEL, Interval
from readiness.measures.reading import Direction, Reading, rounded

MOST_DOCUMENTS: Final = 100_000
"""Beyond this many further documents, more of the same will not do."""


class Word(StrEnum):
    """The verdict on a criterion."""

    PASS = "pass"  # noqa: S105 - a verdict, not a secret
    WARN = "warn"
    FAIL = "fail"
    NO_EVIDENCE = "no_evidence"


_WORST_FIRST: Final = (Word.FAIL, Word.NO_EVIDENCE, Word.WARN, Word.PASS)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A word, the code of its reason and the facts that fill the sentence (see ``wording``).

    ``met`` says that this evaluation met the pass mark, held or not: it is what is counted, once per site day.
    """

    criterion: str
    word: Word
    code: str
    facts: dict[str, Any] = field(default_factory=dict)
    met: bool = False
    basis: Basis | None = None
    reading: Reading | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Attestation:
    """A person's statement in place of a figure, valid over the half-open time [at, until)."""

    criterion: str
    holds: bool
    by: str
    at: datetime
    until: datetime | None = None


def judge_attestation(criterion: Criterion, attestation: Attestation | None, now: datetime) -> Verdict:
    """Pass or fail as attested; no evidence where nobody did, or the statement has lapsed or is of another line."""
    if criterion.evidence is not Evidence.ATTESTATION:
        raise ValueError("only an attestation criterion is judged by a statement")
    if attestation is None or attestation.criterion != criterion.id or attestation.at > now:
        return Verdict(criterion.id, Word.NO_EVIDENCE, "not_attested", {"owner": criterion.owner})
    facts = {"by": attestation.by, "at": attestation.at, "until": attestation.until}
    if attestation.until is not None and now >= attestation.until:
        return Verdict(criterion.id, Word.NO_EVIDENCE, "attestation_lapsed", facts)
    if not attestation.holds:
        return Verdict(criterion.id, Word.FAIL, "attested_not_met", facts)
    return Verdict(criterion.id, Word.PASS, "attested", facts, met=True)


def judge(
    criterion: Criterion, readings: Sequence[Reading], *, held: int = 0, needed: int = 1, level: float = LEVEL
) -> Verdict:
    """The verdict on the cells that the criterion names; each is read and the worst counts.

    ``held`` counts the evaluations in a row that met the mark, today's included where it does (``peeking.held``);
    ``needed`` and ``level`` come from the gate's ``HoldRule``. A pass that has not held yet is a warning.
    A named cell without a reading, or a reading of a cell not named, is no evidence.
    """
    if criterion.evidence is Evidence.ATTESTATION:
        raise ValueError("an attestation criterion is judged by a statement")
    refusal = _unfounded(criterion)
    if refusal is not None:
        return refusal
    by_cell: dict[str, Reading] = {}
    for reading in readings:
        if reading.scope in by_cell:
            return _no_evidence(criterion, "cell_read_twice", reading, cell=reading.scope)
        by_cell[reading.scope] = reading
    verdicts = [_judge_cell(criterion, cell, by_cell.get(cell), level) for cell in criterion.cells]
    worst = min(verdicts, key=lambda verdict: _WORST_FIRST.index(verdict.word))
    if worst.word is Word.PASS and criterion.must_hold and held < needed:
        facts = {**worst.facts, "held": held, "needed": needed}
        return replace(worst, word=Word.WARN, code="not_held_yet", facts=facts)
    return worst


def _unfounded(criterion: Criterion) -> Verdict | None:
    """What no reading can mend; refused at the freeze, and never green should it get here all the same."""
    if criterion.phase is Phase.ENTRY and criterion.evidence is Evidence.OWN_LIVE:
        return Verdict(criterion.id, Word.NO_EVIDENCE, "entry_reads_own_live")
    if criterion.pass_mark is None:
        return Verdict(criterion.id, Word.NO_EVIDENCE, "no_pass_mark")
    if not criterion.cells:
        return Verdict(criterion.id, Word.NO_EVIDENCE, "no_cells_named")
    if criterion.relative and not is_comparable(criterion):
        return Verdict(criterion.id, Word.NO_EVIDENCE, "baseline_not_comparable")
    return None


def _no_evidence(criterion: Criterion, code: str, reading: Reading | None, **facts: Any) -> Verdict:
    return Verdict(criterion.id, Word.NO_EVIDENCE, code, facts, reading=reading)


def _judge_cell(criterion: Criterion, cell: str, reading: Reading | None, level: float) -> Verdict:
    if reading is None:
        return _no_evidence(criterion, "source_missing", None, cell=cell)
    missing = _missing(criterion, reading)
    if missing is not None:
        return missing
    marks = _Marks.of(criterion, reading.direction)
    value = reading.exact()
    facts = {
        "cell": cell,
        "value": reading.value,
        "pass_mark": marks.shown_pass,
        "warn_mark": marks.shown_warn,
        "unit": reading.unit.value,
        "direction": reading.direction.value,
    }
    basis = criterion.basis_for(reading.form)
    verdict = Verdict(criterion.id, Word.NO_EVIDENCE, "", facts, basis=basis, reading=reading)
    if not reading.reached:
        # The true figure lies beyond this value, which only a measure where less is better can fail by.
        if reading.direction is Direction.DOWN and not marks.meets_warn(value):
            return replace(verdict, word=Word.FAIL, code="beyond_oldest_age")
        return replace(verdict, code="percentile_not_reached")
    if not marks.meets_warn(value):
        return replace(verdict, word=Word.FAIL, code="misses_mark")
    if reading.provisional:
        return replace(verdict, code="provisional")
    if basis is Basis.BOUND:
        return _judge_bound(verdict, reading, marks, level)
    if marks.meets_pass(value):
        return replace(verdict, word=Word.PASS, code="meets_mark", met=True)
    return replace(verdict, word=Word.WARN, code="meets_warn_mark")


def _judge_bound(verdict: Verdict, reading: Reading, marks: _Marks, level: float) -> Verdict:
    interval = reading.interval_at(level)
    if interval is None:
        return replace(verdict, code="interval_not_known")
    bound = marks.unfavourable(interval)
    facts = {**verdict.facts, "bound": bound, "level": Decimal(str(round(level, 6)))}
    if bound is not None and marks.meets_pass(Fraction(bound)):
        return replace(verdict, word=Word.PASS, code="bound_meets_mark", facts=facts, met=True)
    facts["more"] = more_documents(reading, level, marks.bound_meets_pass, _guess(reading, marks, bound))
    facts["documents"] = reading.documents
    if bound is not None and marks.meets_warn(Fraction(bound)):
        return replace(verdict, word=Word.WARN, code="bound_meets_warn_mark", facts=facts)
    return replace(verdict, code="more_needed", facts=facts)


def _missing(criterion: Criterion, reading: Reading) -> Verdict | None:
    """The first thing that keeps a reading from being evidence at all."""
    found = (reading.measure, reading.statistic, reading.version, reading.realm)
    wanted = (criterion.measure, criterion.statistic, criterion.version, REALM_OF[criterion.evidence])
    if found != wanted:
        return _no_evidence(criterion, "wrong_source", reading, found=str(found), wanted=str(wanted))
    if reading.direction is Direction.INFO:
        return _no_evidence(criterion, "measure_only_informs", reading)
    if reading.stale is not None:
        return _no_evidence(criterion, reading.stale.value, reading, detail=reading.stale_detail)
    if reading.nothing_measured:
        return _no_evidence(criterion, "nothing_to_measure", reading, cell=reading.scope)
    for code, found_count, minimum in (
        ("too_few_documents", reading.count, criterion.min_documents),
        ("too_few_days", reading.days, criterion.min_days),
        ("too_few_actors", reading.actors, criterion.min_actors),
    ):
        if code == "too_few_actors" and minimum <= 1:
            continue  # nobody was asked for: what a system did by itself is evidence too
        if found_count is None or found_count < max(1, minimum):
            count = found_count or 0
            facts = {"count": count, "minimum": minimum, "more": minimum - count, "documents": reading.documents}
            return _no_evidence(criterion, code, reading, **facts)
    return None


@dataclass(frozen=True, slots=True)
class _Marks:
    """Pass and warn mark with the direction that says which side of them is good."""

    direction: Direction
    pass_mark: Fraction
    warn_mark: Fraction

    @classmethod
    def of(cls, criterion: Criterion, direction: Direction) -> _Marks:
        factor = Fraction(criterion.baseline.value) if criterion.relative and criterion.baseline else Fraction(1)
        pass_mark, warn_mark = criterion.pass_mark, criterion.lenient_mark
        if pass_mark is None or warn_mark is None:
            raise ValueError("a criterion without a pass mark judges nothing")
        return cls(direction, Fraction(pass_mark) * factor, Fraction(warn_mark) * factor)

    @property
    def shown_pass(self) -> Decimal:
        return rounded(self.pass_mark)

    @property
    def shown_warn(self) -> Decimal:
        return rounded(self.warn_mark)

    def meets_pass(self, value: Fraction) -> bool:
        return self._meets(value, self.pass_mark)

    def meets_warn(self, value: Fraction) -> bool:
        # A warn mark stricter than the pass mark is refused at the freeze; here it must not hide a failure.
        return self._meets(value, self.warn_mark)

    def _meets(self, value: Fraction, mark: Fraction) -> bool:
        if self.direction is Direction.UP:
            return value >= mark
        return (abs(value) if self.direction is Direction.ZERO else value) <= mark

    def unfavourable(self, interval: Interval) -> Decimal | None:
        """The limit on the bad side; None where it is open."""
        if self.direction is Direction.UP:
            return interval.low
        if self.direction is Direction.DOWN:
            return interval.high
        if interval.low is None or interval.high is None:
            return None
        return max(abs(interval.low), abs(interval.high))

    def bound_meets_pass(self, interval: Interval | None) -> bool:
        bound = None if interval is None else self.unfavourable(interval)
        return bound is not None and self.meets_pass(Fraction(bound))


def _guess(reading: Reading, marks: _Marks, bound: Decimal | None) -> int:
    """About how many more: limits close in with the root of the number of documents."""
    room = abs(reading.exact() - marks.pass_mark)
    if bound is None or not room:
        return 1
    more = reading.count * (float(abs(reading.exact() - Fraction(bound)) / room) ** 2 - 1.0)
    return int(min(max(more, 1.0), MOST_DOCUMENTS))


def more_documents(
    reading: Reading, level: float, meets: Callable[[Interval | None], bool], guess: int = 1
) -> int | None:
    """How many further documents, at the present value, until ``meets`` holds; None where they alone never will.

    Searched around ``guess``, not approximated. For limits that narrow steadily (all but percentiles, whose ranks
    jump) it is the smallest number that does.
    """
    sample, count = reading.sample, reading.count
    if sample is None or count < 1:
        return None

    def enough(more: int) -> bool:
        return meets(sample.grown((count + more) / count).interval(level))

    if not enough(MOST_DOCUMENTS):
        return None
    low, high, step = 0, MOST_DOCUMENTS, 1
    at = min(max(guess, 1), MOST_DOCUMENTS)
    if enough(at):
        high = at
        while at > 0 and (at := max(0, at - step)) and enough(at):
            high, step = at, step * 2
        low = at
    else:
        low = at
        while not enough(at := min(MOST_DOCUMENTS, at + step)):
            low, step = at, step * 2
        high = at
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
