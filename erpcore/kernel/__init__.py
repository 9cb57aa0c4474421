"""What every area of the core and of the rollout packages stands on: rows, money, time, flows, events, evidence."""
