"""Stock: what is where, who holds it, how it came, and the forms that change it."""
