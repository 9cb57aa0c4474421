"""The rules by which documents are taxed, as finance keeps them."""
