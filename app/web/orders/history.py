"""What did a step in an order's history do, in words? From the facts that the step keeps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from app.queries.order_facts import Step
from app.web.figures import on, quantity


def told(step: Step, numbers: Mapping[int, int]) -> list[str]:
    """Sentences on what the step did; none where its name says all. ``numbers`` are line numbers by line id."""
    if step.move == "amend":
        whose = "the customer's change" if step.facts.get("by_customer") else "our change"
        said = [_change(one) for one in step.facts.get("changes", ())]
        return [f"{whose} {step.facts.get('amendment', '')}".strip(), *said]
    if step.move in ("cancel", "cancel_lines", "short_pick", "pick_extra"):
        return [
            f"line {numbers[int(key)]}: {quantity(Decimal(much).scaleb(-3))} {_GONE[step.move]}"
            for key, much in step.facts.get("lines", {}).items()
            if int(key) in numbers
        ] + _whose(step)
    if step.move == "release_hold" and step.facts.get("cured"):
        return ["its cause was gone"]
    return []


_GONE = {
    "cancel": "cancelled",
    "cancel_lines": "cancelled",
    "short_pick": "not there",
    "pick_extra": "more than ordered",
}


def _whose(step: Step) -> list[str]:
    if "by_customer" not in step.facts:
        return []
    return ["the customer asked for it" if step.facts["by_customer"] else "our own doing"]


def _change(one: Mapping[str, Any]) -> str:
    before, after = one.get("before", {}), one.get("after", {})
    line = f"line {one['line']}" if one.get("line") else "a new line"
    if one["kind"] == "add":
        return f"{line}: {_much(after)} added"
    if one["kind"] == "drop":
        return f"{line}: dropped, {_much(before)} before"
    if one["kind"] == "quantity":
        return f"{line}: {_much(before)} → {_much(after)}"
    if one["kind"] == "split":
        return f"{line}: {_much(after)} of {_much(before)} split off"
    if one["kind"] == "address":
        return f"{line}: goes to another address"
    return f"{line}: {_day(before)} → {_day(after)}"


def _much(said: Mapping[str, Any]) -> str:
    return quantity(Decimal(said["quantity"])) if said.get("quantity") else "–"


def _day(said: Mapping[str, Any]) -> str:
    return on(date.fromisoformat(said["day"])) if said.get("day") else "–"
