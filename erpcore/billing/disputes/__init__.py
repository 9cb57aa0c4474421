"""What customers deduct from invoices or object to: named, owned, and settled to the last minor unit."""
