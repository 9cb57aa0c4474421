"""Read models across packages: what pages show that no single package knows."""
