"""The home page: what waits for me, my sites, my waves."""
