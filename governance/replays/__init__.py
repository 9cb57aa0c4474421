"""What would a variant change? Replays of recent orders under what is proposed, asked for, followed and kept."""
