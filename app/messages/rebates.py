"""Words for refusals of rebate agreements."""

MESSAGES: dict[str, str] = {
    "rebate_unknown": "There is no rebate agreement {id} here, or it belongs to a site that you do not see. Check the number.",
    "rebate_nameless": "Say what the agreement is called.",
    "rebate_for_nobody": "An agreement is for one customer, or for one group of customers. Choose one of them.",
    "rebate_on_two": "An agreement is on one item, on one group of items, or on all goods. Leave one of the two empty.",
    "rebate_days": "The last day comes after the first, at most three years later. Choose other days.",
    "rebate_tiers_few": "An agreement has between 1 and {most} tiers. Enter where the first begins and what it gives.",
    "rebate_tiers_rise": "Tier {row} begins no later than the one before it. Enter the tiers in rising order.",
    "rebate_tier_gives": "Say what tier {row} gives: a percentage, or an amount per unit; not both.",
    "rebate_percent": "Tier {row} gives between 0 and 100 percent. Enter such a number.",
    "rebate_elsewhere": "An agreement stays with its company. Choose a site of that company, or write another agreement.",
    "rebate_own": "You wrote or changed this agreement, so somebody else has to agree to it.",
    "rebate_overlaps": "Something that falls under {document} falls under {other} ({name}) as well. End that one, choose other days or goods, or state in the draft that {document} adds to others.",
    "rebate_not_begun": "{document} begins on {day}. It can be ended from then on.",
    "rebate_early": "The last day of {document} is {day}. Say why it ends today.",
    "rebate_part_too_much": "Of {document} {open} {currency} is accrued and not settled. While it runs, pay at most that.",
    "rebate_difference": "What is paid differs from what {document} accrued. Say why.",
    "rebate_nothing_bought": "Nothing counts for {document}, so no credit memo can stand on anything. Settle it with nothing.",
}
