"""Revenue at transfer of control: what a period lacks at its end, posted and turned back."""
