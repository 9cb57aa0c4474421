"""How do real files become transactions? Profiles say what a file means; the core's own services post it."""
