"""What stock is worth: by which method a site values it, its cost layers, and costs that come after the goods."""
