"""What tests share: database servers, builders, clients."""
