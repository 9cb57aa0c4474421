"""The screens: one folder per area, each with its views, and the shell they stand in."""
