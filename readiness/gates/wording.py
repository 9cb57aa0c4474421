"""How a verdict reads: one sentence that says what was found, or what is missing and how much of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from readiness.gates.rules import GateResult, GateWord, Reason
from readiness.gates.verdicts import Verdict
from readiness.measures.reading import Direction, Unit, shown

GATE_WORDS: Final[dict[GateWord, str]] = {
    GateWord.READY: "ready",
    GateWord.CONDITIONAL: "conditional",
    GateWord.NOT_READY: "not ready",
    GateWord.NOT_READY_NO_EVIDENCE: "not ready: no evidence",
}


def figure(value: Decimal | None, unit: str) -> str:
    """A figure with its unit, at most two decimals: "94.97 %", "24 h", "12"."""
    if value is None:
        return "no figure"
    number = shown(value, Unit(unit))
    text = format(number.normalize() if number % 1 else number.quantize(Decimal(1)), "f")
    sign = {Unit.COUNT: "", Unit.RATIO: "", Unit.MONEY: ""}.get(Unit(unit), unit)
    return f"{text} {sign}".rstrip()


def counted(number: int, thing: str) -> str:
    """A number of things in words: "1 order", "14 orders", "2 deliveries"."""
    if number == 1:
        return f"1 {thing}"
    plural = f"{thing[:-1]}ies" if thing.endswith("y") and thing[-2:-1] not in set("aeiou") else f"{thing}s"
    return f"{number:,} {plural}"


def _further(number: int, thing: str) -> str:
    first, rest = counted(number, thing).split(" ", 1)
    return f"{first} more {rest} needed"


def _side(facts: Mapping[str, Any]) -> str:
    return "lower limit" if facts["direction"] == Direction.UP.value else "upper limit"


def _mark(facts: Mapping[str, Any], which: str = "pass_mark") -> str:
    return figure(facts[which], facts["unit"])


def _value(facts: Mapping[str, Any]) -> str:
    return figure(facts["value"], facts["unit"])


def _more(facts: Mapping[str, Any]) -> str:
    if facts["more"] is None:
        return (
            f"The {_side(facts)} does not reach {_mark(facts)}, and more of the same would not change it: "
            f"the value is {_value(facts)}"
        )
    return f"{_further(facts['more'], facts['documents'])} for {_mark(facts)}"


def _too_few(facts: Mapping[str, Any], thing: str) -> str:
    return f"{_further(facts['more'], thing)}: {facts['count']:,} of at least {facts['minimum']:,}"


_SENTENCES: Final[dict[str, Callable[[Mapping[str, Any]], str]]] = {
    "meets_mark": lambda f: f"{_value(f)} meets {_mark(f)}",
    "meets_warn_mark": lambda f: f"{_value(f)} misses {_mark(f)} but meets the warn mark of {_mark(f, 'warn_mark')}",
    "misses_mark": lambda f: f"{_value(f)} misses {_mark(f, 'warn_mark')} at {f['cell']}",
    "bound_meets_mark": lambda f: f"The {_side(f)} of {figure(f['bound'], f['unit'])} meets {_mark(f)}",
    "bound_meets_warn_mark": lambda f: (
        f"The {_side(f)} of {figure(f['bound'], f['unit'])} meets only the warn mark of {_mark(f, 'warn_mark')}"
    ),
    "not_held_yet": lambda f: f"Holds {f['held']} of {f['needed']} days",
    "more_needed": _more,
    "beyond_oldest_age": lambda f: f"Beyond the oldest open age of {_value(f)}, which misses {_mark(f, 'warn_mark')}",
    "percentile_not_reached": lambda f: f"Not reached yet: more than {_value(f)}, too many are still open",
    "provisional": lambda _: "Provisional: the figures are too young to prove anything",
    "interval_not_known": lambda _: "Too few documents for an interval",
    "too_few_documents": lambda f: _too_few(f, f["documents"]),
    "too_few_days": lambda f: _too_few(f, "day"),
    "too_few_actors": lambda f: _too_few(f, "person").replace("persons", "people"),
    "nothing_to_measure": lambda f: f"Nothing to measure at {f['cell']}",
    "source_missing": lambda f: f"No reading of {f['cell']}" if f.get("cell") else "The source is missing",
    "source_unreadable": lambda _: "The source cannot be read",
    "consumer_behind": lambda f: _with_detail("The figures are more than 60 seconds behind the events", f),
    "parked_event": lambda f: _with_detail("An event of this scope is parked", f),
    "earlier_rules": lambda f: _with_detail("The figures are behind until all is judged anew", f),
    "sample_missing": lambda f: _with_detail("A sample of this state is missing", f),
    "wrong_source": lambda _: "The reading is not of the measure and realm that the criterion names",
    "cell_read_twice": lambda f: f"{f['cell']} was read twice",
    "measure_only_informs": lambda _: "The measure informs; it has no better side",
    "entry_reads_own_live": lambda _: "Own live readings cannot prove an entry criterion",
    "no_pass_mark": lambda _: "The criterion has no pass mark",
    "no_cells_named": lambda _: "The criterion names no cell",
    "baseline_not_comparable": lambda _: "The baseline is not comparable",
    "not_evaluated": lambda _: "Not evaluated yet",
    "attested": lambda f: f"Attested by {f['by']}",
    "attested_not_met": lambda f: f"{f['by']} states that this is not met",
    "attestation_lapsed": lambda f: f"The statement of {f['by']} has lapsed and must be renewed",
    "not_attested": lambda f: f"No statement yet by {f['owner']}",
}
VERDICT_CODES: Final = frozenset(_SENTENCES)


def _with_detail(text: str, facts: Mapping[str, Any]) -> str:
    return f"{text}: {facts['detail']}" if facts.get("detail") else text


def sentence(verdict: Verdict) -> str:
    """The verdict in one sentence without a full stop; KeyError for a code that has no words."""
    return _SENTENCES[verdict.code](verdict.facts)


_REASONS: Final[dict[str, str]] = {
    "no_criteria": "The gate has no criteria",
    "no_weight": "The weights of all criteria are zero",
    "statutory_not_passed": "A statutory criterion is not at pass: {names}",
    "key_failed": "A key criterion fails: {names}",
    "key_without_evidence": "A key criterion has no evidence: {names}",
    "waived_over_cap": "Waivers cover {share} of the weight, more than {cap}",
    "score_meets_pass_mark": "The score of {score} meets {pass_mark}",
    "key_warns": "The score of {score} meets {pass_mark}, but a key criterion is at warn: {names}",
    "score_meets_warn_mark": "The score of {score} meets {warn_mark} but not {pass_mark}",
    "score_below_warn_mark": "The score of {score} misses {warn_mark}",
}
REASON_CODES: Final = frozenset(_REASONS)


def reason_sentence(reason: Reason, titles: Mapping[str, str]) -> str:
    """A reason in one sentence; ``titles`` names the criteria by id, an id without title stands for itself."""
    facts = {name: figure(value, Unit.PERCENT) for name, value in reason.facts}
    names = ", ".join(titles.get(criterion, criterion) for criterion in reason.criteria)
    return _REASONS[reason.code].format(names=names, **facts)


def gate_sentence(result: GateResult, titles: Mapping[str, str]) -> str:
    """The verdict and why, by the rule that decided."""
    word = GATE_WORDS[result.word]
    return f"{word[:1].upper()}{word[1:]}. {reason_sentence(result.reasons[0], titles)}."
