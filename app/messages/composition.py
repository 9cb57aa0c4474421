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
    if facts.get("realm") == "rehearsal" and facts.get("wave") is not None:
        return "Wave {wave} does not rehearse now, so {process} is closed in its rehearsal. Its deployment lead begins the rehearsal.".replace(
            "{process}", process
        )
    if facts.get("wave") is None:
        return f"This site and channel is in no wave, so {process} is closed there. Plan it into a wave, or record it as already live."
    return f"This site and channel is closed for {process}: wave {{wave}} {_WAITS.get(str(facts.get('waits_for')), 'is not live.')}"


def _profile_unused(facts: Mapping[str, Any]) -> str:
    if not facts.get("known"):
        return (
            "No file was imported yet, so there are no totals. Import one: wavegate import orders FILE --profile NAME."
        )
    return "No file of profile {profile} was imported. Name one that was: {known}."


MESSAGES: dict[str, str | Callable[[Mapping[str, Any]], str]] = {
    "cell_closed": _cell_closed,
    "paper_held": "{document} would be held, so what left for it cannot be entered yet. Enter the order without it, have the hold ended, then enter the goods.",
    "paper_left_when": "Say when the goods left, or leave out what left and when it arrived.",
    "paper_in_future": "This lies ahead. Enter the time that stands on the paper.",
    "paper_out_of_order": "This lies before what came first: an order is taken, goods leave, then they arrive. Correct the time.",
    "paper_without_fallback": "The site and channel did not work on paper then. Enter a time of the fallback, or enter it in the core as of now.",
    "paper_nothing_left": "Nothing of {document} left. Enter what did, or leave the time out.",
    "paper_more_than_stock": "Line {line} of {document}: more left than the books have free. Count the item first, or take it back from other orders.",
    "paper_more_than_open": "Line {line} of {document}: more left than is open of it. Enter what was ordered, then what left.",
    "paper_number": "Enter the number that stands on the paper; it keeps the paper from being entered twice.",
    "import_other_entity": "Profile {profile} names {entity}, which keeps its books in {currency} or is not live. Choose another code.",
    "import_other_business": (
        "Files of profile {profile} were imported for company {entity}, site {site}, in {currency}, and it names others now. Give "
        "the changed profile a name of its own."
    ),
    "import_profile_unused": _profile_unused,
    "import_profile_unnamed": "Files of several profiles were imported: {known}. Name one of them with --profile.",
    "grants_unreadable": "Which cells are open cannot be read, so nothing is let through. Tell the operations team.",
    "realm_unknown": "Nothing is transacted in the realm {realm}. Switch to live or rehearsal.",
    "gate_missing": "This wave has no {phase} gate, so there is nothing to decide on. Define it first.",
    "pdf_not_available": (
        "This system lacks the libraries that set a PDF (Debian: libpangoft2-1.0-0 and libharfbuzz-subset0). Install them, or "
        "print the pack's page from the browser."
    ),
    "gate_not_evaluated": "This gate has not been evaluated since its criteria were frozen. Evaluate it, then open the vote.",
    "evidence_too_old": "This gate was last evaluated at {evaluated_at}, or under other criteria. Evaluate it again, then go on.",
    "cell_outside_programme": "{count} of these cells are not in the programme. Choose among its cells, or bring them in first.",
    "body_of_another_programme": "This body does not decide on wave {wave}: it belongs to another programme. Choose one of the wave’s own.",
    "site_not_live": "One of these is not a live site. Choose live ones; their rehearsal twins follow by themselves.",
    "channel_unknown": "There is no channel {channel}. Choose one from the list.",
    "body_unknown": "This programme has no decision body {body}. Choose one of its bodies.",
    "person_unknown": "There is no open account {person}. Choose somebody from the list.",
    "customer_group_unknown": "There is no customer group {group}. Choose one from the list.",
    "wave_not_live": "Wave {wave} is {state}, so there is nothing to roll back.",
    "decision_not_a_go": "This decision is {state} and no go, so there is nothing to revoke.",
    "decision_outdated": "This decision stands on evidence that has changed: {reasons}. Renew its evidence first, then vote.",
    "profile_unknown": "There is no import profile {profile}. There are {known}; a file of your own is named by its path.",
    "profile_invalid": "The import profile {profile} cannot be used: {why}.",
    "import_file_missing": "There is no file {file}. Check the path.",
    "import_file_empty": "{file} is empty. Check whether the export ended well.",
    "import_header_unreadable": (
        "The first row of {file} cannot be read: {why}. Save it in the encoding that the profile names, or name the file's own there."
    ),
    "import_file_too_large": "{file} unpacks to more than {limit} bytes. Split it.",
    "import_file_damaged": "{file} cannot be read to its end: {why}. Export it again; what was imported before stays, and is not taken twice.",
    "import_sheet_missing": "{file} has no sheet {sheet}. It has {sheets}; name one of them in the profile.",
    "import_columns_doubled": "{file} has these columns more than once: {columns}. Leave one of each.",
    "import_columns_missing": "{file} lacks these columns of the profile {profile}: {columns}. Export them too, or mend the profile.",
    "import_columns_unknown": "{file} has columns that the profile {profile} does not know: {columns}. Name them there, also to leave them out.",
    "upload_kind": "{file} is of no kind that is read here. Hand in a file that ends in {known}.",
    "upload_too_large": "{file} has more than {limit} MB. Pack it (.csv.gz), split it, or import it by the command line.",
    "upload_queue_full": "{count} of your files wait already. Hand in the next when one of them is done.",
    "upload_gone": "{file} is no longer kept. Hand it in again.",
    "upload_broke": "{file} broke the worker {count} times. The operations team finds the reason in its log; then hand it in again.",
    "import_first_file": "The first file of profile {profile} makes its site, so it is for those who see all sites. Ask the administrator.",
    "wave_not_at_this_question": "Wave {wave} is {state}, so this question has no answer that could take effect. Choose another kind of decision.",
    "case_owner_elsewhere": "Nobody would look after it: this person or role does not work at the site. Choose another owner.",
    "case_note_missing": "A note needs words. Say what you found or did.",
    "case_reason_missing": "Say why it may be left alone.",
    "case_snooze_until": "It can be left alone until a later day, {days} days ahead at most.",
    "case_rule_changed": "Somebody changed this owner since you opened the page. Look at it again.",
    "case_rule_everywhere": "An owner for all sites is set by somebody who sees all sites. Choose a site.",
    "case_not_an_order": "{number} is no order, so this cannot be done with it. Open its page.",
    "not_in_trouble": "This document is not in trouble any more, or belongs to another site.",
    "case_rule_role": "Nobody in the role {role} works on documents in trouble. Choose another owner.",
    "letter_event_unknown": "Customers are not written to about “{event}”. There are texts about: {known}.",
    "situation_unknown": "There are no words for “{situation}”. There are for: {known}.",
    "letter_language": "There are no texts in “{language}”. Choose a language from the list.",
    "letter_text_missing": "The text is empty. Write what the customer should read.",
    "letter_field_unknown": "Nothing can be put in the place of “{name}”. Known are: {known}.",
    "letter_text_changed": "Somebody saved version {version} since you opened the text. Look at it first.",
    "letter_address": "This is no e-mail address. Write it as name@company.example.",
    "letter_contact_changed": "Somebody changed how this customer is written to since you opened the page. Look at it again.",
    "letter_unknown": "There is no such letter, or it belongs to another site.",
    "letter_not_parked": "This letter is not parked. It is sent already, or still tried.",
}
