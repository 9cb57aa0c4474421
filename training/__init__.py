"""Can these people do it: curricula, practice, certification."""
