"""How does a gate read while it is written: criteria as rows with what is wrong with them, the catalogue to choose from, what reads now?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from app.messages.readiness import criterion_problem
from app.queries.gate_writing import GateDesk, ReadNow
from app.reports.wording import EVIDENCE, LAYERS, SIGNS, Speech, amount
from app.web.gates.presenters import figure_key, in_unit
from readiness.gates.criteria import Evidence
from readiness.gates.definition import ChangeView, DefinedCriterion
from readiness.gates.wording import counted
from readiness.measures.catalogue import MEASURES, Figure, figures
from readiness.measures.reading import Direction, Unit

_BETTER: Final = {
    Direction.UP: "higher is better", Direction.DOWN: "lower is better", Direction.ZERO: "should be nil", Direction.INFO: "informs only"
}  # fmt: skip
_UNITS: Final = {Unit.COUNT: "number", Unit.RATIO: "ratio", Unit.MONEY: "amount"}
STATISTICS: Final = {
    "p50": "half of them within", "p90": "nine of ten within", "work.p50": "half of them within, in working hours",
    "work.p90": "nine of ten within, in working hours",
}  # fmt: skip


def rows(desk: GateDesk, speech: Speech) -> list[dict[str, Any]]:
    """The criteria in their order, each with its share of the weight and what forbids freezing it."""
    whole = sum((Decimal(one.facts["weight"]) for one in desk.gate.criteria), Decimal(0))
    return [_row(one, whole, speech) for one in desk.gate.criteria]


def _row(one: DefinedCriterion, whole: Decimal, speech: Speech) -> dict[str, Any]:
    facts = one.facts
    measure = MEASURES.get(facts["measure"] or "")
    weight = Decimal(facts["weight"])
    evidence = EVIDENCE[facts["evidence"]]
    if facts["cells"]:
        evidence += ": " + ", ".join(dict.fromkeys(speech.site(site) for site, _ in facts["cells"]))
    return {
        "code": facts["code"], "title": facts["title"], "figure": figure_key(facts),
        "badges": [word for word, on in (("key", facts["key"]), ("statutory", facts["statutory"]), ("holds", facts["hold"])) if on],
        "layer": LAYERS[facts["layer"]], "evidence": evidence, "threshold": _together(threshold(facts)),
        "warn": _together(_warn(facts)), "minimum": _minimum(facts, measure.documents if measure else ""),
        "weight": f"{weight.normalize():f}", "share": f"{weight * 100 / whole:.1f} %" if whole else "–",
        "owner": speech.person(facts["owner_id"], facts["owner"] or "nobody named"),
        "problems": [criterion_problem(code) for code in one.problems],
    }  # fmt: skip


def _together(text: str) -> str:
    """A mark with its sign and unit on one line."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def threshold(facts: Mapping[str, Any]) -> str:
    """``≥ 95 %``; "attested" where no figure is read."""
    measure = MEASURES.get(facts["measure"] or "")
    if measure is None or facts["pass_mark"] is None:
        return "attested"
    sign = SIGNS.get(measure.direction, "")
    if facts["baseline"]:
        return f"{sign} {Decimal(facts['pass_mark']).normalize():f} × baseline"
    return f"{sign} {amount(facts['pass_mark'], measure.unit)}"


def _warn(facts: Mapping[str, Any]) -> str:
    measure = MEASURES.get(facts["measure"] or "")
    if measure is None or facts["warn_mark"] in {None, facts["pass_mark"]} or facts["baseline"]:
        return ""
    return f"warn {SIGNS.get(measure.direction, '')} {amount(facts['warn_mark'], measure.unit)}"


def _minimum(facts: Mapping[str, Any], documents: str) -> str:
    parts = []
    if facts["min_documents"] > 1:
        parts.append(counted(facts["min_documents"], documents or "document"))
    if facts["min_days"] > 1:
        parts.append(counted(facts["min_days"], "day"))
    if facts["min_actors"] > 1:
        parts.append(f"{facts['min_actors']} people")
    return "at least " + ", ".join(parts) if parts else ""


def catalogue() -> list[dict[str, Any]]:
    """Every figure that may be asked for, by layer, with its unit and which way is better."""
    found = [
        {
            "key": one.key, "title": title_of(one), "layer": LAYERS[one.measure.layer], "unit": unit_name(one),
            "better": _BETTER[one.measure.direction], "formula": one.measure.formula, "documents": one.measure.documents,
        }
        for one in figures() if one.measure.direction is not Direction.INFO
    ]  # fmt: skip
    return [
        {"name": name, "figures": [one for one in found if one["layer"] == name]}
        for name in LAYERS.values()
        if any(one["layer"] == name for one in found)
    ]


def title_of(figure: Figure) -> str:
    """The measure's title, with its statistic in words."""
    return figure.measure.title + (
        f", {STATISTICS.get(figure.statistic, figure.statistic)}" if figure.statistic else ""
    )


def unit_name(figure: Figure) -> str:
    """The unit in which its marks are typed."""
    return _UNITS.get(figure.measure.unit, figure.measure.unit.value)


def about(figure: Figure) -> list[tuple[str, str]]:
    """What the catalogue says of a figure, for the side of its form."""
    measure = figure.measure
    window = "now" if measure.window_days == 0 else counted(measure.window_days, "day")
    return [
        ("Figure", figure.key), ("Better", _BETTER[measure.direction]), ("Unit", unit_name(figure)),
        ("Counted", f"{measure.documents}s by {measure.cohort}"), ("Window", window),
        ("Late truth in after", counted(measure.maturity_days, "day") if measure.maturity_days else "at once"),
        ("Interval", "95 %" if measure.form.has_interval else "none: judged on the value"),
    ]  # fmt: skip


def now_lines(found: Sequence[ReadNow], figure: Figure) -> list[dict[str, str]]:
    """What the figure reads now, by kind of evidence."""
    unit = figure.measure.unit
    lines = []
    for one in found:
        reading = one.reading
        if reading is None:
            lines.append({"from": EVIDENCE[one.evidence], "value": "–", "note": "nothing to read there"})
            continue
        interval = reading.interval
        note = counted(reading.count, reading.documents)
        if interval is not None:
            note += f", {in_unit(interval.low, unit)} – {in_unit(interval.high, unit)}"
        if reading.stale is not None:
            note += ", figures are late"
        lines.append(
            {
                "from": EVIDENCE[one.evidence],
                "value": amount(None if reading.nothing_measured else reading.value, unit),
                "note": note,
            }
        )
    return lines


def changes(found: Sequence[ChangeView], titles: Mapping[str, str]) -> list[dict[str, Any]]:
    """Changes of the criteria with what moved, newest first."""
    return [
        {
            "title": titles.get(one.criterion or "", one.criterion or "Day of the decision"), "change": one.change, "version": one.version,
            "late": one.is_after_freeze, "reason": one.reason or "", "body": one.body, "by": one.by, "at": one.at, "moved": _moved(one),
        }
        for one in found
    ]  # fmt: skip


def _moved(one: ChangeView) -> str:
    """What differs, in the words of the row: ``≥ 95 % → ≥ 92 %``."""
    if one.before is None or one.after is None:
        return ""
    if one.criterion is None:
        return f"{one.before.get('decides_on')} → {one.after.get('decides_on')}"
    parts = []
    if threshold(one.before) != threshold(one.after):
        parts.append(f"{threshold(one.before)} → {threshold(one.after)}")
    if _warn(one.before) != _warn(one.after):
        parts.append(f"{_warn(one.before) or 'no warning'} → {_warn(one.after) or 'no warning'}")
    if Decimal(one.before["weight"]) != Decimal(one.after["weight"]):
        parts.append(
            f"weight {Decimal(one.before['weight']).normalize():f} → {Decimal(one.after['weight']).normalize():f}"
        )
    if one.before["evidence"] != one.after["evidence"]:
        parts.append(f"{EVIDENCE[Evidence(one.before['evidence'])]} → {EVIDENCE[Evidence(one.after['evidence'])]}")
    return "; ".join(parts)
