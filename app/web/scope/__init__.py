"""The switch in the top bar: programme, wave and site that stay while one moves about."""
