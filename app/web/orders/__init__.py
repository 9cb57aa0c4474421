"""Orders: the list, one order on one page, entering one, and moving it on."""
