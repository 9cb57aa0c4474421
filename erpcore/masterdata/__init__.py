"""Who we are, where, through which channels, what we sell to whom: the records every transaction refers to."""
