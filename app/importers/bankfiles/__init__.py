"""Files of banks: camt.053, MT940 and tables, read into statements whose lines are as the bank wrote them, or say why not."""
