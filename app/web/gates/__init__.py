"""Gates: what must be true before a wave goes live, stays live or is left alone, and what the core's records say."""
