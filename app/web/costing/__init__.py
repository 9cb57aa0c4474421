"""What stock is worth: methods of sites, cost layers, late costs."""
