"""Proof: every total of the books beside its recomputation."""
