"""What lies in which carton: packing a picked shipment."""
