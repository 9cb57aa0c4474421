"""Words for refusals of the wiring: cells, grants, go-live, evidence, imports, jobs."""

MESSAGES: dict[str, str] = {}
