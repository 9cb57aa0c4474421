"""Words for refusals around supply: suppliers, purchase orders, and what comes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

#: Why a way for a short line is not open, in words.
WAY_CLOSED = {
    "not_released": "the order is not released", "leaves_whole": "this order leaves whole or not at all",
    "begun_here": "part of the line is allocated or gone from its site",
    "may_not_buy": "who buys for this site orders from suppliers",
    "may_not_allocate": "who answers to the customer gives stock to orders",
    "may_not_substitute": "who answers to the customer offers something else",
}  # fmt: skip


def _way_closed(facts: Mapping[str, Any]) -> str:
    why = WAY_CLOSED.get(str(facts.get("why")), "{why}")
    return f"This way is not open for line {{line}} of {{document}}: {why}. Choose another way, or wait."


MESSAGES: dict[str, str | Callable[[Mapping[str, Any]], str]] = {
    "supplier_unknown": "There is no supplier {id}. Choose one from the list.",
    "item_code_unknown": "No item has the code {code}. Check it, or find the item under Stock.",
    "supplier_incomplete": "A supplier has a code, a name and a country. Enter what is missing.",
    "supplier_blocked": "Supplier {supplier} is blocked. Choose another, or ask the owner of supplier data to lift the block.",
    "supplier_not_direct": "Supplier {supplier} does not send goods to our customers. Choose another, or change the supplier.",
    "works_no_drop_ship": "Site {site} has stock of ours, so it stands for no supplier's works. Choose a drop-ship site, or none.",
    "works_taken": "Site {site} stands for the works of {supplier} already. Choose another site, or none.",
    "lead_days_absurd": "Goods take from 0 to {most} days. Enter a number in between.",
    "offer_rank_absurd": "The rank goes from 1 (asked first) to 99. Choose one of these.",
    "transfer_order_unknown": "There is no transfer order {id} here, or it is between sites that are not yours. Check the number.",
    "transfer_of_works": "Site {site} is a supplier's works and has nothing of ours. Choose a site with stock.",
    "transfer_lines": "A transfer order has from 1 to {most} lines. Add an item, or split it.",
    "transfer_own_request": "You asked for {document}, so somebody else decides. Ask a colleague of the site that sends.",
    "transfer_above_open": "{document} asks for less of {item} than this. Reduce the quantity.",
    "substitute_itself": "{item} cannot stand for itself. Choose another item.",
    "substitute_unit": "{item} is counted otherwise than in {unit}, so it cannot stand in piece for piece. Choose another.",
    "substitute_unknown": "This is not kept as a substitute of {item}. Choose one from the list, or have it kept.",
    "substitute_group": "{item} is of another group than {other}, and the rule asks for the same. Choose another.",
    "substitute_quantity": "Line {line} of {document} has less open that is not allocated. Reduce the quantity.",
    "substitution_never": "The customer of {document} gets what was ordered: the rule lets nothing be sent instead.",
    "way_gone": "This way is not open for line {line} of {document} any more: somebody was faster, or the line is short no longer. Look at the page again.",
    "way_closed": _way_closed,
    "lane_from_works": "Nothing of ours is at {site}, so no lane begins there. Choose a site with stock.",
    "lane_country": "A lane leads to a country. Enter it as orders write it, or * for every country.",
    "lane_days": "Goods are on the way from 0 to {most} days. Enter a number in between.",
    "lane_cost": "The cost of a lane is not below zero, and less than there ever is. Check the digits.",
    "lane_unknown": "There is no lane {lane} here, or it begins at a site that is not yours.",
    "commitment_unknown": "There is no service commitment {commitment} here, or it belongs to a site that is not yours.",
    "commitment_days": "Days go from 0 to {most}. Enter a number in between.",
    "commitment_weekdays": "Choose at least one weekday, or none of them for every working day.",
    "commitment_fill": "The fill target is more than 0 % and at most 100 %. Enter it in percent.",
    "commitment_overlaps": "These customers have a commitment of {lead_days} days from {since} until {until} already. End that one first, or begin after it.",
    "tax_rate_outside": "{rate} is no rate of kind {category}. Give a part of one, such as 0.19; kinds other than S have none.",
    "tax_sentence_missing": "Say why no tax is charged: kind {category} must stand on the invoice with its reason.",
    "tax_rule_unknown": "There is no tax rule {rule}. Look at the list of rules.",
    "certificate_missing": "Name the certificate that exempts the customer.",
    "einvoice_not_posted": "{document} is not posted yet, so there is no document of it. Post it first.",
    "einvoice_lacks": "{document} cannot be given to other programs yet: {lacks}.",
    "einvoice_unsound": "The sums of {document} do not agree, so it is not given out: {why}. Tell whoever keeps the books.",
    "invoice_untaxed": "The tax of the invoice of order {document} is unknown, so it is not posted. Add the rule or the number that is missing and check it again, or name the tax rule that it is released under.",
    "invoice_doubtful": "The invoice of order {document} is still doubtful: {why}. The way out: {way}.",
    "invoice_own_price": "You set the price that is doubtful on the invoice of order {document}, so somebody else releases it. Ask a colleague who may.",
    "tax_undetermined": "The tax of the invoice of order {document} is still unknown: {why}. Add the rule or the number that is missing, then check again.",
    "commitment_ended": "This commitment ends on {until} already. Choose an earlier day.",
    "purchase_unknown": "There is no purchase order {id} here, or it belongs to a site that is not yours. Check the number.",
    "purchase_for_works": "Site {site} is a supplier's works: nothing of ours comes there. Choose the site that needs the goods.",
    "purchase_lines": "A purchase order has from 1 to {most} lines. Add an item, or split it.",
    "purchase_price_missing": "{supplier} has no price for {item}. Enter the price that was agreed.",
    "purchase_price_positive": "The price of {item} is not above zero. Enter what the supplier asks.",
    "wanted_day_absurd": "{day} is past or too far away. Enter the day on which the goods are needed.",
    "nothing_confirmed": "No line has a day. Enter what the supplier confirms of at least one.",
    "confirmed_nothing": "Nothing of {number} would come. Cancel it instead, with the reason.",
    "confirmed_amount": "{number} orders {item} in another quantity: a supplier confirms at most what was ordered, and not less than has come.",
    "confirmed_day": "{day} is before {number} was ordered, or too far away. Check the day and the year.",
    "purchase_not_direct": "{number} comes to our own site. Receive it there.",
    "sent_too_much": "{number} has less of {item} open than this. Check what the supplier sent.",
    "sent_unwanted": "{document} wants less of {item} than this: the customer cancelled, or it was sent before. Ask the supplier to stop the rest.",
    "direct_rest_none": "Nothing of {number} is left to order: the customer of {document} wants no more than is on order, or this supplier does not send it straight.",
    "sent_nothing": "Nothing of {number} was sent. Enter how many of at least one line.",
    "expected_of_document": "{number} is a document of its own, and what comes of it follows from that. Change the document.",
    "count_waits": "A count of {item} at {site} waits for a decision. Have that decided first, then count again.",
    "receive_as_purchase": "{number} is a purchase order. Receive it as one, so that it knows what came.",
}
