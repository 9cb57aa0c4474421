"""The warehouse at the desk: places, what lies there, transfers, count plans, lots, goods receipts."""
