"""Working for what is overdue: who looks after a customer, what was said to them, how late they pay, and what is next."""
