"""Words for refusals of governance: programme, committees, votes, decisions."""

MESSAGES: dict[str, str] = {}
