"""From a gate's stored evaluation to its page, in the order in which a committee asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from flask import url_for

from app.charts import Chart, ForecastRow, ForecastSpan, TrendPoint, forecast_bars, trend
from app.charts.glyphs import Kind
from app.queries.gate_pages import GatePage, rest_of
from app.queries.late_truth import Line
from app.reports.criteria import groups as criterion_groups
from app.reports.criteria import holdbacks, layer_points
from app.reports.pack import CriterionRow, Mark
from app.reports.wording import LAYERS, Speech, amount, day, direction_of, points, unit_of
from app.security.permissions import Permission
from app.web.steering_words import CHOICES, PHASES, gate_word, share, short_day, short_moment
from erpcore.kernel.actor import Actor
from governance.decisions.flow import DecisionState
from governance.decisions.queries import DecisionView, SeatStanding
from governance.decisions.rules import Choice
from readiness.gates.wording import counted
from readiness.measures.reading import Unit, shown

_MARK_WORDS: Final[dict[Kind, str]] = {
    "pass": "pass", "warn": "warn", "fail": "fail", "none": "no evidence", "waived": "waived", "wait": "not evaluated",
}  # fmt: skip
_NO_FORECAST: Final = {
    "too_few_days": "too few days for a trend",
    "no_new_documents": "no new documents come in",
    "no_trend_to_mark": "no trend towards the mark",
    "beyond_horizon": "not within 90 days",
}


def word_of(mark: Mark) -> str:
    """The verdict word behind a mark, as the look takes it."""
    return _MARK_WORDS[mark.kind]


def head(page: GatePage, speech: Speech) -> dict[str, Any]:
    """The verdict, why in one sentence, what holds it back most, and the score by layer."""
    content, rest = page.content, rest_of(page.view)
    whole = sum((Decimal(line["weight"]) for line in content["criteria"]), Decimal(0))
    layers = []
    for layer, name in LAYERS.items():
        lines = [line for line in content["criteria"] if line["layer"] == layer]
        if lines:
            possible, earned = layer_points(lines, whole)
            layers.append({"name": name, "points": f"{earned:.1f}", "possible": f"{possible:.1f}"})
    held = holdbacks(content, rest, speech)
    codes = [each["criterion"] for each in content["holds_back"]]
    holds = [
        {
            "title": one.title, "href": url_for("gates.criterion", gate_id=page.view.gate.id, code=code),
            "points": f"{one.points}{', blocks' if one.blocks.startswith('blocks') else ''}",
            "text": f"{one.sentence}. {one.owner}{'. ' + one.forecast if one.forecast else ''}",
        }
        for one, code in zip(held, codes, strict=True)
    ]  # fmt: skip
    return {
        "word": gate_word(content["word"]), "holds": holds[:3], "groups": layers,
        "score": Decimal(points(content["score"])), "ready": Decimal(points(content["gate"]["pass_mark"])),
        "conditional": Decimal(points(content["gate"]["warn_mark"])), "why": _why(content, held[0].sentence if held else ""),
        "label": _label(page),
    }  # fmt: skip


def _label(page: GatePage) -> str:
    content = page.content
    phase = PHASES[content["gate"]["phase"]]
    goes = f" for go-live on {day(content['wave']['go_live_on'])}" if content["gate"]["phase"] == "entry" else ""
    snapshot = page.view.snapshot
    when = short_moment(snapshot.evaluated_at) if snapshot else ""
    return f"{phase}{goes} · evaluation {content['number']}, {when}"


def _why(content: Mapping[str, Any], first: str) -> str:
    """The rule that decided, and what the worst criterion lacks."""
    _, _, reason = content["sentence"].partition(". ")
    reason = reason.strip().rstrip(".")
    if content["word"] == "ready" or not first:
        return f"{reason}."
    return f"{reason}. {first}."


def tally(content: Mapping[str, Any]) -> list[tuple[str, int]]:
    """How many criteria pass, warn, fail, have no evidence or are waived."""
    found = Counter(
        "waived" if line["waiver"] is not None else line["word"].replace("_", " ") for line in content["criteria"]
    )
    return [(word, found[word]) for word in ("pass", "warn", "fail", "no evidence", "waived") if found[word]]


def rows(page: GatePage, speech: Speech) -> list[dict[str, Any]]:
    """Every criterion by layer, as the table of the gate takes it."""
    gate = page.view.gate.id
    lines = {line["code"]: line for line in page.content["criteria"]}
    number = None if page.is_latest else page.view.snapshot and page.view.snapshot.number
    return [
        {
            "name": group.name, "note": group.note,
            "criteria": [
                _row(one, lines[one.code], url_for("gates.criterion", gate_id=gate, code=one.code, evaluation=number))
                for one in group.criteria
            ],
        }
        for group in criterion_groups(page.content, rest_of(page.view), speech)
    ]  # fmt: skip


def _row(one: CriterionRow, line: Mapping[str, Any], href: str) -> dict[str, Any]:
    said = line["evidence"] == "attestation"
    owner, _, owner_sub = one.owner.partition(", ")
    return {
        "name": one.title, "href": href, "code": figure_key(line), "badges": one.badges, "weight": one.weight,
        "verdict": word_of(one.mark), "verdict_sub": _verdict_sub(one, line),
        "threshold": one.threshold, "threshold_sub": " · ".join(one.threshold_notes).replace("on the ", ""),
        "reading": "Stated" if said and one.reading == "stated" else one.reading,
        "reading_sub": "census" if one.interval.startswith("no interval: all") else one.interval,
        "interval": one.bar, "count": one.count, "count_sub": one.count_note.partition(" · at least")[0].replace("until –", "does not lapse"), "trend": one.trend, "evidence": one.source,
        "evidence_sub": one.window, "owner": owner, "owner_sub": owner_sub, "blocks": one.blocks, "sentence": one.sentence,
    }  # fmt: skip


def figure_key(line: Mapping[str, Any]) -> str:
    """``order_cycle_time.p90``; "attestation" where no figure is read."""
    if not line["measure"]:
        return "attestation"
    key = f"{line['measure']}.{line['statistic']}" if line["statistic"] else line["measure"]
    return f"{key}[{line['dimension']}]" if line["dimension"] else str(key)


def criterion_trend(page: GatePage, line: Mapping[str, Any] | None) -> Chart | None:
    """The criterion's figure over the days it was evaluated, with its marks; ``None`` with fewer than two figures."""
    if line is None or line["pass_mark"] is None:
        return None
    found = [
        point
        for point in page.view.trends.get(line["code"], ())
        if page.view.snapshot and point.day <= page.view.snapshot.day
    ]
    if sum(1 for point in found if point.value is not None) < 2:
        return None
    unit, facts = unit_of(line), line["verdict_facts"]
    mark = facts.get("pass_mark") or (None if line["baseline"] else line["pass_mark"])
    warn = facts.get("warn_mark") or (None if line["baseline"] else line["warn_mark"])
    rate = unit == Unit.PERCENT
    return trend(
        "Reading by evaluation",
        [TrendPoint(p.day, in_unit(p.value, unit), in_unit(p.low, unit), in_unit(p.high, unit), p.count) for p in found],
        key="criterion-trend", unit="" if unit in {Unit.COUNT, Unit.RATIO, Unit.MONEY} else unit,
        direction="up" if direction_of(line) == "up" else "down", target=in_unit(mark, unit),
        warn=None if warn == mark else in_unit(warn, unit), floor=0 if rate else None, ceiling=100 if rate else None,
    )  # fmt: skip


def in_unit(value: Decimal | str | None, unit: str) -> Decimal | None:
    """A figure in the unit people read, without idle zeros."""
    if value is None:
        return None
    found = shown(Decimal(value), Unit(unit))
    return found.normalize() if found % 1 else found.quantize(Decimal(1))


def _verdict_sub(one: CriterionRow, line: Mapping[str, Any]) -> str:
    if one.mark.note:
        return one.mark.note
    facts = line["verdict_facts"]
    if line["verdict_code"] in {"more_needed", "too_few_documents"} and facts.get("more"):
        return f"{facts['more']:,} more {facts.get('documents', 'document')}s"
    if line["verdict_code"] == "not_held_yet":
        return f"holds {facts['held']} of {facts['needed']} days"
    return {
        "source_missing": "source missing", "consumer_behind": "figures are late", "parked_event": "an event is parked",
        "provisional": "provisional", "not_attested": "not stated yet", "earlier_rules": "judged by earlier rules", "sample_missing": "a sample is missing",
        "nothing_to_measure": "nothing to measure", "attestation_lapsed": "has lapsed",
    }.get(line["verdict_code"], "")  # fmt: skip


def draft_rows(page: GatePage, speech: Speech) -> list[dict[str, Any]]:
    """The criteria of a gate that was never evaluated: what is asked, and of whom."""
    return [
        {
            "name": line["title"], "code": figure_key(line), "weight": f"{Decimal(line['weight']).normalize():f}",
            "badges": [word for word in ("key", "statutory") if line[word]], "layer": LAYERS[line["layer"]],
            "owner": speech.person(line["owner_id"], line["owner"] or "nobody named"),
        }
        for line in page.view.draft_criteria
    ]  # fmt: skip


def changes(page: GatePage) -> list[dict[str, Any]]:
    """What reads differently than at the evaluation before."""
    found = []
    for one in page.view.changes:
        gained = one.points * 100
        sign = "+" if gained > 0 else "−" if gained < 0 else "±"
        found.append(
            {
                "title": one.title, "sentence": one.sentence, "points": f"{sign}{abs(gained):.1f}",
                "before": "waived" if one.waived_before else (one.before or "not evaluated"),
                "after": "waived" if one.waived_after else (one.after or "not evaluated"),
                "held": one.before == one.after and one.held_before != one.held_after,
                "held_before": one.held_before, "held_after": one.held_after,
            }
        )  # fmt: skip
    return found


def forecast(page: GatePage, today: date, decides: date | None) -> tuple[Chart | None, list[str]]:
    """The picture of when what does not pass yet would, and in words what has no forecast and why."""
    lines = {line["code"]: line for line in page.content["criteria"]}
    open_now = [one for one in page.view.forecasts if lines[one.criterion]["word"] != "pass"]
    if not open_now:
        return None, []
    days = [one.passes_on for one in open_now if one.passes_on] + ([decides] if decides else [])
    last = max([*days, today + timedelta(days=10)]) + timedelta(days=2)
    kinds: dict[str, Kind] = {"pass": "pass", "warn": "warn", "fail": "fail", "no_evidence": "none"}
    drawn = []
    for one in open_now[:8]:
        line = lines[one.criterion]
        spans = [ForecastSpan(today, "waived" if line["waiver"] is not None else kinds[line["word"]])]
        if one.passes_on is not None:
            spans.append(ForecastSpan(one.passes_on, "pass"))
        drawn.append(ForecastRow(_clipped(line["title"]), tuple(spans)))
    said = [
        f"{lines[one.criterion]['title']}: {_NO_FORECAST.get(one.code, one.code.replace('_', ' '))}"
        for one in open_now if one.passes_on is None
    ]  # fmt: skip
    picture = forecast_bars("Forecast", drawn, key="forecast", first=today, last=last, decides=decides)
    return picture, said


def _clipped(text: str, most: int = 22) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def seats(decision: DecisionView, speech: Speech, me: int) -> list[dict[str, Any]]:
    """Who sits in the vote and what they have done."""
    return [_seat(one, speech, me) for one in decision.seats]


def _seat(seat: SeatStanding, speech: Speech, me: int) -> dict[str, Any]:
    mine = seat.person == me or (seat.delegate == me and seat.vote is None)
    found = {
        "name": speech.person(seat.person),
        "role": seat.function,
        "you": mine,
        "state": "waiting",
        "vote": "",
        "reason": "",
    }
    if seat.recused is not None:
        return {**found, "state": "recused", "vote": "recused", "reason": seat.recused}
    if seat.vote is not None:
        choice = CHOICES[seat.vote.choice]
        if seat.vote.choice is Choice.POSTPONE and seat.vote.postpone_to:
            choice = f"Postpone to {short_day(seat.vote.postpone_to)}"
        by = f", by {speech.person(seat.vote.cast_by)}" if seat.vote.cast_by != seat.person else ""
        return {**found, "state": "voted", "vote": f"{choice}{by}"}
    if seat.person is None:
        return {**found, "state": "absent", "vote": "nobody holds it"}
    if seat.is_absent:
        return {**found, "state": "absent", "vote": "absent"}
    if seat.delegate is not None:
        return {**found, "state": "delegated", "vote": f"delegate: {speech.person(seat.delegate)}"}
    return {**found, "vote": "you, not yet" if seat.person == me else "not yet"}


def vote_facts(decision: DecisionView) -> list[tuple[str, str]]:
    """Body, quorum and rule of the vote, and what is missing."""
    row, count = decision.row, decision.tally
    found = [("Body", row.body_name)]
    if count is not None:
        lacking = max(count.quorum_needed - count.present, 0)
        missing = f", {lacking} more needed" if lacking else ""
        if count.roles_missing:
            missing += f", {', '.join(count.roles_missing)} must be there"
        found.append(("Quorum", f"{count.present} of {count.quorum_needed} seats{missing}"))
        found.append(("Rule", f"{share(decision.majority)} of the votes cast"))
        found.append(("Voted", f"{count.cast} of {count.eligible}"))
    return found


def closed_choices(decision: DecisionView) -> list[dict[str, str]]:
    """Choices that cannot be cast, and why: the gates they stand on do not allow them."""
    words = sorted({gate_word(basis.word) for basis in decision.bases})
    why = f"closed: the gate reads {', '.join(words)}"
    out = [choice for choice in CHOICES if choice not in decision.allowed]
    has_conditions = any(one.state.value == "open" for one in decision.conditions)
    found = [{"label": CHOICES[choice], "reason": why} for choice in out]
    if Choice.CONDITIONAL_GO in decision.allowed and not has_conditions:
        found.append({"label": CHOICES[Choice.CONDITIONAL_GO], "reason": "closed: no condition is on the table"})
    return found


def castable(decision: DecisionView) -> list[Choice]:
    """Choices that may be cast now, in the order of the ballot."""
    has_conditions = any(one.state.value == "open" for one in decision.conditions)
    return [
        Choice(choice) for choice in CHOICES
        if choice in decision.allowed and (choice != Choice.CONDITIONAL_GO or has_conditions)
    ]  # fmt: skip


def is_voting(decision: DecisionView | None) -> bool:
    return decision is not None and decision.row.state is DecisionState.OPEN


def vote_moves(decision: DecisionView, actor: Actor) -> list[dict[str, Any]]:
    """The way to the ballot for who has a seat, and the choices that are closed with their reason."""
    vote: dict[str, Any] = {"label": "Vote…", "permitted": True, "primary": True,
                            "href": url_for("decisions.vote", decision_id=decision.row.id)}  # fmt: skip
    if not may_vote(decision, actor):
        vote = {**vote, "permitted": False, "reason": "you hold no seat in this vote"}
    elif not actor.may(Permission.DECISION_VOTE):
        vote = {**vote, "permitted": False, "reason": f"your role may not {Permission.DECISION_VOTE.sentence}"}
    return [vote, *({"permitted": False, **one} for one in closed_choices(decision))]


def late_line(line: Line) -> dict[str, Any]:
    """A criterion as decided, the same days read again, and what came in late."""
    then, again = line.then, line.again
    found: dict[str, Any] = {
        "code": line.code, "title": line.title, "moved": line.moved, "then_sub": "", "again_sub": "", "again": "–",
        "word_then": "waived" if line.waived_then else line.word_then,
        "word_now": "waived" if line.waived_now else line.word_now, "then": "stated" if then is None else "no figure",
        "said": "a statement; nothing to read again" if then is None else "read at that moment; a state has no window",
    }  # fmt: skip
    if then is not None:
        found["then"] = amount(then["value"], then["unit"])
        found["then_sub"] = counted(then["count"], then["documents"])
    if then is None or again is None:
        return found
    found["again"] = amount(again.value, again.unit)
    found["again_sub"] = counted(again.count, again.documents)
    found["said"] = "unchanged"
    if line.moved:
        further = again.count - then["count"]
        found["said"] = (
            f"{'+' if further >= 0 else '−'}{abs(further):,} documents"
            if further
            else "the same documents read differently"
        )
    return found


def may_vote(decision: DecisionView, actor: Actor) -> bool:
    """Whether a seat of this vote is the person's, or one they stand in for."""
    return any(
        seat.recused is None and actor.id in {seat.person, seat.delegate} for seat in decision.seats
    )  # fmt: skip


def evaluation_rows(found: list[tuple[int, int, Any, str, Decimal, str, bool]]) -> list[dict[str, Any]]:
    """The evaluations of a gate for their list."""
    return [
        {
            "number": number, "at": at, "word": gate_word(word), "score": f"{score * 100:.1f}", "sha256": sha256, "counted": counted,
        }
        for _, number, at, word, score, sha256, counted in found
    ]  # fmt: skip


def foot(page: GatePage) -> list[tuple[str, str]]:
    """Fingerprint, evaluation and cursor under the page."""
    snapshot = page.view.snapshot
    if snapshot is None:
        return []
    spaced = " ".join(snapshot.sha256[at : at + 4] for at in range(0, 32, 4))
    behind = page.content["behind_seconds"]
    return [
        ("Snapshot", f"sha-256 {spaced} …"),
        ("Evaluation", f"{snapshot.number} of the gate frozen {short_day(page.view.frozen_at)}"),
        ("Events to sequence", f"{snapshot.read_to:,}"),
        ("Consumers", "up to date" if not behind else f"{behind} s behind"),
        ("Readings as of", short_moment(snapshot.evaluated_at)),
    ]
