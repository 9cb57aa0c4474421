"""What does an entry say, and is it complete? A risk names cause, event and effect; the others what theirs are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from erpcore.kernel.errors import RuleBroken
from governance.risks.flow import EntryKind, Layer, LinkKind, Response, Side

LONGEST_TITLE, LONGEST_TEXT, LONGEST_PARTY, MOST_LINKS = 200, 4000, 200, 60
#: Working hours after which the next body hears of an entry, and days between two reviews, unless somebody says otherwise.
USUAL_HOURS, USUAL_REVIEW = 16, 14
MOST_HOURS, LONGEST_REVIEW = 200, 366


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A figure with the limit beyond which it triggers an entry, in base units."""

    figure: str
    side: Side
    limit: Decimal


@dataclass(frozen=True, kw_only=True)
class Said:
    """All that people write down of an entry. ``body`` hears of it when its owner does not get on."""

    title: str
    statement: str
    effect: str
    owner: int
    body: int
    due_on: date
    impact: int
    layer: Layer = Layer.PROCESS
    cause: str = ""
    probability: int | None = None
    response: Response | None = None
    plan: str = ""
    needed_by: str = ""
    needed_from: str = ""
    score_limit: int | None = None
    watched: Watched | None = None
    review_days: int = USUAL_REVIEW
    escalation_hours: int = USUAL_HOURS
    wave: int | None = None
    site: int | None = None
    process: str | None = None
    links: Sequence[tuple[LinkKind, str]] = ()


def check(kind: EntryKind, said: Said) -> None:
    """Raise ``RuleBroken`` for what is missing, too long, out of its range, or not of this kind."""
    _check_words(kind, said)
    for name, value in (("impact", said.impact), ("probability", said.probability)):
        if value is not None and not 1 <= value <= 5:
            raise RuleBroken("risk_scale", field=name, value=value)
    if (kind is EntryKind.RISK) != (said.probability is not None):
        raise RuleBroken("risk_probability", field="probability", kind=kind)
    if said.score_limit is not None and (kind is not EntryKind.RISK or not 1 <= said.score_limit <= 25):
        raise RuleBroken("risk_score_limit", field="score_limit", value=said.score_limit)
    if said.response is not None and kind is not EntryKind.RISK:
        raise RuleBroken("risk_response", field="response", kind=kind)
    if not 1 <= said.review_days <= LONGEST_REVIEW:
        raise RuleBroken("risk_review", field="review_days", value=said.review_days, most=LONGEST_REVIEW)
    if not 1 <= said.escalation_hours <= MOST_HOURS:
        raise RuleBroken("risk_hours", field="escalation_hours", value=said.escalation_hours, most=MOST_HOURS)
    if len(said.links) > MOST_LINKS:
        raise RuleBroken("too_many_lines", field="steps", most=MOST_LINKS)


def _check_words(kind: EntryKind, said: Said) -> None:
    needed = ["title", "statement", "effect"]
    if kind is EntryKind.RISK:
        needed.append("cause")
    if kind is EntryKind.DEPENDENCY:
        needed += ["needed_by", "needed_from"]
    for name in needed:
        if not getattr(said, name).strip():
            raise RuleBroken("risk_incomplete", field=name, what=name.replace("_", " "), kind=kind)
    longest = {"title": LONGEST_TITLE, "needed_by": LONGEST_PARTY, "needed_from": LONGEST_PARTY}
    for name in ("title", "cause", "statement", "effect", "plan", "needed_by", "needed_from"):
        most = longest.get(name, LONGEST_TEXT)
        if len(getattr(said, name)) > most:
            raise RuleBroken("text_too_long", field=name, longest=most)
