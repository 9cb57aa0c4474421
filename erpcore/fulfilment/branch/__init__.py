"""What one site of ours asks another for: requested, approved, shipped as transfers, with a promised day."""
