"""Version 1 of the API: one module per area, each registering its operations."""
