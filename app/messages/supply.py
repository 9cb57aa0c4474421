"""Words for refusals around supply: suppliers, purchase orders, and what comes of them."""

MESSAGES: dict[str, str] = {
    "supplier_unknown": "There is no supplier {id}. Choose one from the list.",
    "supplier_incomplete": "A supplier has a code, a name and a country. Enter what is missing.",
    "supplier_blocked": "Supplier {supplier} is blocked. Choose another, or ask the owner of supplier data to lift the block.",
    "supplier_not_direct": "Supplier {supplier} does not send goods to our customers. Choose another, or change the supplier.",
    "works_no_drop_ship": "Site {site} has stock of ours, so it stands for no supplier's works. Choose a drop-ship site, or none.",
    "works_taken": "Site {site} stands for the works of {supplier} already. Choose another site, or none.",
    "lead_days_absurd": "Goods take from 0 to {most} days. Enter a number in between.",
    "offer_rank_absurd": "The rank goes from 1 (asked first) to 99. Choose one of these.",
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
    "expected_of_document": "{number} is a document of its own, and what comes of it follows from that. Change the document.",
    "receive_as_purchase": "{number} is a purchase order. Receive it as one, so that it knows what came.",
}
