"""What runs without being asked: consumers of events and scheduled jobs, in a process of their own."""
