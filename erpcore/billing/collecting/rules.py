"""What is the next step for a customer who owes something overdue, why, and who comes first? Pure decisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

#: So many days after somebody was spoken to nobody calls without a reason of its own.
REST_DAYS = 7
#: From so many points on a customer is called before the next letter, which they would let lie.
CALL_SCORE = 45


class Action(StrEnum):
    """The next step, in the order in which a day is worked through."""

    BROKEN_PROMISE = "broken_promise"
    HAND_OVER = "hand_over"
    FOLLOW_UP = "follow_up"
    CALL = "call"
    LETTER = "letter"
    DISPUTE = "dispute"
    WAIT = "wait"


RANK = {action: at for at, action in enumerate(Action)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """How a customer stands today. Amounts in minor units; days that never were are ``None``.

    ``collect_minor`` is overdue, less what is in dispute and what the customer has on account and in credits. ``held`` says why
    nobody asks, ``letter_level`` is the level that a run of today would ask at (0: none), ``top_level`` the procedure's last one.
    """

    today: date
    collect_minor: int
    disputed_minor: int
    oldest_days: int
    level: int = 0
    top_level: int = 0
    letter_level: int = 0
    pay_until: date | None = None
    held: str = ""
    promised_until: date | None = None
    promised_by: str = ""
    broken_on: date | None = None
    contact_on: date | None = None
    follow_up_on: date | None = None
    points: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NextStep:
    """What to do and why. ``weight_minor``: the amount that counts in the order of the day."""

    action: Action
    reason: str
    weight_minor: int

    @property
    def priority(self) -> tuple[int, int]:
        """First by the step, then by the amount, which counts up to double for who pays late."""
        return (RANK[self.action], -self.weight_minor)


def next_step(now: Situation) -> NextStep:
    """The first of these rules that holds."""
    action, reason = _waits(now) or _acts(now)
    weight = now.collect_minor * (100 + (now.points or 0)) // 100
    return NextStep(action=action, reason=reason, weight_minor=weight)


def _waits(now: Situation) -> tuple[Action, str] | None:
    """Why nobody asks today, or a promise that was not kept, which goes before a day that was set for later."""
    if now.held:
        return Action.WAIT, now.held
    if now.collect_minor <= 0 and now.disputed_minor > 0:
        return Action.DISPUTE, "All that is overdue is in dispute: it is settled first"
    if now.collect_minor <= 0:
        return Action.WAIT, "Their credits and money on account cover what is overdue: apply them"
    if now.broken_on is not None and (now.contact_on is None or now.contact_on <= now.broken_on):
        return Action.BROKEN_PROMISE, f"The promise of {_day(now.broken_on)} was broken: call today"
    if now.promised_until is not None:
        return Action.WAIT, f"Promised until {_day(now.promised_until)} by {now.promised_by}"
    if now.follow_up_on is not None and now.follow_up_on > now.today:
        return Action.WAIT, f"To be followed up on {_day(now.follow_up_on)}"
    return None


def _acts(now: Situation) -> tuple[Action, str]:
    if now.follow_up_on is not None:
        return Action.FOLLOW_UP, f"To be followed up since {_day(now.follow_up_on)}"
    is_over = now.pay_until is None or now.pay_until < now.today
    if 0 < now.top_level <= now.level and is_over:
        return (
            Action.HAND_OVER,
            f"Level {now.level} is the last, and its day to pay is over: hand it over, or agree otherwise",
        )
    rested = now.contact_on is None or now.contact_on + timedelta(days=REST_DAYS) <= now.today
    if now.letter_level and (now.points is None or now.points < CALL_SCORE or not rested):
        return Action.LETTER, f"Level {now.letter_level} is due: the next dunning run asks for it"
    if now.contact_on is not None and not rested:
        return Action.WAIT, f"Spoken to on {_day(now.contact_on)}: give them {REST_DAYS} days"
    if not is_over and now.pay_until is not None:
        return Action.WAIT, f"Asked at level {now.level}: they have until {_day(now.pay_until)}"
    since = "nobody has spoken to them" if now.contact_on is None else f"last spoken to on {_day(now.contact_on)}"
    before = f", before level {now.letter_level} goes out" if now.letter_level else ""
    late = (
        "Pays late as a rule"
        if now.points is not None and now.points >= CALL_SCORE
        else f"{now.oldest_days} day{'' if now.oldest_days == 1 else 's'} overdue"
    )
    return Action.CALL, f"{late}, {since}: call{before}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
