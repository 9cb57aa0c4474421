"""What one currency is worth in another, day by day, as finance keeps it."""
