"""Payouts of partners: who sells for us, what came, what each line is about, and what is owed or not explained."""
