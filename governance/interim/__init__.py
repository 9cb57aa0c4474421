"""The interim state: who masters what while the old systems still run beside the core."""
