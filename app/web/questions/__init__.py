"""Design questions on the screen: what is open, since when, who decides it, and what was decided."""
