"""Lines that wait for stock: their rank, age and promise."""
