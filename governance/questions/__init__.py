"""What is still open in the design: which question, who decides it until when, and what was decided?"""
