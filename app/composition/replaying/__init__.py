"""What would have become of recent orders under a proposed variant? The core's own services say so, in a throw-away place."""
