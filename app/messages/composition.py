"""Words for refusals of the wiring: cells, grants, go-live, evidence, imports, jobs."""

MESSAGES: dict[str, str] = {
    "cell_closed": "This site and channel is {state} for {process}: wave {wave} waits for {waits_for}. It opens with a valid go.",
    "grants_unreadable": "Which cells are open cannot be read, so nothing is let through. Tell the operations team.",
}
