"""How much customers owe us or will owe us: one figure each, changed by whoever causes it."""
