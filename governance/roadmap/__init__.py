"""The roadmap: phases, stage gates, the money they release, and the business case."""
