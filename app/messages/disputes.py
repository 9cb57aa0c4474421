"""Words for refusals of deductions and disputes."""

MESSAGES: dict[str, str] = {
    "dispute_unknown": "There is no such deduction or dispute, or it belongs to a site that you do not see. Check the number.",
    "dispute_reason_unknown": "There is no reason “{value}”. Choose one of the list, or leave it empty while nobody knows.",
    "dispute_reason_code": "A code has up to 32 letters, digits and underscores. Enter one such as short_shipment.",
    "dispute_due_days": "Enter between 1 and 365 days.",
    "dispute_due_past": "{day} has passed. Choose today or a day ahead.",
    "dispute_line_elsewhere": "This line is not on {document}. Choose one that it bills.",
    "dispute_nothing_said": "Say what becomes of {document}: credited, to be paid after all, or written off.",
    "dispute_over": "{document} is settled, so nobody needs to look after it. Comments may still be added.",
    "disputed_too_much": "Of {document} no more than {free} {currency} is open and not deducted or disputed yet. Enter at most that.",
    "settled_too_much": "Of {document} only {open} {currency} is open. Enter at most that; what is left can be settled later.",
}
