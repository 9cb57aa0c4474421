"""Screens of short lines and substitutes."""
