"""May this wave go live, and may it stay live: measures, waves, gates."""
