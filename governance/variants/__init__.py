"""Who decided that a process runs otherwise here than the standard says, for how long, why, and what it costs to keep."""
