"""Lists: declared once, the same everywhere."""
