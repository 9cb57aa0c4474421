"""From a dossier to the pack: a pure function of two JSON documents, so the same documents always give the same pack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import orjson

from app import charts
from app.reports.ballots import ballot, earlier_decision, latest_act
from app.reports.criteria import attested, groups, holdbacks, layer_points, mark_of
from app.reports.dossier import Dossier
from app.reports.pack import Ballot, ChangeRow, Fact, LateChange, Mark, Pack, WaiverRow
from app.reports.wording import (
    GATE_MARKS,
    LAYERS,
    PHASES,
    PROCESSES,
    WORD_MARKS,
    Speech,
    amount,
    day,
    points,
    unit_of,
    words,
)
from erpcore.kernel.clock import local_day

#: Stories a board may look for that this programme keeps no records of, and where they may still stand.
NOT_KEPT: Final = (
    Fact("Risks", "There is no risk register in these records."),
    Fact("Training", "Attempts and certificates are not recorded; a criterion may attest them."),
    Fact("Data migration", "Loads and reconciliations are not recorded; a criterion may attest them."),
    Fact(
        "Cutover rehearsal", "Tasks and times are not recorded. Orders rehearsed in the core are: criteria read them."
    ),
    Fact("Tickets", "Incidents and requests are not recorded."),
)


def present(dossier: Dossier) -> Pack:
    """The pack of a dossier."""
    content: dict[str, Any] = orjson.loads(dossier.evidence)
    rest: dict[str, Any] = orjson.loads(dossier.rest)
    gate, wave = content["gate"], content["wave"]
    speech = Speech(rest["names"], gate["time_zone"])
    mark = GATE_MARKS[content["word"]]
    vote = ballot(rest["decision"], speech)
    evaluated_at = datetime.fromisoformat(content["evaluated_at"])
    bar, by_layer = _score(content)
    return Pack(
        title=f"Decision pack: {wave['name']}, {PHASES[gate['phase']].lower()}",
        wave=wave["name"], gate=PHASES[gate["phase"]], programme=rest["programme"]["name"],
        mark=mark, sentence=content["sentence"].removeprefix(f"{mark.word}. "), score=points(content["score"]),
        score_bar=bar, score_groups=by_layer, tally=_tally(content), cover=_cover(content, vote, speech),
        purpose=rest["programme"]["purpose"], cells=_cells(content, speech), scope=_scope(content, rest, speech),
        calendar=_calendar(content, speech), timeline=_timeline(content, mark, speech),
        closed_days=tuple(
            Fact(each["name"], f"{day(each['starts_on'])} – {day(_last(each['ends_on']))}") for each in rest["wave"]["blackouts"]
        ),
        depends_on=tuple(Fact(f"{each['code']}, {each['name']}", each["why"]) for each in rest["wave"]["depends_on"]),
        groups=groups(content, rest, speech), rules=_rules(content), attested=attested(content, speech),
        holds=holdbacks(content, rest, speech), changed_since=_changed_since(rest, speech),
        changes=tuple(_change(each) for each in rest["changes"]),
        late_changes=tuple(_late(each, speech) for each in content["changed_after_freeze"]),
        waivers=tuple(_waiver(each, content, speech) for each in content["waivers"]), waiver_note=_waiver_note(content),
        ballot=vote, earlier_decisions=tuple(earlier_decision(each, speech) for each in rest["earlier_decisions"]),
        record=_record(content, rest, dossier.fingerprint, speech), missing=NOT_KEPT, fingerprint=dossier.fingerprint,
        time_zone=gate["time_zone"], evaluated_at=evaluated_at, made_from=latest_act(rest["decision"], evaluated_at),
    )  # fmt: skip


def _last(before: str) -> date:
    """The last day of a half-open stretch."""
    return date.fromisoformat(before) - timedelta(days=1)


def _score(content: Mapping[str, Any]) -> tuple[charts.Chart, tuple[charts.ScoreGroup, ...]]:
    whole = sum((Decimal(line["weight"]) for line in content["criteria"]), Decimal(0))
    found = []
    for layer, name in LAYERS.items():
        lines = [line for line in content["criteria"] if line["layer"] == layer]
        if lines:
            possible, earned = layer_points(lines, whole)
            found.append(charts.ScoreGroup(name, round(earned, 1), round(possible, 1)))
    bar = charts.score_bar(
        Decimal(content["score"]) * 100, found, conditional_from=Decimal(content["gate"]["warn_mark"]) * 100,
        ready_from=Decimal(content["gate"]["pass_mark"]) * 100,
    )  # fmt: skip
    return bar, tuple(found)


def _tally(content: Mapping[str, Any]) -> tuple[Mark, ...]:
    """How many criteria pass, warn, fail, have no evidence or are waived."""
    found = Counter(mark_of(line).kind for line in content["criteria"])
    named = [*WORD_MARKS.values(), ("waived", "Waived")]
    return tuple(Mark(kind, f"{found[kind]} {word.lower()}") for kind, word in named if found[kind])


def _cover(content: Mapping[str, Any], vote: Ballot | None, speech: Speech) -> tuple[Fact, ...]:
    gate = content["gate"]
    found = [
        Fact("Evidence of", speech.moment(content["evaluated_at"])),
        Fact("Body decides by", day(gate["decides_on"])),
        Fact("Go-live planned", day(content["wave"]["go_live_on"])),
    ]
    if vote is not None:
        found.insert(0, Fact("Decision", vote.mark.word))
    return tuple(found)


def _cells(content: Mapping[str, Any], speech: Speech) -> tuple[tuple[str, str, str], ...]:
    """Site, what it is, and the channels that go live there."""
    channels: dict[int, list[str]] = {}
    for site, channel in content["wave"]["cells"]:
        channels.setdefault(site, []).append(speech.channel(channel))
    found = []
    for site, named in channels.items():
        facts = speech.names["sites"].get(str(site))
        about = f"{words(facts['kind'])}, {facts['country']}" if facts else ""
        found.append((speech.site(site), about, ", ".join(named)))
    return tuple(found)


def _scope(content: Mapping[str, Any], rest: Mapping[str, Any], speech: Speech) -> tuple[Fact, ...]:
    wave = rest["wave"]
    all_groups = wave["customer_groups"] is None
    named = "all" if all_groups else ", ".join(speech.customer_group(each) for each in wave["customer_groups"])
    return (
        Fact("Processes", ", ".join(PROCESSES.get(each, words(each)) for each in wave["processes"])),
        Fact("Customer groups", named),
        Fact("Responsible", speech.person(wave["owner"])),
    )


def _calendar(content: Mapping[str, Any], speech: Speech) -> tuple[Fact, ...]:
    gate, wave = content["gate"], content["wave"]
    body = f", {speech.body(gate['frozen_by_body'])}" if gate["frozen_by_body"] else ""
    found = [
        Fact("Criteria frozen", speech.moment(gate["frozen_at"]), f"{speech.person(gate['frozen_by'])}{body}"),
        Fact("Evaluations count from", day(gate["opened_on"])),
        Fact("This evaluation", speech.moment(content["evaluated_at"]), f"number {content['number']}"),
        Fact("Body decides by", day(gate["decides_on"])),
        Fact("Go-live planned", day(wave["go_live_on"])),
        Fact("Support ends", day(wave["hypercare_until"])),
    ]
    if gate["dates"]:
        found.insert(2, Fact("Fixed dates of evaluation", ", ".join(day(each) for each in gate["dates"])))
    return tuple(found)


def _timeline(content: Mapping[str, Any], mark: Mark, speech: Speech) -> charts.Chart:
    gate, wave = content["gate"], content["wave"]
    start = local_day(datetime.fromisoformat(gate["frozen_at"]), gate["time_zone"])
    go_live, until = (date.fromisoformat(wave[key]) for key in ("go_live_on", "hypercare_until"))
    decides = date.fromisoformat(gate["decides_on"])
    first = min(start, decides, date.fromisoformat(content["day"])) - timedelta(days=3)
    last = max(until, decides) + timedelta(days=3)
    sites = {site for site, _ in wave["cells"]}
    row = charts.WaveRow(
        name=wave["code"], cells=speech.site(min(sites)) if len(sites) == 1 else f"{len(sites)} sites", prepares_from=start,
        planned=go_live, hypercare_until=until, gates=(charts.GateMark(decides, PHASES[gate["phase"]], mark.kind),),
    )  # fmt: skip
    # A paper has no today; the day of the evidence stands in the table beside it.
    return charts.waves_timeline(
        "Calendar of the wave", [row], key="calendar", today=first - timedelta(days=1), first=first, last=last
    )


def _rules(content: Mapping[str, Any]) -> tuple[str, ...]:
    """How this gate comes to its word, with its own marks."""
    gate = content["gate"]
    level = Decimal(gate["level"]) * 100
    found = [
        (
            "A pass gives its whole weight, a warning half, anything else nothing. "
            f"Ready from {points(gate['pass_mark'])} of 100, conditional from {points(gate['warn_mark'])}."
        ),
        (
            "Whatever the score: a statutory criterion that does not pass, or a key criterion that fails, is not ready; a key "
            "criterion without evidence is not ready for want of evidence; one at warn is conditional at best."
        ),
        f"Key criteria are judged on the unfavourable limit of their interval at {level.normalize():f} % confidence.",
        f"Waivers may cover {amount(content['waiver_cap'], '%')} of the weight; a waived criterion counts as a warning.",
    ]
    if gate["hold"] > 1:
        found.append(f"A pass of a key criterion must hold for {gate['hold']} counted evaluations, one a day.")
    return tuple(found)


def _changed_since(rest: Mapping[str, Any], speech: Speech) -> str:
    before = rest["before"]
    if before is None:
        return ""
    word = GATE_MARKS[before["word"]].word.lower()
    at = speech.moment(before["evaluated_at"])
    return f"evaluation {before['number']} of {at}: {word}, score {points(before['score'])}"


def _change(found: Mapping[str, Any]) -> ChangeRow:
    gained = Decimal(found["points"]) * 100
    sign = "+" if gained > 0 else "−" if gained < 0 else "±"
    return ChangeRow(
        title=found["title"], before=_then(found["before"], found["held_before"], waived=found["waived_before"]),
        after=_then(found["after"], found["held_after"], waived=found["waived_after"]), points=f"{sign}{abs(gained):.1f}",
        sentence=found["sentence"],
    )  # fmt: skip


def _then(word: str | None, held: int | None, *, waived: bool) -> Mark | None:
    if word is None:
        return None
    kind, text = WORD_MARKS[word]
    if waived:
        return Mark("waived", "Waived", f"own verdict: {text.lower()}")
    return Mark(kind, text, f"held {held}" if held else "")


def _late(found: Mapping[str, Any], speech: Speech) -> LateChange:
    before, after = found["before"] or {}, found["after"] or {}
    names = sorted({name for name in {*before, *after} if before.get(name) != after.get(name) and name != "position"})
    title = after.get("title") or before.get("title") or found["criterion"] or "the gate's dates"
    by = f"{speech.person(found['by'])}{', ' + speech.body(found['body']) if found['body'] else ''}"
    # An added or removed criterion is told by its title alone; its terms stand in the criteria or nowhere.
    shown = names if before and after else []
    return LateChange(
        when=speech.moment(found["at"]), version=found["version"], what=f"{words(found['change'])}: {title}", by=by,
        reason=found["reason"] or "", differences=tuple((words(name), _said(name, before), _said(name, after)) for name in shown),
    )  # fmt: skip


def _said(name: str, criterion: Mapping[str, Any]) -> str:
    """One value of a criterion as it was written down."""
    value = criterion.get(name)
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in {"pass_mark", "warn_mark"} and not criterion.get("baseline"):
        return amount(value, unit_of({"readings": [], "measure": criterion.get("measure")}))
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else str(value)


def _waiver(found: Mapping[str, Any], content: Mapping[str, Any], speech: Speech) -> WaiverRow:
    titles = {line["code"]: line["title"] for line in content["criteria"]}
    if found["is_used"]:
        mark = Mark("waived", "In use")
    elif found["ended_at"] is not None:
        mark = Mark("none", "Taken back", speech.moment(found["ended_at"]))
    elif not found["is_in_force"]:
        mark = Mark("none", "Expired")
    else:
        mark = Mark("wait", "Not needed", "the criterion stands without it")
    body = speech.body(found["body"]) if found["body"] else ""
    return WaiverRow(
        title=titles.get(found["criterion"], found["criterion"]), mark=mark, rationale=found["rationale"],
        mitigation=found["mitigation"],
        facts=(
            Fact("Until", speech.moment(found["until"])),
            Fact("Mitigation by", speech.person(found["owner"])),
            Fact("Asked for by", f"{speech.person(found['requested_by'])}, {speech.moment(found['requested_at'])}"),
            Fact("Granted by", f"{speech.person(found['granted_by'])}, {body}, {speech.moment(found['granted_at'])}"),
        ),
    )  # fmt: skip


def _waiver_note(content: Mapping[str, Any]) -> str:
    share, cap = amount(content["waived_share"], "%"), amount(content["waiver_cap"], "%")
    return f"Waivers in use cover {share} of the weight; {cap} is the most that is allowed."


def _record(content: Mapping[str, Any], rest: Mapping[str, Any], fingerprint: str, speech: Speech) -> tuple[Fact, ...]:
    gate = content["gate"]
    found = [
        Fact("Fingerprint of the evidence", fingerprint, "SHA-256 of the evaluation as it was stored"),
        Fact(
            "Evaluation", f"number {content['number']}, {speech.moment(content['evaluated_at'])}",
            "the counted one of its day" if content["is_counted"] else "a further one of its day",
        ),
        Fact("Criteria", f"version {gate['criteria_version']}" + (f", from template {gate['template']}" if gate["template"] else "")),
        Fact("Events read", f"to sequence {content['read_to']:,}", f"{content['behind_seconds']} s behind"),
    ]  # fmt: skip
    before, decision = rest["before"], rest["decision"]
    if before is not None:
        found.append(Fact("Evaluation before", before["sha256"], f"number {before['number']}"))
    if decision is not None:
        found.append(Fact("Decision", f"number {decision['id']}", "in the decision log and the audit trail"))
    found.append(Fact("Forms", f"{content['format']}, {rest['format']}"))
    return tuple(found)
