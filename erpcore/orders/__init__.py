"""What customers ordered, what we promised them, and how far each line has come."""
