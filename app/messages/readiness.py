"""Words for refusals of readiness: measures, waves, gates, waivers."""

MESSAGES: dict[str, str] = {}
