"""What lies where, what is promised to whom, and every move that led there."""
