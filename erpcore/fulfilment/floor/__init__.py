"""Who does what next on the warehouse floor: tasks, pick waves, and picking them."""
