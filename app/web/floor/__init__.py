"""The warehouse floor: the board, pick waves, and what a picker holds in the hand."""
