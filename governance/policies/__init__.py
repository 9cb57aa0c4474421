"""Who decided that a policy point has another value here than the standard, for how long, and why."""
