"""Double entry: what every step of the business did to the books."""
