"""Words for refusals of the wiring: cells, grants, go-live, evidence, imports, jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_WAITS = {
    "preparation": "is still being prepared. Until it is rehearsed and voted on, orders go where they went before.",
    "rehearsal": "has not been rehearsed yet. Until the vote, orders go where they went before.",
    "decision": "waits for the go of its committee. Until then orders go where they went before.",
    "go_live": "has its go, and goes live on {go_live_on}. Until then orders go where they went before.",
    "grant": "is live without this part. Ask the programme office whether it belongs to the go.",
}


def _cell_closed(facts: Mapping[str, Any]) -> str:
    process = str(facts.get("process", "this process")).replace("_", " ")
    if facts.get("state") == "draining":
        return f"This site and channel only finishes what is under way for {process}; nothing new begins. The programme office knows why."
    if facts.get("state") == "in_fallback":
        return f"This site works on paper at present, so {process} takes back-entries only. Its site lead ends the fallback."
    if facts.get("wave") is None:
        return f"This site and channel is in no wave, so {process} is closed there. Plan it into a wave, or record it as already live."
    return f"This site and channel is closed for {process}: wave {{wave}} {_WAITS.get(str(facts.get('waits_for')), 'is not live.')}"


MESSAGES: dict[str, str | Callable[[Mapping[str, Any]], str]] = {
    "cell_closed": _cell_closed,
    "grants_unreadable": "Which cells are open cannot be read, so nothing is let through. Tell the operations team.",
}
