"""A person's own account: password, sign-ins, the role they act in."""
