"""Who drives: carriers, their services and cut-offs, what a shipment's carriage costs, and where it went wrong on the way."""
