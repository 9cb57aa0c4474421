"""Processes on the screen: how the work is done, by whom, and what is done when it cannot go by the standard."""
