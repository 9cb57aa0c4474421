"""Getting goods out of the door and back in: shipments and returns."""
