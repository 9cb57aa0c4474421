"""Who gets scarce stock: short items, runs, protections, taking back, and backorders."""
