"""A distributor to look at: a programme with its people, waves and ten weeks of trading, made through the real services."""
