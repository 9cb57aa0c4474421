"""The interim state of a wave: who masters what while the old systems still run."""
