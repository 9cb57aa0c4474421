"""How the machine is: health, consumers, parked events, jobs, the audit chain."""
