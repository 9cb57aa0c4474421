"""What a collector works through: whom to call, what was said, and how late each customer pays."""
