"""Policy points on the screen: what holds where, who asked for it and who agreed."""
