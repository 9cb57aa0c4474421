"""The roadmap: its phases, what closes them, and what the programme costs and brings."""
