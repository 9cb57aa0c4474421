"""The impact graph on the screen: what a thing touches, what touches it, and what follows if it changes."""
