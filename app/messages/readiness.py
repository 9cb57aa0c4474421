"""Words for refusals of readiness: measures, waves, gates, waivers, grants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

#: What is wrong with a plan, each as part of a sentence about this other wave or day.
_PLAN: Final = {
    "no_cells": "it has no cell",
    "no_processes": "it has no process",
    "no_groups": "it has no customer group",
    "scope_of_another_wave": "wave {about} takes some of these cells live with the same process already",
    "depends_on_itself": "it waits for itself",
    "dependency_unknown": "it waits for a wave that this programme does not have",
    "goes_live_before_dependency": "it goes live before wave {about}, for which it waits",
    "dependencies_in_a_circle": "the waves would wait for each other in a circle",
    "reference_not_of_earlier_wave": "it refers to cell {about}, which no earlier wave takes live",
}


#: What is wrong with a criterion, as the end of a sentence that names it.
_CRITERION: Final = {
    "weight_negative": "its weight is below zero. Give it 0 to show it without counting it, or more",
    "minimum_below_one": "a minimum is below one. Ask for one at least",
    "entry_reads_own_live": "it reads the wave’s own live cells, which there are none of before going live. Choose other evidence",
    "no_cells_named": "it names no cell to refer to. Tick the cells of an earlier wave that it reads",
    "cell_named_twice": "it names a cell twice. Name each once",
    "reference_is_own_cell": "it refers to a cell of this wave itself. Tick cells of an earlier wave",
    "reference_not_of_earlier_wave": "it refers to a cell that no earlier wave takes live. Tick cells of an earlier wave",
    "cell_of_another_wave": "it reads a cell that this wave does not have. Leave it out",
    "attestation_has_no_measure": "an attestation has neither measure nor marks. Leave them out",
    "measure_unknown": "the catalogue has its measure in no such version. Choose the measure again",
    "measure_not_in_hypercare": "its measure moves too slowly for hypercare: it looks months back. Hold the entry gate against it, or choose the overdue share",
    "measure_only_informs": "its measure only informs: neither way is better. Choose another measure",
    "statistic_not_named": "its measure has several statistics. Name one of them",
    "statistic_unknown": "its measure has no such statistic. Leave it out",
    "actors_not_counted": "its measure does not count people. Ask for one at least, which always holds",
    "no_pass_mark": "it has no pass mark. Say from which figure it passes",
    "mark_not_a_number": "a mark is not a number. Enter one",
    "mark_out_of_reach": "a share never reaches more than 100 %. Choose a mark up to 100 %",
    "mark_below_zero": "its figure never lies below zero. Choose a mark from zero",
    "warn_mark_stricter_than_pass_mark": "its warn mark is stricter than its pass mark. Choose one that is met more easily",
    "baseline_missing": "its marks are relative to a baseline that is not there. Give the baseline, or marks of their own",
    "baseline_not_comparable": "its baseline was not measured by the same formula. Give marks of their own",
}


def criterion_problem(code: str) -> str:
    """What forbids freezing a criterion and the way out, as a sentence about it."""
    text = _CRITERION.get(code, code.replace("_", " "))
    return f"{text[:1].upper()}{text[1:]}."


def _criterion_refused(facts: Mapping[str, Any]) -> str:
    why = _CRITERION.get(str(facts.get("problem")), "it could prove nothing. Look at it again")
    return f"“{{criterion}}” cannot stand like this: {why}."


def _criteria_refused(facts: Mapping[str, Any]) -> str:
    found = [(name, code) for name, code in facts.get("problems", ())]
    parts = [f"{name}: {_CRITERION.get(code, code.replace('_', ' ')).partition('. ')[0]}" for name, code in found]
    said = "; ".join(parts).replace("{", "").replace("}", "") or "one of them could prove nothing"
    return f"These criteria cannot be frozen as they are. {said[:1].upper()}{said[1:]}. Mend each of them first."


def _plan_refused(facts: Mapping[str, Any]) -> str:
    found = [(code, about) for code, about in facts.get("problems", ())]
    parts = [_PLAN.get(code, code.replace("_", " ")).replace("{about}", str(about)) for code, about in found]
    said = "; ".join(dict.fromkeys(parts)) or "other waves stand in its way"
    return f"This plan cannot be kept: {said}. Choose other cells, days or dependencies.".replace("{", "").replace(
        "}", ""
    )


def _validity(facts: Mapping[str, Any]) -> str:
    since, until, ends = (facts.get(name) for name in ("since", "until", "ends"))
    if ends is not None and until > ends:
        return "It ends on {ends} already, before {until}. Choose an earlier end."
    if since is not None and until <= since:
        return "It begins on {since}, so with its end on {until} it would hold for no time. Choose a later end."
    return "{until} is not in the future, so it would hold for no time. Choose a later end."


MESSAGES: dict[str, str | Callable[[Mapping[str, Any]], str]] = {
    "baseline_source_missing": "A figure from elsewhere names its source. Enter the report, extract or study, with its date.",
    "baseline_why_not_missing": "A baseline by another formula says what differs. Enter it, or tick that the formula is the same.",
    "baseline_method_missing": "Say how it was measured: what was counted, and what was left out.",
    "baseline_completeness": "It is complete to a share from 0 to 100 %. Enter that.",
    "baseline_absurd": "{figure} cannot read that. Check the value and its unit.",
    "baseline_nothing_measured": "{figure} has nothing to measure there in that time. Choose another period, or enter a figure with its source.",
    "baseline_too_young": "{figure} is not mature at the end of that time. Choose an earlier end.",
    "baseline_too_old": "A baseline's period begins on {first} at the earliest. Choose a later start.",
    "baseline_not_over": "The period runs until {until}, which is not over. Choose an earlier end.",
    "baseline_realm": "No baseline is taken in the realm {realm}. Choose legacy, live or rehearsal.",
    "baseline_no_twin": "Nothing in the realm {realm} stands for this site. Choose another realm, or all sites.",
    "baseline_of_all": "Your role is for some sites. Choose one of them, or ask somebody who answers for all.",
    "measure_unknown": "There is no measure {measure}. Choose one from the catalogue.",
    "deviation_unknown": "There is no deviation called {deviation}. Choose one that the standard of a process knows.",
    "limit_point_unknown": "{point} has no limit to set. Choose one of {known}.",
    "limit_reason_missing": "Say why {point} has another limit here.",
    "limit_absurd": "{minutes} minutes are no limit for {point}. Choose from {least} to {most} working minutes.",
    "wave_not_found": "There is no wave {wave}. Choose one from the list.",
    "wave_without_scope": "Wave {wave} has no cell. Add the sites and channels that go live with it.",
    "wave_step_needs_decision": "“{move}” follows from a decision and is not done by hand. Open the decision of this wave.",
    "wave_plan_refused": _plan_refused,
    "wave_no_longer_plannable": "Wave {wave} is {state}, so what it takes live stands. End the rehearsal first, or plan another wave.",
    "wave_scope_frozen": "The {phase} gate of wave {wave} is frozen on the cells as they are. Withdraw the gate first, then change the scope.",
    "go_live_in_the_past": "{day} is past. Choose today or a later day.",
    "blackout_not_found": "There is no blackout {window}. Reload the calendar.",
    "wave_no_longer_datable": "Wave {wave} is {state}, so its dates stand. A new decision moves them.",
    "go_live_in_blackout": "{day} lies in a blackout: {windows}. Choose another day, or confirm it with a reason.",
    "grant_without_cell": "A grant names at least one cell. Choose a site and a channel.",
    "no_grant_to_move": "No cell of this site and channel is open, so there is nothing to {move}.",
    "already_live_in_future": "{opens_at} is still to come; what ran before the programme began before now.",
    "gate_not_found": "There is no gate {gate}. Choose one from the page of its wave.",
    "gate_exists": "Wave {wave} has its {phase} gate already. Change that one.",
    "gate_not_frozen": "This gate is {state}. Criteria are frozen before it is judged, waived or voted on: freeze it first.",
    "gate_closed": "This gate is closed, so nothing of it changes any more.",
    "gate_without_criteria": "This gate has no criterion with weight, so it could never pass. Add one before freezing it.",
    "gate_criteria_refused": _criteria_refused,
    "criterion_refused": _criterion_refused,
    "criterion_there": "This gate has a criterion {criterion} already. Change that one, or give another code.",
    "gate_not_draft": "This gate is {state}, so this is not changed freely any more. Move its day with a reason, or withdraw it.",
    "gate_under_vote": "A decision stands on this gate. Withdraw or revoke that first, then the gate.",
    "decides_in_the_past": "{day} is past. Choose today or a later day to decide on.",
    "gate_marks_invalid": "The marks are {pass_mark} for ready and {warn_mark} for conditional. Both lie above 0 and up to 1, ready not below conditional.",
    "gate_days_invalid": "From {opened_on} to {decides_on} there is no series of evaluation days. Choose a later day to decide.",
    "template_unknown": "There is no gate template {template} for the phase {phase}. Choose one from the list.",
    "criterion_not_found": "There is no criterion {criterion} on this gate. Reload the page.",
    "criterion_is_measured": "Criterion {criterion} is read from transactions and cannot be attested. Its evidence comes by itself.",
    "criteria_changed": "The criteria of this gate changed while it was evaluated. Evaluate it again.",
    "evaluated_meanwhile": "This gate was evaluated at {at}, after this evaluation began. Reload the page to see the newer one.",
    "snapshot_not_found": "There is no evaluation {snapshot}. Choose one from the page of its gate.",
    "not_of_the_body": "You hold no seat on a body that decides on this gate: {bodies}. Ask somebody who does.",
    "waiver_body_missing": "The gate needs a body that may waive. Choose one.",
    "waiver_not_found": "There is no waiver {waiver}. Reload the page of its gate.",
    "waiver_incomplete": "A waiver of {criterion} says why and what is done instead. Fill in what is missing.",
    "statutory_never_waived": "Criterion {criterion} is the law and is never waived. Meet it, or move the wave.",
    "body_may_not_waive": "This waiver is granted by {needed} or the steering committee, not by {body}.",
    "not_your_request": "This waiver was asked for by somebody else. Only they take it back.",
    "not_your_attestation": "Criterion {criterion} is attested by its owner. Ask them.",
    "statement_missing": "Write what you attest for {criterion}, in a sentence that you will stand by.",
    "requester_may_not_grant": "Nobody grants a waiver that they asked for. Ask another member of the body.",
    "key_waived_by_steering_only": "Criterion {criterion} is a key criterion; the steering committee alone waives it.",
    "validity_empty": _validity,
    "share_invalid": "{part} of {whole} is no share. Choose a part above 0 and not above the whole.",
    "criterion_invalid": "Criterion {criterion} cannot be kept: {wrong}. A measure has a pass mark, an attestation neither; minimums are at least 1.",
    "mark_too_precise": "{value} of criterion {criterion} has more than {places} decimal places. Round it.",
    "criterion_twice": "These criteria stand there twice: {criteria}. Each has a code of its own.",
}
