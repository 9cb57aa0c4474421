"""The programme: what it is for, who decides in it, and where its waves stand."""
