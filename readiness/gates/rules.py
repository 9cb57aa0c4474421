"""May this wave go? Verdicts, weights, vetoes and waivers become one word, a score, and what holds it back most.

The score is an exact fraction: 0.90 is met by nine tenths and missed by anything less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from readiness.gates.criteria import Criterion, Layer
from readiness.gates.verdicts import Verdict, Word
from readiness.gates.waivers import Waiver, may_cover
from readiness.measures.reading import rounded

WAIVER_CAP: Final = Decimal("0.15")
PASS_MARK: Final = Decimal("0.90")
WARN_MARK: Final = Decimal("0.75")


class GateWord(StrEnum):
    """The verdict on a gate."""

    READY = "ready"
    CONDITIONAL = "conditional"
    NOT_READY_NO_EVIDENCE = "not_ready_no_evidence"
    NOT_READY = "not_ready"


WORST_FIRST: Final = (
    GateWord.NOT_READY,
    GateWord.NOT_READY_NO_EVIDENCE,
    GateWord.CONDITIONAL,
    GateWord.READY,
)


class Choice(StrEnum):
    """What a seat may cast."""

    GO = "go"
    CONDITIONAL_GO = "conditional_go"
    NO_GO = "no_go"
    POSTPONE = "postpone"


_STOP: Final = frozenset({Choice.NO_GO, Choice.POSTPONE})
ALLOWED: Final[dict[GateWord, frozenset[Choice]]] = {
    GateWord.READY: frozenset(Choice),
    GateWord.CONDITIONAL: _STOP | {Choice.CONDITIONAL_GO},
    GateWord.NOT_READY_NO_EVIDENCE: _STOP,
    GateWord.NOT_READY: _STOP,
}


def is_worse(now: GateWord, then: GateWord) -> bool:
    """Whether a gate has got worse. Known to fail is worse than not proven."""
    return WORST_FIRST.index(now) < WORST_FIRST.index(then)


def worst(words: Sequence[GateWord]) -> GateWord:
    """The verdict of a decision that stands on several gates; of none, no evidence."""
    return min(words, key=WORST_FIRST.index) if words else GateWord.NOT_READY_NO_EVIDENCE


def allowed_choices(words: Sequence[GateWord]) -> frozenset[Choice]:
    """What the committee may cast over all gates of a decision: the worst gate says."""
    return ALLOWED[worst(words)]


@dataclass(frozen=True, slots=True)
class Line:
    """One criterion in the gate: its own verdict, the waiver that changes it, and what it counts as."""

    criterion: Criterion
    verdict: Verdict
    waiver: Waiver | None
    counts_as: Word

    @property
    def points(self) -> Fraction:
        """1 for a pass, ½ for a warning, nothing else."""
        return {Word.PASS: Fraction(1), Word.WARN: Fraction(1, 2)}.get(self.counts_as, Fraction(0))


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a gate has its word: a code, the criteria concerned, and facts for the sentence."""

    code: str
    criteria: tuple[str, ...] = ()
    facts: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Holdback:
    """What a criterion costs: its share of the score, and whether it alone blocks."""

    criterion: str
    lost: Fraction
    blocks: str | None


@dataclass(frozen=True, slots=True)
class GateResult:
    """The evaluation of a gate. ``reasons`` come in the order of the rules; the first decided."""

    word: GateWord
    score: Fraction
    score_by_layer: dict[Layer, Fraction | None]
    lines: tuple[Line, ...]
    reasons: tuple[Reason, ...]
    holds_back: tuple[Holdback, ...]
    waivers_used: tuple[Waiver, ...]
    waivers_idle: tuple[Waiver, ...]
    """Granted but changing nothing: not in force, not valid, or the criterion stands without it."""
    waived_share: Fraction
    pass_mark: Decimal
    warn_mark: Decimal

    @property
    def allowed(self) -> frozenset[Choice]:
        """What the committee may cast."""
        return ALLOWED[self.word]

    @property
    def score_shown(self) -> Decimal:
        """The score at four places."""
        return rounded(self.score, 4)


def evaluate(
    criteria: Sequence[Criterion],
    verdicts: Mapping[str, Verdict],
    waivers: Sequence[Waiver] = (),
    *,
    now: datetime,
    pass_mark: Decimal = PASS_MARK,
    warn_mark: Decimal = WARN_MARK,
) -> GateResult:
    """The gate's word by the first rule that applies, with everything a page needs to explain it.

    A criterion without a verdict counts as no evidence. A waiver counts where it changes something: a criterion at
    fail or without evidence counts as warn, at pass or warn it stands as it is and the waiver lies idle.
    ValueError for two criteria of one id, a negative weight, or marks that are not 0 < warn ≤ pass ≤ 1.
    """
    if len({criterion.id for criterion in criteria}) != len(criteria):
        raise ValueError("two criteria have the same id")
    if any(not criterion.weight.is_finite() or criterion.weight < 0 for criterion in criteria):
        raise ValueError("a weight is negative or not a number")
    if not 0 < warn_mark <= pass_mark <= 1:
        raise ValueError("a gate's marks must satisfy 0 < warn ≤ pass ≤ 1")
    lines = tuple(_line(criterion, verdicts.get(criterion.id), waivers, now) for criterion in criteria)
    weight = sum((Fraction(line.criterion.weight) for line in lines), Fraction(0))
    score = _score(lines) or Fraction(0)
    waived = sum((Fraction(line.criterion.weight) for line in lines if line.waiver), Fraction(0))
    waived_share = waived / weight if weight else Fraction(0)
    found = _rules(lines, weight, waived_share, score, Fraction(pass_mark), Fraction(warn_mark))
    used = tuple(line.waiver for line in lines if line.waiver)
    return GateResult(
        word=found[0][0],
        score=score,
        score_by_layer={layer: _score([li for li in lines if li.criterion.layer is layer]) for layer in Layer},
        lines=lines,
        reasons=tuple(reason for _, reason in found),
        holds_back=_holds_back(lines, weight),
        waivers_used=used,
        waivers_idle=tuple(waiver for waiver in waivers if waiver not in used),
        waived_share=waived_share,
        pass_mark=pass_mark,
        warn_mark=warn_mark,
    )


def _line(criterion: Criterion, verdict: Verdict | None, waivers: Sequence[Waiver], now: datetime) -> Line:
    if verdict is None:
        verdict = Verdict(criterion.id, Word.NO_EVIDENCE, "not_evaluated")
    if verdict.criterion != criterion.id:
        raise ValueError(f"the verdict of {verdict.criterion} was handed in for {criterion.id}")
    waiver = None
    if verdict.word in {Word.FAIL, Word.NO_EVIDENCE}:
        covering = [each for each in waivers if may_cover(each, criterion, now)]
        waiver = max(covering, key=lambda each: (each.until, each.id), default=None)
    return Line(criterion, verdict, waiver, Word.WARN if waiver else verdict.word)


def _score(lines: Sequence[Line]) -> Fraction | None:
    """Score = Σ w·s ÷ Σ w over all these criteria; None where they have no weight."""
    weight = sum((Fraction(line.criterion.weight) for line in lines), Fraction(0))
    if not weight:
        return None
    return sum((Fraction(line.criterion.weight) * line.points for line in lines), Fraction(0)) / weight


def _rules(
    lines: Sequence[Line],
    weight: Fraction,
    waived_share: Fraction,
    score: Fraction,
    pass_mark: Fraction,
    warn_mark: Fraction,
) -> list[tuple[GateWord, Reason]]:
    """Every rule that applies, in order; the first gives the word. The last always applies."""
    found: list[tuple[GateWord, Reason]] = []
    if not lines:
        found.append((GateWord.NOT_READY_NO_EVIDENCE, Reason("no_criteria")))
    elif not weight:
        found.append((GateWord.NOT_READY_NO_EVIDENCE, Reason("no_weight")))
    for code, word in _BLOCKING:
        names = tuple(line.criterion.id for line in lines if _blocks(line) == code)
        if names:
            found.append((word, Reason(code, names)))
    if waived_share > Fraction(WAIVER_CAP):
        names = tuple(line.criterion.id for line in lines if line.waiver)
        facts = (("share", rounded(waived_share)), ("cap", WAIVER_CAP))
        found.append((GateWord.NOT_READY, Reason("waived_over_cap", names, facts)))
    if not weight:
        return found
    key_warns = tuple(line.criterion.id for line in lines if line.criterion.key and line.counts_as is Word.WARN)
    marks = (("score", rounded(score)), ("pass_mark", rounded(pass_mark)), ("warn_mark", rounded(warn_mark)))
    if score >= pass_mark and not key_warns:
        found.append((GateWord.READY, Reason("score_meets_pass_mark", (), marks)))
    elif score >= pass_mark:
        found.append((GateWord.CONDITIONAL, Reason("key_warns", key_warns, marks)))
    elif score >= warn_mark:
        found.append((GateWord.CONDITIONAL, Reason("score_meets_warn_mark", (), marks)))
    else:
        found.append((GateWord.NOT_READY, Reason("score_below_warn_mark", (), marks)))
    return found


_BLOCKING: Final = (
    ("statutory_not_passed", GateWord.NOT_READY),
    ("key_failed", GateWord.NOT_READY),
    ("key_without_evidence", GateWord.NOT_READY_NO_EVIDENCE),
)


def _blocks(line: Line) -> str | None:
    """The rule by which this line alone decides the gate."""
    if line.criterion.statutory and line.counts_as is not Word.PASS:
        return "statutory_not_passed"
    if line.criterion.key and line.counts_as is Word.FAIL:
        return "key_failed"
    if line.criterion.key and line.counts_as is Word.NO_EVIDENCE:
        return "key_without_evidence"
    return None


def _holds_back(lines: Sequence[Line], weight: Fraction) -> tuple[Holdback, ...]:
    """What costs points or blocks: blocking lines first, in the order of the rules, then by points lost."""
    order = {code: place for place, (code, _) in enumerate(_BLOCKING)}
    costs = []
    for place, line in enumerate(lines):
        lost = Fraction(line.criterion.weight) * (1 - line.points) / weight if weight else Fraction(0)
        blocks = _blocks(line)
        if blocks is None and line.criterion.key and line.counts_as is Word.WARN:
            blocks = "key_warns"
        if lost or blocks:
            rank = order.get(blocks or "", len(order) + (blocks is None))
            costs.append((rank, -lost, place, Holdback(line.criterion.id, lost, blocks)))
    return tuple(holdback for *_, holdback in sorted(costs, key=lambda cost: cost[:3]))
