"""Where the packages are joined: the only commit, the ports, the subscriptions."""
