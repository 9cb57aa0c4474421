"""How is a rule of approval said? One sentence of conditions, people and time, the same on pages, in records and in mails."""

from __future__ import annotations

from app.security.permissions import Permission
from app.security.roles import title_of
from erpcore.kernel.money import from_minor, places
from governance.approvals.offices import BODY, MAY, ROLE
from governance.approvals.rules import Condition, Materiality, Need, Rule

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_BODIES = {
    "steering": "the steering committee", "pmo": "the programme office", "design_authority": "the design authority",
    "process_council": "the process council", "data_council": "the data council",
    "change_enablement": "the change enablement team", "deployment": "the deployment team",
}  # fmt: skip


def rule_sentence(rule: Rule) -> str:
    """“From 5,000.00 EUR on, two different people of Finance decide; after 16 working hours …”."""
    when = condition_words(rule.condition)
    if rule.is_automatic:
        return f"{when}, nobody is asked: it is approved automatically."
    need = Need(
        capacity=rule.capacity, people=rule.people, timeout_hours=rule.timeout_hours, escalate_to=rule.escalate_to
    )
    return f"{when}, {_need(need)}."


def need_sentence(need: Need) -> str:
    """What a request asks for beside its rules: “For this request also, …”."""
    return f"For this request also, {_need(need)}."


def _need(need: Need) -> str:
    said = f"{people_of(need.capacity, need.people)} decide{'s' if need.people in (1, None) else ''}"
    if need.timeout_hours is None:
        return said
    hours = f"{need.timeout_hours} working hour{'' if need.timeout_hours == 1 else 's'}"
    if need.escalate_to is None:
        return f"{said} within {hours}"
    return f"{said} within {hours}, afterwards {group_of(need.escalate_to)} may too"


def condition_words(condition: Condition) -> str:
    """For which facts a rule is, with a capital letter."""
    said = []
    if condition.amount_from_minor is not None and condition.currency:
        amount = from_minor(condition.amount_from_minor, condition.currency)
        said.append(f"from {amount:,.{places(condition.currency)}f} {condition.currency} on")
    if condition.margin_below_permille is not None:
        said.append(f"with a margin below {condition.margin_below_permille / 10:g} %")
    if condition.tier is not None:
        said.append(f"for customers of tier {condition.tier}")
    if condition.materiality is not None:
        more = "" if condition.materiality is Materiality.HIGH else " or higher"
        said.append(f"of {condition.materiality} materiality{more}")
    text = ", ".join(said) or "in every case"
    return text[0].upper() + text[1:]


def people_of(capacity: str, people: int | None) -> str:
    """“Two different people of Finance”, “a quorum of the steering committee”, “one person who may …”."""
    kind, _, name = capacity.partition(":")
    if people is None:
        return f"a quorum of {group_of(capacity)}"
    number = _NUMBERS[people] if people < len(_NUMBERS) else str(people)
    if kind == ROLE:
        return f"one person of {title_of(name)}" if people == 1 else f"{number} different people of {title_of(name)}"
    if kind == MAY:
        return f"one person who may {_may(name)}" if people == 1 else f"{number} different people who may {_may(name)}"
    if kind == BODY:
        return f"one member of {group_of(capacity)}" if people == 1 else f"{number} members of {group_of(capacity)}"
    return "the person named"


def group_of(capacity: str) -> str:
    """The people of a capacity together, as they stand in a sentence."""
    kind, _, name = capacity.partition(":")
    if kind == ROLE:
        return title_of(name)
    if kind == MAY:
        return f"whoever may {_may(name)}"
    return _BODIES.get(name, name.replace("_", " ")) if kind == BODY else "the person named"


def _may(name: str) -> str:
    return next((each.sentence for each in Permission if each == name), name)
