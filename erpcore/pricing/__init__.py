"""Which price a line gets, and why that one."""
