"""Words and pages of scarce stock."""

from __future__ import annotations

from typing import Any

from flask import url_for

from app.queries.allocation import RunRow

#: Why a line gets what it gets.
WHY = {
    "served": "gets all it wants", "part": "the last of what was free", "earlier_ranks": "others rank before it",
    "held_for_contract": "the rest is kept for contracts", "share": "its share of the shortage",
    "order_not_whole": "its order leaves whole, and is not covered", "no_stock": "nothing is free",
}  # fmt: skip
#: Rules as their columns are headed.
RULES = {
    "first_come": "First come", "priority": "Priority", "contract_protection": "Contracts", "fair_share": "Fair share",
}  # fmt: skip
#: What made a run.
TRIGGERS = {"person": "by hand", "stock": "stock came or became free"}


def tabs(current: str) -> list[dict[str, Any]]:
    """The pages of scarce stock."""
    pages = (
        ("Short items", "allocation.show_short"), ("Backorders", "backorders.show_all"),
        ("Runs", "allocation.show_runs"), ("Protections", "allocation.show_protections"),
    )  # fmt: skip
    return [{"label": label, "href": url_for(name), "current": name == current} for label, name in pages]


def closed_to_commit(run: RunRow, actor: Any, may_commit: str) -> str:
    """Why this person does not commit the run; empty when they may."""
    if run.moved_by is not None and run.moved_by == actor.id:
        return "you changed its ranking, so somebody else commits it"
    return may_commit
