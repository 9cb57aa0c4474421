"""Pages of what customers are told and what people say."""
