"""Words for refusals of carriers' bills."""

MESSAGES: dict[str, str] = {
    "carrier_bill_unknown": "There is no carrier’s bill {id} here, or it belongs to a site that is not yours. Check the number.",
    "carrier_bill_line_unknown": "There is no line {id} of a carrier’s bill here. Load the page again.",
    "carrier_bill_other_site": "{site} belongs to another company than {carrier} drives for. Choose a site of that company.",
    "carrier_bill_number_missing": "Enter the number that stands on the carrier’s bill.",
    "carrier_bill_day": "{day} has not come yet. Enter the day that stands on the bill.",
    "carrier_bill_due": "It would be due on {day}, before it was written. Check both days.",
    "carrier_bill_twice": "This bill was taken before as {number}, so it is not owed again. Open that one, or enter the number that stands on this bill.",
    "carrier_bill_own": "You handed bill {document} in, so somebody else has to approve it.",
    "carrier_bill_undecided": "Lines {lines} of bill {document} are not as expected. Accept or decline each, or send the bill back.",
    "carrier_bill_nothing": "Every line of bill {document} is declined, so nothing is owed. Send the bill back instead.",
    "carrier_bill_changed": "Our shipments have changed since the lines of bill {document} were matched. Match it again, look, and approve it then.",
    "carrier_line_matched": "Line {line} of bill {document} is as expected and owed without anybody’s word. Load the page again.",
    "carrier_bill_lines_unclear": "“{line}” is not said as it has to be: shipment; amount; tax; text. Enter one line for each.",
    "carrier_bill_without_lines": "Choose the carrier’s file, or enter the lines of the bill; not both.",
    "shipment_unheard": "There is no shipment {number} of this company. Check the number, or leave it empty.",
    "freight_below_nothing": "A carrier cannot give back more for {document} than was charged. Reverse the bill that came later first.",
}
