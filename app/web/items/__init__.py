"""Items: what they are, in which packs they come, and everything there is of them."""
