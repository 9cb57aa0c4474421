"""What we buy: purchase orders, what suppliers confirm of them, and what came."""
