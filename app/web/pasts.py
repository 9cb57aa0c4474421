"""What happened, said as a person reads it in a history: a move is written as an order, and read when it is over."""

from __future__ import annotations

#: Move → what it did to the document.
PASTS = {
    "accept": "accepted", "act": "something to be done was written or settled", "add": "added", "add_task": "task added", "assign_task": "task handed over", "do_task": "task done", "undo_task": "task taken back", "soft_lock": "locked softly", "lock": "locked", "adjust": "adjusted", "agree": "agreed", "amend": "changed", "mend": "put right", "apply": "applied",
    "approve": "approved", "ask": "approval asked for", "ask_recount": "sent for a recount", "assign": "handed to somebody",
    "authorise": "authorised", "begin": "begun", "block": "blocked", "book": "carrier booked", "cancel": "cancelled",
    "cancel_lines": "lines cancelled", "capture": "captured", "change": "changed", "claim": "taken", "close": "closed",
    "close_drained": "closed, nothing open any more", "close_unused": "closed unused", "commit": "committed",
    "complete": "completed", "confirm": "confirmed", "count_again": "sent for a recount", "create": "created",
    "consent": "agreed to",
    "credit": "credited", "decide": "decided", "declare_fallback": "on paper", "decline": "declined", "deliver": "delivered",
    "draft": "drafted", "drain": "no longer taking new ones", "end": "ended", "end_fallback": "in the core again",
    "end_rehearsal": "rehearsal ended", "enter": "entered", "escalate": "escalated", "exchange": "replacement ordered", "expire": "expired", "finish": "finished", "freeze": "frozen",
    "give_back": "given back", "give_up": "rest given up", "go_live": "gone live", "grant": "granted", "hold": "held",
    "hand_over": "handed over", "comment": "commented", "contest": "contested", "ask_write_off": "write-off asked for",
    "agree_write_off": "write-off agreed to", "refuse_write_off": "write-off refused", "overtake": "overtaken by money or a credit",
    "inspect": "inspected", "interrupt": "interrupted", "issue": "issued", "lapse": "lapsed", "meet": "met", "meet_late": "met late", "miss": "missed", "open": "opened",
    "keep": "kept after review", "match": "matched to our documents", "pay": "money of it at the bank", "lot_expired": "stock taken back, its lot is past its last day",
    "order": "ordered", "outdate": "outdated", "override": "allocated by hand", "pack": "packed", "pause": "paused",
    "put_back": "put back on the shelf", "give_up_extra": "what was beyond the order given back", "pay_part": "paid in part", "correct": "to be settled again", "pick": "picked", "pick_extra": "more picked than ordered", "plan": "planned", "post": "posted",
    "prepare": "preparation begun", "raise": "raised", "stand_down": "back within its threshold", "trigger": "triggered", "turn": "turned into another entry", "propose": "put to approval", "receive": "received", "record_live": "recorded as live",
    "refuse": "refused", "remind": "reminded of", "refuse_hold": "not let go", "rehearse": "rehearsal begun", "reject": "rejected", "release": "released",
    "release_hold": "hold released", "reopen": "opened again", "reprioritise": "priority changed", "repromise": "promised anew",
    "replace": "replaced", "request": "requested", "resolve": "settled", "resume": "resumed", "revise": "revised", "revoke": "revoked",
    "put_under_rules": "put under the rules of now",
    "retire": "retired",
    "return": "sent back to its author", "reverse": "reversed", "rework": "taken up again",
    "review": "looked at again",
    "roll_back": "rolled back", "send": "sent", "settle": "settled", "settle_freight": "freight settled", "ship": "shipped",
    "short_pick": "picked short", "shortage": "shortage decided", "skip": "left out", "split": "split", "stage": "staged", "start": "begun", "run": "run",
    "start_again": "begun again", "start_hypercare": "hypercare begun", "substitute": "item substituted",
    "submit": "asked for", "drop": "dropped", "fail": "failed",
    "recheck": "checked again", "supersede": "replaced by a newer one", "take_back": "stock taken back", "unblock": "block lifted", "void": "voided",
    "withdraw": "withdrawn", "write": "written", "withdraw_approval": "approval withdrawn",
}  # fmt: skip


def past(move: str) -> str:
    """The move as something that happened; an unknown one as it is written."""
    return PASTS.get(move) or move.replace("_", " ")
