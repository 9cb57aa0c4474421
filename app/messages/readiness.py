"""Words for refusals of readiness: measures, waves, gates, waivers, grants."""

MESSAGES: dict[str, str] = {
    "measure_unknown": "There is no measure {measure}. Choose one from the catalogue.",
    "wave_not_found": "There is no wave {wave}. Choose one from the list.",
    "wave_without_scope": "Wave {wave} has no cell. Add the sites and channels that go live with it.",
    "wave_step_needs_decision": "“{move}” follows from a decision and is not done by hand. Open the decision of this wave.",
    "wave_plan_refused": "This plan breaks fixed rules: {problems}. Choose other dates.",
    "wave_no_longer_datable": "Wave {wave} is {state}, so its dates stand. A new decision moves them.",
    "go_live_in_blackout": "{day} lies in a blackout: {windows}. Choose another day, or confirm it with a reason.",
    "grant_without_cell": "A grant names at least one cell. Choose a site and a channel.",
    "no_grant_to_move": "No cell of this site and channel is open, so there is nothing to {move}.",
    "already_live_in_future": "{opens_at} is still to come; what ran before the programme began before now.",
}
