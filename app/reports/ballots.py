"""The vote in words: what is asked, how the count stands, who said what and why, and who disagreed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from app.charts.glyphs import Kind
from app.reports.pack import Ballot, ConditionRow, Fact, Mark, SeatRow
from app.reports.wording import CHOICES, Speech, day, words

_CONDITIONS: Final[dict[str, tuple[Kind, str]]] = {
    "open": ("wait", "Open"),
    "met": ("pass", "Met"),
    "missed": ("fail", "Missed"),
    "met_late": ("warn", "Met late"),
}
#: What a decision's state means for who reads the pack; a decided one shows its outcome.
_STATES: Final[dict[str, tuple[Kind, str, str]]] = {
    "draft": ("wait", "Not open yet", "Nobody votes on it yet."),
    "open": ("wait", "Open", "The vote is open; what stands here is what was cast so far."),
    "lapsed": ("none", "Lapsed", "It ended without effect."),
    "superseded": ("none", "Superseded", "A later decision stands in its place."),
    "outdated": ("warn", "Outdated", "What it stood on has changed; it opens nothing."),
    "revoked": ("fail", "Revoked", "It was taken back."),
}
_GOES: Final = {"go", "conditional_go"}


def ballot(facts: Mapping[str, Any] | None, speech: Speech) -> Ballot | None:
    """The vote of a dossier; ``None`` where no decision stands on this evidence."""
    if facts is None:
        return None
    mark, standing = _standing(facts)
    return Ballot(
        title=facts["title"], question=facts["question"], mark=mark, standing=standing, facts=_facts(facts, speech),
        seats=tuple(_seat(seat, facts, speech) for seat in facts["seats"]),
        conditions=tuple(_condition(number, row, speech) for number, row in enumerate(facts["conditions"], start=1)),
        dissent=tuple(_dissent(seat, facts, speech) for seat in facts["seats"] if _dissents(seat, facts)),
        earlier_votes=tuple(_earlier(vote, speech) for vote in facts["earlier_votes"]),
    )  # fmt: skip


def _standing(facts: Mapping[str, Any]) -> tuple[Mark, str]:
    if facts["state"] == "decided":
        kind, word = CHOICES[facts["outcome"]]
        return Mark(kind, word), _decided(facts)
    kind, word, text = _STATES[facts["state"]]
    if facts["outcome"]:
        text = f"{text} The body had said: {CHOICES[facts['outcome']][1].lower()}."
    return Mark(kind, word), text


def _decided(facts: Mapping[str, Any]) -> str:
    if facts["outcome"] == "postpone" and facts["postponed_to"]:
        return f"The body postponed it to {day(facts['postponed_to'])}."
    return {
        "go": "The body lets the wave go live.",
        "conditional_go": "The body lets the wave go live on the conditions below.",
        "no_go": "The body does not let the wave go live.",
    }.get(facts["outcome"], "The body decided nothing; everything stays as it was.")


def _facts(facts: Mapping[str, Any], speech: Speech) -> tuple[Fact, ...]:
    found = [Fact("Body", facts["body"])]
    rule, count = facts["rule"], facts["count"]
    if rule is not None:
        quorum, majority = ("/".join(str(part) for part in rule[name]) for name in ("quorum", "majority"))
        found.append(
            Fact("Rule", f"{majority} of the votes cast, and more than half of them; quorum {quorum} of the seats")
        )
        for name, key in (("Must be there", "mandatory"), ("May stop a go", "veto")):
            if rule[key]:
                found.append(Fact(name, ", ".join(rule[key])))
    if count is not None:
        here = f"{count['present']} of {count['eligible']} seats present, {count['quorum_needed']} needed"
        if count["roles_missing"]:
            here += f"; missing: {', '.join(count['roles_missing'])}"
        found.append(Fact("Quorum", here))
        cast = [f"{number} {CHOICES[name][1].lower()}" for name, number in count["counts"].items() if number]
        found.append(
            Fact("Votes cast", f"{count['cast']} of {count['eligible']}" + (f": {', '.join(cast)}" if cast else ""))
        )
        if count["vetoed_by"]:
            found.append(Fact("Stopped by", ", ".join(count["vetoed_by"])))
    found.append(Fact("Opened", speech.moment(facts["opened_at"])))
    if facts["closed_at"]:
        found.append(Fact("Closed", speech.moment(facts["closed_at"])))
    else:
        found.append(Fact("Closes", speech.moment(facts["closes_at"])))
    if facts["effective_at"]:
        found.append(Fact("Takes effect", speech.moment(facts["effective_at"])))
    return tuple(found)


def _seat(seat: Mapping[str, Any], facts: Mapping[str, Any], speech: Speech) -> SeatRow:
    vote, recusal = seat["vote"], seat["recusal"]
    named = (("chair", "chair"), ("mandatory", "must be there"), ("veto", "may stop a go"))
    badges = tuple(word for key, word in named if seat[key] and word != seat["function"].lower())
    if recusal is not None:
        mark, reason, when = Mark("waived", "Recused"), recusal["reason"], recusal["at"]
    elif vote is not None:
        kind, word = CHOICES[vote["choice"]]
        by = f"by {speech.person(vote['cast_by'])} as delegate" if vote["cast_by"] != seat["person"] else ""
        to = f"to {day(vote['postpone_to'])}" if vote["postpone_to"] else ""
        mark, reason, when = Mark(kind, word, to or by), vote["reason"], vote["at"]
    else:
        mark, reason, when = Mark("wait", "Absent" if seat["absent"] else "No vote"), "", None
    holder = speech.person(seat["person"])
    if seat["delegate"] is not None:
        holder += f", delegate {speech.person(seat['delegate'])}"
    return SeatRow(
        function=seat["function"], holder=holder, badges=badges, mark=mark, reason=reason,
        when="" if when is None else speech.moment(when), dissent=_dissents(seat, facts),
    )  # fmt: skip


def _dissents(seat: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Whether the seat wanted something else than was decided; a go carries a conditional go with it."""
    if facts["outcome"] not in {*_GOES, "no_go", "postpone"} or seat["vote"] is None or seat["recusal"] is not None:
        return False
    choice = seat["vote"]["choice"]
    return choice != facts["outcome"] and not (choice == "go" and facts["outcome"] == "conditional_go")


def _dissent(seat: Mapping[str, Any], facts: Mapping[str, Any], speech: Speech) -> str:
    vote = seat["vote"]
    return f"{seat['function']}, {speech.person(vote['cast_by'])}, voted {CHOICES[vote['choice']][1].lower()}: {vote['reason']}"


def _condition(number: int, row: Mapping[str, Any], speech: Speech) -> ConditionRow:
    kind, word = _CONDITIONS[row["state"]]
    settled = f"{speech.person(row['settled_by'])}, {speech.moment(row['settled_at'])}" if row["settled_at"] else ""
    return ConditionRow(
        number=number, text=row["text"], check=row["check"], owner=speech.person(row["owner"]),
        due=speech.moment(row["due_at"]), mark=Mark(kind, word, settled), evidence=row["evidence"] or "",
    )  # fmt: skip


def _earlier(vote: Mapping[str, Any], speech: Speech) -> str:
    why = "changed afterwards" if vote["on_present_terms"] else "cast before the evidence or the conditions changed"
    return (
        f"{vote['function']}, {speech.person(vote['cast_by'])}, {speech.moment(vote['at'])}: "
        f"{CHOICES[vote['choice']][1].lower()}: {vote['reason']} ({why})"
    )


def earlier_decision(found: Mapping[str, Any], speech: Speech) -> Fact:
    """A decision before this one, in a line."""
    outcome = CHOICES[found["outcome"]][1].lower() if found["outcome"] else "no outcome"
    ended = found["closed_at"] or found["opened_at"]
    return Fact(found["title"], f"{words(found['state'])}, {outcome}", speech.moment(ended))


def latest_act(facts: Mapping[str, Any] | None, evaluated_at: datetime) -> datetime:
    """The latest instant in the documents: of the evaluation, or of what the body did since."""
    found = [evaluated_at]
    if facts is not None:
        times = [facts["opened_at"], facts["closed_at"]]
        times += [seat[key]["at"] for seat in facts["seats"] for key in ("vote", "recusal") if seat[key]]
        times += [vote["at"] for vote in facts["earlier_votes"]]
        times += [row["settled_at"] for row in facts["conditions"]]
        found += [datetime.fromisoformat(each) for each in times if each]
    return max(found)
